"""What the rules may look back on: as much of it after a million steps as after a thousand."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from glassnet.events import Described, Epoch, Event, Measured, Started, Step, Traced

KEPT = 64  # recorded steps and losses: more than any rule looks back
LOOKS, FIRST, LAST = 400, 20, 60  # looks kept; those of the beginning, and the last ones, all of them


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
class History:
    """What a run has told so far.

    Attributes:
        started: how long the training is to be.
        described: what was looked at before the first step; None where nobody looked.
        first: the first step whose loss was recorded.
        steps: the last ``KEPT`` or more of these.
        losses: of these.
        measured: the steps that were looked at from inside; of a long run all of the first and the last ones, and in between evenly some.
        places: which look each of these was, counted from 0.
        every: of those in between one of so many is kept.
        highest_rate: the highest learning rate of a step looked at.
        epochs: the epochs so far.
        found: ids of the rules that have found something, and of the findings that these explain.
        notes: what a rule wants to remember between events, under its id.
    """

    started: Started | None = None
    described: Described | None = None
    first: Step | None = None
    steps: list[Step] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)
    measured: list[Measured] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    every: int = 1
    highest_rate: float = 0.0
    epochs: list[Epoch] = field(default_factory=list)
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
                self._look(event)
            case Epoch():
                self.epochs.append(event)
            case _:
                pass

    @property
    def total_steps(self) -> int:
        """Steps of the whole run as planned; 0 where nothing has been announced."""
        return self.started.steps_per_epoch * self.started.epochs if self.started else 0

    def _look(self, event: Measured) -> None:
        """One more look; where there are too many, one of twice as many is kept of those between the first and the last ones."""
        self.places.append(self.places[-1] + 1 if self.places else 0)
        self.measured.append(event)
        if len(self.places) > LOOKS:
            self.every *= 2
        if len(self.places) > FIRST + LAST:
            kept = [
                n
                for n, place in enumerate(self.places)
                if n < FIRST or n >= len(self.places) - LAST or place % self.every == 0
            ]
            self.places = [self.places[n] for n in kept]
            self.measured = [self.measured[n] for n in kept]


def _keep(last: list[Any], one: Any) -> None:
    """Append to a list that is cut back to its last ``KEPT`` where it has grown to twice as many."""
    last.append(one)
    if len(last) >= 2 * KEPT:
        del last[:-KEPT]


def val_loss(epoch: Epoch) -> float:
    """Of an epoch; infinite where there is none, or where it was not finite (None once it has been through JSON)."""
    value = epoch.val.get("loss")
    return value if value is not None and math.isfinite(value) else math.inf
