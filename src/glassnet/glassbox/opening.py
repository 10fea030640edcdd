"""``glassnet.open``: what a model computes for an input, as a graph of gates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.data.dataset import as_tensor
from glassnet.errors import UsageError, unknown
from glassnet.gates import Node
from glassnet.glassbox.tracing import Opened, open_module
from glassnet.model import Model


def open_model(
    model: Model | nn.Module,
    inputs: object,
    targets: object = None,
    *,
    loss: str | Callable[[Node, Node], Node] = "auto",
    training: bool = False,
) -> Opened:
    """A network on some inputs as a computational graph, gate by gate, with its present weights.

    Example:
        ``opened = glassnet.open(glassnet.load("runs/digits-1"), "digit.png", "7")``; then ``opened.graph.backward()`` gives every gradient,
        and ``for step in opened.graph.step(opened.values): ...`` walks through all gates.

    Args:
        model: a model of Glassnet, or any module of PyTorch.
        inputs: for a model what ``predict`` takes: files, or an array or tensor of raw inputs with a batch dimension; for a module, tensors as its
            ``forward`` takes them.
        targets: with them the graph ends in the loss. For a model names of classes, one for all inputs or one for each, or values in their own
            units; for a module class indices or values.
        loss: as for :func:`~glassnet.glassbox.open_module`.
        training: as in training instead of in evaluation.

    Raises:
        ModelError: operations that have no gate, all at once.
        UsageError: inputs or targets that do not fit.
    """
    if isinstance(model, Model):
        x = model_inputs(model, inputs)[1]
        wanted = None if targets is None else model_targets(model, targets, len(x))
        return open_module(model.net, x, wanted, loss=loss, training=training)
    if isinstance(model, nn.Module):
        given = tuple(map(as_tensor, inputs)) if isinstance(inputs, tuple) else as_tensor(inputs)
        return open_module(model, given, None if targets is None else as_tensor(targets), loss=loss, training=training)
    raise UsageError(
        "this is no model",
        got=type(model).__name__,
        expected="a model of Glassnet or a torch.nn.Module",
        fix="load a run with glassnet.load(path)",
    )


def model_inputs(model: Model, inputs: object) -> tuple[list[str], Tensor]:
    """Names and the network's own inputs, preprocessed."""
    names, source = model.source(inputs)
    raw = source.take(torch.arange(len(source)))
    with torch.inference_mode():
        x = model.preprocess(raw)
    return names, x.clone()


def model_targets(model: Model, targets: object, count: int) -> Tensor:
    """Targets as the network's loss takes them: indices of classes, or scaled values."""
    given = [targets] * count if isinstance(targets, str | int | float) else targets
    if model.task == "classes":
        return torch.tensor([_class(model, each) for each in _listed(given)])
    values = as_tensor(np.asarray(given, dtype=np.float64)).reshape(count, -1)
    return values if model.target_scale is None else model.target_scale.encode(values)


def _class(model: Model, name: object) -> int:
    if isinstance(name, int) and str(name) not in model.classes:
        if 0 <= name < len(model.classes):
            return name
    elif str(name) in model.classes:
        return model.classes.index(str(name))
    raise unknown("class", str(name), model.classes)


def _listed(values: object) -> list[object]:
    return list(values.tolist()) if isinstance(values, Tensor | np.ndarray) else list(values)  # type: ignore[call-overload]
