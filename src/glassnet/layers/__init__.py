"""What torch.nn lacks: one idea a file."""

from glassnet.layers import image_filters
from glassnet.layers.activation import ACTIVATIONS, activation, activation_curve
from glassnet.layers.channel_padding import SubsampleAndPad
from glassnet.layers.column_embedding import ColumnEmbedding
from glassnet.layers.connection_table import ConnectionTableConv2d
from glassnet.layers.dropout import ClassicDropout
from glassnet.layers.gaussian_pool import GaussianPool2d
from glassnet.layers.inception import Inception, InceptionWidths, conv_relu
from glassnet.layers.locally_connected import LocallyConnected1d, LocallyConnected2d
from glassnet.layers.lrn import LocalResponseNorm
from glassnet.layers.maxout import ChannelMaxPool, MaxoutConv2d, MaxoutLinear
from glassnet.layers.noise import GaussianNoise
from glassnet.layers.norm_pool import NormPool2d
from glassnet.layers.rbf import RBF, digit_codes, map_criterion
from glassnet.layers.residual import EXPANSION, BasicBlock, Bottleneck, Shortcut, make_shortcut
from glassnet.layers.scale import Scale
from glassnet.layers.scaled_tanh import ScaledTanh
from glassnet.layers.subsampling import Subsampling
from glassnet.layers.whitening import whitening_filters

__all__ = [
    "ACTIVATIONS",
    "EXPANSION",
    "RBF",
    "BasicBlock",
    "Bottleneck",
    "ChannelMaxPool",
    "ClassicDropout",
    "ColumnEmbedding",
    "ConnectionTableConv2d",
    "GaussianNoise",
    "GaussianPool2d",
    "Inception",
    "InceptionWidths",
    "LocalResponseNorm",
    "LocallyConnected1d",
    "LocallyConnected2d",
    "MaxoutConv2d",
    "MaxoutLinear",
    "NormPool2d",
    "Scale",
    "ScaledTanh",
    "Shortcut",
    "SubsampleAndPad",
    "Subsampling",
    "activation",
    "activation_curve",
    "conv_relu",
    "digit_codes",
    "image_filters",
    "make_shortcut",
    "map_criterion",
    "whitening_filters",
]
