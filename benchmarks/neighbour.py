"""What a neighbour costs that comes while a network trains and keeps one core busy: steps a second before, beside and after it.

    python -m benchmarks.neighbour [mlp-32 lenet5-128 vgg-like lstm-50] [--seconds 12]

Rows are those of ``benchmarks/speed/rows.py``. Once with the number of threads given, once with it watched, as ``glassnet train`` does where nothing is given.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator

import torch

from benchmarks.speed.contenders.of_glassnet import parts_of
from benchmarks.speed.rows import ROWS
from glassnet.events import Step, Threads
from glassnet.training import train
from glassnet.training.execution import prepare_process
from glassnet.training.thread_watch import ThreadWatch


def main() -> None:
    """Print a line for each row and each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", default=["mlp-32", "lenet5-128", "vgg-like", "lstm-50"])
    parser.add_argument("--seconds", type=float, default=12.0, help="of each of the three stretches")
    chosen = parser.parse_args()
    every = torch.get_num_threads()
    for name in chosen.rows:
        parts = parts_of(ROWS[name])
        for watched in (False, True):
            prepare_process(every)
            events = train(parts.net, parts.batches, parts.plan)
            steps = paced(ThreadWatch(every).watching(events) if watched else events)
            before = pace(steps, chosen.seconds)
            with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
                beside = pace(steps, chosen.seconds)
                neighbour.kill()
            after = pace(steps, chosen.seconds)
            print(
                f"{name:<12}{'watched' if watched else f'{every} threads':<11}steps a second: before {before:8.1f}, "
                f"beside a neighbour {beside:8.1f} ({before / beside:.1f} times as slow), after {after:8.1f}",
                flush=True,
            )


def paced(events: Iterator[object]) -> Iterator[None]:
    """Something for every step; changes of threads are told."""
    for event in events:
        if isinstance(event, Threads):
            print(f"  {event.threads} threads from step {event.step} on: {event.gain:.1f} times as fast")
        if isinstance(event, Step):
            yield


def pace(steps: Iterator[None], seconds: float) -> float:
    """Steps a second over some seconds."""
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        next(steps)
        count += 1
    return count / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
