"""What a check before training is: a function of what is to be trained, and what is to be said about it once and for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glassnet.checks.subject import Subject
from glassnet.events import Checked

PASSED, WARNING, FAILED, SKIPPED = "passed", "warning", "failed", "skipped"


@dataclass(frozen=True)
class Check:
    """A check, one a file.

    Attributes:
        id: stable, lower case with hyphens; ``glassnet check --only`` and ``--explain`` name it so.
        title: what is looked at, in a few words.
        threshold: when it fails and when it warns, with the numbers.
        source: where the check and its numbers come from.
        explanation: what is tried and why, for a student who meets it for the first time.
        why: what a failure usually means, one sentence; said with every failure unless it says something closer.
        advice: what to change, one sentence that an engineer can act on; likewise.
        judge: what is to be trained -> what was found. Leaves everything as it was.
    """

    id: str
    title: str
    threshold: str
    source: str
    explanation: str
    why: str
    advice: str
    judge: Callable[[Subject], Checked]

    def passed(
        self, what: str, figures: dict[str, float] | None = None, curves: dict[str, list[float]] | None = None
    ) -> Checked:
        """All is well."""
        return Checked(self.id, PASSED, what, "", "", figures or {}, curves or {})

    def skipped(
        self,
        what: str,
        figures: dict[str, float] | None = None,
        curves: dict[str, list[float]] | None = None,
    ) -> Checked:
        """It cannot be looked at here, or what was seen says nothing, for the reason given."""
        return Checked(self.id, SKIPPED, what, "", "", figures or {}, curves or {})

    def warning(
        self,
        what: str,
        figures: dict[str, float] | None = None,
        curves: dict[str, list[float]] | None = None,
        *,
        why: str | None = None,
        advice: str | None = None,
    ) -> Checked:
        """Worth knowing; training may still succeed."""
        return Checked(self.id, WARNING, what, why or self.why, advice or self.advice, figures or {}, curves or {})

    def failed(
        self,
        what: str,
        figures: dict[str, float] | None = None,
        curves: dict[str, list[float]] | None = None,
        *,
        why: str | None = None,
        advice: str | None = None,
    ) -> Checked:
        """Training as planned would be time lost."""
        return Checked(self.id, FAILED, what, why or self.why, advice or self.advice, figures or {}, curves or {})
