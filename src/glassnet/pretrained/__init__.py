"""Weights that others have trained: read safely, renamed, loaded into a network of the zoo."""

from glassnet.pretrained.finished import model_from
from glassnet.pretrained.matching import Loaded, load_into
from glassnet.pretrained.naming import NAMINGS, Naming, naming_of
from glassnet.pretrained.reading import Weights, read_weights

__all__ = ["NAMINGS", "Loaded", "Naming", "Weights", "load_into", "model_from", "naming_of", "read_weights"]
