"""The doctor sees every event and tells each trouble once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from glassnet.diagnose import loss_exploding, loss_not_finite, overfitting
from glassnet.diagnose.history import History
from glassnet.events import Event, Finding

Rule = Callable[[History, Event], Finding | None]

RULES: dict[str, Rule] = {
    loss_not_finite.ID: loss_not_finite.rule,
    loss_exploding.ID: loss_exploding.rule,
    overfitting.ID: overfitting.rule,
}


class Doctor:
    """Feeds events to the rules.

    Args:
        before: events of the same run from before an interruption, so that a resumed run is judged as an uninterrupted one.
    """

    def __init__(self, before: Iterator[Event] | None = None) -> None:
        self.history = History()
        for event in before or ():
            self.history.see(event)
            if isinstance(event, Finding):
                self.history.found.add(event.rule)

    def see(self, event: Event) -> Iterator[Finding]:
        """The findings that this event gives rise to."""
        self.history.see(event)
        for name, rule in RULES.items():
            if name in self.history.found:
                continue
            finding = rule(self.history, event)
            if finding:
                self.history.found.add(name)
                yield finding
