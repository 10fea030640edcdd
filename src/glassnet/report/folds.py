"""The folds of a cross-validation: rows of a table, and what their spread means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from glassnet.plots.style import number
from glassnet.report.headline import explained, percent


class Row(NamedTuple):
    """A line of the table: of a fold, or of all of them."""

    name: str
    cells: tuple[str, ...]
    own: bool = False


def heads(folds: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the columns: the network's figure and loss, then the rivals' figures."""
    own = ("accuracy", "loss") if folds["figure"] == "accuracy" else ("R²", "squared error")
    return ("samples", *own, *(rival["name"] for rival in folds["rivals"]))


def rows(folds: Mapping[str, Any]) -> list[Row]:
    """Mean and standard deviation first, then every fold."""
    key, shown = folds["figure"], _shown(folds)
    rivals = [rival["each"] for rival in folds["rivals"]]
    means = [shown(sum(each) / len(each)) for each in rivals]
    made = [
        Row("mean ± standard deviation", ("", f"{shown(folds['mean'])} ± {shown(folds['std'])}", "", *means), own=True)
    ]
    for place, fold in enumerate(folds["each"]):
        cells = (
            f"{fold['samples']:,}",
            shown(fold[key]),
            number(fold["loss"]),
            *(shown(each[place]) for each in rivals),
        )
        made.append(Row(f"fold {place + 1}", cells))
    return made


def sentence(folds: Mapping[str, Any]) -> str:
    """What the spread is, and how often the network was ahead."""
    text = (
        "The standard deviation is that of a single training on data like these. The trainings share most of their samples, so the mean is known better "
        "than that, though by how much nobody can tell without bias."
    )
    key = folds["figure"]
    for rival in folds["rivals"]:
        ahead = sum(fold[key] > other for fold, other in zip(folds["each"], rival["each"], strict=True))
        text += f" Ahead of {rival['name']} in {ahead} of {folds['count']} folds."
    return text


def _shown(folds: Mapping[str, Any]) -> Callable[[float], str]:
    return percent if folds["figure"] == "accuracy" else explained
