"""How good a classifier is, from its outputs on one part of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glassnet.errors import DataError, ModelError, UsageError
from glassnet.evaluate.calibration import ReliabilityBin, expected_calibration_error, reliability
from glassnet.evaluate.interval import Interval, wilson

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TOP = 5
TOP_LEAST_CLASSES = 6
MOST_CONFUSED = 10
MOST_MISTAKES = 24
MOST_OF_A_PAIR = 8


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class against all others, by its true positives TP, false positives FP and false negatives FN.

    Attributes:
        name: of the class.
        precision: TP/(TP+FP), the share of right answers where this class was said; 0 where it never was.
        recall: TP/(TP+FN), the share of this class's samples that were found; 0 where there are none.
        f1: 2·TP/(2·TP+FP+FN); 0 where the class neither occurs nor was said.
        support: samples that truly are of this class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Confused:
    """How often ``true`` was taken for ``said`` (class indices).

    Attributes:
        true: index of the true class.
        said: index of the class that was said.
        count: how often.
        samples: places in the part of at most eight of them, those that the classifier was surest of first.
    """

    true: int
    said: int
    count: int
    samples: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Mistake:
    """A sample that was classified wrongly.

    Attributes:
        index: its place in the part.
        true: its class's index.
        said: index of the class that got the highest probability.
        probability: of ``said``.
        loss: −ln(probability of ``true``), in nats.
    """

    index: int
    true: int
    said: int
    probability: float
    loss: float


@dataclass(frozen=True, slots=True)
class ClassificationFigures:
    """The figures of merit of a classifier.

    Attributes:
        samples: how many were judged.
        classes: names in the order of the indices.
        accuracy: share of samples whose most probable class is the true one.
        accuracy_interval: its 95 % Wilson interval, for the chance in drawing these samples (not for that in training).
        error_top1: 1 − accuracy.
        error_top5: share of samples whose true class is not among the five most probable; None with fewer than six classes.
        loss: mean cross-entropy −ln p(true class), in nats; ln(classes) is a uniform guess.
        per_class: figures of each class.
        macro_f1: mean F1 over the classes that occur or were said.
        confusion: rows are true classes, columns what was said.
        calibration_error: expected calibration error, 0 to 1.
        reliability: 15 bins of equal width.
        confused: the most confused ordered pairs, the most frequent first.
        worst: mistakes, the highest loss first.
    """

    samples: int
    classes: tuple[str, ...]
    accuracy: float
    accuracy_interval: Interval
    error_top1: float
    error_top5: float | None
    loss: float
    per_class: tuple[ClassFigures, ...]
    macro_f1: float
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    confused: tuple[Confused, ...]
    worst: tuple[Mistake, ...]

    @property
    def right(self) -> int:
        """How many samples were classified rightly."""
        return sum(row[index] for index, row in enumerate(self.confusion))

    def to_json(self) -> dict[str, Any]:
        """Plain values, with ``kind`` first, for :meth:`from_json`."""
        return {"kind": "classification"} | asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ClassificationFigures:
        """The figures that :meth:`to_json` described, also after JSON made lists of tuples."""
        fields = {key: value for key, value in values.items() if key != "kind"}
        return cls(
            **fields
            | {
                "classes": tuple(fields["classes"]),
                "accuracy_interval": Interval(*fields["accuracy_interval"]),
                "per_class": tuple(ClassFigures(**each) for each in fields["per_class"]),
                "confusion": tuple(tuple(row) for row in fields["confusion"]),
                "reliability": tuple(ReliabilityBin(**each) for each in fields["reliability"]),
                "confused": tuple(
                    Confused(**each | {"samples": tuple(each.get("samples", ()))}) for each in fields["confused"]
                ),
                "worst": tuple(Mistake(**each) for each in fields["worst"]),
            }
        )


def classification_report(
    said: Tensor,
    targets: Tensor,
    classes: Sequence[str],
    *,
    given: Literal["logits", "probabilities"] = "logits",
) -> ClassificationFigures:
    """All figures of a classifier, in float64.

    Args:
        said: (n, classes) logits or probabilities. For two classes (n, 1) or (n,) also: the logit or probability of the second.
        targets: (n,) true class indices, integers.
        classes: names in the order of the indices, at least two.
        given: what ``said`` holds.

    Raises:
        DataError: there are no samples, or targets are not indices of classes.
        ModelError: outputs are not finite, or their shape does not fit the classes.
        UsageError: probabilities are negative or do not sum to 1.
    """
    logs = log_probabilities(said, len(classes), given)  # (n, classes)
    true = _indices(targets, len(logs), len(classes))
    probabilities = np.exp(logs)
    chosen = logs.argmax(axis=1)  # the first of equals
    right = chosen == true
    losses = -logs[np.arange(len(true)), true]
    confidence = probabilities[np.arange(len(true)), chosen]
    confusion = confusion_matrix(true, chosen, len(classes))
    per_class, macro = _per_class(confusion, classes)
    bins = reliability(confidence, right)
    return ClassificationFigures(
        samples=len(true),
        classes=tuple(classes),
        accuracy=float(right.mean()),
        accuracy_interval=wilson(int(right.sum()), len(true)),
        error_top1=float(1 - right.mean()),
        error_top5=_top_error(logs, true) if len(classes) >= TOP_LEAST_CLASSES else None,
        loss=float(losses.mean()),
        per_class=per_class,
        macro_f1=macro,
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        calibration_error=expected_calibration_error(bins),
        reliability=bins,
        confused=_most_confused(confusion, true, chosen, confidence),
        worst=_worst(true, chosen, confidence, losses),
    )


def log_probabilities(said: Tensor, classes: int, given: Literal["logits", "probabilities"] = "logits") -> Floats:
    """The logarithm ln p of every class, (n, classes); one column given stands for the second of two classes.

    Raises:
        DataError: there are no samples.
        ModelError: the outputs are not finite or of another shape.
        UsageError: probabilities are negative or do not sum to 1.
    """
    values = said.detach().to("cpu", torch.float64)
    if values.ndim == 1:
        values = values.unsqueeze(1)
    if len(values) == 0:
        raise DataError("there is nothing to judge", got="0 samples", expected="at least 1")
    fits = values.ndim == 2 and (values.shape[1] == classes or (classes == 2 and values.shape[1] == 1))
    if not fits or classes < 2:
        raise ModelError(
            "the network's outputs do not fit the classes",
            got=f"outputs of shape {tuple(said.shape)} for {classes} classes",
            expected=f"(samples, {max(classes, 2)})",
        )
    finite = values.isfinite().all(dim=1)
    if not bool(finite.all()):
        raise ModelError(
            "the network's outputs are not finite numbers",
            where=f"sample {int((~finite).nonzero()[0])}",
            got=f"NaN or infinity for {int((~finite).sum())} of {len(values)} samples",
            fix="train again with a smaller learning rate, or with gradient clipping",
        )
    if given == "logits":
        if values.shape[1] == 1:
            values = torch.cat([torch.zeros_like(values), values], dim=1)  # softmax of (0, z) is (1 − σ(z), σ(z))
        return np.asarray(torch.log_softmax(values, dim=1).numpy())
    if values.shape[1] == 1:
        values = torch.cat([1 - values, values], dim=1)
    sums = values.sum(dim=1)
    if bool((values < 0).any()) or bool(((sums - 1).abs() > 1e-3).any()):
        raise UsageError(
            "these are not probabilities",
            got=f"values from {float(values.min()):.4g} to {float(values.max()):.4g}, rows summing to {float(sums.min()):.4g} to {float(sums.max()):.4g}",
            expected="rows of numbers from 0 to 1 that sum to 1",
            fix="say given='logits' for outputs that no softmax was applied to",
        )
    return np.asarray((values / sums.unsqueeze(1)).clamp_min(torch.finfo(torch.float64).tiny).log().numpy())


def confusion_matrix(true: Ints, said: Ints, classes: int) -> Ints:
    """Counts (classes, classes): row the true class, column the class that was said."""
    return np.bincount(true * classes + said, minlength=classes * classes).reshape(classes, classes)


def _indices(targets: Tensor, samples: int, classes: int) -> Ints:
    true = np.asarray(targets.detach().cpu().numpy())
    if true.shape != (samples,) or not np.issubdtype(true.dtype, np.integer):
        raise DataError(
            "the targets do not fit the outputs",
            got=f"{targets.dtype} of shape {tuple(targets.shape)}",
            expected=f"integers of shape ({samples},)",
        )
    if true.min() < 0 or true.max() >= classes:
        raise DataError(
            "targets are not indices of the classes",
            got=f"{true.min()} to {true.max()}",
            expected=f"0 to {classes - 1}",
        )
    return true.astype(np.int64)


def _top_error(logs: Floats, true: Ints) -> float:
    """Share of samples that have five classes before the true one; among equals the lower index comes first, as in argmax."""
    own = logs[np.arange(len(true)), true][:, None]
    earlier = np.arange(logs.shape[1])[None, :] < true[:, None]
    before = ((logs > own) | ((logs == own) & earlier)).sum(axis=1)
    return float((before >= TOP).mean())


def _per_class(confusion: Ints, classes: Sequence[str]) -> tuple[tuple[ClassFigures, ...], float]:
    found, support, said = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = found / np.maximum(said, 1), found / np.maximum(support, 1)
    f1 = 2 * found / np.maximum(support + said, 1)
    per_class = tuple(
        ClassFigures(name, float(precision[i]), float(recall[i]), float(f1[i]), int(support[i]))
        for i, name in enumerate(classes)
    )
    return per_class, float(f1[(support + said) > 0].mean())


def _most_confused(confusion: Ints, true: Ints, chosen: Ints, confidence: Floats) -> tuple[Confused, ...]:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSED]
    rows, columns = np.unravel_index(order, wrong.shape)
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if wrong[row, column]:
            places = np.flatnonzero((true == row) & (chosen == column))
            surest = places[np.argsort(-confidence[places], kind="stable")][:MOST_OF_A_PAIR]
            found.append(Confused(row, column, int(wrong[row, column]), tuple(surest.tolist())))
    return tuple(found)


def _worst(true: Ints, chosen: Ints, confidence: Floats, losses: Floats) -> tuple[Mistake, ...]:
    mistakes = np.flatnonzero(chosen != true)
    order = mistakes[np.argsort(-losses[mistakes], kind="stable")][:MOST_MISTAKES]
    assert all(math.isfinite(loss) for loss in losses[order])
    return tuple(Mistake(int(i), int(true[i]), int(chosen[i]), float(confidence[i]), float(losses[i])) for i in order)
