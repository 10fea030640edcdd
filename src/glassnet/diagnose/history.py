"""What the rules may look back on: as much of it after a million steps as after a thousand."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from glassnet.diagnose.look import update_size
from glassnet.events import Described, Epoch, Event, Measured, Started, Step, Traced

KEPT = 64  # recorded steps and losses: more than any rule looks back
MOST, FIRST, LAST = 400, 20, 60  # looks and epochs kept; those of the beginning, and the last ones, all of them

Seen = TypeVar("Seen")


def known(event: Event) -> Event:
    """The event without the figures that are no numbers: infinite, undefined, or null once it has been in a file. Nobody knows these, so they count as left out.

    Of single layers and parameters everything stays, since rules go through these one by one.
    """
    match event:
        case Described():
            return replace(
                event,
                plan=_known(event.plan),
                net=_known(event.net),
                inputs=_known(event.inputs),
                targets=_known(event.targets),
                result=_known(event.result),
                start=_known(event.start),
                validation=_known(event.validation),
            )
        case Measured():
            return replace(event, batch=_known(event.batch))
        case Epoch():
            return replace(event, train=_known(event.train), val=_known(event.val))
        case Traced():
            return replace(event, figures=_known(event.figures))
        case _:
            return event


def _known(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in figures.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


@dataclass
class Losses:
    """The recorded training losses that are finite.

    Attributes:
        count: how many there were.
        first: the first of them; NaN before it.
        lowest: of all; infinite before the first.
        highest: likewise.
        last: the last ``KEPT`` or more, in order.
    """

    count: int = 0
    first: float = math.nan
    lowest: float = math.inf
    highest: float = -math.inf
    last: list[float] = field(default_factory=list)

    def add(self, loss: float) -> None:
        """One more."""
        self.first = self.first if self.count else loss
        self.count += 1
        self.lowest, self.highest = min(self.lowest, loss), max(self.highest, loss)
        _keep(self.last, loss)


@dataclass
class Thinned(Generic[Seen]):
    """Things in the order in which they were seen: all of the first and the last ones, and of many evenly some in between.

    Attributes:
        kept: what is left of them.
        places: which each of these was, counted from 0.
        every: of those in between one of so many is kept.
    """

    kept: list[Seen] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    every: int = 1

    def add(self, one: Seen, spared: Collection[int] = ()) -> None:
        """One more; where there are too many, one of twice as many is kept of those between the first and the last ones, and those at places that are spared."""
        self.places.append(self.places[-1] + 1 if self.places else 0)
        self.kept.append(one)
        end = len(self.places) - LAST
        if len(self.places) > MOST:
            self.every *= 2
            left = [n for n in range(len(self.places)) if n < FIRST or n >= end or self._stays(n, spared)]
            self.places = [self.places[n] for n in left]
            self.kept = [self.kept[n] for n in left]
        elif self.every > 1 and not self._stays(end - 1, spared):  # which is no longer one of the last
            del self.places[end - 1], self.kept[end - 1]

    def _stays(self, n: int, spared: Collection[int]) -> bool:
        return self.places[n] % self.every == 0 or self.places[n] in spared


@dataclass
class History:
    """What a run has told so far.

    Attributes:
        started: how long the training is to be.
        described: what was looked at before the first step; None where nobody looked.
        first: the first step whose loss was recorded.
        steps: the last ``KEPT`` or more of these.
        losses: of these.
        looks: the steps that were looked at from inside.
        sizes: of their updates, so that no rule reads all looks through at each look.
        highest_rate: the highest learning rate of a step looked at.
        course: the epochs so far, among them that of the lowest validation loss and its neighbours.
        found: ids of the rules that have found something, and of the findings that these explain.
        notes: what a rule wants to remember between events, under its id.
    """

    started: Started | None = None
    described: Described | None = None
    first: Step | None = None
    steps: list[Step] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)
    looks: Thinned[Measured] = field(default_factory=Thinned)
    sizes: Thinned[float] = field(default_factory=Thinned)
    highest_rate: float = 0.0
    course: Thinned[Epoch] = field(default_factory=Thinned)
    _lowest: tuple[float, int] = (math.inf, 0)
    found: set[str] = field(default_factory=set)
    notes: dict[str, Any] = field(default_factory=dict)

    def see(self, event: Event) -> None:
        """Keep what rules look at."""
        match event:
            case Started():
                self.started = event
            case Described():
                self.described = event
            case Step() if event.loss is not None:
                self.first = self.first or event
                _keep(self.steps, event)
                if math.isfinite(event.loss):
                    self.losses.add(event.loss)
            case Measured():
                self.highest_rate = max(self.highest_rate, event.lr)
                self.looks.add(event)
                self.sizes.add(update_size(event))
            case Epoch():
                place = self.course.places[-1] + 1 if self.course.places else 0
                self._lowest = min(self._lowest, (val_loss(event), place))
                lowest = self._lowest[1]
                self.course.add(event, spared=range(lowest - 1, lowest + 2))
            case _:
                pass

    @property
    def total_steps(self) -> int:
        """Steps of the whole run as planned; 0 where nothing has been announced."""
        return self.started.steps_per_epoch * self.started.epochs if self.started else 0

    @property
    def measured(self) -> list[Measured]:
        """The looks that are left, in order."""
        return self.looks.kept

    @property
    def update_sizes(self) -> list[float]:
        """How large the updates of these looks were beside the weights; NaN where nobody knows."""
        return self.sizes.kept

    @property
    def epochs(self) -> list[Epoch]:
        """The epochs that are left, in order."""
        return self.course.kept

    def last_epochs(self, count: int) -> list[Epoch]:
        """Those of the last so many epochs that are left: all of them up to ``LAST``."""
        return [each for each in self.epochs if each.epoch > self.epochs[-1].epoch - count]


def _keep(last: list[Any], one: Any) -> None:
    """Append to a list that is cut back to its last ``KEPT`` where it has grown to twice as many."""
    last.append(one)
    if len(last) >= 2 * KEPT:
        del last[:-KEPT]


def val_loss(epoch: Epoch) -> float:
    """Of an epoch; infinite where there is none, or where it was not finite (None once it has been through JSON)."""
    value = epoch.val.get("loss")
    return value if value is not None and math.isfinite(value) else math.inf
