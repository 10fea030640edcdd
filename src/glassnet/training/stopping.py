"""Early stopping: which weights are the best so far, and when there is no hope of better ones (Prechelt 1998)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class EarlyStopping:
    """Watches one figure of the validation part.

    Attributes:
        monitor: its name.
        mode: ``min`` or ``max``: which way is better.
        patience: epochs without improvement before stopping; None never stops and only keeps the best.
        min_delta: smallest change that counts as an improvement.
        start_from_epoch: epochs before this one are not counted against patience.
        best: the best value so far.
        best_epoch: the epoch whose weights are the best.
        gained_epoch: the last epoch that was truly better than all before it.
    """

    monitor: str
    mode: str = "min"
    patience: int | None = None
    min_delta: float = 0.0
    start_from_epoch: int = 0
    best: float | None = None
    best_epoch: int = -1
    gained_epoch: int = -1

    def observe(self, epoch: int, value: float) -> tuple[bool, bool]:
        """Whether this is the best so far, and whether to stop. A value that is not finite is never the best.

        A tie goes to the later epoch, which has been trained longer, but wins no patience: a dead network ties for ever.
        """
        gain = math.inf if self.best is None else self._gain(value)
        better = math.isfinite(value) and gain >= self.min_delta
        if better:
            self.best, self.best_epoch = value, epoch
            if gain > 0:
                self.gained_epoch = epoch
        waited = epoch - max(self.gained_epoch, self.start_from_epoch - 1)
        return better, self.patience is not None and waited >= self.patience

    def _gain(self, value: float) -> float:
        assert self.best is not None
        return self.best - value if self.mode == "min" else value - self.best

    def state_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        for name, value in state.items():
            setattr(self, name, value)
