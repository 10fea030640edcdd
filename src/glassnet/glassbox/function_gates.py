"""PyTorch's functions and tensor methods as gates: a table from the name of what a network calls to the nodes that compute the same.

A handler gets the arguments of the call as PyTorch names them; tensors come as :class:`~glassnet.gates.Node`, everything else as it is.
Nodes that come in have their values. In-place forms (``relu_``) go by the name without the underscore.
"""

# ruff: noqa: A002, A006 - arguments carry PyTorch's names, since calls may give them by name

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Gate, Node, apply
from glassnet.gates.window import Padding
from glassnet.glassbox.further_gates import HardTanh
from glassnet.glassbox.loss_gates import cross_entropy, mean_loss
from glassnet.glassbox.pool_gates import adaptive, avg_pool, lp_pool, max_pool, sizes
from glassnet.glassbox.recurrent_gates import gru, gru_cell, lstm, lstm_cell, pack, rnn, rnn_cell, unpack
from glassnet.glassbox.shape_gates import (
    chunk,
    concatenate,
    expand,
    flatten,
    index_select,
    item,
    movedim,
    pad,
    permute,
    reshape,
    same,
    shape_of,
    split,
    squeeze,
    stack,
    transpose,
    transposed,
    unbind,
    unsqueeze,
    values_of,
)

Handler: TypeAlias = Callable[..., Any]  # to a node, or to a tuple of nodes where PyTorch gives several tensors


def linear(input: Node, weight: Node, bias: Node | None = None) -> Node:
    """A dense layer, y = x·Wᵀ + b."""
    return apply(gates.Dense(), input, weight, *given(bias))


def convolution(
    input: Node,
    weight: Node,
    bias: Node | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Node:
    """A convolution of 1, 2 or 3 dimensions over a batch."""
    dims = len(shape_of(weight)) - 2
    if len(shape_of(input)) != dims + 2:
        raise ModelError("a convolution without a batch has no gate", fix="give a batch of one")
    sides: Padding = cast("Padding", padding) if isinstance(padding, str) else sizes(padding, dims)
    gate = gates.Convolution(sizes(stride, dims), sides, sizes(dilation, dims), groups)
    return apply(gate, input, weight, *given(bias))


def batch_norm(
    input: Node,
    running_mean: Node | None,
    running_var: Node | None,
    weight: Node | None = None,
    bias: Node | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Node:
    """Normalisation by the batch's own statistics (training) or by the running ones."""
    if training or running_mean is None or running_var is None:
        return apply(gates.BatchNorm(eps), input, *both(weight, bias))
    return apply(gates.BatchNormEvaluation(eps), input, running_mean, running_var, *both(weight, bias))


def layer_norm(
    input: Node, normalized_shape: Any, weight: Node | None = None, bias: Node | None = None, eps: float = 1e-5
) -> Node:
    """Normalisation of each example over the last dimensions."""
    return apply(gates.LayerNorm(len(tuple(normalized_shape)), eps), input, *both(weight, bias))


def group_norm(
    input: Node, num_groups: int, weight: Node | None = None, bias: Node | None = None, eps: float = 1e-5
) -> Node:
    """Normalisation of each example over groups of channels."""
    return apply(gates.GroupNorm(int(num_groups), eps=eps), input, *both(weight, bias))


def local_response_norm(input: Node, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Node:
    """By PyTorch's definition, which divides α by the size."""
    return apply(gates.LocalResponseNorm(int(size), alpha, beta, k, definition="torch"), input)


def dropout(input: Node, p: float = 0.5, training: bool = True, inplace: bool = False, *, mask: Node | None) -> Node:
    """Nothing in evaluation; in training the mask that PyTorch has drawn, as a constant."""
    if mask is None:
        return input
    return apply(gates.Dropout(float(p)), input, mask) if p < 1 else apply(gates.Multiply(), input, mask)


def embedding(
    input: Node,
    weight: Node,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Node:
    """Rows of a table."""
    if max_norm is not None or scale_grad_by_freq:
        raise ModelError(
            "an embedding that changes its rows or gradients by itself has no gate",
            expected="max_norm=None and scale_grad_by_freq=False",
        )
    rows = shape_of(weight)[0]
    padding = None if padding_idx is None else padding_idx % rows
    return apply(gates.Embedding(padding if padding in values_of(input) else None), input, weight)


def unary(make: Callable[[], Gate]) -> Handler:
    """A function of one tensor."""
    return lambda input, inplace=False: apply(make(), input)


def binary(make: Callable[[], Gate], *, swapped: bool = False) -> Handler:
    """A function of two tensors or numbers."""

    def handler(input: Any, other: Any, *, alpha: float = 1, rounding_mode: str | None = None) -> Node:
        if rounding_mode is not None:
            raise ModelError(
                "a division that rounds has no gate",
                got=f"rounding_mode='{rounding_mode}'",
                fix=f"write torch.{rounding_mode}((x / y).detach()), which hands back no gradient either",
            )
        other = other if alpha == 1 else other * float(alpha)
        return apply(make(), other, input) if swapped else apply(make(), input, other)

    return handler


def gelu(input: Node, approximate: str = "none") -> Node:
    """Exact, or with tanh."""
    return apply(gates.TanhGELU() if approximate == "tanh" else gates.GELU(), input)


def softplus(input: Node, beta: float = 1.0, threshold: float = 20.0) -> Node:
    """PyTorch goes over to y = x where β·x is above the threshold; the gate needs no such care, and the two agree to rounding at 20."""
    if threshold < 20:
        raise ModelError(
            "a softplus that is cut off this early has no gate", got=f"threshold={threshold:g}", expected="20 or above"
        )
    return apply(gates.Softplus(float(beta)), input)


def clamp(input: Node, min: float | None = None, max: float | None = None, inplace: bool = False) -> Node:
    """Between two bounds, either of which may be left out."""
    if isinstance(min, Node) or isinstance(max, Node):
        raise ModelError("a clamp between tensors has no gate", fix="write torch.minimum(torch.maximum(x, low), high)")
    return apply(gates.Clip(-math.inf if min is None else float(min), math.inf if max is None else float(max)), input)


def prelu(input: Node, weight: Node) -> Node:
    """A slope for all channels, or one for each."""
    shape = shape_of(input)
    if shape_of(weight) not in ((), (1,)) and len(shape) > 2:
        weight = reshape(weight, (-1, *[1] * (len(shape) - 2)))
    return apply(gates.PReLU(), input, weight)


def softmax(make: Callable[..., Gate]) -> Handler:
    """Softmax or its logarithm along a dimension."""

    def handler(input: Node, dim: int | None = None, _stacklevel: int = 3, dtype: object = None) -> Node:
        dims = len(shape_of(input))
        axis = (0 if dims in (0, 1, 3) else 1) if dim is None else dim  # PyTorch's old guess
        return apply(make(axis=axis % dims), input)

    return handler


def reduction(make: Callable[..., Gate]) -> Handler:
    """A sum, mean or extreme over some dimensions, or all."""

    def handler(input: Node, dim: Any = None, keepdim: bool = False, *, dtype: object = None) -> Node:
        dims = len(shape_of(input))
        axis = None if dim is None else tuple(d % dims for d in ((dim,) if isinstance(dim, int) else dim))
        return apply(make(axis=axis or None, keepdims=bool(keepdim)), input)

    return handler


def extreme(reduce: Callable[..., Gate], compare: Callable[[], Gate]) -> Handler:
    """``max`` and ``min``: of all numbers; along a dimension, with the places, which have no gradient; or of two tensors."""

    def handler(input: Node, dim: Any = None, keepdim: bool = False) -> Any:
        if isinstance(dim, Node):
            return apply(compare(), input, dim)
        made = reduction(reduce)(input, dim, keepdim)
        return made if dim is None else (made, None)

    return handler


def where(condition: Node, input: Any, other: Any) -> Node:
    """The sum c · x + (1 − c) · y, with what was chosen as a constant of zeros and ones."""
    chosen: Node = condition * input + (1 - condition) * other
    return chosen


def masked_fill(input: Node, mask: Node, value: Any) -> Node:
    """A number in place of those that a mask covers."""
    if isinstance(value, Node):
        raise ModelError("a mask that fills in a tensor has no gate", fix="fill in a number")
    return apply(gates.Fill(float(value)), input, mask)


def attention(
    query: Node,
    key: Node,
    value: Node,
    attn_mask: Node | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Node:
    """softmax(q·kᵀ / √width) · v, by gates of its own."""
    if attn_mask is not None or is_causal or dropout_p or enable_gqa:
        raise ModelError(
            "attention with a mask, with dropout or with shared keys has no gates",
            fix="write it out, as in torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5 + mask, -1) @ v",
        )
    width = shape_of(query)[-1]
    scores = (query @ transpose(key, -2, -1)) * (1 / math.sqrt(width) if scale is None else float(scale))
    return apply(gates.Softmax(axis=len(shape_of(query)) - 1), scores) @ value


def given(node: Node | None) -> tuple[Node, ...]:
    """The node, if there is one."""
    return () if node is None else (node,)


def both(weight: Node | None, bias: Node | None) -> tuple[Node, ...]:
    """Scale and shift of a normalisation.

    Raises:
        ModelError: a shift without a scale.
    """
    if weight is None and bias is not None:
        raise ModelError("a normalisation with a bias and no weight has no gate", fix="give it a weight of ones")
    return (*given(weight), *given(bias))


FUNCTION_GATES: Mapping[str, Handler] = {
    "linear": linear,
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), convolution),
    **{f"max_pool{dims}d": max_pool(dims) for dims in (1, 2, 3)},
    **{f"avg_pool{dims}d": avg_pool(dims) for dims in (1, 2, 3)},
    **{f"lp_pool{dims}d": lp_pool(dims) for dims in (1, 2, 3)},
    **{f"adaptive_avg_pool{dims}d": adaptive(gates.AdaptiveAveragePool) for dims in (1, 2, 3)},
    **{f"adaptive_max_pool{dims}d": adaptive(gates.AdaptiveMaxPool) for dims in (1, 2, 3)},
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "local_response_norm": local_response_norm,
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d"), dropout),
    "embedding": embedding,
    "lstm": lstm,
    "gru": gru,
    "rnn_tanh": rnn(gates.Tanh),
    "rnn_relu": rnn(gates.ReLU),
    "_pack_padded_sequence": pack,
    "_pad_packed_sequence": unpack,
    "lstm_cell": lstm_cell,
    "gru_cell": gru_cell,
    "rnn_tanh_cell": rnn_cell(gates.Tanh),
    "rnn_relu_cell": rnn_cell(gates.ReLU),
    "scaled_dot_product_attention": attention,
    "cross_entropy": cross_entropy,
    "mse_loss": mean_loss(gates.SquaredError),
    "l1_loss": mean_loss(gates.AbsoluteError),
    "huber_loss": mean_loss(gates.Huber),
    "binary_cross_entropy_with_logits": mean_loss(gates.BinaryCrossEntropy),
    "relu": unary(gates.ReLU),
    "relu6": unary(lambda: HardTanh(0.0, 6.0)),
    "hardtanh": lambda input, min_val=-1.0, max_val=1.0, inplace=False: apply(
        HardTanh(float(min_val), float(max_val)), input
    ),
    "sigmoid": unary(gates.Sigmoid),
    "tanh": unary(gates.Tanh),
    "silu": unary(gates.SiLU),
    "selu": unary(gates.SELU),
    "gelu": gelu,
    "softplus": softplus,
    "leaky_relu": lambda input, negative_slope=0.01, inplace=False: apply(gates.LeakyReLU(negative_slope), input),
    "elu": lambda input, alpha=1.0, inplace=False: apply(gates.ELU(alpha), input),
    "prelu": prelu,
    "softmax": softmax(gates.Softmax),
    "log_softmax": softmax(gates.LogSoftmax),
    "exp": unary(gates.Exp),
    "log": unary(gates.Log),
    "sqrt": unary(gates.Sqrt),
    "square": unary(gates.Square),
    "abs": unary(gates.Absolute),
    "sin": unary(gates.Sin),
    "cos": unary(gates.Cos),
    "reciprocal": unary(gates.Reciprocal),
    **dict.fromkeys(("neg", "negative"), unary(gates.Negate)),
    **dict.fromkeys(("clamp", "clip"), clamp),
    **dict.fromkeys(("add", "__radd__"), binary(gates.Add)),
    **dict.fromkeys(("sub", "subtract"), binary(gates.Subtract)),
    "__rsub__": binary(gates.Subtract, swapped=True),
    **dict.fromkeys(("mul", "multiply", "__rmul__"), binary(gates.Multiply)),
    **dict.fromkeys(("div", "divide", "true_divide"), binary(gates.Divide)),
    "__rdiv__": binary(gates.Divide, swapped=True),
    "pow": binary(gates.Power),
    "__rpow__": binary(gates.Power, swapped=True),
    **dict.fromkeys(("matmul", "mm", "bmm"), binary(gates.MatrixProduct)),
    "__rmatmul__": binary(gates.MatrixProduct, swapped=True),
    "maximum": binary(gates.Maximum),
    "minimum": binary(gates.Minimum),
    "max": extreme(gates.Max, gates.Maximum),
    "min": extreme(gates.Min, gates.Minimum),
    "sum": reduction(gates.Sum),
    "mean": reduction(gates.Mean),
    "amax": reduction(gates.Max),
    "amin": reduction(gates.Min),
    "where": where,
    "masked_fill": masked_fill,
    "index_select": index_select,
    "pad": pad,
    **dict.fromkeys(("reshape", "view"), reshape),
    **dict.fromkeys(("view_as", "reshape_as"), lambda input, other: reshape(input, shape_of(other))),
    "flatten": flatten,
    "unsqueeze": unsqueeze,
    "squeeze": squeeze,
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), transpose),
    **dict.fromkeys(("t", "T", "mT"), transposed),
    "permute": permute,
    **dict.fromkeys(("movedim", "moveaxis"), movedim),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), expand),
    **dict.fromkeys(("cat", "concat", "concatenate"), concatenate),
    "stack": stack,
    "chunk": chunk,
    "split": split,
    "unbind": unbind,
    "__getitem__": item,
    **dict.fromkeys(
        ("contiguous", "clone", "detach", "data", "double", "float", "to", "type_as", "long", "int", "cpu", "alias"),
        same,
    ),
}
