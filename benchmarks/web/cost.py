"""What the page costs: U6, the training that it watches, and U9, the browser's memory."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from bisect import bisect
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.web.live import browser, cpu, open_run, served
from benchmarks.web.made_runs import make_runs

STATES = ("no page", "page closed", "page open")
TRAINER = """
import sys, time
import glassnet
from glassnet.events import Step
times = open(sys.argv[1], "w", buffering=1)
def listen(event):
    if isinstance(event, Step):
        times.write(f"{time.monotonic()}\\n")
settings = {"train.epochs": 1_000_000, "train.check": False, "train.threads": int(sys.argv[3]), "train.precision": "float32"}
glassnet.train("digits", "small-vgg", out=sys.argv[2], settings=settings, listen=listen)
"""
SETTLE, BLOCK = 1.0, 2.0  # seconds after a change that are not counted, and that are


def cost(place: Path, chosen: argparse.Namespace) -> None:
    """U6: steps a second of one training that goes on, while the page's process stands still, waits, or shows the run, in turns of some seconds.

    Turns within one training meet the same machine in the same mood: whole trainings, one after the other, differ by several per cent on their own. The
    page's process is stopped and continued by signals, and the browser shows the run or an empty page.
    """
    for threads in sorted({1, os.cpu_count() or 1}):
        root = place / str(threads) / "runs"
        root.mkdir(parents=True)
        times = place / f"times-{threads}"
        command = [sys.executable, "-c", TRAINER, str(times), str(root / "run"), str(threads)]
        with (
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
            served(root) as address,
            browser() as opened,
        ):
            try:
                while not times.exists() or times.stat().st_size < 5_000:  # some hundred steps
                    assert process.poll() is None, "the training has ended"
                    time.sleep(0.2)
                blocks, used = turns(opened.new_page(), address, int((root.parent / "pid").read_text()), chosen.minutes)
            finally:
                process.kill()
        tell(
            f"{threads} thread{'s' * (threads > 1)}", blocks, used, [float(line) for line in times.read_text().split()]
        )


def turns(page: Any, address: str, server: int, minutes: float) -> tuple[list[dict[str, float]], dict[str, float]]:
    """The beginnings of the blocks of each round, and seconds of processor that the page's process used in all blocks of a state."""
    open_run(page, address)
    shown, blocks, used = page.url, list[dict[str, float]](), dict.fromkeys(STATES, 0.0)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        began: dict[str, float] = {}
        for state in random.sample(STATES, len(STATES)):
            os.kill(server, signal.SIGCONT)
            page.goto(shown if state == "page open" else "about:blank")
            if state == "no page":
                os.kill(server, signal.SIGSTOP)
            time.sleep(SETTLE)
            before, began[state] = cpu(server), time.monotonic()
            page.wait_for_timeout(1e3 * BLOCK)
            used[state] += cpu(server) - before
        blocks.append(began)
    os.kill(server, signal.SIGCONT)
    return blocks, used


def tell(name: str, blocks: list[dict[str, float]], used: dict[str, float], times: list[float]) -> None:
    """Print by how much slower each state is: the mean over the rounds, with its 95 % interval."""

    def steps(began: float) -> float:
        """Steps in a block; one that is under way counts by the part of it that lies inside."""
        counts = []
        for moment in (began, began + BLOCK):
            after = bisect(times, moment)
            counts.append(after + (moment - times[after - 1]) / (times[after] - times[after - 1]))
        return counts[1] - counts[0]

    rounds = [
        {state: steps(began) for state, began in each.items()}
        for each in blocks
        if each[max(each, key=each.__getitem__)] + BLOCK < times[-1]
    ]
    for state in STATES:
        told_used = f"its process uses {100 * used[state] / (BLOCK * len(blocks)):.1f} % of a core"
        rate = mean(each[state] for each in rounds) / BLOCK
        line = f"U6  {name}, {state}: {rate:.2f} steps a second; {told_used}"
        if state != "no page":
            slower = [100 * (1 - each[state] / each["no page"]) for each in rounds]
            error = 1.96 * stdev(slower) / len(slower) ** 0.5
            line += f"; slower by {mean(slower):+.2f} % ({mean(slower) - error:+.2f} to {mean(slower) + error:+.2f}, {len(slower)} rounds)"
        print(line, flush=True)


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
