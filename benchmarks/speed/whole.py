"""The second part: whole commands, from the start of the process to the model on disk, and what the model is worth.

Glassnet is run as its users run it. The others are programs as their own tutorials have them (``benchmarks/speed/examples``), on the same images. The test
part is read once a run, after training; nothing was tuned on it.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks import compiled
from benchmarks.speed.examples.idx import read

# name -> (folder of the data, training images, test images, accuracy that is aimed at, seconds that are aimed at)
TASKS: dict[str, tuple[str, int | None, int | None, float, float]] = {
    "mnist": ("mnist", 8000, 2000, 0.985, 5.0),
    "notmnist": ("notmnist", None, None, 0.935, 10.0),
    "cifar10": ("cifar10/binary", None, None, 0.80, 35.0),
}
# name -> (script in ``examples``, packages that must be installed, what is set before it begins)
EXAMPLES: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "scikit-learn MLP": ("sklearn_mlp.py", ("sklearn",), {}),
    "PyTorch's example": ("pytorch_mnist.py", ("torch",), {}),
    "Lightning": ("lightning_mnist.py", ("lightning",), {}),
    "skorch's example": ("skorch_mnist.py", ("skorch",), {}),
    "Keras's, on JAX": ("keras_mnist.py", ("keras", "jax"), {"KERAS_BACKEND": "jax"}),
    "Keras's, on PyTorch": ("keras_mnist.py", ("keras",), {"KERAS_BACKEND": "torch"}),
    "Keras's, on TensorFlow": ("keras_mnist.py", ("keras", "tensorflow"), {"KERAS_BACKEND": "tensorflow"}),
}
_PROGRAM = "from glassnet.cli import main; main()"


@dataclass(frozen=True)
class Run:
    """One whole command.

    Attributes:
        task: whose data.
        who: which program.
        seed: of the run.
        seconds: from the start of its process to the model on disk.
        accuracy: on the test part.
    """

    task: str
    who: str
    seed: int
    seconds: float
    accuracy: float


def main_whole(data: Path, only: list[str], seeds: int, threads: int, out: Path) -> None:
    """Run every program on every task and write ``whole.json`` and ``whole.md``: Glassnet seed by seed, the others, who take minutes, with the first one."""
    compiled()
    runs: list[Run] = []
    for task in [name for name in TASKS if any(fnmatch(name, pattern) for pattern in only)]:
        place = _prepared(data, task, out / "data")
        if place is None:
            print(f"{task}: no data in {data / TASKS[task][0]}")
            continue
        programs = ["glassnet --effort quick"]
        if task != "cifar10":  # on which the others, and the full effort, take many minutes
            programs += ["glassnet", *(who for who, (_, needed, _) in EXAMPLES.items() if all(map(find_spec, needed)))]
        for seed in range(seeds):
            for who in programs:
                if who in EXAMPLES and seed:
                    continue
                folder = out / "whole" / f"{task}-{who.replace(' ', '-')}-{seed}-{os.getpid()}"
                run = (_example if who in EXAMPLES else _glassnet)(task, who, seed, place, folder, threads)
                runs.append(run)
                print(f"{run.task:<10}{run.who:<26}seed {seed}{run.seconds:>8.1f} s {run.accuracy:8.2%}", flush=True)
                (out / "whole.json").write_text(json.dumps([asdict(run) for run in runs], indent=1))
    (out / "whole.md").write_text(table(runs))
    print(table(runs))


def table(runs: list[Run]) -> str:
    """Median seconds and mean accuracy, beside what was aimed at."""
    lines = [
        "| data | program | seconds, median | spread | test accuracy, mean | aimed at |",
        "|---|---|---|---|---|---|",
    ]
    for task, who in dict.fromkeys((run.task, run.who) for run in runs):
        some = [run for run in runs if (run.task, run.who) == (task, who)]
        seconds = [run.seconds for run in some]
        accuracy = sum(run.accuracy for run in some) / len(some)
        aim = f"{TASKS[task][3]:.1%} in {TASKS[task][4]:g} s"
        spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
        lines.append(f"| {task} | {who} | {median(seconds):.1f} | {spread} | {accuracy:.2%} | {aim} |")
    return "\n".join(lines) + "\n"


def _glassnet(task: str, who: str, seed: int, place: Path, folder: Path, threads: int) -> Run:
    command = [sys.executable, "-c", _PROGRAM, "train", str(place), "--seed", str(seed), "--out", str(folder)]
    command += ["--quiet", *(["--effort", "quick"] if "quick" in who else [])]
    begin = time.time()
    with subprocess.Popen(command, env=_environment(threads), stdout=subprocess.DEVNULL) as process:
        saved = None
        while process.poll() is None:  # the model is on disk before the test part is looked at
            if saved is None and (folder / "model").is_dir() and any((folder / "model").glob("*.safetensors")):
                saved = time.time() - begin
            time.sleep(0.02)
    if process.returncode:
        return Run(task, who, seed, float("nan"), float("nan"))
    accuracy = json.loads((folder / "result.json").read_text())["figures"]["accuracy"]
    return Run(task, who, seed, saved if saved is not None else time.time() - begin, float(accuracy))


def _example(task: str, who: str, seed: int, place: Path, folder: Path, threads: int) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    script, _, settings = EXAMPLES[who]
    program = Path(__file__).parent / "examples" / script
    begin = time.time()
    done = subprocess.run(
        [sys.executable, str(program), str(place), str(seed), str(folder)],
        env=_environment(threads) | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.time() - begin
    words = done.stdout.split()
    return Run(task, who, seed, seconds, float(words[-1]) if done.returncode == 0 and words else float("nan"))


def _environment(threads: int) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(threads)}


def _prepared(data: Path, task: str, out: Path) -> Path | None:
    """The folder with the images of a task; cut to its sizes where it says so."""
    name, train, test, *_ = TASKS[task]
    source = data / name
    if not source.is_dir():
        return None
    if train is None:
        return source.resolve()
    target = out / f"{task}-{train}-{test}"
    target.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        for kind in ("images-idx3", "labels-idx1"):
            file = f"{part}-{kind}-ubyte.gz"
            _write_idx(target / file, read(source / file)[:count])
    return target.resolve()


def _write_idx(path: Path, values: NDArray[np.uint8] | None) -> None:
    assert values is not None
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.tobytes(), 1))
