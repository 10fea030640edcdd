"""What torch.nn lacks: one idea a file."""

from glassnet.layers.activation import ACTIVATIONS, activation
from glassnet.layers.channel_padding import SubsampleAndPad
from glassnet.layers.scale import Scale
from glassnet.layers.whitening import whitening_filters

__all__ = ["ACTIVATIONS", "Scale", "SubsampleAndPad", "activation", "whitening_filters"]
