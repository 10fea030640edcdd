"""What became of one trial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

ENDS = ("done", "pruned", "exploded", "failed")


@dataclass(frozen=True)
class Trial:
    """Settings and how they did.

    Attributes:
        stage: 1 for the coarse one, 2 for the next, and so on.
        number: within the stage, from 0.
        settings: by dotted key.
        end: ``done``; ``pruned`` where others did better after as many epochs; ``exploded`` where the loss was not finite or above three times
            the first one; ``failed`` where the settings do not go together.
        value: the best monitored figure on the validation part, larger is better; NaN where there is none.
        epochs: epochs made.
        seconds: of training.
        why: one sentence, where the end needs one.
    """

    stage: int
    number: int
    settings: dict[str, Any]
    end: str
    value: float
    epochs: int
    seconds: float
    why: str = ""

    @property
    def counts(self) -> bool:
        """Whether its figure may be compared: it came to its end, or was beaten on the way."""
        return self.end in ("done", "pruned") and math.isfinite(self.value)
