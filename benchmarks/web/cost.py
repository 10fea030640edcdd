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
from benchmarks.web.speed import WATCH
from glassnet.cores import cores

STATES = ("no page", "page closed", "page open")
# Writes when each step ended and how long it took; those with a validation, a look or a checkpoint before them are left out: they come unevenly.
TRAINER = """
import sys, time
import glassnet
from glassnet.events import Step
times, last = open(sys.argv[1], "w", buffering=1), None
def listen(event):
    global last
    now = time.monotonic()
    if isinstance(event, Step) and last is not None:
        times.write(f"{now} {now - last}\\n")
    last = time.monotonic() if isinstance(event, Step) else None
settings = {"train.epochs": 1_000_000, "train.check": False, "train.threads": int(sys.argv[3]), "train.precision": "float32"}
glassnet.train("digits", "small-vgg", out=sys.argv[2], settings=settings, listen=listen)
"""
SETTLE, BLOCK = 1.0, 2.0  # seconds after a change that are not counted, and that are
# Seconds from a drawing within which steps may be longer, and until which the steps lie that they are compared with.
NEAR, FAR = 0.2, 0.8


def cost(place: Path, chosen: argparse.Namespace) -> None:
    """U6: how long the steps of one training take, while the page's process stands still, waits, or shows the run, in turns of some seconds.

    Turns within one training meet the same machine in the same mood: whole trainings, one after the other, differ by several per cent on their own. The
    page's process is stopped and continued by signals, and the browser shows the run or an empty page. As two seconds of a machine still differ by some per
    cent, the page then stays open where the training has every core, and the steps around each of its drawings are compared with those shortly before and after.
    """
    every = cores()
    for threads in sorted({1, every}):
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
                page = opened.new_page()
                blocks, used = turns(page, address, int((root.parent / "pid").read_text()), chosen.minutes)
                drawn = draws(page, address, chosen.minutes) if threads == every else []
            finally:
                process.kill()
        steps = [(float(end), float(took)) for end, took in map(str.split, times.read_text().splitlines()[:-1])]
        name = f"{threads} thread{'s' * (threads > 1)}"
        tell(name, blocks, used, steps)
        if drawn:  # without a core of its own the page draws rarely enough for that
            tell_of_draws(name, drawn, steps)


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


def draws(page: Any, address: str, minutes: float) -> list[float]:
    """When the page drew what was new, on the clock of the steps, while it stood open."""
    open_run(page, address)
    page.evaluate(WATCH)
    page.wait_for_timeout(60e3 * minutes)
    apart = time.time() - time.monotonic()
    return sorted(each / 1e3 - apart for each in page.evaluate("() => Object.values(window.seen)"))


def tell_of_draws(name: str, drawn: list[float], steps: list[tuple[float, float]]) -> None:
    """Print by how much longer steps take around a drawing than shortly before and after, as a share of the time between two drawings."""
    ends = [end for end, _ in steps]
    extra = []
    for moment in drawn:
        around = steps[bisect(ends, moment - NEAR) : bisect(ends, moment + NEAR) + 1]
        apart = (
            steps[bisect(ends, moment - FAR) : bisect(ends, moment - NEAR)]
            + steps[bisect(ends, moment + NEAR) + 1 : bisect(ends, moment + FAR)]
        )
        if len(around) > 1 and len(apart) > 1:
            usual = mean(took for _, took in apart)
            extra.append(sum(took - usual for _, took in around))
    between = (drawn[-1] - drawn[0]) / (len(drawn) - 1)
    error = 1.96 * stdev(extra) / len(extra) ** 0.5
    print(
        f"U6  {name}, page open: a drawing every {between:.2f} s lengthens the steps around it by {1e3 * mean(extra):.1f} ms in all "
        f"({1e3 * (mean(extra) - error):.1f} to {1e3 * (mean(extra) + error):.1f}, {len(extra)} drawings): {100 * mean(extra) / between:.2f} % "
        f"({100 * (mean(extra) - error) / between:.2f} to {100 * (mean(extra) + error) / between:.2f})",
        flush=True,
    )


def tell(name: str, blocks: list[dict[str, float]], used: dict[str, float], steps: list[tuple[float, float]]) -> None:
    """Print by how much longer a step is in each state: the mean over the rounds, with its 95 % interval.

    Args:
        name: of the training.
        blocks: the beginnings of the blocks of each round.
        used: processor seconds of the page's process, by state.
        steps: when each ended, and how long it took.
    """
    ends = [end for end, _ in steps]

    def took(began: float) -> float:
        return mean(seconds for _, seconds in steps[bisect(ends, began) : bisect(ends, began + BLOCK)])

    rounds = [{state: took(began) for state, began in each.items()} for each in blocks]
    for state in STATES:
        line = f"U6  {name}, {state}: {1e3 * mean(each[state] for each in rounds):.2f} ms a step; its process uses {100 * used[state] / (BLOCK * len(blocks)):.1f} % of a core"
        if state != "no page":
            slower = [100 * (each[state] / each["no page"] - 1) for each in rounds]
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
