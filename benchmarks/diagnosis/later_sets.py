"""Data for cases drawn after the unseen ones had been looked at: none of it is in the catalogue, and none in ``unseen_sets.py``.

Three are real (photos of insects, sentences on films, letters of fonts); the others are generated as their sources say.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks.diagnosis.unseen_sets import DATA

SIDE = 24  # of a photo of an insect
WORDS = 250  # the most frequent ones of the sentences
STEPS = 30  # of the sequences to be added
BRACKETS = "()[] "
DEPTH = 16  # characters of a word of brackets
SEGMENTS = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)


@cache
def _insects() -> tuple[Tensor, Tensor, int]:
    """Ants or bees: photos in colour, brought to 24 x 24 pixels."""
    paths = sorted((DATA / "small-photos").rglob("*.jpg"))
    images = [np.array(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)) for path in paths]
    inputs = torch.tensor(np.stack(images)).permute(0, 3, 1, 2).float().contiguous()
    return inputs, torch.tensor(["bees" in path.parts for path in paths]).long(), 2


@cache
def _sentences() -> tuple[Tensor, Tensor, int]:
    """How friendly a sentence on a film is, in five steps: which of the 250 most frequent words are in it, by the square root of how often."""
    trees = (DATA / "sst" / "train.txt").read_text(encoding="utf-8").splitlines()
    texts = [re.findall(r"\(\d ([^()\s]+)\)", tree.lower()) for tree in trees]
    place = {
        word: number
        for number, (word, _) in enumerate(Counter(word for words in texts for word in words).most_common(WORDS))
    }
    inputs = torch.zeros(len(texts), WORDS)
    for row, words in enumerate(texts):
        for word in words:
            if word in place:
                inputs[row, place[word]] += 1
    return inputs.sqrt(), torch.tensor([int(tree[1]) for tree in trees]), 5


@cache
def _fonts() -> tuple[Tensor, Tensor, int]:
    """Letters A to J as the fonts of this machine draw them, at half the size."""
    from glassnet.data.readers import letters

    parts = letters.read().parts.values()
    images = torch.cat([part.inputs.take(torch.arange(len(part))) for part in parts]).float()
    return torch.nn.functional.avg_pool2d(images, 2), torch.cat([part.targets for part in parts]), 10


@cache
def _shapes() -> tuple[Tensor, Tensor, int]:
    """A circle, a square, a triangle or a cross, of some size and place, under noise: 20 x 20 pixels."""
    draw = torch.Generator().manual_seed(21)
    labels = torch.arange(5000) % 4
    place, size = 7 + 6 * torch.rand(5000, 2, 1, 1, generator=draw), 3 + 3 * torch.rand(5000, 1, 1, generator=draw)
    y, x = torch.meshgrid(torch.arange(20.0), torch.arange(20.0), indexing="ij")
    dy, dx = y - place[:, 0], x - place[:, 1]
    inside = torch.stack(
        [
            dy.square() + dx.square() <= size.square(),
            torch.maximum(dy.abs(), dx.abs()) <= 0.9 * size,
            (dy.abs() <= size) & (dx.abs() <= (dy + size) / 2),
            (torch.minimum(dy.abs(), dx.abs()) <= 0.3 * size) & (torch.maximum(dy.abs(), dx.abs()) <= size),
        ]
    )
    images = inside[labels, torch.arange(5000)].float() + 0.6 * torch.randn(5000, 20, 20, generator=draw)
    return images[:, None], labels, 4


@cache
def _waveforms() -> tuple[Tensor, Tensor, int]:
    """Which two of three triangles are mixed: 21 values with noise (Breiman and others 1984, section 2.6.2)."""
    draw = torch.Generator().manual_seed(22)
    labels = torch.arange(5000) % 3
    time = torch.arange(1.0, 22.0)
    bases = torch.stack([(6 - (time - middle).abs()).clamp_min(0) for middle in (11, 7, 15)])
    first, second = bases[torch.tensor([0, 0, 1])[labels]], bases[torch.tensor([1, 2, 2])[labels]]
    share = torch.rand(5000, 1, generator=draw)
    return share * first + (1 - share) * second + torch.randn(5000, 21, generator=draw), labels, 3


@cache
def _segments() -> tuple[Tensor, Tensor, int]:
    """The digit that seven lights show, each wrong in one case of ten, beside 17 lights that mean nothing (Breiman and others 1984, section 2.6.1)."""
    draw = torch.Generator().manual_seed(23)
    labels = torch.randint(10, (6000,), generator=draw)
    shown = torch.tensor([[int(light) for light in digit] for digit in SEGMENTS])[labels]
    wrong = torch.rand(6000, 7, generator=draw) < 0.1
    others = torch.rand(6000, 17, generator=draw) < 0.5
    return torch.cat([shown.bool() ^ wrong, others], 1).float(), labels, 10


@cache
def _balls() -> tuple[Tensor, Tensor, int]:
    """Two normal distributions in 20 dimensions, one four times as wide (Breiman 1996, "Bias, variance, and arcing classifiers": ringnorm)."""
    draw = torch.Generator().manual_seed(24)
    labels = torch.arange(5000) % 2
    noise = torch.randn(5000, 20, generator=draw)
    return torch.where(labels[:, None] == 0, 2 * noise, noise + 2 / math.sqrt(20)), labels, 2


@cache
def _squares() -> tuple[Tensor, Tensor, int]:
    """The colour of a field of a board of four by four."""
    points = 4 * torch.rand(6000, 2, generator=torch.Generator().manual_seed(25))
    return points, points.floor().sum(1).long() % 2, 2


@cache
def _arm() -> tuple[Tensor, Tensor, int]:
    """How far from its first joint an arm of six links ends, by the angles of its joints, with noise."""
    draw = torch.Generator().manual_seed(26)
    angles = (torch.rand(5000, 6, generator=draw) - 0.5) * math.pi
    turned = angles.cumsum(1)
    reach = (turned.cos().sum(1).square() + turned.sin().sum(1).square()).sqrt()
    return angles, (reach + 0.2 * torch.randn(5000, generator=draw))[:, None], 0


@cache
def _circuit() -> tuple[Tensor, Tensor, int]:
    """The phase of an alternating current by resistance, frequency, inductance and capacity, with noise (Friedman 1991, section 4.4, eq. 64)."""
    draw = torch.Generator().manual_seed(27)
    low, high = torch.tensor([0.0, 40 * math.pi, 0.0, 1.0]), torch.tensor([100.0, 560 * math.pi, 1.0, 11.0])
    x = low + (high - low) * torch.rand(5000, 4, generator=draw)
    phase = ((x[:, 1] * x[:, 2] - 1e6 / (x[:, 1] * x[:, 3])) / x[:, 0].clamp_min(0.1)).atan()
    return x, (phase + 0.1 * torch.randn(5000, generator=draw))[:, None], 0


@cache
def _added() -> tuple[Tensor, Tensor, int]:
    """The sum of the two marked ones among 30 numbers (Hochreiter and Schmidhuber 1997, experiment 4)."""
    draw = torch.Generator().manual_seed(28)
    numbers = torch.rand(6000, STEPS, generator=draw)
    marks = torch.zeros(6000, STEPS)
    half = STEPS // 2
    for begin in (0, half):
        marks.scatter_(1, begin + torch.randint(half, (6000, 1), generator=draw), 1.0)
    return torch.stack([numbers, marks], 2), (numbers * marks).sum(1, keepdim=True), 0


@cache
def _tones() -> tuple[Tensor, Tensor, int]:
    """Which of five frequencies a short noisy tone of any phase has: 40 values."""
    draw = torch.Generator().manual_seed(29)
    labels = torch.arange(5000) % 5
    pitch = (2 + labels + 0.3 * torch.randn(5000, generator=draw)) * 2 * math.pi / 40
    phase = 2 * math.pi * torch.rand(5000, 1, generator=draw)
    wave = (pitch[:, None] * torch.arange(40.0) + phase).sin()
    return (wave + 0.5 * torch.randn(5000, 40, generator=draw))[:, :, None], labels, 5


@cache
def _brackets() -> tuple[Tensor, Tensor, int]:
    """Does every bracket of a word of two kinds of them close in order? Half of the words are right ones with one character changed."""
    draw = np.random.default_rng(30)
    words = {_closed(draw, int(draw.integers(4, DEPTH // 2 + 1))) for _ in range(6000)}
    rows, labels = [], []
    for word in sorted(words):
        spoilt = bool(draw.integers(2))
        if spoilt:
            place = int(draw.integers(len(word)))
            word = word[:place] + draw.choice([c for c in "()[]" if c != word[place]]) + word[place + 1 :]
        rows.append([BRACKETS.index(c) for c in word.ljust(DEPTH)])
        labels.append(int(spoilt))
    return torch.nn.functional.one_hot(torch.tensor(rows), len(BRACKETS)).float(), torch.tensor(labels), 2


def _closed(draw: np.random.Generator, pairs: int) -> str:
    """A word of so many pairs of brackets in which all close in order."""
    if pairs == 0:
        return ""
    inside = int(draw.integers(pairs))
    opening, closing = draw.choice(["()", "[]"])
    return f"{opening}{_closed(draw, inside)}{closing}{_closed(draw, pairs - 1 - inside)}"


LATER: dict[str, Callable[[], tuple[Tensor, Tensor, int]]] = {
    "insects": _insects,
    "sentences": _sentences,
    "fonts": _fonts,
    "shapes": _shapes,
    "waveforms": _waveforms,
    "segments": _segments,
    "balls": _balls,
    "squares": _squares,
    "arm": _arm,
    "circuit": _circuit,
    "added": _added,
    "tones": _tones,
    "brackets": _brackets,
}
