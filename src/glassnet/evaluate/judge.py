"""Figures of merit for whichever task a data set has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from glassnet.data.dataset import Task
from glassnet.evaluate.classification import ClassificationFigures, classification_report
from glassnet.evaluate.language import LanguageFigures
from glassnet.evaluate.regression import RegressionFigures, regression_report
from glassnet.evaluate.translation import TranslationFigures

Figures = ClassificationFigures | RegressionFigures | LanguageFigures | TranslationFigures


def judge(said: Tensor, targets: Tensor, *, task: Task, classes: Sequence[str], outputs: Sequence[str]) -> Figures:
    """The figures of logits (n, classes) against class indices, or of values (n, outputs) against values.

    Raises:
        GlassnetError: the shapes do not fit, there are no samples, or numbers are not finite.
    """
    if task == "classes":
        return classification_report(said, targets, classes)
    return regression_report(said, targets, outputs)


def figures_from_json(values: dict[str, Any]) -> Figures:
    """The figures that ``to_json`` of either kind described."""
    if values["kind"] == "language":
        return LanguageFigures.from_json(values)
    if values["kind"] == "translation":
        return TranslationFigures.from_json(values)
    kind = ClassificationFigures if values["kind"] == "classification" else RegressionFigures
    return kind.from_json(values)
