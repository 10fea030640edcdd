"""Data for cases drawn after the later ones had been looked at: none of it is in the catalogue, in ``unseen_sets.py`` or in ``later_sets.py``.

Seven ask something else of files that are known (hours of work, alcohol of wines, who speaks, vehicles, letters of the second half, who cites whom, who wrote a line);
the others are generated as their sources say.
"""

from __future__ import annotations

import csv
import gzip
import math
import re
import wave
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

from benchmarks.diagnosis.unseen_sets import CIFAR10, DATA, LETTERS

VEHICLES = (0, 1, 8, 9)  # of CIFAR-10: aeroplanes, cars, ships, lorries
FRAMES, BANDS = 20, 16  # of a voice
WORDS = 400  # the most frequent ones of the papers around a paper
LINE = 20  # characters of a line
SYMBOLS = 20  # of a word to be counted in
RECALLED = 10  # symbols of a word whose first one is asked for
WALK = 40  # steps
SIDE = 18  # of the pictures that are drawn


def _csv(name: str) -> list[dict[str, str]]:
    with (DATA / "tabular" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def _hours() -> tuple[Tensor, Tensor, int]:
    """Hours of work a week from all else that a census asked."""
    rows = _csv("adult-train.csv")[9000:18000]
    columns: list[np.ndarray] = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name == "hours-per-week":
            continue
        if all(re.fullmatch(r"-?[\d.]+", value) for value in values):
            columns.append(np.array(values, np.float32))
        else:
            columns += [np.array([value == kind for value in values], np.float32) for kind in sorted(set(values))]
    return torch.tensor(np.stack(columns, 1)), torch.tensor([[float(row["hours-per-week"])] for row in rows]), 0


@cache
def _alcohol() -> tuple[Tensor, Tensor, int]:
    """How strong a white wine is from its other measurements and its quality."""
    rows = _csv("winequality-white.csv")
    inputs = [[float(value) for name, value in row.items() if name != "alcohol"] for row in rows]
    return torch.tensor(inputs), torch.tensor([[float(row["alcohol"])] for row in rows]), 0


@cache
def _speakers() -> tuple[Tensor, Tensor, int]:
    """Which of six people says a digit: the logarithm of the energy in 16 bands over 20 pieces of equal length, without its mean over time."""
    paths = sorted((DATA / "spoken-digits").glob("[0-9]/*.wav"))
    names = sorted({path.stem.split("_")[1] for path in paths})
    labels = [names.index(path.stem.split("_")[1]) for path in paths]
    return torch.stack([_voice(str(path)) for path in paths]), torch.tensor(labels), len(names)


def _voice(path: str) -> Tensor:
    with wave.open(path) as file:
        sound = torch.tensor(np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32)) / 32768
    pieces = torch.stft(sound, 256, 64, window=torch.hann_window(256), return_complex=True).abs().square()[None]
    bands = (torch.nn.functional.adaptive_avg_pool2d(pieces, (BANDS, FRAMES)) + 1e-6).log()
    return (bands - bands.mean()).transpose(1, 2)


@cache
def _vehicles() -> tuple[Tensor, Tensor, int]:
    """Aeroplane, car, ship or lorry, in colour at the full size of CIFAR-10."""
    rows = np.fromfile(CIFAR10 / "data_batch_3.bin", np.uint8).reshape(-1, 3073)
    rows = rows[np.isin(rows[:, 0], VEHICLES)]
    labels = torch.tensor([VEHICLES.index(int(label)) for label in rows[:, 0]])
    return torch.tensor(rows[:, 1:].reshape(-1, 3, 32, 32)).float(), labels, len(VEHICLES)


@cache
def _glyphs() -> tuple[Tensor, Tensor, int]:
    """The letters F to J of notMNIST at half the size."""
    images = gzip.decompress((DATA / "notmnist" / "train-images-idx3-ubyte.gz").read_bytes())
    labels = np.frombuffer(gzip.decompress((DATA / "notmnist" / "train-labels-idx1-ubyte.gz").read_bytes()), np.uint8)[
        8:
    ]
    pixels = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)[labels >= 5]
    return (
        torch.nn.functional.avg_pool2d(torch.tensor(pixels).float(), 2),
        torch.tensor(labels[labels >= 5] - 5).long(),
        5,
    )


@cache
def _cited() -> tuple[Tensor, Tensor, int]:
    """The subject of a paper of Cora from the papers around it alone: the share of them that has each of the 400 most frequent words."""
    rows = [line.split() for line in (DATA / "cora" / "cora.content").read_text().splitlines()]
    subjects = sorted({row[-1] for row in rows})
    place = {row[0]: number for number, row in enumerate(rows)}
    words = torch.tensor(np.array([row[1:-1] for row in rows], np.float32))
    words = words[:, words.sum(0).argsort(descending=True)[:WORDS]]
    around = torch.zeros(len(rows), len(rows))
    for line in (DATA / "cora" / "cora.cites").read_text().splitlines():
        one, other = (place[name] for name in line.split())
        around[one, other] = around[other, one] = 1
    means = around @ words / around.sum(1, keepdim=True).clamp_min(1)
    return means, torch.tensor([subjects.index(row[-1]) for row in rows]), len(subjects)


@cache
def _origins() -> tuple[Tensor, Tensor, int]:
    """Are twenty letters from a play by Shakespeare or from a review of a film?"""
    play = (DATA / "reviews" / "tiny-shakespeare.txt").read_text(encoding="utf-8")[300_000:600_000]
    films = "".join((DATA / "reviews" / f"rt-polarity.{end}").read_text(encoding="latin-1") for end in ("neg", "pos"))
    windows, labels = [], []
    for label, text in enumerate((play, films[:300_000])):
        plain = re.sub(r"\s+", " ", re.sub(r"[^a-z\s]", "", text.lower()))
        numbers = torch.tensor([LETTERS.index(letter) for letter in plain])
        pieces = numbers[: len(numbers) // LINE * LINE].reshape(-1, LINE)[::4]
        windows.append(pieces)
        labels.append(torch.full((len(pieces),), label))
    return torch.nn.functional.one_hot(torch.cat(windows), len(LETTERS)).float(), torch.cat(labels), 2


@cache
def _sphere() -> tuple[Tensor, Tensor, int]:
    """Does a point of ten normal numbers lie further out than half of them do? (Hastie, Tibshirani, Friedman 2009, equation 10.2)."""
    points = torch.randn(5000, 10, generator=torch.Generator().manual_seed(31))
    return points, (points.square().sum(1) > 9.34).long(), 2


@cache
def _clusters() -> tuple[Tensor, Tensor, int]:
    """Five classes of two clusters each at corners of a cube of six dimensions, beside ten that are mixed of these or noise (Guyon 2003, as scikit-learn has it)."""
    from sklearn.datasets import make_classification

    inputs, labels = make_classification(
        6000, 16, n_informative=6, n_redundant=4, n_classes=5, n_clusters_per_class=2, class_sep=1.3, random_state=32
    )
    return torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels).long(), 5


@cache
def _roll() -> tuple[Tensor, Tensor, int]:
    """How far along a rolled-up sheet a point lies (Tenenbaum, de Silva, Langford 2000), with noise."""
    from sklearn.datasets import make_swiss_roll

    points, along = make_swiss_roll(5000, noise=0.6, random_state=33)
    return torch.tensor(points, dtype=torch.float32), torch.tensor(along, dtype=torch.float32)[:, None], 0


@cache
def _rank() -> tuple[Tensor, Tensor, int]:
    """A linear function of 30 columns that are mixed of few, with noise."""
    from sklearn.datasets import make_low_rank_matrix

    inputs = torch.tensor(make_low_rank_matrix(4000, 30, effective_rank=6, random_state=34), dtype=torch.float32)
    draw = torch.Generator().manual_seed(34)
    values = (inputs / inputs.std(0)) @ torch.randn(30, 1, generator=draw)
    return inputs, values + 0.4 * values.std() * torch.randn(4000, 1, generator=draw), 0


@cache
def _counted() -> tuple[Tensor, Tensor, int]:
    """How often the first of four symbols occurs in a word of twenty, none to four times."""
    draw = torch.Generator().manual_seed(35)
    labels = torch.arange(6000) % 5
    words = torch.randint(1, 4, (6000, SYMBOLS), generator=draw)
    order = torch.rand(6000, SYMBOLS, generator=draw).argsort(1)
    words[order < labels[:, None]] = 0
    return torch.nn.functional.one_hot(words, 4).float(), labels, 5


@cache
def _walks() -> tuple[Tensor, Tensor, int]:
    """Does a series of forty values forget all, half or nothing of a step: noise, a walk that is drawn back, or a walk that is not?"""
    draw = torch.Generator().manual_seed(36)
    labels = torch.arange(5000) % 3
    kept = torch.tensor([0.2, 0.7, 1.0])[labels]
    steps = torch.randn(5000, WALK, generator=draw)
    values, now = [], torch.zeros(5000)
    for step in steps.T:
        now = kept * now + step
        values.append(now)
    return torch.stack(values, 1)[:, :, None], labels, 3


@cache
def _recalled() -> tuple[Tensor, Tensor, int]:
    """Which of five symbols a word of ten began with."""
    words = torch.randint(5, (6000, RECALLED), generator=torch.Generator().manual_seed(37))
    return torch.nn.functional.one_hot(words, 5).float(), words[:, 0], 5


@cache
def _dots() -> tuple[Tensor, Tensor, int]:
    """How many dots, one to five, a noisy picture of 18 x 18 pixels shows."""
    draw = torch.Generator().manual_seed(38)
    labels = torch.arange(5000) % 5
    cells = torch.rand(5000, 36, generator=draw).argsort(1)  # at most one dot in each field of 3 x 3
    shown = torch.nn.functional.pad((cells <= labels[:, None]).float().reshape(-1, 6, 1, 6, 1), (0, 2, 0, 0, 0, 2))
    images = shown.reshape(-1, 1, SIDE, SIDE).roll((1, 1), (2, 3))
    blurred = torch.nn.functional.avg_pool2d(images, 3, 1, 1) * 9
    return blurred + 0.35 * torch.randn(5000, 1, SIDE, SIDE, generator=draw), labels, 5


@cache
def _textures() -> tuple[Tensor, Tensor, int]:
    """Which of four directions the stripes of a noisy picture run in, whatever their width and phase."""
    draw = torch.Generator().manual_seed(39)
    labels = torch.arange(5000) % 4
    angle = (labels * math.pi / 4 + 0.15 * torch.randn(5000, generator=draw))[:, None, None]
    wide = 1.0 + 0.8 * torch.rand(5000, 1, 1, generator=draw)
    phase = 2 * math.pi * torch.rand(5000, 1, 1, generator=draw)
    y, x = torch.meshgrid(torch.arange(float(SIDE)), torch.arange(float(SIDE)), indexing="ij")
    stripes = (wide * (x * angle.cos() + y * angle.sin()) + phase).sin()
    return (stripes + torch.randn(5000, SIDE, SIDE, generator=draw))[:, None], labels, 4


@cache
def _pitch() -> tuple[Tensor, Tensor, int]:
    """How many times a noisy wave of thirty values goes up and down."""
    draw = torch.Generator().manual_seed(40)
    often = 1 + 5 * torch.rand(5000, 1, generator=draw)
    phase = 2 * math.pi * torch.rand(5000, 1, generator=draw)
    swing = (2 * math.pi * often * torch.arange(30.0) / 30 + phase).sin()
    return (swing + 0.3 * torch.randn(5000, 30, generator=draw))[:, :, None], often, 0


FURTHER: dict[str, Callable[[], tuple[Tensor, Tensor, int]]] = {
    "hours": _hours,
    "alcohol": _alcohol,
    "speakers": _speakers,
    "vehicles": _vehicles,
    "glyphs": _glyphs,
    "cited": _cited,
    "origins": _origins,
    "sphere": _sphere,
    "clusters": _clusters,
    "roll": _roll,
    "rank": _rank,
    "counted": _counted,
    "walks": _walks,
    "recalled": _recalled,
    "dots": _dots,
    "textures": _textures,
    "pitch": _pitch,
}
