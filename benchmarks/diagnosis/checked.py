"""What ``glassnet check`` says of the catalogue: the checks before training on every control and every fault.

A control is to pass; a failure there is a false alarm, told before the training has begun. Of a fault the first check that does not pass is counted, and whether its sentence names
an accepted id: the checks see faults in net, data and loss, and those of a rate or a schedule only as far as a trial run goes.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.health import one_thread
from benchmarks.diagnosis.making import prepare
from benchmarks.diagnosis.recording import CASES
from glassnet.checks import Subject, run_on


def check(folder: Path, processes: int, wanted: set[str]) -> None:
    """Check the cases and write ``checked.json``; those already in it are not checked again.

    Args:
        folder: where the file goes.
        processes: checks at once.
        wanted: names of the cases.
    """
    path = folder / "checked.json"
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    todo = [case for case in CASES if case.name in wanted and case.name not in known]
    with ProcessPoolExecutor(processes, initializer=one_thread) as pool:
        jobs = {pool.submit(checked, case): case for case in todo}
        for number, job in enumerate(as_completed(jobs), start=1):
            case, found = jobs[job], job.result()
            known[case.name] = found
            path.write_text(json.dumps(known, indent=1))
            print(f"{number:>4}/{len(jobs)} {case.name:<56}{found['seconds']:6.1f} s  {spoken(found)}", flush=True)
    tell({name: known[name] for name in known if name in wanted})


def checked(case: Case) -> dict[str, Any]:
    """Verdicts and sentences of all checks up to the first that fails, and how long they took."""
    begin = time.perf_counter()
    try:
        made = prepare(case.setup)
        subject = Subject(made.net, made.batches, made.plan, validation=made.validation, plain=made.sample)
        found = [asdict(each) | {"curves": {}, "figures": {}} for each in run_on(subject)]
        crashed = ""
    except Exception as error:  # what a user would meet
        found, crashed = [], f"{type(error).__name__}: {error}".splitlines()[0]
    return {
        "fault": case.fault,
        "accepted": case.accepted,
        "checks": found,
        "crashed": crashed,
        "seconds": round(time.perf_counter() - begin, 1),
    }


def spoken(found: dict[str, Any]) -> str:
    """The first check that did not pass, in short."""
    if found["crashed"]:
        return str(found["crashed"])
    first = worst(found)
    return f"{first['verdict']}: {first['check']}: {first['what']}" if first else "passed"


def worst(found: dict[str, Any]) -> dict[str, Any] | None:
    """The check that failed, or else the first that warned."""
    verdicts = {each["verdict"]: each for each in reversed(found["checks"])}
    return verdicts.get("failed") or verdicts.get("warning")


def tell(known: dict[str, dict[str, Any]]) -> None:
    """How many controls and faults passed, were warned of or failed, and at which check."""
    for title, of_fault in (("controls", False), ("faults", True)):
        some = [found for found in known.values() if bool(found["fault"]) == of_fault]
        counts = Counter(
            (each["verdict"], each["check"]) if (each := worst(found)) else ("passed", "") for found in some
        )
        named = sum(any(rule in spoken(found) for rule in found["accepted"]) for found in some)
        seconds = sorted(found["seconds"] for found in some) or [0.0]
        print(f"{len(some)} {title}, {seconds[len(seconds) // 2]:.0f} s in the middle, {seconds[-1]:.0f} s at most")
        for (verdict, name), count in sorted(counts.items()):
            print(f"  {verdict:<8}{name:<20}{count:>4}")
        if of_fault:
            print(f"  with an accepted id in the sentence: {named}")
