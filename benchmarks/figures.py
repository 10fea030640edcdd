"""The figures of the README: ``glassnet train DATA`` with no further options, over several seeds.

    GLASSNET_DATA=../shared/data python -m benchmarks.figures [--seeds 3] [--only notmnist digits] [--processes 2]

Each seed has its own validation split, weights and order; the test part is looked at once per run. Prints mean and standard deviation, the wall
time, and the best rival of each run. With ``--processes`` above 1 the runs share the machine, on one thread each, and their times say little.
Finished runs in ``--out`` are not repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from glassnet.evaluate.interval import spread

DATA = Path(os.environ.get("GLASSNET_DATA", "../shared/data"))
SETS: dict[str, list[str]] = {
    "mnist": [str(DATA / "mnist")],
    "notmnist": [str(DATA / "notmnist")],
    "notmnist-mlp": [str(DATA / "notmnist"), "--net", "mlp"],
    "cifar10": [str(DATA / "cifar10" / "binary")],
    "adult": [str(DATA / "tabular" / "adult-train.csv")],
    "wine-red": [str(DATA / "tabular" / "winequality-red.csv")],
    "wine-white": [str(DATA / "tabular" / "winequality-white.csv")],
    "digits": ["digits"],
    "letters": ["letters"],
    "small-photos": [str(DATA / "small-photos")],
}


def train(name: str, seed: int, out: Path, threads: int | None) -> Path:
    """One run; returns its folder."""
    folder = out / f"{name}-{seed}"
    if not (folder / "result.json").exists():
        limits = [] if threads is None else ["--threads", str(threads)]
        command = [*SETS[name], "--seed", str(seed), "--out", str(folder), "--quiet", *limits]
        subprocess.run([sys.executable, "-c", "from glassnet.cli import main; main()", "train", *command], check=True)
    return folder


def tell(name: str, folders: list[Path]) -> str:
    """A row of the table."""
    results = [json.loads((folder / "result.json").read_text()) for folder in folders]
    key = "accuracy" if results[0]["task"] == "classes" else "r2"
    own = spread([result["figures"][key] for result in results])
    rivals: dict[str, list[float]] = {}
    for result in results:
        for rival in result["rivals"]:
            rivals.setdefault(rival["name"], []).append(rival["figure"])
    shown = (lambda s: s.percent()) if key == "accuracy" else (lambda s: s.plain())
    beside = ", ".join(f"{rival} {shown(spread(figures))}" for rival, figures in rivals.items())
    part = "" if results[0]["part"] == "test" else " (validation part: there is no test part)"
    seconds = spread(
        [sum(epoch["seconds"] + epoch["evaluation_seconds"] for epoch in timings(folder)) for folder in folders]
    )
    return f"| {name} | {shown(own)}{part} | {beside} | {seconds.mean:.0f} s |"


def timings(folder: Path) -> list[dict[str, float]]:
    """What the run wrote of its epochs' durations."""
    told = [json.loads(line) for line in (folder / "timing.jsonl").read_text().splitlines()]
    return [each for each in told if each["event"] == "timing"]


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(SETS))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/figures"))
    arguments = parser.parse_args()
    threads = None if arguments.processes == 1 else 1
    jobs = [(name, seed) for name in arguments.only for seed in range(arguments.seeds)]
    with ThreadPoolExecutor(arguments.processes) as pool:
        folders = list(pool.map(lambda job: train(*job, arguments.out, threads), jobs))
    print("| data | this network | beside it | training |\n|---|---|---|---|")
    for name in arguments.only:
        print(tell(name, [folder for (other, _), folder in zip(jobs, folders, strict=True) if other == name]))


if __name__ == "__main__":
    main()
