"""Inputs that are infinite or not a number."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding, Traced


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a number of the inputs looked at is not finite."""
    if isinstance(event, Traced) and event.kind == "not-finite" and event.place == "inputs":
        row = event.samples[0] if event.samples else event.rows[0] if event.rows else 0
        return RULE.finding(
            event.step,
            f"the inputs of sample {row}{'' if event.samples else ' of the batch'} hold a number that is not finite{'' if event.column is None else f', first in column {event.column}'}; the loss of step {event.step} is not finite",
            {"row": float(row), "column": float(event.column or 0)},
        )
    if not isinstance(event, Described) or not event.inputs.get("nonfinite"):
        return None
    count, row, column = (event.inputs.get(key, 0) for key in ("nonfinite", "bad_row", "bad_column"))
    return RULE.finding(
        0,
        f"{count:,} of the input numbers looked at are infinite or not a number; the first is in sample {row} of the first batches, column {column}",
        {"nonfinite": float(count), "row": float(row), "column": float(column)},
    )


RULE = Rule(
    id="inputs-not-finite",
    title="Inputs that are infinite or not a number",
    threshold="one such number among the inputs looked at before the first step, or in the first batch whose loss is not finite",
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
