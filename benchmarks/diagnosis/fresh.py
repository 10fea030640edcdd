"""Cases that no threshold was set on: every fault transplanted into another training, every control begun anew on other data.

    python -m benchmarks.diagnosis.fresh FOLDER [--only PATTERN] [--processes 2] [--list]

A transplant changes in the new host what the fault changed in its control: the same spoiling, the same factor on the rate, the same options. Its host has the same kind
of net, of data and of targets, is no host of this fault anywhere in the catalogue, and is chosen by a hash. Nobody chooses a case, and nobody looks at what the
doctor says of them while rules are written. What cannot count does not: a control whose losses are not all finite, or whose last validation loss is
above 1.05 times its lowest one, or whose loss was ever above three times its first, where the lectures stop a training (of the standard of ``health.py``, its rates were tried with the catalogue's seed and data), and a fault that does no harm by the standard
of ``harm.py``; both know nothing of the rules.
"""

from __future__ import annotations

import argparse
import json
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.diagnosis.case import Case, Setup, _hash
from benchmarks.diagnosis.controls import CONTROLS
from benchmarks.diagnosis.faults import BY_NAME, FAULTS
from benchmarks.diagnosis.harm import harms
from benchmarks.diagnosis.health import RISE, one_thread
from benchmarks.diagnosis.recording import Recorded, record_case
from glassnet.events import Described, Event, Step

SEED = 1000
OTHER = {"mnist": "notmnist", "notmnist": "mnist"}
KINDS = {
    **dict.fromkeys(("digits", "mnist", "notmnist", "cifar10", "cifar16"), "images"),
    **dict.fromkeys(("adult", "wine", "wine-values", "diabetes"), "table"),
    "spirals": "plane",
    "temperatures": "series",
}
VALUES = {"wine-values", "diabetes", "temperatures"}
RATES = {
    "lr-too-low",
    "lr-too-high",
    "lr-much-too-high",
    "loss-exploding",
}  # a factor means the same for one kind of optimiser only
PARTS = {"batch_norm", "dropout", "activation", "norm"}  # options without which a fault may find nothing to spoil


def host_of(control: Case) -> Case:
    """A control begun anew: another seed, and the other set of letters or digits where there is one."""
    setup = control.setup
    return replace(
        control,
        name=f"{control.name}~fresh",
        setup=replace(setup, seed=setup.seed + SEED, data=OTHER.get(setup.data, setup.data)),
    )


def fresh() -> list[Case]:
    """The cases, controls first."""
    hosts = {control.name: host_of(control) for control in CONTROLS}
    found = list(hosts.values())
    taken = {(fault.fault, fault.like) for fault in FAULTS}
    for fault in FAULTS:
        fit = [each for each in CONTROLS if (fault.fault, each.name) not in taken and _fits(fault, each.setup)]
        if not fit:
            continue
        control = min(fit, key=lambda each: _hash(f"{fault.name} in {each.name}"))
        taken.add((fault.fault, control.name))
        host = hosts[control.name]
        found.append(
            replace(
                fault,
                name=f"{fault.fault}--{control.name}--{fault.name.rpartition('--')[2]}~fresh",
                setup=_transplanted(fault, host.setup),
                like=host.name,
            )
        )
    return found


def _fits(fault: Case, host: Setup) -> bool:
    old, new = BY_NAME[fault.like].setup, fault.setup
    if host.net != old.net or KINDS[host.data] != KINDS[old.data] or (host.data in VALUES) != (old.data in VALUES):
        return False
    if fault.fault in RATES and host.optimizer != old.optimizer:
        return False
    if host.loss != old.loss or host.spoilt:
        return False
    if new.samples > 2 * host.samples and new.samples > old.samples:  # some tables are not that long
        return False
    if new.net == "pixel-rnn" and OTHER.get(host.data):  # 784 steps of one pixel each take too long
        return False
    if new.spoilt == old.spoilt and set(_changes(fault)) <= {
        "lr",
        "clip",
        "l2",
        "samples",
        "epochs",
        "shuffle",
        "schedule",
        "schedule_options",
    }:
        return True
    return all(bool(host.options.get(part)) == bool(old.options.get(part)) for part in PARTS)


def _changes(fault: Case) -> dict[str, Any]:
    old = BY_NAME[fault.like].setup
    names = [each.name for each in fields(Setup)]
    return {name: getattr(fault.setup, name) for name in names if getattr(fault.setup, name) != getattr(old, name)}


def _transplanted(fault: Case, host: Setup) -> Setup:
    old, changes = BY_NAME[fault.like].setup, _changes(fault)
    if "lr" in changes and "optimizer" not in changes:
        changes["lr"] = host.lr * fault.setup.lr / old.lr
    if "options" in changes and "net" not in changes:
        changes["options"] = {**host.options, **changes["options"]}
    if "spoilt" in changes:
        changes["spoilt"] = (*host.spoilt, *changes["spoilt"])
    return replace(host, **changes)


def counted(folder: Path) -> list[Recorded]:
    """The recorded cases that may count."""
    half = folder / "fresh"
    all_of_them = [
        Recorded(json.loads(path.read_text()), "fresh", path.parent) for path in sorted(half.glob("*/case.json"))
    ]
    by_name = {one.case["name"]: one.case for one in all_of_them}
    sound = {one.case["name"] for one in all_of_them if not one.case["fault"] and _sound(one)}
    kept = []
    for one in all_of_them:
        like = one.case["like"] if one.case["fault"] else one.case["name"]
        if like in sound and (not one.case["fault"] or harms(one.case, by_name[like])):
            kept.append(one)
    return kept


def _sound(one: Recorded) -> bool:
    """Whether a recorded control is healthy, as far as the recording shows."""
    last = one.case["last"]
    whole = not one.case["crashed"] and last and last["val"]["loss"] <= RISE * last["lowest_val_loss"]
    return bool(whole and not _outgrown(list(one.events())))


def _outgrown(events: list[Event]) -> bool:
    """Whether the loss was ever above three times its first value, where the lectures stop a training (T6): a median of five recorded ones, so that one batch does not count."""
    losses = [event.loss for event in events if isinstance(event, Step) and event.loss is not None]
    looked = [float(event.start.get("train_loss") or 0.0) for event in events if isinstance(event, Described)]
    most = 3 * max([*losses[:1], *looked], default=math.inf)
    return any(median(losses[end - 5 : end]) > most for end in range(5, len(losses) + 1))


def main() -> None:
    """Record what is asked for into ``FOLDER/fresh``, and the controls' health into ``FOLDER/fresh-health.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="*")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    asked = parser.parse_args()
    todo = [case for case in fresh() if fnmatchcase(case.name, asked.only)]
    if asked.list:
        print("\n".join(case.name for case in todo))
        return
    todo = [case for case in todo if not (asked.folder / "fresh" / case.name / "case.json").exists()]
    with ProcessPoolExecutor(asked.processes, initializer=one_thread) as pool:
        jobs = [(case, pool.submit(record_case, case, asked.folder / "fresh", "fresh")) for case in todo]
        for case, job in jobs:
            print(f"{case.name:<70}{job.result():6.1f} s", flush=True)


if __name__ == "__main__":
    main()
