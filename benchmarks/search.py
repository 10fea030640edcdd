"""Trials a minute: ``glassnet search`` beside the same search written with Optuna alone and with KerasTuner, one after the other, in rounds.

    python -m benchmarks.search --rounds 3 --trials 48 --keras PYTHON

All draw learning rate and dropout at random for a perceptron of 64 hidden units on the same samples of scikit-learn's digits: Adam, batches of 64,
cross-entropy, accuracy on the validation part after every epoch, no trial ended early. Each is a process of its own, and its whole time counts: start,
reading, drawing, training, writing down. The rivals are written as their own guides write them: one trial after the other, nothing kept but the
figures. Glassnet keeps a run folder for every trial, and a storage from which a killed search goes on; it makes as many trials at a time as there are
cores, or one with ``--jobs 1``. All compute on one thread, since nets this small gain nothing from more.

PYTHON is an interpreter that has keras, keras-tuner and torch; without it KerasTuner is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

LR, DROPOUT, UNITS, BATCH = (1e-4, 1e-1), (0.0, 0.5), 64, 64


def main() -> int:
    """Run the rounds and print the table; with ``--rival``, be one of the rivals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--keras", metavar="PYTHON", help="an interpreter with keras, keras-tuner and torch")
    parser.add_argument("--rival", choices=sorted(RIVALS), help=argparse.SUPPRESS)
    parser.add_argument("--samples", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.rival:
        parts = np.load(asked.samples)
        best = RIVALS[asked.rival](parts, asked.trials, asked.epochs, asked.samples.parent)
        print(json.dumps({"best": best}))
        return 0
    with tempfile.TemporaryDirectory() as place:
        measure(asked, Path(place))
    return 0


def measure(asked: argparse.Namespace, place: Path) -> None:
    """Each search in turn, round by round, since a machine is not as fast at all times."""
    samples = place / "samples.npz"
    counts = keep_samples(samples)
    size = ["--trials", str(asked.trials), "--epochs", str(asked.epochs)]
    this = [str(Path(__file__).resolve()), *size, "--samples", str(samples)]
    searches: dict[str, list[str]] = {
        "optuna alone": [sys.executable, *this, "--rival", "optuna"],
        "glassnet": glassnet(asked, []),
        "glassnet --jobs 1": glassnet(asked, ["--jobs", "1"]),
    }
    missing = missing_in(asked.keras)
    if missing:
        print(f"KerasTuner is left out: {missing}\n")
    else:
        searches["keras-tuner"] = [asked.keras, *this, "--rival", "keras"]
    print(f"{asked.trials} trials of {asked.epochs} epochs, {counts}; {asked.rounds} rounds\n", flush=True)
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    best: dict[str, float] = {}
    for number in range(asked.rounds):
        for name, words in searches.items():
            if name.startswith("glassnet"):
                words = [*words, "--out", str(place / f"{name.replace(' ', '')}-{number}")]
            begin = time.perf_counter()
            ended = subprocess.run(words, capture_output=True, text=True, cwd=place, env=environment())
            seconds[name].append(time.perf_counter() - begin)
            if ended.returncode:
                raise SystemExit(f"{name} ended with {ended.returncode}:\n{ended.stderr}")
            best[name] = best_of(ended.stdout)
            print(f"round {number + 1}  {name:<18} {seconds[name][-1]:7.1f} s", flush=True)
    print(f"\n{'search':<18}  trials a minute, median (slowest to fastest round)  best validation accuracy")
    for name, each in seconds.items():
        rates = sorted(60 * asked.trials / one for one in each)
        spread = f"{median(rates):7.1f}  ({rates[0]:.1f} to {rates[-1]:.1f})"
        print(f"{name:<18}  {spread:<52}  {best[name]:.4f}")


def glassnet(asked: argparse.Namespace, more: Sequence[str]) -> list[str]:
    """The search as a command line of Glassnet's."""
    space = f"lr={LR[0]}..{LR[1]} log, dropout={DROPOUT[0]}..{DROPOUT[1]}"
    settings = {"net.hidden": [UNITS], "optimizer.weight_decay": 0, "train.precision": "float32"}
    return [
        *(sys.executable, "-c", "from glassnet.cli import main; main()", "search", "digits", "--net", "mlp"),
        *("--space", space, "--trials", str(asked.trials), "--stage-epochs", str(asked.epochs)),
        *("--opt", "adam", "--schedule", "constant", "--batch-size", str(BATCH), "--preprocess", "standardise"),
        *(word for key, value in settings.items() for word in ("--set", f"{key}={json.dumps(value)}")),
        *("--set", "augment.auto=false", "--pruner", "none", "--finalists", "0", "--no-winner", "--json"),
        *more,
    ]


def keep_samples(path: Path) -> str:
    """Write the parts that Glassnet divides the digits into, standardised, for the rivals; how many there are, in words."""
    import torch

    from glassnet.reading import read_data
    from glassnet.recipe import Recipe

    data = read_data(Recipe().changed({"data.path": "digits", "data.split_seed": 0}))
    parts = {"train": data.train, "val": data.val}
    pixels = {
        name: part.inputs.take(torch.arange(len(part))).float().numpy().reshape(len(part), -1)
        for name, part in parts.items()
    }
    centre, spread = pixels["train"].mean(), pixels["train"].std()
    arrays = {f"{name}_x": (each - centre) / spread for name, each in pixels.items()}
    np.savez(path, **arrays, **{f"{name}_y": np.asarray(part.targets, np.int64) for name, part in parts.items()})
    return f"{len(data.train):,} samples to learn from and {len(data.val):,} to compare on"


def missing_in(python: str | None) -> str:
    """Why KerasTuner cannot be measured; empty where it can."""
    if python is None:
        return "no interpreter was given with --keras"
    tried = subprocess.run(
        [python, "-c", "import keras, keras_tuner, torch"], capture_output=True, text=True, env=environment()
    )
    return tried.stderr.strip().splitlines()[-1] if tried.returncode else ""


def environment() -> dict[str, str]:
    """One thread within an operation for all, and Keras on PyTorch, as the others are."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}


def best_of(output: str) -> float:
    """The best validation accuracy of any trial, from what a search printed."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    ends = [line["best"] for line in lines if "best" in line]
    return float(ends[-1] if ends else max(line["value"] for line in lines if line.get("value") is not None))


def with_optuna(parts: Any, trials: int, epochs: int, place: Path) -> float:
    """As in Optuna's own guide for PyTorch."""
    import optuna
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    train = TensorDataset(torch.from_numpy(parts["train_x"]), torch.from_numpy(parts["train_y"]))
    x, y = torch.from_numpy(parts["val_x"]), torch.from_numpy(parts["val_y"])

    def objective(trial: Any) -> float:
        lr = trial.suggest_float("lr", *LR, log=True)
        dropout = trial.suggest_float("dropout", *DROPOUT)
        net = nn.Sequential(nn.Linear(x.shape[1], UNITS), nn.ReLU(), nn.Dropout(dropout), nn.Linear(UNITS, 10))
        optimizer = torch.optim.Adam(net.parameters(), lr=lr)
        best = 0.0
        for _ in range(epochs):
            net.train()
            for inputs, targets in DataLoader(train, batch_size=BATCH, shuffle=True):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(inputs), targets).backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                best = max(best, (net(x).argmax(1) == y).float().mean().item())
        return best

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=trials)
    return float(study.best_value)


def with_keras(parts: Any, trials: int, epochs: int, place: Path) -> float:
    """As in KerasTuner's own guide."""
    import keras
    import keras_tuner

    def build(hp: Any) -> Any:
        net = keras.Sequential(
            [
                keras.layers.Dense(UNITS, activation="relu"),
                keras.layers.Dropout(hp.Float("dropout", *DROPOUT)),
                keras.layers.Dense(10),
            ]
        )
        net.compile(
            optimizer=keras.optimizers.Adam(hp.Float("lr", *LR, sampling="log")),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        return net

    tuner = keras_tuner.RandomSearch(
        build, objective="val_accuracy", max_trials=trials, seed=0, directory=place, project_name=f"{time.time_ns()}"
    )
    tuner.search(
        parts["train_x"],
        parts["train_y"],
        validation_data=(parts["val_x"], parts["val_y"]),
        epochs=epochs,
        batch_size=BATCH,
        verbose=0,
    )
    return float(tuner.oracle.get_best_trials(1)[0].score)


RIVALS = {"optuna": with_optuna, "keras": with_keras}


if __name__ == "__main__":
    sys.exit(main())
