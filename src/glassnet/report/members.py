"""The members of an ensemble beside it: rows of a table, and what the difference means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from glassnet.plots.style import number
from glassnet.report.headline import explained, percent

SURELY = 0.05  # McNemar's p below which a difference is told as one


class Row(NamedTuple):
    """A line of the table: whose figures, and the figures as text."""

    name: str
    cells: tuple[str, ...]
    own: bool = False


def heads(ensemble: Mapping[str, Any], part: str) -> tuple[str, ...]:
    """Names of the columns."""
    classes = ensemble["parts"][part]["metric"] == "accuracy"
    return ("accuracy", "loss", "calibration error") if classes else ("R²", "squared error")


def rows(ensemble: Mapping[str, Any], part: str) -> list[Row]:
    """All together first, then every member."""
    found = ensemble["parts"][part]
    made = [Row("all together", _cells(found["ensemble"]), own=True)]
    for place, (name, figures) in enumerate(zip(ensemble["members"], found["each"], strict=True)):
        made.append(Row(name + (" (best in validation)" if place == ensemble["chosen"] else ""), _cells(figures)))
    return made


def sentence(ensemble: Mapping[str, Any], part: str) -> str:
    """How much is gained over one network, and whether that may be chance."""
    found = ensemble["parts"][part]
    classes, (low, high) = found["metric"] == "accuracy", found["interval"]
    shown = _points if classes else _r2
    how = {"mean": "average their probabilities", "votes": "count their votes"}[ensemble["answer"]]
    text = (
        f"The networks {how if classes else 'average their values'}. Over one of them alone that is {shown(found['gain'])} "
        f"(95 % interval {shown(low)} to {shown(high)}"
        + ("; the interval holds zero, so it may be chance)." if low <= 0 <= high else ").")
    )
    if classes:
        over = found["over_chosen"]
        text += (
            f" Against the member that was the best in validation, {over['gained']:,} samples are right that it gets wrong, and "
            f"{over['lost']:,} wrong that it gets right (McNemar\N{RIGHT SINGLE QUOTATION MARK}s p {over['p']:.2g}"
            + (")." if over["p"] < SURELY else ": no sure difference).")
        )
    return text


def _cells(figures: Mapping[str, float]) -> tuple[str, ...]:
    if "accuracy" in figures:
        return percent(figures["accuracy"]), number(figures["loss"]), percent(figures["calibration_error"])
    return explained(figures["r2"]), number(figures["loss"])


def _points(value: float) -> str:
    return f"{round(100 * value, 2) + 0.0:+.2f} points".replace("-", "\N{MINUS SIGN}")


def _r2(value: float) -> str:
    return f"{round(value, 4) + 0.0:+.4f} of R²".replace("-", "\N{MINUS SIGN}")
