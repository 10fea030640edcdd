"""What the rules may look back on."""

from __future__ import annotations

from dataclasses import dataclass, field

from glassnet.events import Epoch, Event, Step


@dataclass
class History:
    """The recorded steps and the epochs so far, and what has been found already."""

    steps: list[Step] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    found: set[str] = field(default_factory=set)

    def see(self, event: Event) -> None:
        """Keep what rules look at: epochs, and steps whose loss was read."""
        if isinstance(event, Epoch):
            self.epochs.append(event)
        elif isinstance(event, Step) and event.loss is not None:
            self.steps.append(event)
