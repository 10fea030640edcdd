"""What torch.nn lacks: one idea a file."""

from glassnet.layers import image_filters
from glassnet.layers.activation import ACTIVATIONS, activation, activation_curve
from glassnet.layers.channel_padding import SubsampleAndPad
from glassnet.layers.dropout import ClassicDropout
from glassnet.layers.gaussian_pool import GaussianPool2d
from glassnet.layers.locally_connected import LocallyConnected1d, LocallyConnected2d
from glassnet.layers.lrn import LocalResponseNorm
from glassnet.layers.maxout import ChannelMaxPool, MaxoutConv2d, MaxoutLinear
from glassnet.layers.noise import GaussianNoise
from glassnet.layers.norm_pool import NormPool2d
from glassnet.layers.scale import Scale
from glassnet.layers.whitening import whitening_filters

__all__ = [
    "ACTIVATIONS",
    "ChannelMaxPool",
    "ClassicDropout",
    "GaussianNoise",
    "GaussianPool2d",
    "LocalResponseNorm",
    "LocallyConnected1d",
    "LocallyConnected2d",
    "MaxoutConv2d",
    "MaxoutLinear",
    "NormPool2d",
    "Scale",
    "SubsampleAndPad",
    "activation",
    "activation_curve",
    "image_filters",
    "whitening_filters",
]
