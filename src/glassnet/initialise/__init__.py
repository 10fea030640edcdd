"""Starting weights by name, for any module."""

from glassnet.initialise.adjustable import left_as_drawn
from glassnet.initialise.network import initialise, set_biases
from glassnet.initialise.rules import INITS, Fans, Init, fans_of

__all__ = ["INITS", "Fans", "Init", "fans_of", "initialise", "left_as_drawn", "set_biases"]
