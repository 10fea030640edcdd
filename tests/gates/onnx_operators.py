"""ONNX operators spelled in gates: what the node test cases of the onnx wheel need.

Every operator is a function (attributes, inputs) -> outputs. Inputs are constant nodes, None where one is left out; outputs that the
gates do not compute are None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce
from math import ceil
from typing import Any, TypeAlias

import numpy as np

from glassnet import gates
from glassnet.gates import Gate, Node, Weights, apply, constant, gru_step, lstm_step, parameter, rnn_step, unroll

Attributes: TypeAlias = Mapping[str, Any]
Outputs: TypeAlias = list[Node | None]
Operator: TypeAlias = Callable[[Attributes, list[Node | None]], Outputs]


def simple(make: Callable[[], Gate], *names: str) -> Operator:
    """A gate whose settings are attributes of the operator, perhaps under another name: "slope=alpha"."""
    pairs = [(name.split("=")[0], name.split("=")[-1]) for name in names]

    def operator(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
        options = {ours: attributes[theirs] for ours, theirs in pairs if theirs in attributes}
        return [apply(make(**options), *(each for each in inputs if each is not None))]

    return operator


def folded(make: Callable[[], Gate], mean: bool = False) -> Operator:
    """A gate of two inputs that takes any number one after another."""

    def operator(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
        nodes = [each for each in inputs if each is not None]
        total = reduce(lambda x, y: apply(make(), x, y), nodes)
        return [total / len(nodes) if mean else apply(gates.Identity(), total)]

    return operator


def numbers(node: Node | None) -> tuple[int, ...]:
    assert node is not None
    assert node.value is not None
    return tuple(int(value) for value in node.value.ravel())


def padding(attributes: Attributes, x: Node, kernel: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """(before, after) for each dimension, from "pads" or from "auto_pad", which keeps ⌈size / stride⌉ places."""
    count = len(kernel)
    pads = attributes.get("pads", [0] * 2 * count)
    auto = attributes.get("auto_pad", b"NOTSET")
    if auto in (b"NOTSET", b"VALID"):
        return tuple((pads[i], pads[count + i]) for i in range(count))
    assert x.shape is not None
    pairs = []
    for size, k, s, d in zip(
        x.shape[2:],
        kernel,
        attributes.get("strides", [1] * count),
        attributes.get("dilations", [1] * count),
        strict=True,
    ):
        total = max(0, (ceil(size / s) - 1) * s + d * (k - 1) + 1 - size)
        small, large = total // 2, total - total // 2
        pairs.append((small, large) if auto == b"SAME_UPPER" else (large, small))
    return tuple(pairs)


def convolution(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, w = inputs[0], inputs[1]
    assert x is not None
    assert w is not None
    assert w.shape is not None
    count = len(w.shape) - 2
    gate = gates.Convolution(
        tuple(attributes.get("strides", [1] * count)),
        padding(attributes, x, w.shape[2:]),
        tuple(attributes.get("dilations", [1] * count)),
        attributes.get("group", 1),
    )
    return [apply(gate, *(each for each in inputs if each is not None))]


def pool(make: Callable[..., Gate], attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    (x,) = inputs
    assert x is not None
    kernel = tuple(attributes["kernel_shape"])
    options: dict[str, Any] = {
        "kernel": kernel,
        "stride": tuple(attributes.get("strides", [1] * len(kernel))),
        "padding": padding(attributes, x, kernel),
        "dilation": tuple(attributes.get("dilations", [1] * len(kernel))),
        "ceil_mode": bool(attributes.get("ceil_mode", 0)),
    }
    if make is gates.AveragePool:
        options["count_include_pad"] = bool(attributes.get("count_include_pad", 0))
    if make is gates.NormPool:
        options["p"] = attributes.get("p", 2)
    return [apply(make(**options), x), None]


def over_places(make: Callable[..., Gate], attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    (x,) = inputs
    assert x is not None
    assert x.shape is not None
    return [apply(make(tuple(range(2, len(x.shape))), True), x)]


def global_average(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    (x,) = inputs
    assert x is not None
    assert x.shape is not None
    return [apply(gates.Reshape((*x.shape[:2], *[1] * (len(x.shape) - 2))), apply(gates.GlobalAveragePool(), x))]


def reduced(
    before: tuple[Callable[[], Gate], ...], make: Callable[..., Gate], after: tuple[Callable[[], Gate], ...] = ()
) -> Operator:
    """A reduction with functions of one number before and behind it."""

    def operator(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
        x, *rest = inputs
        assert x is not None
        axes = numbers(rest[0]) if rest else tuple(attributes.get("axes", ()))
        for each in before:
            x = apply(each(), x)
        if axes or not attributes.get("noop_with_empty_axes", 0):
            x = apply(make(axes or None, bool(attributes.get("keepdims", 1))), x)
        for each in after:
            x = apply(each(), x)
        return [apply(gates.Identity(), x)]

    return operator


def gemm(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    a, b = inputs[:2]
    assert a is not None
    assert b is not None
    a = apply(gates.Transpose(), a) if attributes.get("transA", 0) else a
    b = apply(gates.Transpose(), b) if attributes.get("transB", 0) else b
    y = attributes.get("alpha", 1.0) * (a @ b)
    c = inputs[2] if len(inputs) > 2 else None
    return [y if c is None else y + attributes.get("beta", 1.0) * c]


def batch_norm(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, scale, bias, mean, variance = inputs
    assert None not in (x, scale, bias, mean, variance)
    eps = attributes.get("epsilon", 1e-5)
    if not attributes.get("training_mode", 0):
        return [apply(gates.BatchNormEvaluation(eps), x, mean, variance, scale, bias)]  # type: ignore[arg-type]
    momentum = attributes.get("momentum", 0.9)
    gate = gates.BatchNorm(eps)
    assert x is not None
    gate.forward(x.value)  # type: ignore[arg-type]
    running = [
        constant(momentum * old.value + (1 - momentum) * new) * 1  # type: ignore[operator,union-attr]
        for old, new in ((mean, gate.mean), (variance, gate.variance))
    ]
    return [apply(gates.BatchNorm(eps), x, scale, bias), *running]  # type: ignore[arg-type]


def layer_norm(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x = inputs[0]
    assert x is not None
    assert x.shape is not None
    axis = attributes.get("axis", -1) % len(x.shape)
    gate = gates.LayerNorm(len(x.shape) - axis, attributes.get("epsilon", 1e-5))
    return [apply(gate, *(each for each in inputs if each is not None)), None, None]


def group_norm(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x = inputs[0]
    assert x is not None
    assert x.shape is not None
    groups = attributes.get("num_groups", x.shape[1])  # as many as channels: instance normalisation
    gate = gates.GroupNorm(groups, attributes.get("epsilon", 1e-5))
    return [apply(gate, *(each for each in inputs if each is not None))]


def local_response_norm(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    gate = gates.LocalResponseNorm(
        attributes["size"],
        attributes.get("alpha", 1e-4),
        attributes.get("beta", 0.75),
        attributes.get("bias", 1.0),
        "torch",  # α divided by the size; the two differ in where an even window reaches, and no case has one
    )
    return [apply(gate, inputs[0])]  # type: ignore[arg-type]


def recurrent(kind: str, attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    """Directions one after another; ONNX orders the rows of its weights in its own way."""
    x, w, r, b, *further = [*inputs, *[None] * (8 - len(inputs))]
    if any(each is not None for each in further):
        raise NotImplementedError("lengths, starting states and peepholes")
    assert x is not None
    assert x.shape is not None
    batch_first = bool(attributes.get("layout", 0))
    batch, steps = x.shape[:2] if batch_first else x.shape[1::-1]
    units = attributes["hidden_size"]
    order = {"RNN": (0,), "LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}[kind]
    reset_first = not attributes.get("linear_before_reset", 0)
    cell = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": partial(gru_step, reset_first=reset_first)}[kind]
    direction = attributes.get("direction", b"forward").decode()

    sequences, ends = [], []
    for number, backwards in enumerate(
        {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    ):
        rows = np.concatenate([np.arange(part * units, (part + 1) * units) for part in order])
        values = [w.value[number][rows], r.value[number][rows]]  # type: ignore[index,union-attr]
        if b is not None:
            values += [half[rows] for half in np.split(b.value[number], 2)]  # type: ignore[index]
        weights = Weights(*(parameter(f"d{number}.{place}", value) for place, value in enumerate(values)))
        state = [constant(np.zeros((batch, units))) for _ in range(2 if kind == "LSTM" else 1)]
        outputs, last = unroll(
            cell,
            x,
            steps,
            tuple(state),
            weights,
            time_axis=1 if batch_first else 0,
            backwards=backwards,
            name=f"d{number}.layer",
        )
        sequences.append(outputs)
        ends.append(last)
    y = apply(gates.Stack(2 if batch_first else 1), *sequences)
    lasts = [apply(gates.Stack(1 if batch_first else 0), *each) for each in zip(*ends, strict=True)]
    return [y, *lasts]


def negative_log_likelihood(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    reduction = attributes.get("reduction", b"mean").decode()
    gate = gates.NegativeLogLikelihood(reduction, attributes.get("ignore_index"))
    return [apply(gate, *(each for each in inputs if each is not None))]


def softmax_cross_entropy(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    s, *rest = inputs
    assert s is not None
    log_p = apply(gates.LogSoftmax(1), s)
    return [*negative_log_likelihood(attributes, [log_p, *rest]), log_p]


def clip(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, *bounds = inputs
    assert x is not None
    low, high = ([None if each is None else float(each.value) for each in bounds] + [None, None])[:2]  # type: ignore[arg-type]
    return [apply(gates.Clip(-np.inf if low is None else low, np.inf if high is None else high), x)]


def hard_sigmoid(x: Node, alpha: float, beta: float) -> Node:
    return apply(gates.Clip(0, 1), alpha * x + beta)


def slices(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, starts, ends = inputs[:3]
    assert x is not None
    assert x.shape is not None
    axes = numbers(inputs[3]) if len(inputs) > 3 else tuple(range(len(numbers(starts))))
    steps = numbers(inputs[4]) if len(inputs) > 4 else (1,) * len(axes)
    place = [slice(None)] * len(x.shape)
    for axis, start, end, step in zip(axes, numbers(starts), numbers(ends), steps, strict=True):
        beyond = step < 0 and end < -x.shape[axis]  # back to the first number and with it
        place[axis] = slice(start, None if beyond else end, step)
    return [x[tuple(place)]]


def pad(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, pads, value, axes = [*inputs, None, None][:4]
    assert x is not None
    assert x.shape is not None
    which = numbers(axes) if axes is not None else tuple(range(len(x.shape)))
    amounts = numbers(pads)
    widths = [(0, 0)] * len(x.shape)
    for number, axis in enumerate(which):
        widths[axis] = (amounts[number], amounts[len(which) + number])
    mode = attributes.get("mode", b"constant").decode()
    return [apply(gates.Pad(tuple(widths), mode, 0.0 if value is None else float(value.value)), x)]  # type: ignore[arg-type]


def reshape(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, shape = inputs
    assert x is not None
    assert x.shape is not None
    new = numbers(shape)
    if not attributes.get("allowzero", 0):
        new = tuple(x.shape[place] if side == 0 else side for place, side in enumerate(new))
    return [apply(gates.Reshape(new), x)]


def flatten(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    (x,) = inputs
    assert x is not None
    assert x.shape is not None
    axis = attributes.get("axis", 1)
    rows = int(np.prod(x.shape[: axis if axis >= 0 else axis + len(x.shape)]))
    return [apply(gates.Flatten(), x) if axis == 1 else apply(gates.Reshape((rows, -1)), x)]


def squeeze(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, axes = inputs
    assert x is not None
    assert x.value is not None
    return [apply(gates.Reshape(np.squeeze(x.value, numbers(axes)).shape), x)]


def unsqueeze(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, axes = inputs
    assert x is not None
    assert x.value is not None
    return [apply(gates.Reshape(np.expand_dims(x.value, numbers(axes)).shape), x)]


def expand(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    x, shape = inputs
    assert x is not None
    assert x.shape is not None
    return [apply(gates.Expand(np.broadcast_shapes(x.shape, numbers(shape))), x)]


def gather(attributes: Attributes, inputs: list[Node | None]) -> Outputs:
    """Rows of a table, where the axis is the first; another axis is brought to the front and back."""
    x, index = inputs
    assert x is not None
    assert x.shape is not None
    assert index is not None
    assert index.value is not None
    axis, dims, new = attributes.get("axis", 0), len(x.shape), index.value.ndim
    front = apply(gates.Transpose((axis, *(each for each in range(dims) if each != axis))), x)
    rows = apply(gates.Embedding(), index.value % x.shape[axis], front)  # (*index, *rest)
    order = (*range(new, new + axis), *range(new), *range(new + axis, new + dims - 1))
    return [apply(gates.Transpose(order), rows)]


def one(function: Callable[[Node], Node]) -> Operator:
    return lambda attributes, inputs: [function(inputs[0])]  # type: ignore[arg-type]


OPERATORS: dict[str, Operator] = {
    "Add": simple(gates.Add),
    "Sub": simple(gates.Subtract),
    "Mul": simple(gates.Multiply),
    "Div": simple(gates.Divide),
    "Neg": simple(gates.Negate),
    "Pow": simple(gates.Power),
    "Abs": simple(gates.Absolute),
    "Exp": simple(gates.Exp),
    "Log": simple(gates.Log),
    "Sqrt": simple(gates.Sqrt),
    "Sin": simple(gates.Sin),
    "Cos": simple(gates.Cos),
    "Reciprocal": simple(gates.Reciprocal),
    "Clip": clip,
    "Max": folded(gates.Maximum),
    "Min": folded(gates.Minimum),
    "Sum": folded(gates.Add),
    "Mean": folded(gates.Add, mean=True),
    "MatMul": simple(gates.MatrixProduct),
    "Gemm": gemm,
    "Identity": simple(gates.Identity),
    "Sigmoid": simple(gates.Sigmoid),
    "Tanh": simple(gates.Tanh),
    "Relu": simple(gates.ReLU),
    "LeakyRelu": simple(gates.LeakyReLU, "slope=alpha"),
    "PRelu": simple(gates.PReLU),
    "Elu": simple(gates.ELU, "alpha"),
    "Selu": simple(gates.SELU, "alpha", "scale=gamma"),
    "Gelu": lambda a, x: [apply(gates.TanhGELU() if a.get("approximate") == b"tanh" else gates.GELU(), x[0])],  # type: ignore[arg-type]
    "Swish": simple(gates.SiLU),
    "Softplus": simple(gates.Softplus),
    "Mish": one(lambda x: x * apply(gates.Tanh(), apply(gates.Softplus(), x))),
    "HardSigmoid": lambda a, x: [hard_sigmoid(x[0], a.get("alpha", 0.2), a.get("beta", 0.5))],  # type: ignore[arg-type]
    "HardSwish": one(lambda x: x * hard_sigmoid(x, 1 / 6, 0.5)),
    "Softmax": lambda a, x: [apply(gates.Softmax(a.get("axis", -1)), x[0])],  # type: ignore[arg-type]
    "LogSoftmax": lambda a, x: [apply(gates.LogSoftmax(a.get("axis", -1)), x[0])],  # type: ignore[arg-type]
    "Conv": convolution,
    "MaxPool": partial(pool, gates.MaxPool),
    "AveragePool": partial(pool, gates.AveragePool),
    "LpPool": partial(pool, gates.NormPool),
    "GlobalMaxPool": partial(over_places, gates.Max),
    "GlobalAveragePool": global_average,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "GroupNormalization": group_norm,
    "InstanceNormalization": group_norm,
    "LRN": local_response_norm,
    "RNN": partial(recurrent, "RNN"),
    "LSTM": partial(recurrent, "LSTM"),
    "GRU": partial(recurrent, "GRU"),
    "NegativeLogLikelihoodLoss": negative_log_likelihood,
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy,
    "ReduceSum": reduced((), gates.Sum),
    "ReduceMean": reduced((), gates.Mean),
    "ReduceMax": reduced((), gates.Max),
    "ReduceMin": reduced((), gates.Min),
    "ReduceL1": reduced((gates.Absolute,), gates.Sum),
    "ReduceL2": reduced((gates.Square,), gates.Sum, (gates.Sqrt,)),
    "ReduceSumSquare": reduced((gates.Square,), gates.Sum),
    "ReduceLogSum": reduced((), gates.Sum, (gates.Log,)),
    "ReduceLogSumExp": reduced((gates.Exp,), gates.Sum, (gates.Log,)),
    "Concat": lambda a, x: [apply(gates.Concatenate(a["axis"]), *x)],  # type: ignore[arg-type]
    "Reshape": reshape,
    "Flatten": flatten,
    "Transpose": lambda a, x: [apply(gates.Transpose(tuple(a["perm"]) if "perm" in a else None), x[0])],  # type: ignore[arg-type]
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Expand": expand,
    "Slice": slices,
    "Pad": pad,
    "Gather": gather,
}
