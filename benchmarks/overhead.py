"""What Glassnet's loop costs over the barest loop that does the same arithmetic, and what recording and checkpoints cost, in turns in one run.

    python -m benchmarks.overhead [--only PATTERN ...] [--seconds 1] [--rounds 9] [--threads 1]

Four ways to make the same steps on the same net and the same batches:

- *bare*: a ``for`` over slices of the data (preprocessed before where ours are); forward, loss, backward and PyTorch's fused optimiser, and nothing else.
- *loop*: ``glassnet.training.train`` with nobody looking inside.
- *recorded*: the same, every event written into a run folder and seen by the diagnosis, as ``glassnet train`` does.
- *saved*: that, with checkpoints as often as ``glassnet train`` makes them (twenty seconds apart, or a hundredth of the time).
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

from benchmarks.speed.contenders.of_glassnet import parts_of
from benchmarks.speed.rows import ROWS
from glassnet.assembly import Assembly
from glassnet.diagnose import Doctor
from glassnet.events import Step
from glassnet.runs import Recorder, RunFolder
from glassnet.training import checkpoint, train
from glassnet.training.execution import prepare_process
from glassnet.training.plan import Plan
from glassnet.training.state import State

SMALL = ["mlp-32", "mlp-128", "3072-50-10", "lenet5-32", "lenet5-128", "lstm-50", "vgg-like"]
CHECKPOINT_SECONDS = 20.0

Advance = Callable[[float], float]


def main() -> None:
    """Print a row a net."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=SMALL, metavar="PATTERN")
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    prepare_process(chosen.threads)
    print(f"{'net':<12}{'bare, ms a step':>16}{'loop':>20}{'recorded over loop':>26}{'saved over recorded':>26}")
    for name in [name for name in ROWS if any(fnmatch(name, pattern) for pattern in chosen.only)]:
        parts = parts_of(ROWS[name])
        torch.set_num_threads(chosen.threads)
        with tempfile.TemporaryDirectory() as folder:
            ways = {
                "bare": in_turns(bare(parts)),
                "loop": in_turns(looped(parts)),
                "recorded": in_turns(recorded(parts, Path(folder) / "recorded", save=False)),
                "saved": in_turns(recorded(parts, Path(folder) / "saved", save=True)),
            }
            times: dict[str, list[float]] = {way: [] for way in ways}
            for number in range(chosen.rounds + 1):
                order = list(ways) if number % 2 else list(ways)[::-1]
                for way in order:
                    spent = ways[way](chosen.seconds if number else 0.3)
                    if number:
                        times[way].append(spent)
        shares = []
        for one, other in (("loop", "bare"), ("recorded", "loop"), ("saved", "recorded")):
            ratios = [a / b - 1 for a, b in zip(times[one], times[other], strict=True)]
            shares.append(f"{median(ratios):+.1%} ({min(ratios):+.0%} to {max(ratios):+.0%})")
        print(
            f"{name:<12}{1000 * median(times['bare']):>16.2f}{shares[0]:>20}{shares[1]:>26}{shares[2]:>26}", flush=True
        )


def in_turns(steps: Iterator[None]) -> Advance:
    """Seconds of the processor a step, over about some seconds of steps; a busy neighbour does not count in them."""

    def advance(seconds: float) -> float:
        begin, count = time.process_time(), 0
        while (spent := time.process_time() - begin) < seconds:
            for _ in range(10):
                next(steps)
            count += 10
        return spent / count

    return advance


def bare(parts: Assembly) -> Iterator[None]:
    """The loop that one would write by hand for this net, this data and this machine, and no other."""
    net = copy.deepcopy(parts.net).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)
    inputs, targets = parts.batches.part.inputs, parts.batches.part.targets
    low = parts.execution.precision == "bfloat16"
    while True:
        for index in torch.randperm(len(targets)).split(parts.batches.sizes):
            x = inputs.take(index)
            if parts.batches.prepare is not None:  # not preprocessed once and for all
                x = parts.preprocess(x)
            if parts.execution.channels_last:
                x = x.contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad(set_to_none=True)
            if low:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    outputs = net(x)
            else:
                outputs = net(x)
            F.cross_entropy(outputs.float(), targets[index]).backward()
            optimizer.step()
            yield


def looped(parts: Assembly) -> Iterator[None]:
    """Glassnet's loop."""
    net = copy.deepcopy(parts.net)
    for event in train(net, parts.batches, endless(parts)):
        if isinstance(event, Step):
            yield


def recorded(parts: Assembly, path: Path, *, save: bool) -> Iterator[None]:
    """Glassnet's loop with its run folder."""
    folder = RunFolder(path)
    net, plan = copy.deepcopy(parts.net), endless(parts)
    state = State(net, plan)
    with Recorder(folder) as recorder:
        doctor = Doctor(folder.events())
        saved, cost = time.monotonic(), 0.0
        for event in train(net, parts.batches, plan, state=state):
            if not isinstance(event, Step) or event.loss is not None:
                recorder.append(event)
            for finding in doctor.see(event):
                recorder.append(finding)
            if not isinstance(event, Step):
                continue
            if save and time.monotonic() - saved >= max(CHECKPOINT_SECONDS, 100 * cost):
                begin = time.monotonic()
                tree = {"state": state.state_dict(), "lengths": recorder.lengths()}
                checkpoint.save(folder.checkpoints, state.step, tree, epoch=state.epoch)
                saved = time.monotonic()
                cost = saved - begin
            yield


def endless(parts: Assembly) -> Plan:
    """The plan without an end."""
    return replace(parts.plan, epochs=10**9)


if __name__ == "__main__":
    main()
