"""What the folds of a cross-validation came to, each and on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from glassnet.evaluate.classification import ClassificationFigures
from glassnet.evaluate.interval import spread
from glassnet.evaluate.judge import Figures
from glassnet.evaluate.rival import Rival


def over_folds(each: Sequence[Figures], rivals: Sequence[Sequence[Mapping[str, Any]]] = ()) -> dict[str, Any]:
    """The figures of every fold with their mean and standard deviation, as ``result.json`` holds them.

    The standard deviation (divided by k − 1) is that of single trainings. It is not the error of the mean: the trainings share most of their samples, so that no estimate
    of that error is unbiased (Bengio and Grandvalet 2004, "No unbiased estimator of the variance of k-fold cross-validation").

    Args:
        each: figures of the fold that each network had not seen: accuracy and mean loss of classes, R² and mean squared error of values.
        rivals: of each fold, as its ``result.json`` holds them.

    Returns:
        ``count``, ``figure`` (``accuracy`` or ``r2``), ``mean``, ``std`` and ``each`` fold's samples, figure and loss; and for every rival of all folds its
        ``name`` and its figure in ``each``.
    """
    classes = isinstance(each[0], ClassificationFigures)
    name = "accuracy" if classes else "r2"
    seen = spread([getattr(figures, name) for figures in each])
    return {
        "count": len(each),
        "figure": name,
        "mean": seen.mean,
        "std": seen.std,
        "each": [
            {
                "samples": figures.samples,
                name: getattr(figures, name),
                "loss": getattr(figures, "loss" if classes else "mse"),
            }
            for figures in each
        ],
        "rivals": [
            {"name": rival, "each": [found["figure"] for found in every]} for rival, every in _of_all(rivals).items()
        ],
    }


def rivals_over_folds(rivals: Sequence[Sequence[Mapping[str, Any]]], answers: Sequence[Tensor]) -> list[Rival]:
    """The rivals that every fold has, with their figure over all folds together; they are fitted anew to the training part of each.

    With n_f of n answers in fold f, the accuracy is Σ (n_f/n)·accuracy_f. With S_f the sum of squares of a fold's answers about their mean and S that of all,
    R² is 1 − Σ (S_f/S)·(1 − R²_f), which for several outputs takes the mean of S_f/S over them.

    Args:
        rivals: of each fold, as its ``result.json`` holds them, the baseline first.
        answers: of each fold, class indices or values, (samples, outputs).
    """
    found = _of_all(rivals)
    shares = _shares(answers)
    made = []
    for name, figures in found.items():
        first = figures[0]
        falls = [1 - each["figure"] for each in figures]
        together = 1 - sum(share * fall for share, fall in zip(shares, falls, strict=True))
        seconds = sum(float(each["seconds"]) for each in figures)
        made.append(Rival(name, together, first["metric"], seconds, f"fitted anew in each of {len(figures)} folds"))
    return made


def _of_all(rivals: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[Mapping[str, Any]]]:
    """By name what each fold has of a rival, the baseline first; without those that some fold lacks, for whom time was short."""
    if not rivals or not all(rivals):
        return {}
    baselines = [fold[0] for fold in rivals]
    names = {str(each["name"]) for each in baselines}
    found = {names.pop() if len(names) == 1 else "always the most frequent class": baselines}
    others = [{str(each["name"]): each for each in fold[1:]} for fold in rivals]
    for name in others[0]:
        if all(name in fold for fold in others):
            found[name] = [fold[name] for fold in others]
    return found


def _shares(answers: Sequence[Tensor]) -> list[float]:
    """How much each fold weighs in a figure of all of them."""
    if not answers[0].is_floating_point():
        total = sum(len(part) for part in answers)
        return [len(part) / total for part in answers]
    every = _squares(torch.cat(list(answers)))
    return [float((_squares(part) / every).mean()) for part in answers]


def _squares(values: Tensor) -> Tensor:
    """Sum of squares about the mean of each output."""
    values = values.double().reshape(len(values), -1)
    return ((values - values.mean(dim=0)) ** 2).sum(dim=0).clamp_min(1e-300)
