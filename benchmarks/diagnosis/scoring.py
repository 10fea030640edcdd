"""What the doctor says of the recorded runs, counted as a medical test is. Nothing is trained.

As in a real run, nothing is read after a finding that stops the training, and findings of severity ``info``, which are only recorded, are no diagnoses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.diagnosis import drawn, fresh
from benchmarks.diagnosis.case import HALVES
from benchmarks.diagnosis.recording import Recorded, recorded
from glassnet.diagnose import Doctor
from glassnet.evaluate.interval import wilson
from glassnet.events import Finding, Started

TOLD = ("warning", "stop")


@dataclass(frozen=True)
class Verdict:
    """What the doctor said of one case.

    Attributes:
        case: the content of its ``case.json``.
        half: ``calibrate`` or ``measure``.
        findings: warnings and stops in the order in which they were told.
        total: optimiser steps of the run as planned.
    """

    case: dict[str, Any]
    half: str
    findings: list[Finding]
    total: int

    @property
    def first(self) -> Finding | None:
        """The first diagnosis."""
        return self.findings[0] if self.findings else None

    @property
    def right(self) -> bool:
        """Whether the first diagnosis is an accepted one; of a control, whether there is none."""
        return self.first.rule in self.case["accepted"] if self.first else not self.case["fault"]

    @property
    def share(self) -> float:
        """How far the run was at the first diagnosis, 0 to 1; the end where there was none."""
        return min(1.0, self.first.step / max(self.total, 1)) if self.first else 1.0


def judged(one: Recorded) -> Verdict:
    """Replay a recording."""
    doctor, told, total = Doctor(), [], 0
    for event in one.events():
        if isinstance(event, Started):
            total = event.steps_per_epoch * event.epochs
        told += [finding for finding in doctor.see(event) if finding.severity in TOLD]
        stops = [place for place, finding in enumerate(told) if finding.severity == "stop"]
        if stops:
            told = told[: stops[0] + 1]
            break
    return Verdict(one.case, one.half, told, total)


@dataclass(frozen=True)
class Share:
    """A share of cases with its 95 % interval (Wilson 1927).

    Attributes:
        count: for which something holds.
        of: out of.
    """

    count: int
    of: int

    def __str__(self) -> str:
        if not self.of:
            return "–"
        low, high = wilson(self.count, self.of)
        return f"{self.count / self.of:.3f} ({self.count} of {self.of}, {low:.3f}–{high:.3f})"

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class Score:
    """Figures of merit over some cases.

    Attributes:
        first: of the faults, those whose first diagnosis is an accepted one.
        detected: of the faults, those of which anything was said.
        recall: of the faults, those with an accepted id among all that was said.
        precision: of all first diagnoses, of faults and controls, the right ones.
        precision_of_all: of everything that was said of faults and controls, what names an accepted id.
        alarms: of the controls, those of which anything was said.
        early: median share of the run at the first diagnosis, over the faults whose first diagnosis is right.
        early_of_all: the same over all faults, the end of the run standing for no diagnosis.
    """

    first: Share
    detected: Share
    recall: Share
    precision: Share
    precision_of_all: Share
    alarms: Share
    early: float
    early_of_all: float


def score(verdicts: Sequence[Verdict]) -> Score:
    """The figures."""
    faults = [verdict for verdict in verdicts if verdict.case["fault"]]
    controls = [verdict for verdict in verdicts if not verdict.case["fault"]]
    right = [verdict for verdict in faults if verdict.right]
    told = [verdict for verdict in verdicts if verdict.first]
    said = [(finding.rule, verdict.case["accepted"]) for verdict in verdicts for finding in verdict.findings]
    named = [any(finding.rule in verdict.case["accepted"] for finding in verdict.findings) for verdict in faults]
    return Score(
        first=Share(len(right), len(faults)),
        detected=Share(sum(verdict.first is not None for verdict in faults), len(faults)),
        recall=Share(sum(named), len(faults)),
        precision=Share(len(right), len(told)),
        precision_of_all=Share(sum(rule in accepted for rule, accepted in said), len(said)),
        alarms=Share(sum(verdict.first is not None for verdict in controls), len(controls)),
        early=median(verdict.share for verdict in right) if right else 1.0,
        early_of_all=median(verdict.share for verdict in faults) if faults else 1.0,
    )


def confusions(verdicts: Sequence[Verdict]) -> list[tuple[str, str, int]]:
    """(what it was, what was said first, how often) of all that was wrong, most often first."""
    wrong = Counter(
        (verdict.case["fault"] or "healthy", verdict.first.rule if verdict.first else "nothing")
        for verdict in verdicts
        if not verdict.right
    )
    return [(fault, said, count) for (fault, said), count in sorted(wrong.items(), key=lambda item: -item[1])]


LABELS: dict[str, str] = {
    "first": "first diagnosis right",
    "detected": "faults of which something was said",
    "recall": "recall: an accepted id among all that was said",
    "precision": "precision of first diagnoses",
    "precision_of_all": "precision of everything said",
    "alarms": "false alarms on healthy runs",
}


def _asked(folder: Path, half: str) -> list[Recorded]:
    if half in drawn.DRAWS:
        return drawn.counted(folder, half)
    return fresh.counted(folder) if half == "fresh" else recorded(folder, half)


def tell(folder: Path, half: str) -> None:
    """Print every case, then the figures of each half, then what was wrong."""
    verdicts = [judged(one) for one in _asked(folder, half)]
    for verdict in verdicts:
        case, first = verdict.case, verdict.first
        said = f"{first.rule} at {verdict.share:.0%}" if first else "nothing"
        more = ", ".join(finding.rule for finding in verdict.findings[1:])
        mark = "  " if verdict.right else "✗ "
        print(f"{mark}{case['name']:<66}{said:<38}{'then ' + more if more else ''}")
    for part in HALVES if half == "both" else (half,):
        own = [verdict for verdict in verdicts if verdict.half == part]
        if own:
            print(f"\n{part}: {len(own)} cases")
            figures = score(own)
            for name, words in LABELS.items():
                print(f"  {words:<50}{getattr(figures, name)}")
            print(f"  {'median share of the run at a right diagnosis':<50}{figures.early:.3f}")
            print(f"  {'the same over all faults':<50}{figures.early_of_all:.3f}")
            for fault, told, count in confusions(own):
                print(f"    {fault} -> {told}: {count}")
