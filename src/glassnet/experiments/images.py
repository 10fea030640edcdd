"""The samples that the experiments learn to tell apart: the built-in digits, or data of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from glassnet.data.dataset import Part
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess.fitting import fit
from glassnet.data.split import split
from glassnet.errors import DataError

DEFAULT = "digits"


@dataclass(frozen=True)
class Images:
    """Three parts of a data set, standardised by the mean and spread of the first, in memory.

    Attributes:
        name: of the data set.
        classes: how many there are.
        train: inputs (samples, ...) and classes (samples,) to learn from.
        val: likewise, to choose by.
        test: likewise, to judge by.
    """

    name: str
    classes: int
    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input."""
        return tuple(self.train[0].shape[1:])

    @property
    def told(self) -> str:
        """Which data, in words."""
        train, val, test = (len(part[1]) for part in (self.train, self.val, self.test))
        own = "; others by --data PATH" if self.name == DEFAULT else ""
        return f"{self.name}: {train:,} samples to train on, {val:,} to choose by, {test:,} to test on{own}"


def load_images(
    place: str | None, *, seed: int = 0, train: int | None = None, val: int = 2_000, test: int = 2_000
) -> Images:
    """The digits that scikit-learn brings along, or another set with classes.

    Args:
        place: path or name of the data; None takes the digits.
        seed: of the split, and of the choice where there are more samples than wanted.
        train: most samples to train on; all without it.
        val: most samples to choose by.
        test: most samples to test on.

    Raises:
        DataError: there is no such data, or they are no classes.
    """
    data = open_data(place or DEFAULT, ReadOptions())
    if data.task != "classes":
        raise DataError(
            "this experiment tells classes apart",
            where=place,
            got="values as targets",
            fix="give it data with classes, or leave --data out",
        )
    data = split(data, val=0.2 if len(data.train) < 5_000 else None, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    first = _some(data.train, train, generator)
    preprocess = fit("standardise", first, data.schema)

    def ready(part: Part) -> tuple[Tensor, Tensor]:
        return preprocess(part.inputs.take(torch.arange(len(part)))).float(), part.targets

    others = (_some(data.val, val, generator), _some(data.test or data.val, test, generator))
    name = data.name if not place or data.name == place else f"{data.name} ({Path(place).name})"
    return Images(name, len(data.classes), ready(first), *map(ready, others))


def _some(part: Part, most: int | None, generator: torch.Generator) -> Part:
    return (
        part
        if most is None or len(part) <= most
        else part.subset(torch.randperm(len(part), generator=generator)[:most])
    )
