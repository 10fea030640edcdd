"""What looking inside costs: the same training with and without looks, alternating in one run.

    python -m benchmarks.measuring [DATA:NET ...] [--seconds 20]

The interval of the looks is the one that ``glassnet train`` chooses for the whole run; a stretch of it is timed.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import torch

from glassnet.assembly import Assembly, assemble
from glassnet.events import Step
from glassnet.reading import read_data
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.training import train
from glassnet.training.measure import Meter
from glassnet.training.state import State

ROUNDS = 5


def main() -> None:
    """Time each training in turns and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trainings", nargs="*", default=["digits:mlp", "digits:small-vgg"], metavar="DATA:NET")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of each training, without looks, in all rounds together"
    )
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"{'training':<28}{'steps':>7}{'one look in':>12}{'looks':>7}{'cost of looking, median of rounds':>36}")
    for text in chosen.trainings:
        data, _, net = text.rpartition(":")
        parts = built(data, net, chosen.threads)
        every = parts.recipe.train.measure
        assert isinstance(every, int)
        total = int(parts.recipe.train.epochs) * parts.batches.steps_per_epoch
        plain = timed(parts, None, 10)
        steps = max(every, round(chosen.seconds / ROUNDS / (plain / 10)))
        shares = []
        for number in range(ROUNDS):
            # Steps from the middle of the run, where looks come at their interval; the order changes from round to round.
            times = {}
            for looking in (True, False) if number % 2 else (False, True):
                times[looking] = timed(parts, Meter(every, early=False) if looking else None, steps)
            shares.append(times[True] / times[False] - 1)
        early = 7 / max(total, 1) * (median(shares) * every)
        print(
            f"{net + ' on ' + data.rpartition('/')[2]:<28}{total:>7,}{every:>12}{steps // every:>7}"
            f"{median(shares):>14.1%} ({min(shares):.1%} to {max(shares):.1%}), and {early:.1%} for the first looks"
        )


def built(data: str, net: str, threads: int) -> Assembly:
    """The parts of an ordinary run."""
    recipe = Recipe().changed({"data.path": data, "net.name": net, "train.threads": threads})
    opened = read_data(recipe)
    resolved, _ = resolve(recipe, opened)
    torch.manual_seed(0)
    return assemble(resolved, opened)


def timed(parts: Assembly, meter: Meter | None, steps: int) -> float:
    """Seconds of some steps of a fresh copy."""
    plan = replace(parts.plan, meter=meter, epochs=10**6)
    net = copy.deepcopy(parts.net)
    state = State(net, plan)
    state.started = True
    begin = time.perf_counter()
    for _ in made(parts, net, plan, state, steps):
        pass
    return time.perf_counter() - begin


def made(parts: Assembly, net: torch.nn.Module, plan: object, state: State, steps: int) -> Iterator[Step]:
    """The first steps of a training."""
    for event in train(net, parts.batches, plan, state=state):  # type: ignore[arg-type]
        if isinstance(event, Step):
            yield event
            if event.step >= steps:
                return


if __name__ == "__main__":
    main()
