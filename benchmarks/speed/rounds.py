"""All contenders of a row, each in a process of its own, one at a time and in turns."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.contenders import CONTENDERS

LONGEST_START = 420.0  # seconds
WARM_UP = 0.3  # seconds of each turn


@dataclass
class Measured:
    """What one contender did on one row.

    Attributes:
        contender: its name.
        rates: samples a second, of each round.
        first_step: seconds from the start of the process to the end of the first step, compilation included.
        peak: most memory of the process, bytes.
        precision: of most of its arithmetic.
        note: what it chose.
        left_out: why there are no figures.
    """

    contender: str
    rates: list[float] = field(default_factory=list)
    first_step: float = 0.0
    peak: int = 0
    precision: str = "float32"
    note: str = ""
    left_out: str = ""

    @property
    def rate(self) -> float:
        """Median of the rounds; 0 where it was left out."""
        return median(self.rates) if self.rates else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "rate": self.rate}


class _Running:
    def __init__(self, name: str, row: str, threads: int, log: Path) -> None:
        self.measured = Measured(name)
        environment = {**os.environ, **CONTENDERS[name][2], "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        if threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self.errors = log.open("w")
        self.begun = time.time()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.worker", name, row, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment,
        )
        self.log = log

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            last = self.log.read_text(errors="replace").strip().splitlines()[-1:]
            return {"left_out": "it failed: " + (last[0][:160] if last else "without a word")}
        return dict(json.loads(line))

    def ask(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self.read()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(1)  # threads of some frameworks never end by themselves
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.errors.close()


def measure_row(
    row: str, contenders: list[str], *, seconds: float, rounds: int, threads: int, logs: Path
) -> list[Measured]:
    """Start everyone in turn, then let each train for some seconds, round after round, each round in an order of its own.

    The first moments of each turn are not counted: caches are those of whoever was there before.
    """
    done, running = [], []
    for name in contenders:
        module = CONTENDERS[name][1]
        if importlib.util.find_spec(module) is None:
            done.append(Measured(name, left_out=f"{module} is not installed"))
            continue
        one = _Running(name, row, threads, logs / f"{row}-{name.replace(' ', '-').replace(',', '')}.log")
        answer = one.read()
        if "left_out" in answer:
            one.measured.left_out = answer["left_out"]
            one.end()
        else:
            one.measured.first_step = answer["begun"] - one.begun
            one.measured.precision, one.measured.note = answer["precision"], answer["note"]
            running.append(one)
        done.append(one.measured)
    try:
        for number in range(rounds + 1):
            for one in random.Random(number).sample(running, len(running)):
                if one.measured.left_out:
                    continue
                answer = one.ask(min(seconds, WARM_UP))
                if number and "left_out" not in answer:  # the first round is all warming up
                    answer = one.ask(seconds)
                if "left_out" in answer:
                    one.measured.left_out = answer["left_out"]
                elif number:
                    one.measured.rates.append(answer["samples"] / answer["seconds"])
                    one.measured.peak = answer["peak"]
    finally:
        for one in running:
            one.end()
    return done
