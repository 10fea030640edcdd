"""``glassnet.open``: what a model computes for an input, as a graph of gates."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.data.dataset import as_tensor
from glassnet.errors import ModelError, UsageError, unknown
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
        if targets is not None:
            refuse_target(model)
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


WITHOUT_GATES = MappingProxyType({"tree": "trees", "graph": "graphs", "graphs": "graphs"})
"""Kinds of data whose networks gather from wherever a tree or a graph leads, for which there are no gates."""
STEPS = MappingProxyType({"stream": "what comes next", "tags": "a tag", "pairs": "what is written next"})
"""Kinds of data whose networks say something at every step, and what."""


def refuse_target(model: Model) -> None:
    """Refuse a target where there is not one answer.

    Raises:
        UsageError: the network says something at every step.
    """
    if model.schema.kind in STEPS:
        raise UsageError(
            f"this network says {STEPS[model.schema.kind]} at every step, and there is no single target",
            fix="leave the target out: the graph then ends in the outputs of all steps",
        )


def model_inputs(model: Model, inputs: object) -> tuple[list[str], Tensor]:
    """Names and the network's own inputs, preprocessed.

    Raises:
        ModelError: of trees and graphs, whose networks are no fixed graph of gates.
    """
    if model.schema.kind in WITHOUT_GATES:
        raise ModelError(
            f"networks that read {WITHOUT_GATES[model.schema.kind]} are not opened gate by gate yet",
            got=type(model.net).__name__,
            expected="images, tables, arrays, texts, sounds, series, sentences with tags, language models or translators",
        )
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
