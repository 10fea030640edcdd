"""Inputs that are infinite or not a number."""

from __future__ import annotations

from typing import Any

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Epoch, Event, Finding, Traced


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a number of the inputs looked at is not finite, or after an epoch when the loss on the validation part alone is not."""
    if isinstance(event, Traced) and event.kind == "not-finite" and event.place == "inputs":
        row = event.samples[0] if event.samples else event.rows[0] if event.rows else 0
        return RULE.finding(
            event.step,
            f"the inputs of sample {row}{'' if event.samples else ' of the batch'} hold a number that is not finite{'' if event.column is None else f', first in column {event.column}'}; the loss of step {event.step} is not finite",
            {"row": float(row), "column": float(event.column or 0)},
        )
    if isinstance(event, Epoch):
        return _unseen(event.step, event.train.get("loss"), event.val)
    if not isinstance(event, Described):
        return None
    if not event.inputs.get("nonfinite"):
        return _unseen(0, event.start.get("loss"), event.validation)
    count, row, column = (event.inputs.get(key, 0) for key in ("nonfinite", "bad_row", "bad_column"))
    return RULE.finding(
        0,
        f"{count:,} of the input numbers looked at are infinite or not a number; the first is in sample {row} of the first batches, column {column}",
        {"nonfinite": float(count), "row": float(row), "column": float(column)},
    )


def _unseen(step: int, train: float | None, validation: dict[str, Any]) -> Finding | None:
    """What is not finite is left out of the figures: a validation part without a loss, where the same weights have one on training samples, holds such inputs."""
    if train is None or not validation or "loss" in validation:
        return None
    when = f"after {step:,} steps" if step else "before the first step"
    return RULE.finding(
        step,
        f"{when} the loss is {train:.3g} on training samples and not finite on the validation part: some of its inputs or targets are infinite or not a number",
        {"train_loss": train},
        severity="warning",
        advice="look at the validation part as the network gets it (glassnet data DATA) and prepare it as the training part is; with its figures undefined, the best epoch cannot be told",
    )


RULE = Rule(
    id="inputs-not-finite",
    title="Inputs that are infinite or not a number",
    threshold="one such number among the inputs looked at before the first step, or in the first batch whose loss is not finite; or a loss that is finite on training samples and not on the validation part",
    source="no threshold is needed; every training debugger checks this first",
    explanation=(
        "A missing value, a division by zero or the logarithm of zero leaves NaN or infinity in the data. One such number makes the output, the loss and "
        "every gradient of its batch not a number, and one step with such a gradient destroys all weights."
    ),
    why="missing values, a division by zero or an overflow while the data were prepared",
    advice="replace or drop these values before training; of tables, Glassnet's own readers fill missing numbers with the training part's median",
    judge=judge,
    severity="stop",
    explains=("loss-not-finite", "inputs-unscaled", "leaking-input", "distribution-shift", "initial-loss-high"),
)
