"""Whether the controls are healthy, by a standard that knows nothing of the rules.

A control is healthy where
- every loss it recorded was finite,
- its last validation loss is at most 1.05 times its lowest one, and
- no other learning rate would have done visibly better: on a test part that nobody has looked at, its figure (accuracy, or R²) is at most 0.02 below the
  best of the same training at 0.1, 0.3, 1, 3 and 10 times the rate.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.case import Case, Setup
from benchmarks.diagnosis.controls import CONTROLS
from benchmarks.diagnosis.running import Run, last_epoch, run
from glassnet.events import Step

FACTORS = (0.1, 0.3, 1.0, 3.0, 10.0)
MARGIN = 0.02
RISE = 1.05


def examine(folder: Path, processes: int, wanted: set[str]) -> None:
    """Train every control at every rate and write ``health.json``; print what is not healthy.

    Args:
        folder: where the file goes; controls already in it with the same setup are not trained again.
        processes: trainings at once.
        wanted: names of the controls to look at.
    """
    known = known_health(folder)
    stale = [case for case in CONTROLS if case.name not in known and case.name in wanted]
    path = folder / "health.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes, initializer=one_thread) as pool:
        for case, found in zip(stale, pool.map(_examined, stale), strict=True):
            known[case.name] = found
            path.write_text(json.dumps(known, indent=1))
            print(
                f"{case.name:<30}{found['figure']:.3f} best {found['best']:.3f} at {found['best_factor']:g}, ", end=""
            )
            print(f"rise {found['rise']:.3f} {'' if healthy(found) else 'NOT HEALTHY'}", flush=True)


def healthy(found: dict[str, Any]) -> bool:
    """Whether what was found of a control in ``health.json`` is within the standard."""
    return bool(found["finite"] and found["rise"] <= RISE and found["figure"] >= found["best"] - MARGIN)


def known_health(folder: Path) -> dict[str, dict[str, Any]]:
    """What ``health.json`` holds of the controls as they are now; those changed since are left out."""
    path = folder / "health.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {
        case.name: known[case.name] for case in CONTROLS if known.get(case.name, {}).get("setup") == _plain(case.setup)
    }


def one_thread() -> None:
    """What every process of the benchmark begins with: runs side by side must not fight for cores."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def headline(figures: dict[str, float]) -> float:
    """The figure by which runs are compared: balanced accuracy, or R². A run that broke off is worth nothing."""
    value = figures.get("balanced", figures.get("r2", 0.0))
    return value if math.isfinite(value) else -1.0


def _examined(case: Case) -> dict[str, Any]:
    runs = {factor: run(replace(case.setup, lr=case.setup.lr * factor), watch=False) for factor in FACTORS}
    worth = {factor: headline(done.figures) for factor, done in runs.items()}
    best = max(worth, key=lambda factor: worth[factor])
    own, rise = runs[1.0], _rise(runs[1.0])
    finite = all(
        math.isfinite(event.loss) for event in own.events if isinstance(event, Step) and event.loss is not None
    )
    return {
        "setup": _plain(case.setup),
        "figure": worth[1.0],
        "best": worth[best],
        "best_factor": best,
        "worth": {str(factor): value for factor, value in worth.items()},
        "rise": rise,
        "finite": finite,
    }


def _rise(done: Run) -> float:
    last = last_epoch(done.events)
    return float(last["val"]["loss"] / last["lowest_val_loss"]) if last else math.inf


def _plain(setup: Setup) -> Any:
    return json.loads(json.dumps(Case("", setup).record()["setup"]))
