"""Open a network: any module of PyTorch as a computational graph of gates with its present weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.errors import GlassnetError, ModelError, UsageError, all_at_once
from glassnet.gates import Array, Graph, Node
from glassnet.glassbox.losses import loss_of
from glassnet.glassbox.recorder import Recorder, flat, numbers
from glassnet.layers.twin import twin


@dataclass(frozen=True)
class Opened:
    """A network as gates.

    Attributes:
        graph: its output is the loss where targets were given, else the network's output. ``graph.forward(opened.values)`` computes it.
        values: of the graph's inputs: ``x``, or the names of ``forward``'s arguments where it takes several; ``target`` where there are
            targets.
        output: the node of the network's own output.
        outputs: with those of further classifiers, which some networks have in training.
        module_of: for each gate, the dotted name of the module that it belongs to; "" for what the network's ``forward`` computes itself.
        largest_difference: between the graph's output and PyTorch's, both in float64: rounding, which grows with the depth.
    """

    graph: Graph
    values: dict[str, Array]
    output: Node
    outputs: tuple[Node, ...] = ()
    module_of: dict[str, str] = field(default_factory=dict)
    largest_difference: float = 0.0


def open_module(
    net: nn.Module,
    inputs: Tensor | tuple[Tensor, ...],
    targets: Tensor | None = None,
    *,
    loss: str | Callable[[Node, Node], Node] = "auto",
    training: bool = False,
) -> Opened:
    """The graph of a network on a batch of inputs, with its present weights, in float64.

    The network itself is not touched: a copy computes the batch while a recorder builds a gate for every operation, and every gate's value is
    compared with PyTorch's on the way. Where ``forward`` branches on numbers, the graph is that of the branch which these inputs take.
    What the copy draws at random (dropout) becomes constants; the random state is left as it was.

    Args:
        net: maps a batch to outputs.
        inputs: a batch; one sample or a few are enough. Several tensors for a ``forward`` that takes several.
        targets: class indices or values; with them the graph ends in the loss.
        loss: ``cross-entropy``, ``binary``, ``hinge``, ``map``, ``squared``, ``absolute``, ``huber``, each as in training; auto takes
            cross-entropy for class indices (binary for one output), squared error for values. Or a function from (output, target) nodes to a
            node. Where a network has further classifiers in training, their losses are added with its ``auxiliary_weight``.
        training: show the network as it is in training (statistics of the batch, masks of dropout) instead of in evaluation.

    Raises:
        ModelError: operations that have no gate, all of them with their places; a network that cannot be copied or does not compute.
        UsageError: an unknown loss.
    """
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    twin = twin_of(net)
    twin.train(training)
    names = _names(net, len(given))
    recorder = Recorder(twin)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        tensors = [recorder.input(doubled(tensor), name) for tensor, name in zip(given, names, strict=True)]
        computed = _outputs(_computed(twin, recorder, tensors), type(net).__name__)
    outputs = tuple(recorder.node_of(tensor) for tensor in computed)
    mistakes = recorder.mistakes(outputs)
    if mistakes:
        raise all_at_once(mistakes)
    if outputs[0].kind == "constant":
        raise ModelError(
            "the output of this network does not depend on its input or weights",
            where=type(net).__name__,
            fix="let forward compute with tensors of PyTorch alone, without .numpy(), .tolist() or .item()",
        )
    if outputs[0].kind != "gate":
        raise ModelError(
            "this network computes nothing: its output is its input or a weight",
            where=type(net).__name__,
            expected="an operation between them, such as a layer",
        )
    values = {node.name: node.value for node in map(recorder.node_of, tensors) if node.value is not None}
    last = outputs[0]
    if targets is not None:
        weight = float(getattr(net, "auxiliary_weight", 0.0))
        whole = not targets.is_floating_point()
        last, values["target"] = loss_of(outputs, numbers(targets), loss, whole=whole, auxiliary_weight=weight)
    graph = Graph(last, *(node for node in outputs if node is not last))
    used = {name: value for name, value in values.items() if name in graph.inputs}
    graph.forward(used)
    difference = max(
        float(np.abs(_value(node) - numbers(tensor)).max(initial=0.0))
        for node, tensor in zip(outputs, computed, strict=True)
    )
    return Opened(graph, used, outputs[0], outputs, recorder.module_of, difference)


def twin_of(net: nn.Module) -> nn.Module:
    """A copy on the CPU in float64, which may be changed."""
    try:
        return twin(net).to(device="cpu", dtype=torch.float64)
    except (ModelError, RuntimeError, TypeError, NotImplementedError, AttributeError, ValueError) as error:
        raise ModelError(
            "this network cannot be copied and brought to float64",
            where=type(net).__name__,
            got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            expected="a module that copy.deepcopy copies and .to(torch.float64) converts",
        ) from error


def doubled(tensor: Tensor) -> Tensor:
    """On the CPU, floating-point numbers in float64, whole numbers as they are."""
    tensor = tensor.detach().cpu()
    return tensor.double() if tensor.is_floating_point() else tensor


def _names(net: nn.Module, count: int) -> list[str]:
    """The inputs' names: ``x`` for one, those of the arguments of ``forward`` for several."""
    if count == 1:
        return ["x"]
    named = [
        name
        for name, argument in inspect.signature(net.forward).parameters.items()
        if argument.kind in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD)
    ]
    if len(named) >= count:
        return named[:count]
    return [f"x{number}" for number in range(1, count + 1)]


def _computed(twin: nn.Module, recorder: Recorder, tensors: list[Tensor]) -> Any:
    """What the network gives back, with the recorder watching."""
    try:
        with recorder:
            return twin(*tensors)
    except GlassnetError:
        raise
    except Exception as error:  # whatever a user's forward may raise
        told = list(recorder.missing.values())
        raise all_at_once(
            [
                *told,
                ModelError(
                    "this network does not compute these inputs in float64",
                    where=type(twin).__name__,
                    got=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
                    expected="a network that computes on the CPU in the type of its weights",
                ),
            ]
        ) from error


def _outputs(result: Any, where: str) -> tuple[Tensor, ...]:
    """The tensors that a network gives back, the one that counts first."""
    found = tuple(each for each in flat(result) if isinstance(each, Tensor) and each.is_floating_point())
    if not found:
        raise ModelError(
            "the network gives no tensor of floating-point numbers back",
            where=where,
            got=type(result).__name__,
            expected="one, alone or in a tuple, list or dict",
        )
    return found


def _value(node: Node) -> Array:
    if node.value is None:
        raise UsageError("a node has no value", where=node.name, fix="call graph.forward(values) first")
    return node.value
