"""Recurrent cells built of small gates, and their sequence unrolled through time, so that every step can be walked through.

Weights are laid out as in PyTorch: the rows of w_ih and w_hh hold the cell's gates one after another. Nodes made here are called
after the place where they stand, such as "t3.f" for the forget gate of step 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from glassnet.errors import UsageError
from glassnet.gates.dense import Dense
from glassnet.gates.gate import Gate
from glassnet.gates.joining import Concatenate, Stack
from glassnet.gates.node import Node, apply, constant
from glassnet.gates.squashing import Sigmoid, Tanh

State: TypeAlias = tuple[Node, ...]


class Weights(NamedTuple):
    """The learned nodes of a cell, shared by all steps.

    Attributes:
        w_ih: (gates · units, inputs), from the input.
        w_hh: (gates · units, units), from the state before.
        b_ih: (gates · units,), or None.
        b_hh: (gates · units,), or None.
    """

    w_ih: Node
    w_hh: Node
    b_ih: Node | None = None
    b_hh: Node | None = None


Cell: TypeAlias = Callable[[Node, State, Weights, str], State]


def rnn_step(x: Node, state: State, weights: Weights, name: str, squash: Callable[[], Gate] = Tanh) -> State:
    """Elman's cell: h = g(w_ih · x + b_ih + w_hh · h₋ + b_hh).

    Source: Elman, "Finding Structure in Time", 1990. As ``nn.RNNCell``.

    Args:
        x: (batch, inputs).
        state: (h₋,), (batch, units).
        weights: of one gate.
        name: of the step; its nodes are called name.h and so on.
        squash: g, tanh or another activation.

    Returns:
        (h,).
    """
    from_input, from_state = _sums(x, state[0], weights, name)
    return (apply(squash(), (from_input + from_state).named(f"{name}.a"), name=f"{name}.h"),)


def lstm_step(x: Node, state: State, weights: Weights, name: str) -> State:
    """Long short-term memory: what the cell remembers is kept by f, added to by i, and shown by o.

    i = σ(a_i), f = σ(a_f), g = tanh(a_g), o = σ(a_o); c = f ⊙ c₋ + i ⊙ g; h = o ⊙ tanh(c)

    with (a_i, a_f, a_g, a_o) = w_ih · x + b_ih + w_hh · h₋ + b_hh. The gradient of c₋ is f ⊙ ∂L/∂c: it does not shrink where f is 1.

    Source: Hochreiter, Schmidhuber, "Long Short-Term Memory", 1997; Gers, Schmidhuber, Cummins, "Learning to Forget", 2000, for f.
    As ``nn.LSTMCell``.

    Args:
        x: (batch, inputs).
        state: (h₋, c₋), each (batch, units).
        weights: of four gates, in the order i, f, g, o.
        name: of the step; its nodes are called name.i, name.f, name.g, name.o, name.c, name.h and so on.

    Returns:
        (h, c).
    """
    before, memory = state
    from_input, from_state = _sums(x, before, weights, name)
    a = (from_input + from_state).named(f"{name}.a")
    a_i, a_f, a_g, a_o = _parts(a, 4, weights, ("a_i", "a_f", "a_g", "a_o"), name)
    i = apply(Sigmoid(), a_i, name=f"{name}.i")
    f = apply(Sigmoid(), a_f, name=f"{name}.f")
    g = apply(Tanh(), a_g, name=f"{name}.g")
    o = apply(Sigmoid(), a_o, name=f"{name}.o")
    kept, new = (f * memory).named(f"{name}.kept"), (i * g).named(f"{name}.new")
    c = (kept + new).named(f"{name}.c")
    h = (o * apply(Tanh(), c, name=f"{name}.shown")).named(f"{name}.h")
    return h, c


def gru_step(x: Node, state: State, weights: Weights, name: str, reset_first: bool = False) -> State:
    """Gated recurrent unit: h = (1 − z) ⊙ n + z ⊙ h₋, where z says how much of the old state stays.

    r = σ(a_r), z = σ(a_z), n = tanh(x_n + r ⊙ h_n) with x_• = w_ih · x + b_ih, h_• = w_hh · h₋ + b_hh, a_• = x_• + h_•

    The paper resets the state before the product, h_n = w_hn · (r ⊙ h₋) + b_hn; PyTorch and cuDNN reset after it, as above.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014, section 2.3. As ``nn.GRUCell``.

    Args:
        x: (batch, inputs).
        state: (h₋,), (batch, units).
        weights: of three gates, in the order r, z, n.
        name: of the step; its nodes are called name.r, name.z, name.n, name.h and so on.
        reset_first: the paper's form.

    Returns:
        (h,).
    """
    (before,) = state
    from_input, from_state = _sums(x, before, weights, name)
    x_r, x_z, x_n = _parts(from_input, 3, weights, ("x_r", "x_z", "x_n"), name)
    h_r, h_z, h_n = _parts(from_state, 3, weights, ("h_r", "h_z", "h_n"), name)
    r = apply(Sigmoid(), (x_r + h_r).named(f"{name}.a_r"), name=f"{name}.r")
    z = apply(Sigmoid(), (x_z + h_z).named(f"{name}.a_z"), name=f"{name}.z")
    if reset_first:
        last = slice(2 * _units(weights), None)
        bias = [] if weights.b_hh is None else [weights.b_hh[last]]
        h_n = apply(Dense(), r * before, weights.w_hh[last], *bias, name=f"{name}.reset")
    else:
        h_n = (r * h_n).named(f"{name}.reset")
    n = apply(Tanh(), (x_n + h_n).named(f"{name}.a_n"), name=f"{name}.n")
    new, kept = ((1 - z) * n).named(f"{name}.new"), (z * before).named(f"{name}.kept")
    return ((new + kept).named(f"{name}.h"),)


def unroll(
    cell: Cell,
    x: Node,
    steps: int,
    state: State,
    weights: Weights,
    *,
    time_axis: int = 1,
    backwards: bool = False,
    name: str = "",
) -> tuple[Node, State]:
    """A cell applied to a sequence, step after step, always with the same weights.

    Args:
        cell: :func:`rnn_step`, :func:`lstm_step` or :func:`gru_step`.
        x: (batch, time, inputs); or (time, batch, inputs) with ``time_axis`` 0.
        steps: length of the sequence.
        state: before the first step.
        weights: of the cell.
        time_axis: the dimension of x, and of the outputs, that is time.
        backwards: from the last step to the first, as one half of a bidirectional layer does.
        name: of the layer; step t is called name.t0, name.t1, …

    Returns:
        The states h of all steps, stacked along time, and the state after the last step.
    """
    prefix = f"{name}.t" if name else "t"
    outputs: list[Node] = []
    for t in reversed(range(steps)) if backwards else range(steps):
        moment = x[(slice(None), t) if time_axis == 1 else t].named(f"{prefix}{t}.x")
        state = cell(moment, state, weights, f"{prefix}{t}")
        outputs.append(state[0])
    ordered = outputs[::-1] if backwards else outputs
    return apply(Stack(time_axis), *ordered, name=f"{name}.outputs" if name else "outputs"), state


def unroll_packed(
    cell: Cell,
    x: Node,
    sizes: Sequence[int],
    state: State,
    weights: Weights,
    *,
    backwards: bool = False,
    name: str = "",
) -> tuple[Node, State]:
    """A cell applied to sequences of different lengths, the longest first, without a step on padding.

    At step t only the first ``sizes[t]`` sequences are still there: their state goes on, that of a sequence which has ended stays as it is.
    Backwards a sequence joins, with the state before the first step, where its end is reached.

    Args:
        cell: :func:`rnn_step`, :func:`lstm_step` or :func:`gru_step`.
        x: (Σ sizes, inputs): the rows of step 0, then those of step 1 and so on, as ``pack_padded_sequence`` lays them.
        sizes: how many sequences have a step t; never more than at the step before.
        state: before the first step, of all sequences.
        weights: of the cell.
        backwards: from the last step to the first.
        name: of the layer; step t is called name.t0, name.t1, …

    Returns:
        The states h of all steps, laid out as x is, and the state of each sequence after its last step.
    """
    prefix = f"{name}.t" if name else "t"
    steps, begins = range(len(sizes)), [sum(sizes[:t]) for t in range(len(sizes))]
    outputs: dict[int, Node] = {}
    ended: list[State] = []
    present = sizes[-1] if backwards else sizes[0]
    now = tuple(_rows(start, 0, present) for start in state)
    for t in reversed(steps) if backwards else steps:
        if sizes[t] < present:
            ended.insert(0, tuple(_rows(each, sizes[t], present) for each in now))
            now = tuple(_rows(each, 0, sizes[t]) for each in now)
        elif sizes[t] > present:
            now = tuple(_joined(each, _rows(start, present, sizes[t])) for each, start in zip(now, state, strict=True))
        present = sizes[t]
        moment = x[begins[t] : begins[t] + present].named(f"{prefix}{t}.x")
        now = cell(moment, now, weights, f"{prefix}{t}")
        outputs[t] = now[0]
    last = tuple(_joined(*kind) for kind in zip(now, *ended, strict=True))
    return _joined(*(outputs[t] for t in steps), name=f"{name}.outputs" if name else "outputs"), last


def _rows(node: Node, begin: int, end: int) -> Node:
    """Some sequences of a state; zeros stay a constant."""
    if node.kind == "constant" and node.value is not None:
        return constant(node.value[begin:end], node.name)
    return node[begin:end]


def _joined(*nodes: Node, name: str = "") -> Node:
    return nodes[0] if len(nodes) == 1 else apply(Concatenate(axis=0), *nodes, name=name)


def _sums(x: Node, before: Node, weights: Weights, name: str) -> tuple[Node, Node]:
    """w_ih · x + b_ih and w_hh · h₋ + b_hh, each (batch, gates · units)."""
    biases = [[] if bias is None else [bias] for bias in (weights.b_ih, weights.b_hh)]
    return (
        apply(Dense(), x, weights.w_ih, *biases[0], name=f"{name}.from_input"),
        apply(Dense(), before, weights.w_hh, *biases[1], name=f"{name}.from_state"),
    )


def _units(weights: Weights) -> int:
    if weights.w_hh.shape is None:
        raise UsageError(
            "the weights of a cell need their values when the graph is built",
            where=weights.w_hh.name,
            fix="make them with parameter(name, value)",
        )
    return weights.w_hh.shape[1]


def _parts(a: Node, count: int, weights: Weights, names: tuple[str, ...], name: str) -> list[Node]:
    """The sums of each of the cell's gates, (batch, units)."""
    units = _units(weights)
    return [
        a[:, part * units : (part + 1) * units].named(f"{name}.{each}")
        for part, each in zip(range(count), names, strict=True)
    ]
