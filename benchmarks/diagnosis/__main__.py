"""``python -m benchmarks.diagnosis``: see the package."""

from __future__ import annotations

import argparse
import os
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.diagnosis.case import HALVES
from benchmarks.diagnosis.drawn import DRAWS


def main() -> int:
    """Do what is asked, in the order record, health, score, pages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis", description="Measure the diagnosis.")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="run the cases and write down what they tell")
    parser.add_argument("--health", type=Path, metavar="FOLDER", help="check that the controls are healthy")
    parser.add_argument("--harm", type=Path, metavar="FOLDER", help="check that the faults do harm")
    parser.add_argument(
        "--check",
        type=Path,
        metavar="FOLDER",
        help="what the checks before training say of the cases, or of a recorded draw",
    )
    parser.add_argument("--score", type=Path, metavar="FOLDER", help="let the doctor judge what was recorded")
    parser.add_argument("--pages", type=Path, metavar="FOLDER", help="write docs/diagnosis.md and docs/gallery")
    parser.add_argument("--half", choices=("both", *HALVES, "practice", "fresh", *DRAWS), default="both")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of cases, such as 'lr-*'")
    parser.add_argument("--changed", action="store_true", help="record only cases that were written down anew since")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--data", metavar="FOLDER", help="with mnist/, notmnist/, tabular/; else GLASSNET_DATA")
    asked = parser.parse_args()
    if asked.data:
        os.environ["GLASSNET_DATA"] = asked.data  # before the data's module is imported, here and in the processes
    from benchmarks.diagnosis import checked, controls, drawn, harm, health, pages, recording, scoring

    if asked.record:
        recording.record(
            asked.record,
            asked.processes,
            lambda case: (
                fnmatchcase(case.name, asked.only) and not (asked.changed and recording.up_to_date(case, asked.record))
            ),
        )
    if asked.health:
        wanted = {case.name for case in controls.CONTROLS if fnmatchcase(case.name, asked.only)}
        health.examine(asked.health, asked.processes, wanted)
    if asked.harm:
        harm.tell(asked.harm)
    if asked.check:
        cases = (
            [checked.case_of(one) for one in drawn.counted(asked.check, asked.half)]
            if asked.half in DRAWS
            else recording.CASES
        )
        wanted = [case for case in cases if fnmatchcase(case.name, asked.only)]
        checked.check(asked.check, asked.processes, wanted, asked.half if asked.half in DRAWS else "catalogue")
    if asked.score:
        scoring.tell(asked.score, asked.half)
    if asked.pages:
        pages.write(asked.pages)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
