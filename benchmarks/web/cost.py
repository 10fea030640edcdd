"""What the page costs: U6, the training that it watches, and U9, the browser's memory."""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import timings
from benchmarks.web.live import browser, cpu, open_run, served, told, training
from benchmarks.web.made_runs import make_runs


def cost(place: Path, chosen: argparse.Namespace) -> None:
    """U6: processor time and wall time of the same training with no page, with the page's process, and with a page open."""
    seconds: dict[str, list[float]] = {"no page": [], "page closed": [], "page open": []}
    used: dict[str, list[float]] = {"page closed": [], "page open": []}
    for number in range(chosen.rounds):
        for name in random.sample(list(seconds), len(seconds)):
            root = place / f"{number}-{name.replace(' ', '-')}"
            root.mkdir()
            if name == "no page":
                seconds[name].append(trained(root, chosen.epochs))
                continue
            with served(root) as address:
                pid = int((root.parent / "pid").read_text())
                before = cpu(pid)
                if name == "page open":
                    with browser() as opened:
                        page = opened.new_page()
                        seconds[name].append(
                            trained(root, chosen.epochs, lambda page=page, address=address: open_run(page, address))
                        )
                else:
                    seconds[name].append(trained(root, chosen.epochs))
                used[name].append(cpu(pid) - before)
    for name, found in seconds.items():
        print(
            f"U6  {name}: training {told(found, 's', 2)}"
            + (f"; the page's process used {told(used[name], 's of processor', 2)}" if name in used else "")
        )
    for name in ("page closed", "page open"):
        shares = [100 * (a / b - 1) for a, b in zip(seconds[name], seconds["no page"], strict=True)]
        print(
            f"U6  {name}: slower by {median(shares):+.2f} % (median of {len(shares)}; {min(shares):+.2f} to {max(shares):+.2f})"
        )


def trained(root: Path, epochs: int, during: Callable[[], None] | None = None) -> float:
    """Seconds of training steps (as timing.jsonl has them) of a run of notable length, after two epochs of warming up."""
    command = training(root, "small-vgg", epochs, "--set", "train.precision=float32", "--set", "train.threads=1")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        if during is not None:
            while not (root / "run" / "metrics.jsonl").exists() and process.poll() is None:
                time.sleep(0.1)
            time.sleep(1.2)
            during()
        said = process.stderr.read() if process.stderr else b""
        assert process.wait() == 0, said
    return sum(each["seconds"] for each in timings(root / "run")[2:])


def memory(place: Path, chosen: argparse.Namespace) -> None:
    """U9: the page's heap, and the memory that its renderer alone holds, while a run grows by 20 records a second."""
    make_runs(place / "runs", 1, finished=False)
    metrics = next((place / "runs").rglob("metrics.jsonl"))
    looks: list[tuple[float, float, float]] = []  # minutes, MB of heap, MB of the renderer
    with served(place / "runs") as address, browser() as opened:
        page = opened.new_page()
        open_run(page, address)
        session, whole = page.context.new_cdp_session(page), opened.new_browser_cdp_session()
        began, step, next_look = time.monotonic(), 1_000_000, 0.0
        with metrics.open("a") as file:
            while (passed := time.monotonic() - began) < 60 * chosen.minutes:
                for _ in range(20):
                    step += 1
                    event = {
                        "event": "step",
                        "epoch": 9,
                        "step": step,
                        "lr": 0.1,
                        "loss": random.random(),
                        "grad_norm": 1.0,
                    }
                    file.write(json.dumps(event) + "\n")
                file.flush()
                page.wait_for_timeout(1000)
                if passed >= next_look:
                    session.send("HeapProfiler.collectGarbage")
                    heap = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
                    looks.append((passed / 60, heap, renderers(whole)))
                    next_look += min(60, 10 * chosen.minutes)
    for minute, heap, own in looks[:: max(1, len(looks) // 12)]:
        print(f"U9  after {minute:5.1f} minutes: heap {heap:6.1f} MB, renderer's own memory {own:6.1f} MB")
    settled = looks[len(looks) // 4 :]  # the first quarter fills buffers that are then kept
    print(
        f"U9  {chosen.minutes:g} minutes, {step - 1_000_000:,} records: heap at most {max(each[1] for each in looks):.1f} MB, slope {60 * slope(settled, 1):+.2f} MB an hour; "
        f"renderer at most {max(each[2] for each in looks):.1f} MB, slope {60 * slope(settled, 2):+.2f} MB an hour"
    )


def renderers(session: Any) -> float:
    """Megabytes that the browser's renderers hold for themselves alone (private memory, without what processes share)."""
    total = 0.0
    for each in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if each["type"] == "renderer":
            told = Path(f"/proc/{each['id']}/smaps_rollup").read_text()
            total += sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("Private_")) / 1e3
    return total


def slope(looks: list[tuple[float, float, float]], column: int) -> float:
    """Least squares through (minute, value); 0 for fewer than two looks."""
    if len(looks) < 2:
        return 0.0
    minutes, values = [each[0] for each in looks], [each[column] for each in looks]
    middle, level = sum(minutes) / len(minutes), sum(values) / len(values)
    return sum((m - middle) * (v - level) for m, v in zip(minutes, values, strict=True)) / sum(
        (m - middle) ** 2 for m in minutes
    )
