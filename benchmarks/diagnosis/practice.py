"""Variations of the calibrate half, for setting thresholds that hold beyond single cases. Nothing of the measure half is in them.

    python -m benchmarks.diagnosis.practice FOLDER [--only PATTERN] [--processes 2]

Controls at half and twice their learning rate with other seeds, and every fault with another seed, on the other set of letters or digits where there is one.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.diagnosis.case import Case, halves
from benchmarks.diagnosis.health import one_thread
from benchmarks.diagnosis.recording import CASES, record_case

OTHER = {"mnist": "notmnist", "notmnist": "mnist"}


def practice() -> list[Case]:
    """The cases."""
    which = halves(CASES)
    found = []
    for case in CASES:
        if which[case.name] != "calibrate":
            continue
        setup = case.setup
        if case.fault is None:
            for number, (name, factor) in enumerate((("half", 0.5), ("twice", 2.0)), start=1):
                found.append(
                    replace(
                        case,
                        name=f"{case.name}~{name}",
                        setup=replace(setup, lr=setup.lr * factor, seed=setup.seed + 100 * number),
                    )
                )
        else:
            moved = replace(setup, data=OTHER.get(setup.data, setup.data), seed=setup.seed + 100)
            found.append(replace(case, name=f"{case.name}~other", setup=moved))
    return found


def main() -> None:
    """Record what is asked for into ``FOLDER/practice``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="*")
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    todo = [case for case in practice() if fnmatchcase(case.name, asked.only)]
    with ProcessPoolExecutor(asked.processes, initializer=one_thread) as pool:
        jobs = [pool.submit(record_case, case, asked.folder / "practice", "practice") for case in todo]
        for case, job in zip(todo, jobs, strict=True):
            print(f"{case.name:<70}{job.result():6.1f} s", flush=True)


if __name__ == "__main__":
    main()
