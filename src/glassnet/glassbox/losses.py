"""The losses by which a network can be opened, as gates behind its output."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from glassnet import gates
from glassnet.errors import ModelError, unknown
from glassnet.gates import Array, Gate, Node, apply
from glassnet.glassbox.shape_gates import shape_of

J = 8.0  # of the MAP criterion, as in training

LOSSES: Mapping[str, Callable[[], Gate]] = {
    "cross-entropy": gates.CrossEntropy,
    "binary": gates.BinaryCrossEntropy,
    "hinge": gates.Hinge,
    "map": lambda: gates.MapCriterion(J),
    "squared": gates.SquaredError,
    "absolute": gates.AbsoluteError,
    "huber": gates.Huber,
}
OF_VALUES = ("squared", "absolute", "huber")


def gate_loss(name: str, label_smoothing: float = 0.0, j: float | None = None) -> str | Callable[[Node, Node], Node]:
    """A loss with its settings, as :func:`~glassnet.glassbox.open_module` takes it.

    Args:
        name: a key of :data:`LOSSES`, or ``auto``.
        label_smoothing: of cross-entropy.
        j: of ``map``; without it, the usual one.
    """
    if name == "map" and j is not None:
        return lambda output, target: apply(gates.MapCriterion(j), output, target)
    if name == "cross-entropy" and label_smoothing:
        return lambda output, target: apply(gates.CrossEntropy(label_smoothing), output, target)
    return name


def loss_of(
    outputs: tuple[Node, ...],
    targets: Array,
    loss: str | Callable[[Node, Node], Node],
    *,
    whole: bool,
    auxiliary_weight: float,
) -> tuple[Node, Array]:
    """The loss behind the outputs.

    Args:
        outputs: the network's own output first, then those of further classifiers.
        targets: class indices or values.
        loss: a key of :data:`LOSSES`, ``auto``, or a function of (output, target).
        whole: whether the targets are whole numbers, and so classes.
        auxiliary_weight: of each further output's loss.

    Returns:
        The node, and the targets in the shape that it takes.

    Raises:
        UsageError: an unknown loss.
        ModelError: targets that do not fit the output.
    """
    shape = shape_of(outputs[0])
    if loss == "auto":
        one = len(shape) == 2 and shape[1] == 1
        loss = "squared" if not whole else "binary" if one else "cross-entropy"
    if isinstance(loss, str) and loss not in LOSSES:
        raise unknown("loss", loss, (*LOSSES, "auto"))
    if loss in OF_VALUES and targets.ndim == 1 and shape == (len(targets), 1):
        targets = targets[:, None]
    target = gates.inputs("target")[0]
    target.value = targets

    def of_one(output: Node, name: str) -> Node:
        return (apply(LOSSES[loss](), output, target) if isinstance(loss, str) else loss(output, target)).named(name)

    try:
        if len(outputs) == 1 or not auxiliary_weight:
            return _computed(of_one(outputs[0], "loss")), targets
        total = of_one(outputs[0], "loss.own")
        for number, output in enumerate(outputs[1:], 1):
            total = total + auxiliary_weight * of_one(output, f"loss.auxiliary{number}")
        return _computed(total.named("loss")), targets
    except (ValueError, IndexError) as error:
        raise ModelError(
            "the targets do not fit the network's output",
            where=f"the loss '{loss}'" if isinstance(loss, str) else "the loss",
            got=f"targets of shape {targets.shape}, an output of shape {shape}",
            expected=error,
        ) from error


def _computed(node: Node) -> Node:
    shape_of(node)
    return node
