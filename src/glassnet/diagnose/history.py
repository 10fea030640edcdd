"""What the rules may look back on."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from glassnet.events import Described, Epoch, Event, Measured, Started, Step, Traced


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
class History:
    """All that a run has told so far.

    Attributes:
        started: how long the training is to be.
        described: what was looked at before the first step; None where nobody looked.
        steps: the steps whose loss was recorded.
        measured: the steps that were looked at from inside.
        traced: strange losses and where they came from.
        epochs: the epochs so far.
        found: ids of the rules that have found something, and of the findings that these explain.
        notes: what a rule wants to remember between events, under its id.
    """

    started: Started | None = None
    described: Described | None = None
    steps: list[Step] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    traced: list[Traced] = field(default_factory=list)
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
                self.steps.append(event)
            case Measured():
                self.measured.append(event)
            case Traced():
                self.traced.append(event)
            case Epoch():
                self.epochs.append(event)
            case _:
                pass

    @property
    def total_steps(self) -> int:
        """Steps of the whole run as planned; 0 where nothing has been announced."""
        return self.started.steps_per_epoch * self.started.epochs if self.started else 0

    def losses(self) -> list[float]:
        """The recorded training losses that are finite, in order."""
        return [step.loss for step in self.steps if step.loss is not None and math.isfinite(step.loss)]


def val_loss(epoch: Epoch) -> float:
    """Of an epoch; infinite where there is none, or where it was not finite (None once it has been through JSON)."""
    value = epoch.val.get("loss")
    return value if value is not None and math.isfinite(value) else math.inf
