"""Figures of merit for whichever task a data set has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from glassnet.data.dataset import Task
from glassnet.evaluate.classification import ClassificationFigures, classification_report
from glassnet.evaluate.language import LanguageFigures
from glassnet.evaluate.regression import RegressionFigures, regression_report
from glassnet.evaluate.translation import TranslationFigures

Figures = ClassificationFigures | RegressionFigures | LanguageFigures | TranslationFigures

FROM_JSON: dict[str, Callable[[dict[str, Any]], Figures]] = {
    "classification": ClassificationFigures.from_json,
    "regression": RegressionFigures.from_json,
    "language": LanguageFigures.from_json,
    "translation": TranslationFigures.from_json,
}


def judge(said: Tensor, targets: Tensor, *, task: Task, classes: Sequence[str], outputs: Sequence[str]) -> Figures:
    """The figures of logits (n, classes) against class indices, or of values (n, outputs) against values.

    Raises:
        GlassnetError: the shapes do not fit, there are no samples, or numbers are not finite.
    """
    if task == "classes":
        return classification_report(said, targets, classes)
    return regression_report(said, targets, outputs)


def figures_from_json(values: dict[str, Any]) -> Figures:
    """The figures that ``to_json`` of any kind described."""
    return FROM_JSON[values["kind"]](values)
