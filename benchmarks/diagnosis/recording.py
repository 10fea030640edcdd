"""Running the cases and writing down what they told: a folder a case, ``events.jsonl`` and ``case.json``."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.diagnosis.case import HALVES, Case, halves
from benchmarks.diagnosis.controls import CONTROLS
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.health import one_thread
from benchmarks.diagnosis.running import last_epoch, run
from glassnet.events import Event, from_json, to_json

CASES: tuple[Case, ...] = (*CONTROLS, *FAULTS)


@dataclass(frozen=True)
class Recorded:
    """A case as it lies in its folder.

    Attributes:
        case: the content of ``case.json``.
        half: ``calibrate`` or ``measure``.
        folder: with ``events.jsonl``.
    """

    case: dict[str, Any]
    half: str
    folder: Path

    def events(self) -> Iterator[Event]:
        """What the run told, in order."""
        with (self.folder / "events.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                yield from_json(line)


def record(folder: Path, processes: int, chosen: Callable[[Case], bool]) -> None:
    """Run the chosen cases and write ``folder/<half>/<name>/``; of others what lies there stays.

    Args:
        folder: made where it is not there.
        processes: cases run at once, each on one thread.
        chosen: which cases.
    """
    which = halves(CASES)
    todo = sorted((case for case in CASES if chosen(case)), key=lambda case: HALVES.index(which[case.name]))
    begin = time.monotonic()
    with ProcessPoolExecutor(processes, initializer=one_thread) as pool:
        jobs = {pool.submit(record_case, case, folder / which[case.name], which[case.name]): case for case in todo}
        for number, job in enumerate(as_completed(jobs), start=1):
            seconds = job.result()
            print(f"{number:>4}/{len(jobs)} {jobs[job].name:<64}{seconds:6.1f} s", flush=True)
    print(f"{len(todo)} cases in {time.monotonic() - begin:.0f} s, {processes} at once")


def record_case(case: Case, parent: Path, half: str) -> float:
    """Run one case and write its folder; returns the seconds that it took."""
    begin = time.perf_counter()
    done = run(case.setup)
    seconds = time.perf_counter() - begin
    for other in HALVES:
        shutil.rmtree(parent.parent / other / case.name, ignore_errors=True)
    place = parent / case.name
    place.mkdir(parents=True)
    (place / "events.jsonl").write_text("".join(to_json(event) + "\n" for event in done.events), encoding="utf-8")
    told = case.record() | {
        "half": half,
        "crashed": done.crashed,
        "test": done.figures,
        "last": last_epoch(done.events),
        "seconds": round(seconds, 1),
    }
    (place / "case.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    return seconds


def up_to_date(case: Case, folder: Path) -> bool:
    """Whether the case lies in a folder as it is written down now; the program itself may have changed since."""
    places = [folder / half / case.name / "case.json" for half in HALVES]
    found: dict[str, Any] = next(
        (json.loads(place.read_text(encoding="utf-8")) for place in places if place.exists()), {}
    )
    now = json.loads(json.dumps(case.record()))
    return all(found.get(key) == value for key, value in now.items())


def recorded(folder: Path, half: str = "both") -> list[Recorded]:
    """The cases that lie in a folder, in the order of the catalogue."""
    found = []
    for name, own in halves(CASES).items():
        place = folder / own / name
        if half in (own, "both") and (place / "case.json").exists():
            found.append(Recorded(json.loads((place / "case.json").read_text(encoding="utf-8")), own, place))
    if half == "practice":
        places = sorted((folder / half).glob("*/case.json"))
        return [Recorded(json.loads(path.read_text(encoding="utf-8")), half, path.parent) for path in places]
    order = {case.name: position for position, case in enumerate(CASES)}
    return sorted(found, key=lambda one: order[one.case["name"]])
