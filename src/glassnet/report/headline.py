"""The one figure by which a run is told from others: which it is, how good, and how people write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from glassnet.evaluate import ClassificationFigures, Figures, LanguageFigures, RegressionFigures


class Headline(NamedTuple):
    """A figure with its 95 % interval.

    Attributes:
        name: what it is, as the heading of a column.
        value: how large.
        low: lower end of the interval.
        high: upper end.
        told: writes a value of it.
        falls: whether the lowest is the best.
    """

    name: str
    value: float
    low: float
    high: float
    told: Callable[[float], str]
    falls: bool = False

    def better(self, one: float, other: float) -> bool:
        """Whether one value of this figure is better than another."""
        return one < other if self.falls else one > other

    @property
    def worst(self) -> float:
        """The end of the interval that speaks against the network."""
        return self.high if self.falls else self.low


def headline(figures: Figures) -> Headline:
    """Accuracy, R², the share of exact translations, or what a token costs."""
    if isinstance(figures, ClassificationFigures):
        return Headline("accuracy", figures.accuracy, *figures.accuracy_interval, percent)
    if isinstance(figures, RegressionFigures):
        return Headline("R²", figures.r2, *figures.r2_interval, explained)
    if isinstance(figures, LanguageFigures):
        unit = figures.unit.removesuffix("s")
        return Headline(f"nats a {unit}", figures.loss, *figures.loss_interval, nats, falls=True)
    return Headline("exactly right", figures.exact, *figures.exact_interval, percent)


def percent(share: float) -> str:
    """``98.52 %``, which no line break parts."""
    return f"{100 * share:.2f}\N{NO-BREAK SPACE}%"


def explained(r2: float) -> str:
    """An R² with three digits, a true minus sign, and no minus before zero."""
    return f"{round(r2, 3) + 0.0:.3f}".replace("-", "−")


def nats(cost: float) -> str:
    """What a token costs, with three digits."""
    return f"{cost:.3f}"
