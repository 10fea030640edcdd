"""What looking inside costs: how much longer the steps with a look take than those around them, in one training.

    python -m benchmarks.measuring [DATA:NET ...] [--seconds 20]

The interval of the looks is the one that ``glassnet train`` chooses for the whole run; a stretch of it is timed. Steps around a look meet the same machine in
the same mood: two trainings, with looks and without, differ by more than looks cost.
"""

from __future__ import annotations

import argparse
import copy
import time
from dataclasses import replace
from statistics import mean, median, stdev

import torch

from glassnet.assembly import Assembly, assemble
from glassnet.events import Measured, Step
from glassnet.reading import read_data
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.training import train
from glassnet.training.measure import Meter
from glassnet.training.measure.meter import EARLY
from glassnet.training.state import State

FEWEST = 10  # looks


def main() -> None:
    """Time the steps of each training and print what those with a look take beyond the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trainings", nargs="*", default=["digits:mlp", "digits:small-vgg"], metavar="DATA:NET")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each training, at least")
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(
        f"{'training':<28}{'steps':>7}{'one look in':>12}{'looks':>7}{'a look, steps':>14}{'cost of looking, and its 95 % interval':>40}"
    )
    for text in chosen.trainings:
        data, _, net = text.rpartition(":")
        parts = built(data, net, chosen.threads)
        every = parts.recipe.train.measure
        assert isinstance(every, int)
        total = int(parts.recipe.train.epochs) * parts.batches.steps_per_epoch
        durations = timed(parts, Meter(every, early=False), chosen.seconds)
        looks, plain = extra(durations)
        shares = [look / plain / every for look in looks]
        error = 1.96 * stdev(shares) / len(shares) ** 0.5
        early = len(EARLY) / max(total, 1) * mean(shares) * every
        print(
            f"{net + ' on ' + data.rpartition('/')[2]:<28}{total:>7,}{every:>12}{len(looks):>7}{mean(looks) / plain:>14.1f}"
            f"{mean(shares):>14.1%} ({mean(shares) - error:.1%} to {mean(shares) + error:.1%}), and {early:.1%} for the first looks: {mean(shares) + early:.1%}",
            flush=True,
        )


def extra(durations: list[tuple[float, bool]]) -> tuple[list[float], float]:
    """Seconds that each step with a look took beyond the median of the ten around it, and the mean of the plain steps'."""
    looks = []
    for number, (seconds, looked) in enumerate(durations):
        around = [each for each, other in durations[max(0, number - 5) : number + 6] if not other]
        if looked and around:
            looks.append(seconds - median(around))
    return looks, mean(seconds for seconds, looked in durations if not looked)


def built(data: str, net: str, threads: int) -> Assembly:
    """The parts of an ordinary run."""
    recipe = Recipe().changed({"data.path": data, "net.name": net, "train.threads": threads})
    opened = read_data(recipe)
    resolved, _ = resolve(recipe, opened)
    torch.manual_seed(0)
    return assemble(resolved, opened)


def timed(parts: Assembly, meter: Meter, seconds: float) -> list[tuple[float, bool]]:
    """Seconds of each step of a fresh copy, and whether it was looked at, until there are some looks and the time is over."""
    plan = replace(parts.plan, meter=meter, epochs=10**6)
    net = copy.deepcopy(parts.net)
    state = State(net, plan)
    state.started = True
    durations: list[tuple[float, bool]] = []
    looks, looked, begin = 0, False, time.perf_counter()
    end, last = begin + seconds, begin
    for event in train(net, parts.batches, plan, state=state):
        now = time.perf_counter()
        if isinstance(event, Measured):
            looked, looks = True, looks + 1
        elif isinstance(event, Step):
            durations.append((now - last, looked))
            looked = False
            if now > end and looks >= FEWEST:
                break
        if not looked:
            last = time.perf_counter()  # an epoch's end is not a step's
    return durations[FEWEST:]  # the first ones warm up


if __name__ == "__main__":
    main()
