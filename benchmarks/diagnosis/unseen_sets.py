"""Data for the cases that no threshold was set on: none of it is in the catalogue of ``controls.py``."""

from __future__ import annotations

import csv
import math
import os
import re
import wave
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DATA = Path(os.environ.get("GLASSNET_DATA", "../shared/data"))
CIFAR10 = Path(os.environ.get("GLASSNET_CIFAR10", str(DATA / "cifar10" / "binary")))
FRAMES, BANDS = 24, 20  # of a spoken digit
WORDS = 300  # the most frequent ones of the reviews
LETTERS = "abcdefghijklmnopqrstuvwxyz ."
BEFORE = 12  # letters that the next one is told from
PAST = 25  # values of a chaotic series that the next one is told from


@cache
def _spoken() -> tuple[Tensor, Tensor, int]:
    """Spoken digits: the logarithm of the energy in 20 bands of equal width, averaged over 24 pieces of equal length."""
    paths = sorted((DATA / "spoken-digits").glob("[0-9]/*.wav"))
    return torch.stack([_spectrum(path) for path in paths]), torch.tensor([int(path.name[0]) for path in paths]), 10


def _spectrum(path: Path) -> Tensor:
    with wave.open(str(path)) as file:
        sound = torch.tensor(np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32)) / 32768
    pieces = torch.stft(sound, 256, 64, window=torch.hann_window(256), return_complex=True).abs().square()[None]
    return (torch.nn.functional.adaptive_avg_pool2d(pieces, (BANDS, FRAMES)) + 1e-6).log().transpose(1, 2)


@cache
def _creatures() -> tuple[Tensor, Tensor, int]:
    """Is an animal in the picture? The test images of CIFAR-10 in grey, at half the size."""
    rows = np.fromfile(CIFAR10 / "test_batch.bin", np.uint8).reshape(-1, 3073)[:6000]
    grey = torch.tensor(rows[:, 1:].reshape(-1, 3, 32, 32)).float().mean(1, keepdim=True)
    return torch.nn.functional.avg_pool2d(grey, 2), torch.tensor((rows[:, 0] >= 2) & (rows[:, 0] <= 7)).long(), 2


@cache
def _tumours() -> tuple[Tensor, Tensor, int]:
    from sklearn.datasets import load_breast_cancer

    inputs, labels = load_breast_cancer(return_X_y=True)
    return torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels).long(), 2


@cache
def _papers() -> tuple[Tensor, Tensor, int]:
    """The subject of a paper of Cora from which of 1,433 words are in it; who cites whom is left out."""
    rows = [line.split() for line in (DATA / "cora" / "cora.content").read_text().splitlines()]
    subjects = sorted({row[-1] for row in rows})
    inputs = torch.tensor(np.array([row[1:-1] for row in rows], np.float32))
    return inputs, torch.tensor([subjects.index(row[-1]) for row in rows]), len(subjects)


@cache
def _reviews() -> tuple[Tensor, Tensor, int]:
    """Is a sentence on a film friendly? How often each of the 300 most frequent words is in it."""
    texts = [
        (re.findall(r"[a-z']+", line.lower()), label)
        for label, end in enumerate(("neg", "pos"))
        for line in (DATA / "reviews" / f"rt-polarity.{end}").read_text(encoding="latin-1").splitlines()
    ]
    frequent = Counter(word for words, _ in texts for word in words).most_common(WORDS)
    place = {word: number for number, (word, _) in enumerate(frequent)}
    inputs = torch.zeros(len(texts), WORDS)
    for row, (words, _) in enumerate(texts):
        for word in words:
            if word in place:
                inputs[row, place[word]] += 1
    return inputs, torch.tensor([label for _, label in texts]), 2


@cache
def _characters() -> tuple[Tensor, Tensor, int]:
    """What comes after twelve letters of Shakespeare: a vowel, a consonant or the end of the word."""
    text = (DATA / "reviews" / "tiny-shakespeare.txt").read_text(encoding="utf-8").lower()[:200_000]
    text = re.sub(r"\s+", " ", re.sub(r"[^a-z\s]", ".", text))
    numbers = torch.tensor([LETTERS.index(letter) for letter in text])
    starts = torch.arange(0, len(numbers) - BEFORE - 1, 17)
    windows = torch.stack([numbers[start : start + BEFORE] for start in starts])
    following = [text[start + BEFORE] for start in starts]
    labels = [0 if letter in "aeiou" else 1 if letter.isalpha() else 2 for letter in following]
    return torch.nn.functional.one_hot(windows, len(LETTERS)).float(), torch.tensor(labels), 3


@cache
def _rings() -> tuple[Tensor, Tensor, int]:
    """Four rings, one in the other."""
    generator = torch.Generator().manual_seed(8)
    labels = torch.arange(6000) % 4
    angle = torch.rand(6000, generator=generator) * 2 * math.pi
    radius = 1 + labels + 0.18 * torch.randn(6000, generator=generator)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), labels, 4


@cache
def _red_wine_values() -> tuple[Tensor, Tensor, int]:
    rows = _rows("winequality-red.csv", ())
    return torch.tensor(rows[:, :-1]), torch.tensor(rows[:, -1:]), 0


@cache
def _housing() -> tuple[Tensor, Tensor, int]:
    """Prices of houses, without the column that its makers are reproached for."""
    rows = _rows("boston-housing.csv", ("B",))
    return torch.tensor(rows[:, :-1]), torch.tensor(rows[:, -1:]), 0


@cache
def _friedman() -> tuple[Tensor, Tensor, int]:
    """10 sin(πx₁x₂) + 20(x₃ − ½)² + 10x₄ + 5x₅ + noise, of ten inputs (Friedman 1991, section 4.3)."""
    generator = torch.Generator().manual_seed(9)
    x = torch.rand(5000, 10, generator=generator)
    y = 10 * (math.pi * x[:, 0] * x[:, 1]).sin() + 20 * (x[:, 2] - 0.5).square() + 10 * x[:, 3] + 5 * x[:, 4]
    return x, (y + torch.randn(5000, generator=generator))[:, None], 0


@cache
def _chaos() -> tuple[Tensor, Tensor, int]:
    """The next value of dx/dt = 0.2 x(t − 17)/(1 + x(t − 17)¹⁰) − 0.1 x(t) (Mackey and Glass 1977) from 25 values, four time units apart, with noise."""
    values = [1.2] * 171
    for _ in range(10 * 4 * 5000):
        late = values[-171]
        values.append(values[-1] + 0.1 * (0.2 * late / (1 + late**10) - 0.1 * values[-1]))
    series = torch.tensor(values[1000::40])
    series += 0.05 * torch.randn(len(series), generator=torch.Generator().manual_seed(10))
    windows = series.unfold(0, PAST + 1, 1)
    return windows[:, :-1, None].contiguous(), windows[:, -1:].contiguous(), 0


def _rows(name: str, without: tuple[str, ...]) -> np.ndarray:
    with (DATA / "tabular" / name).open(newline="", encoding="utf-8") as file:
        rows = [[float(row[key]) for key in row if key not in without] for row in csv.DictReader(file)]
    return np.array(rows, np.float32)


UNSEEN: dict[str, Callable[[], tuple[Tensor, Tensor, int]]] = {
    "spoken": _spoken,
    "creatures": _creatures,
    "tumours": _tumours,
    "papers": _papers,
    "reviews": _reviews,
    "characters": _characters,
    "rings": _rings,
    "red-wine-values": _red_wine_values,
    "housing": _housing,
    "friedman": _friedman,
    "chaos": _chaos,
}
