"""PyTorch's loss functions as gates, for losses of a user's own that are opened with the network."""

# ruff: noqa: A002 - arguments carry PyTorch's names, since calls may give them by name

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glassnet import gates
from glassnet.errors import ModelError
from glassnet.gates import Gate, Node, apply
from glassnet.glassbox.shape_gates import shape_of, values_of


def cross_entropy(
    input: Node,
    target: Node,
    weight: Node | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Node:
    """The mean over the batch, of class indices or probabilities."""
    indices = shape_of(input) != shape_of(target)
    if reduction != "mean" or weight is not None or (indices and ignore_index in values_of(target)):
        raise ModelError(
            "a cross-entropy with weights, without a mean or with ignored examples has no gate",
            expected="reduction='mean', no weight, and no target that is ignore_index",
        )
    return apply(gates.CrossEntropy(float(label_smoothing)), input, target)


def mean_loss(make: Callable[..., Gate]) -> Callable[..., Node]:
    """A loss of outputs and targets of one shape, averaged."""

    def handler(input: Node, target: Node, *_: Any, reduction: str = "mean", **settings: Any) -> Node:
        named = {name: value for name, value in settings.items() if name not in ("size_average", "reduce")}
        if reduction != "mean" or any(value is not None for name, value in named.items() if name != "delta"):
            raise ModelError(
                "a loss with weights, or without a mean, has no gate",
                expected="reduction='mean', and no weight or pos_weight",
            )
        return apply(make(float(named["delta"])) if named.get("delta") is not None else make(), input, target)

    return handler
