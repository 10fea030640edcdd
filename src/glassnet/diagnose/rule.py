"""What a rule of diagnosis is: a function of the history, and what is to be said about it once and for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from glassnet.diagnose.history import History
from glassnet.events import Event, Finding


@dataclass(frozen=True)
class Rule:
    """A rule, one a file.

    Attributes:
        id: stable, lower case with hyphens; findings, the gallery and ``glassnet check --explain`` name it so.
        title: the trouble in a few words.
        threshold: when it is found, with the numbers.
        source: where the numbers come from: a paper, another tool, or calibrated on the cases of ``benchmarks/diagnosis``.
        explanation: what goes on, for a student who meets it for the first time: some sentences.
        why: what usually causes it, one sentence; said with every finding unless it says something closer.
        advice: what to change, one sentence that an engineer can act on, with flags where there are some; likewise.
        judge: (history, event) -> a finding, or None. Called after the history has seen the event.
        severity: ``stop`` ends a training, ``warning`` is told, ``info`` is only recorded.
        remedies: changes of the recipe worth trying; see :class:`~glassnet.events.Finding`.
        explains: ids of findings that this one is the cause of; they are not told once this has been.
    """

    id: str
    title: str
    threshold: str
    source: str
    explanation: str
    why: str
    advice: str
    judge: Callable[[History, Event], Finding | None]
    severity: str = "warning"
    remedies: tuple[dict[str, Any], ...] = ()
    explains: tuple[str, ...] = ()

    def finding(
        self,
        step: int,
        what: str,
        evidence: dict[str, float],
        *,
        why: str | None = None,
        advice: str | None = None,
        severity: str | None = None,
        remedies: tuple[dict[str, Any], ...] | None = None,
    ) -> Finding:
        """A finding of this rule with its figures; what is not given is what the rule always says."""
        return Finding(
            rule=self.id,
            severity=severity or self.severity,
            step=step,
            what=what,
            why=why or self.why,
            advice=advice or self.advice,
            evidence=evidence,
            remedies=list(self.remedies if remedies is None else remedies),
        )
