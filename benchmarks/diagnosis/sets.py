"""The data of the cases: real sets, cut small, standardised by their training part.

The folder with the files is named by the environment variable ``GLASSNET_DATA``; CIFAR-10's binary files may lie elsewhere and are
then named by ``GLASSNET_CIFAR10``. The handwritten digits come with scikit-learn.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from benchmarks.diagnosis.further_sets import FURTHER
from benchmarks.diagnosis.later_sets import LATER
from benchmarks.diagnosis.unseen_sets import CIFAR10, DATA, UNSEEN

TEST = 1000  # samples that neither training nor the doctor ever sees
WINDOW = 30  # days that a forecast looks back on


@dataclass
class Sets:
    """Three parts of a data set, inputs standardised.

    Attributes:
        train: inputs (n, …) and targets: class indices (n,) or standardised values (n, 1).
        val: likewise.
        test: likewise; looked at once, after the training, to say what a fault cost.
        classes: 0 where the targets are values.
        mean: what was subtracted from the raw inputs.
        std: what they were divided by.
    """

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    classes: int
    mean: Tensor
    std: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input."""
        return tuple(self.train[0].shape[1:])


def load(name: str, samples: int, validation: int) -> Sets:
    """The set of a name, with so many samples in its training and its validation part."""
    inputs, targets, classes = SETS[name]()
    inputs, targets = _without_repeats(inputs, targets)
    if name in ("temperatures", "chaos"):  # the future comes after the past
        order = torch.arange(len(inputs))
    else:
        order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(20))
    test = min(TEST, len(inputs) - samples - validation)
    assert test >= 100, f"{name} has {len(inputs)} samples: too few for {samples} + {validation}"
    parts = [order[:samples], order[-test - validation : -test], order[-test:]]
    own = inputs[parts[0]]
    mean, std = _moments(own)
    if not classes:
        middle, scale = targets[parts[0]].mean(0), targets[parts[0]].std(0)
        targets = (targets - middle) / scale
    train, val, kept = (((inputs[part] - mean) / std, targets[part]) for part in parts)
    return Sets(train, val, kept, classes, mean, std)


def _without_repeats(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Each input once, in the order of the files, so that no validation sample was trained on."""
    seen: dict[bytes, int] = {}
    for place, row in enumerate(inputs.numpy()):
        seen.setdefault(row.tobytes(), place)
    kept = torch.tensor(sorted(seen.values()))
    return inputs[kept], targets[kept]


def _moments(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Of images one mean and spread a channel, of series one, of tables one a column (categories are left as 0 and 1)."""
    if inputs.ndim == 4:
        return inputs.mean((0, 2, 3))[:, None, None], inputs.std((0, 2, 3))[:, None, None]
    if inputs.ndim == 3:
        return inputs.mean(), inputs.std()
    numeric = (inputs * (1 - inputs)).abs().amax(0) > 0
    one = torch.ones(inputs.shape[1])
    return torch.where(numeric, inputs.mean(0), 0 * one), torch.where(numeric, inputs.std(0).clamp_min(1e-6), one)


@cache
def _digits() -> tuple[Tensor, Tensor, int]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return torch.tensor(found.images, dtype=torch.float32)[:, None], torch.tensor(found.target), 10


@cache
def _diabetes() -> tuple[Tensor, Tensor, int]:
    from sklearn.datasets import load_diabetes

    inputs, targets = load_diabetes(return_X_y=True, scaled=False)
    return torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32)[:, None], 0


def _idx(name: str) -> Callable[[], tuple[Tensor, Tensor, int]]:
    @cache
    def read() -> tuple[Tensor, Tensor, int]:
        images = gzip.decompress((DATA / name / "train-images-idx3-ubyte.gz").read_bytes())
        labels = gzip.decompress((DATA / name / "train-labels-idx1-ubyte.gz").read_bytes())
        pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:8000]
        return torch.tensor(pixels).float(), torch.tensor(np.frombuffer(labels, np.uint8, offset=8)[:8000]).long(), 10

    return read


@cache
def _cifar10() -> tuple[Tensor, Tensor, int]:
    rows = np.fromfile(CIFAR10 / "data_batch_1.bin", np.uint8).reshape(-1, 3073)[:8000]
    return torch.tensor(rows[:, 1:].reshape(-1, 3, 32, 32)).float(), torch.tensor(rows[:, 0]).long(), 10


@cache
def _cifar16() -> tuple[Tensor, Tensor, int]:
    """CIFAR-10 at half the size: the mean of each 2×2 pixels."""
    images, labels, classes = _cifar10()
    return torch.nn.functional.avg_pool2d(images, 2), labels, classes


@cache
def _adult() -> tuple[Tensor, Tensor, int]:
    rows = _rows("adult-train.csv")[:9000]
    columns: list[np.ndarray] = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name == "income":
            continue
        try:
            columns.append(np.array(values, np.float32))
        except ValueError:
            kinds = sorted(set(values))
            columns += [np.array([value == kind for value in values], np.float32) for kind in kinds]
    labels = torch.tensor([row["income"] == ">50K" for row in rows]).long()
    return torch.tensor(np.stack(columns, 1)), labels, 2


@cache
def _wine() -> tuple[Tensor, Tensor, int]:
    """White wines: is the quality 6 or more?"""
    inputs, quality, _ = _wine_values()
    return inputs, (quality[:, 0] >= 6).long(), 2


@cache
def _wine_values() -> tuple[Tensor, Tensor, int]:
    rows = np.array([[float(value) for value in row.values()] for row in _rows("winequality-white.csv")], np.float32)
    return torch.tensor(rows[:, :-1]), torch.tensor(rows[:, -1:]), 0


@cache
def _temperatures() -> tuple[Tensor, Tensor, int]:
    """The lowest temperature of a day from those of the 30 days before."""
    series = torch.tensor([float(row["Temp"].strip("?")) for row in _rows("daily-min-temperatures.csv")])
    windows = series.unfold(0, WINDOW + 1, 1)
    return windows[:, :-1, None].contiguous(), windows[:, -1:].contiguous(), 0


@cache
def _spirals() -> tuple[Tensor, Tensor, int]:
    """Two spirals of one and a half turns, which no line parts."""
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(6000) % 2
    turn = torch.rand(6000, generator=generator).sqrt() * 3 * torch.pi
    angle = turn + labels * torch.pi
    points = torch.stack([turn * angle.cos(), turn * angle.sin()], 1)
    return points + 0.4 * torch.randn(6000, 2, generator=generator), labels, 2


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / "tabular" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


SETS: dict[str, Callable[[], tuple[Tensor, Tensor, int]]] = {
    **UNSEEN,
    **LATER,
    **FURTHER,
    "digits": _digits,
    "diabetes": _diabetes,
    "spirals": _spirals,
    "mnist": _idx("mnist"),
    "notmnist": _idx("notmnist"),
    "cifar10": _cifar10,
    "cifar16": _cifar16,
    "adult": _adult,
    "wine": _wine,
    "wine-values": _wine_values,
    "temperatures": _temperatures,
}
WITHOUT_FILES = {"digits", "diabetes", "spirals"}
