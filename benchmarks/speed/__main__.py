"""``python -m benchmarks.speed``: see the package."""

from __future__ import annotations

import argparse
import json
import os
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.speed.contenders import CONTENDERS
from benchmarks.speed.contenders.timed import CLOCK
from benchmarks.speed.rounds import Measured, measure_row


def main() -> None:
    """Measure, and write ``speed.json``, ``speed.md`` and ``speed.png`` after every row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--only", nargs="*", default=["*"], metavar="PATTERN", help="rows, such as 'lstm*'")
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS), choices=list(CONTENDERS), metavar="NAME")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each contender gets")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--clock",
        default="wall",
        choices=["wall", "processor"],
        help="processor: time of the processor, for a busy machine; on one thread",
    )
    parser.add_argument("--out", type=Path, default=Path("runs/speed"))
    parser.add_argument("--time-to-accuracy", type=Path, metavar="DATA", help="the second part instead: whole commands")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.clock == "processor":
        chosen.threads = 1
    os.environ[CLOCK] = chosen.clock
    chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.time_to_accuracy is not None:
        from benchmarks.speed.whole import main_whole

        main_whole(chosen.time_to_accuracy, chosen.only, chosen.seeds, chosen.threads, chosen.out)
        return

    import torch

    from benchmarks.speed.flops import flops_per_sample
    from benchmarks.speed.machine_peak import peaks
    from benchmarks.speed.picture import draw
    from benchmarks.speed.rows import ROWS
    from benchmarks.speed.table import markdown
    from glassnet.training.execution import machine

    torch.set_num_threads(chosen.threads)
    most, about = peaks(), machine()
    head = f"{about['processor']}, {chosen.threads} threads, torch {about['torch']}; {chosen.rounds} rounds of {chosen.seconds:g} s in turns, by the clock of the {chosen.clock}"
    done: dict[str, list[Measured]] = {}
    flops: dict[str, float] = {}
    for name in [name for name in ROWS if any(fnmatch(name, pattern) for pattern in chosen.only)]:
        flops[name] = flops_per_sample(ROWS[name])
        done[name] = measure_row(
            name,
            chosen.contenders,
            seconds=chosen.seconds,
            rounds=chosen.rounds,
            threads=chosen.threads,
            logs=chosen.out,
        )
        for one in sorted(done[name], key=lambda one: -one.rate):
            print(f"{name:<12}{one.contender:<20}{one.rate:>10,.0f} samples/s  {one.left_out or one.note}", flush=True)
        (chosen.out / "speed.md").write_text(markdown(done, flops, most, head))
        content = {
            "machine": about,
            "peaks": most,
            "flops_per_sample": flops,
            "rows": {row: [one.to_json() for one in measured] for row, measured in done.items()},
        }
        (chosen.out / "speed.json").write_text(json.dumps(content, indent=1))
        draw(done, chosen.out / "speed.png")
    print((chosen.out / "speed.md").read_text())


if __name__ == "__main__":
    main()
