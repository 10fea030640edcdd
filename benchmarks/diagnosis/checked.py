"""What ``glassnet check`` says of the cases: the checks before training on every control and every fault.

A control is to pass; a failure there is a false alarm, told before the training has begun. Of a fault is counted whether a check does not pass, and whether its sentence names an
accepted id: the checks see faults in net, data and loss, and those of a rate or a schedule only as far as a trial run goes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.diagnosis.case import Case, Setup
from benchmarks.diagnosis.health import one_thread
from benchmarks.diagnosis.making import prepare
from benchmarks.diagnosis.recording import Recorded
from glassnet.checks import Subject, run_on

Found = dict[str, Any]


def check(folder: Path, processes: int, cases: Sequence[Case], name: str) -> None:
    """Check the cases and write ``NAME-checked.json``; those already in it are not checked again.

    Args:
        folder: where the file goes.
        processes: checks at once.
        cases: what is to be trained.
        name: of the catalogue or the draw.
    """
    path = place_of(folder, name)
    folder.mkdir(parents=True, exist_ok=True)
    known: dict[str, Found] = json.loads(path.read_text()) if path.exists() else {}
    todo = [case for case in cases if case.name not in known]
    with ProcessPoolExecutor(processes, initializer=one_thread) as pool:
        jobs = {pool.submit(checked, case): case for case in todo}
        for number, job in enumerate(as_completed(jobs), start=1):
            case, found = jobs[job], job.result()
            known[case.name] = found
            path.write_text(json.dumps(known, indent=1))
            print(f"{number:>4}/{len(jobs)} {case.name:<56}{found['seconds']:6.1f} s  {spoken(found)}", flush=True)
    for line in table({name: list(known.values())}):
        print(line)


def place_of(folder: Path, name: str) -> Path:
    """The file of a catalogue or draw."""
    return folder / f"{name}-checked.json"


def case_of(one: Recorded) -> Case:
    """The case as it was written down."""
    told = dict(one.case["setup"])
    told |= {"spoilt": tuple(tuple(each) for each in told["spoilt"]), "augment": tuple(told["augment"])}
    return Case(one.case["name"], Setup(**told), fault=one.case["fault"], accepted=tuple(one.case["accepted"]))


def checked(case: Case) -> Found:
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


def spoken(found: Found) -> str:
    """The first check that did not pass, in short."""
    if found["crashed"]:
        return str(found["crashed"])
    first = worst(found)
    return f"{first['verdict']}: {first['check']}: {first['what']}" if first else "passed"


def worst(found: Found) -> dict[str, Any] | None:
    """The check that failed, or else the first that warned."""
    verdicts = {each["verdict"]: each for each in reversed(found["checks"])}
    return verdicts.get("failed") or verdicts.get("warning")


def table(known: dict[str, list[Found]]) -> list[str]:
    """How many controls and faults passed, were warned of or failed, as the lines of a table.

    Args:
        known: what was found, by catalogue or draw.
    """
    lines = [
        "| Trainings | all | pass | warn | fail | told with an accepted id | seconds, median | most |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in known.items():
        for kind, some in (
            ("controls", [each for each in found if not each["fault"]]),
            ("faults", [each for each in found if each["fault"]]),
        ):
            verdicts = [
                (worst(each) or {"verdict": "passed"})["verdict"] if not each["crashed"] else "failed" for each in some
            ]
            counts = " | ".join(str(verdicts.count(verdict)) for verdict in ("passed", "warning", "failed"))
            named = str(sum(map(names_it, some))) if kind == "faults" else ""
            seconds = [each["seconds"] for each in some] or [0.0]
            lines.append(
                f"| {name}, {kind} | {len(some)} | {counts} | {named} | {median(seconds):.1f} | {max(seconds):.0f} |"
            )
    return lines


def names_it(found: Found) -> bool:
    """Whether the sentence of a check that did not pass has an accepted id, or the check is one of the fault's own."""
    told = [each for each in found["checks"] if each["verdict"] in ("failed", "warning")]
    return any(
        rule in each["what"] or each["check"] in OWN.get(rule, ()) for each in told for rule in found["accepted"]
    )


# Checks that look for the very thing that a rule looks for during training.
OWN = {
    "initial-loss-high": ("initial-loss",),
    "targets-unscaled": ("initial-loss",),
    "penalty-dominates": ("initial-loss",),
    "unreached-parameters": ("gradients-reach",),
    "not-optimised": ("gradients-reach",),
    "frozen-parameters": ("gradients-reach",),
    "slow-start": ("gradients-reach", "initial-loss", "sane-sizes"),
    "outputs-mismatch": ("data-sane",),
    "inputs-not-finite": ("data-sane",),
    "inputs-constant": ("data-sane", "input-independent"),
    "outputs-collapsed": ("input-independent",),
    "labels-unrelated": ("input-independent",),
    "softmax-twice": ("overfit-twenty",),
    "saturation": ("sane-sizes",),
    "dead-units": ("sane-sizes",),
    "exploding-gradient": ("sane-sizes",),
    "vanishing-gradient": ("sane-sizes",),
    "lr-too-low": ("lr-bracket",),
    "lr-too-high": ("lr-bracket",),
    "lr-much-too-high": ("lr-bracket",),
    "loss-exploding": ("lr-bracket",),
}
