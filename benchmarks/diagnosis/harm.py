"""Whether the faults do harm: the broken run beside the same run without the fault, both on samples that nobody has seen.

A fault does harm where
- the training broke off, or its last losses were not finite, or
- the figure on the test part (balanced accuracy, or R²) is at least 0.01 lower and the test loss at least 1.05 times as high (where the two losses are the
  same function of the same targets), or the figure is at least 0.02 lower, or the test loss is at least 1.15 times as high, or
- the harm is elsewhere, as the case says in words.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.health import headline
from benchmarks.diagnosis.recording import recorded

INCOMPARABLE = {"classes-as-values", "targets-in-units"}


def harms(case: dict[str, Any], healthy: dict[str, Any], strictness: float = 1.0) -> bool:
    """Whether a recorded fault does harm, by the standard above, with margins so many times as large."""
    broken, whole = case["test"], healthy["test"]
    if case["elsewhere"] or case["crashed"] or not broken or not math.isfinite(broken["loss"] or math.nan):
        return True
    lower = headline(whole) - headline(broken)
    spoilt = {name for name, _ in case["setup"]["spoilt"]}
    ratio = 0.0 if spoilt & INCOMPARABLE else broken["loss"] / whole["loss"]
    clearly, surely = strictness * 0.02, 1 + strictness * 0.15
    return lower >= clearly or ratio >= surely or (lower >= clearly / 2 and ratio >= 1 + strictness * 0.05)


def tell(folder: Path) -> None:
    """Print both figures of every fault, and which do no harm."""
    found = {one.case["name"]: one.case for one in recorded(folder)}
    for case in found.values():
        if case["fault"] and case["like"] in found:
            whole = found[case["like"]]
            broken, sound = (headline(one["test"]) if one["test"] else math.nan for one in (case, whole))
            losses = [one["test"].get("loss", math.nan) for one in (case, whole)]
            mark = "" if harms(case, whole) else "NO HARM"
            print(
                f"{case['name']:<64}{broken:8.3f} ({sound:.3f})  loss {losses[0]:.3g} ({losses[1]:.3g})"
                f"  {'elsewhere' if case['elsewhere'] else ''}{case['crashed']} {mark}"
            )
