"""Validation samples that are training samples."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding

SHARE = 0.05
COPIES = 1.5


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when one in twenty of the validation inputs looked at is among the training inputs looked at."""
    if not isinstance(event, Described):
        return None
    share = event.validation.get("same_inputs", 0.0)
    if share < SHARE or share < COPIES * event.validation.get(
        "same_among", 0.0
    ):  # copies that are everywhere are another matter
        return None
    return RULE.finding(
        0,
        f"{share:.0%} of the validation inputs looked at are among the training inputs looked at, of which only a part was looked at",
        {"share": share},
    )


RULE = Rule(
    id="validation-leak",
    title="Validation samples that were trained on",
    threshold=f"at least {SHARE:.0%} of up to 1,000 validation inputs are identical with one of up to 1,000 training inputs, and more than one half of these shares with the other",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "Validation asks how the network does on what it has not seen. Samples that are in both parts answer for how well it remembers: the figure is too good, overfitting cannot be "
        "seen, and the wrong weights are kept."
    ),
    why="the parts were drawn with overlap, or the data hold copies that were divided between them",
    advice="divide anew so that identical inputs stay in one part (Glassnet's own split does; see glassnet data DATA for copies)",
    judge=judge,
)
