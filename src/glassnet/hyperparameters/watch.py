"""How well a trial does, as its events tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median
from typing import Any

from glassnet.events import Epoch, Event, Step

EXPLODED = 3.0  # times the first loss (requirement H3)
LIKELIHOOD = "log-likelihood"  # minus the loss of a language model, in nats a token
LATELY = 3  # recorded losses whose median is compared with it


class Watch:
    """The best figure so far, and whether the loss has exploded."""

    def __init__(self, figure: str, before: Iterator[Event]) -> None:
        self.figure, self.best, self.epochs = figure, -math.inf, 0
        self.losses: list[float] = []
        for event in before:
            self.see(event)

    def see(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Epoch):
            value = -event.val["loss"] if self.figure == LIKELIHOOD else event.val.get(self.figure)
            self.best = max(self.best, value) if value is not None and math.isfinite(value) else self.best
            self.epochs = max(self.epochs, event.epoch + 1)
        elif isinstance(event, Step) and event.loss is not None:
            self.losses.append(event.loss)

    @property
    def exploded(self) -> bool:
        """Whether the loss is no number any more, or its median lately above three times the first one."""
        lately = self.losses[-LATELY:]
        if lately and not math.isfinite(lately[-1]):
            return True
        return len(self.losses) > LATELY and median(lately) > EXPLODED * self.losses[0] > 0

    def record(self, end: str, why: str) -> dict[str, Any]:
        """What is told of the trial's end."""
        return {"end": end, "value": self.best if math.isfinite(self.best) else None, "epochs": self.epochs, "why": why}
