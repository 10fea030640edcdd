"""The glass box: a computational graph whose gates carry forward and backward written out by hand, in NumPy float64."""

from glassnet.gates.adaptive_pool import AdaptiveAveragePool, AdaptiveMaxPool
from glassnet.gates.arithmetic import Add, Divide, Multiply, Negate, Power, Subtract
from glassnet.gates.average_pool import AveragePool, GaussianPool, GlobalAveragePool
from glassnet.gates.batch_norm import BatchNorm, BatchNormEvaluation
from glassnet.gates.choosing import Fill, Select
from glassnet.gates.classification_losses import BinaryCrossEntropy, CrossEntropy, Hinge, NegativeLogLikelihood
from glassnet.gates.comparisons import Maximum, Minimum
from glassnet.gates.connection_table import ConnectedKernels, TableConvolution
from glassnet.gates.connectivity import Connectivity, connectivity
from glassnet.gates.convolution import Convolution
from glassnet.gates.dense import Dense
from glassnet.gates.dropout import ClassicDropout, Dropout, keep_mask
from glassnet.gates.embedding import Embedding
from glassnet.gates.functions import Absolute, Clip, Cos, Exp, Log, Reciprocal, Sin, Sqrt, Square
from glassnet.gates.gate import Array, Elementwise, Gate, Gradients
from glassnet.gates.graph import Graph
from glassnet.gates.joining import Concatenate, Stack
from glassnet.gates.layer_norm import GroupNorm, LayerNorm
from glassnet.gates.local import Local, local_gradients
from glassnet.gates.local_response_norm import LocalResponseNorm
from glassnet.gates.locally_connected import LocallyConnected
from glassnet.gates.matrix import MatrixProduct
from glassnet.gates.max_pool import ChannelMaxPool, MaxPool
from glassnet.gates.maxout import maxout
from glassnet.gates.node import Node, apply, constant, inputs, parameter
from glassnet.gates.norm_pool import NormPool
from glassnet.gates.penalties import L1Penalty, L2Penalty
from glassnet.gates.rbf import RBF, MapCriterion
from glassnet.gates.rectifiers import ELU, SELU, LeakyReLU, PReLU, ReLU
from glassnet.gates.recurrent import Weights, gru_step, lstm_step, rnn_step, unroll, unroll_packed
from glassnet.gates.reductions import Max, Mean, Min, Sum
from glassnet.gates.regression_losses import AbsoluteError, Huber, SquaredError
from glassnet.gates.shaping import Expand, Flatten, Pad, Reshape, Slice, Transpose
from glassnet.gates.smooth_rectifiers import GELU, SiLU, Softplus, TanhGELU
from glassnet.gates.softmax import LogSoftmax, Softmax
from glassnet.gates.squashing import Identity, ScaledTanh, Sigmoid, Tanh
from glassnet.gates.step import Step
from glassnet.gates.subsampling import Subsampling

__all__ = [
    "ELU",
    "GELU",
    "RBF",
    "SELU",
    "Absolute",
    "AbsoluteError",
    "AdaptiveAveragePool",
    "AdaptiveMaxPool",
    "Add",
    "Array",
    "AveragePool",
    "BatchNorm",
    "BatchNormEvaluation",
    "BinaryCrossEntropy",
    "ChannelMaxPool",
    "ClassicDropout",
    "Clip",
    "Concatenate",
    "ConnectedKernels",
    "Connectivity",
    "Convolution",
    "Cos",
    "CrossEntropy",
    "Dense",
    "Divide",
    "Dropout",
    "Elementwise",
    "Embedding",
    "Exp",
    "Expand",
    "Fill",
    "Flatten",
    "Gate",
    "GaussianPool",
    "GlobalAveragePool",
    "Gradients",
    "Graph",
    "GroupNorm",
    "Hinge",
    "Huber",
    "Identity",
    "L1Penalty",
    "L2Penalty",
    "LayerNorm",
    "LeakyReLU",
    "Local",
    "LocalResponseNorm",
    "LocallyConnected",
    "Log",
    "LogSoftmax",
    "MapCriterion",
    "MatrixProduct",
    "Max",
    "MaxPool",
    "Maximum",
    "Mean",
    "Min",
    "Minimum",
    "Multiply",
    "Negate",
    "NegativeLogLikelihood",
    "Node",
    "NormPool",
    "PReLU",
    "Pad",
    "Power",
    "ReLU",
    "Reciprocal",
    "Reshape",
    "ScaledTanh",
    "Select",
    "SiLU",
    "Sigmoid",
    "Sin",
    "Slice",
    "Softmax",
    "Softplus",
    "Sqrt",
    "Square",
    "SquaredError",
    "Stack",
    "Step",
    "Subsampling",
    "Subtract",
    "Sum",
    "TableConvolution",
    "Tanh",
    "TanhGELU",
    "Transpose",
    "Weights",
    "apply",
    "connectivity",
    "constant",
    "gru_step",
    "inputs",
    "keep_mask",
    "local_gradients",
    "lstm_step",
    "maxout",
    "parameter",
    "rnn_step",
    "unroll",
    "unroll_packed",
]
