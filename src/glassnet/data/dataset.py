"""What every reader returns: parts of a data set, whatever the files looked like.

A :class:`Source` hands out raw inputs by index, a :class:`Part` joins it with targets and names, :class:`Data` holds the parts
(``train``, and where the data came with them ``val`` and ``test``) together with the :class:`Schema` that tells how one raw input
looks and how to read new ones. Nothing here knows about files, networks or training.

A raw batch is whatever the preprocessing module of that kind accepts: for images a uint8 tensor (batch, channels, height, width);
for tables a float32 tensor (batch, columns) with NaN for a missing value and a category's number for a category; for arrays a
float32 tensor (batch, ...); for sequences whole numbers, filled up to the longest of the batch; for nodes and graphs their numbers, which know
the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from glassnet.data.evenly import evenly
from glassnet.data.unreadable import Unreadable
from glassnet.errors import UsageError

Simple = Literal["classes", "values"]
Task = Literal["classes", "values", "language", "translation"]
IGNORED = -100  # the target of a step where nothing is to be said, such as one behind the end of a sentence; any target below 0 does not count
PART_NAMES = ("train", "val", "test")


class Source(Protocol):
    """Raw inputs by index. ``take`` must be a pure function of the index and safe to call from several threads."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def take(self, index: Tensor) -> Tensor:
        """The raw inputs at ``index`` (int64, (batch,)), stacked along a first dimension."""
        ...


class Schema(Protocol):
    """How one raw input looks, and how to read new ones: the part of a data set that is saved with a model."""

    @property
    def kind(self) -> str:
        """Which kind of data it is: a key of ``glassnet.data.kinds.KINDS``."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one raw input, without the batch dimension."""
        ...

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Read new inputs for prediction: a name for each sample, and the inputs in the same order.

        Raises:
            DataError: a path is missing, unreadable or does not fit this schema; all such paths are told at once.
        """
        ...

    def to_json(self) -> dict[str, Any]:
        """Plain values from which ``schema_from_json`` makes an equal schema."""
        ...


@dataclass(frozen=True)
class InMemory:
    """A source held as one tensor, samples along the first dimension, sliced by index.

    Attributes:
        values: the tensor.
        notes: what its reader found worth telling of new inputs, as sentences.
    """

    values: Tensor
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: Tensor) -> Tensor:
        """Copy of the chosen rows."""
        return self.values.index_select(0, index)


def notes_of(source: Source) -> tuple[str, ...]:
    """What the reader of new inputs found worth telling, such as images that are left out, as sentences."""
    told: tuple[str, ...] = getattr(source, "notes", ())
    return told


@dataclass(frozen=True)
class Subset:
    """Some samples of another source, in a given order."""

    of: Source
    index: Tensor

    def __len__(self) -> int:
        return len(self.index)

    def take(self, index: Tensor) -> Tensor:
        """The samples that stand at ``index`` within the subset."""
        return self.of.take(self.index[index])


def beneath(source: Source) -> tuple[Source, Tensor]:
    """The source below any subsets, and the places in it that are handed out, int64 (samples,)."""
    index = torch.arange(len(source))
    while isinstance(source, Subset):
        index, source = source.index[index], source.of
    return source, index


def spread(samples: int, most: int) -> Tensor:
    """At most so many places of samples, evenly spread: int64 (places,)."""
    return torch.from_numpy(evenly(samples, most))


@dataclass(frozen=True)
class Part:
    """Inputs with their targets.

    Attributes:
        inputs: the raw inputs.
        targets: class indices, int64 (n,), or values, float32 (n, outputs); of sequences those of their tokens, int64 (n, steps), ``IGNORED`` where nothing
            is to be said.
        names: what to call each sample in a message, such as ``cats/7.png`` or ``adult.csv:17``.
    """

    inputs: Source
    targets: Tensor
    names: Sequence[str]

    def __post_init__(self) -> None:
        assert len(self.inputs) == len(self.targets) == len(self.names), "a part's inputs, targets and names must agree"

    def __len__(self) -> int:
        return len(self.targets)

    def __repr__(self) -> str:
        return f"Part({len(self):,} samples, targets {str(self.targets.dtype).removeprefix('torch.')} {tuple(self.targets.shape)})"

    @property
    def answers(self) -> Tensor:
        """What is to be said, one answer a row: the targets, or of sentences those of all their tokens, one sentence behind the other."""
        tokens = self.targets.ndim == 2 and not self.targets.is_floating_point()
        return self.targets[self.targets != IGNORED] if tokens else self.targets

    def some(self, count: int) -> Tensor:
        """At most ``count`` raw inputs, evenly spread over the part, since files often come sorted by class."""
        return self.inputs.take(spread(len(self), count))

    def subset(self, index: Tensor) -> Part:
        """The samples at ``index``. Held in memory where this part is, so that a batch is one slice."""
        inputs = self.inputs
        chosen: Source = InMemory(inputs.take(index)) if isinstance(inputs, InMemory) else Subset(inputs, index)
        return Part(chosen, self.targets[index], [self.names[i] for i in index.tolist()])


def divided(whole: Part, parts: Sequence[str]) -> dict[str, Part]:
    """The parts of a data set that was read as a whole, of which ``parts`` names that of each sample."""
    if len(set(parts)) == 1:
        return {parts[0]: whole}
    index = {name: [place for place, own in enumerate(parts) if own == name] for name in PART_NAMES if name in parts}
    return {name: whole.subset(torch.tensor(places)) for name, places in index.items()}


@dataclass(frozen=True)
class Data:
    """A data set as read from disk.

    Attributes:
        name: short name for headings and run folders.
        origin: the path or the name as the user gave it.
        task: ``classes`` (targets are class indices), ``values`` (targets are numbers), ``language`` (what comes next at every step) or
            ``translation`` (a sequence for a sequence).
        classes: names of the classes in the order of their indices; empty for values.
        outputs: names of the target columns; for classes one name, such as ``class`` or ``income``.
        schema: how one raw input looks.
        parts: ``train`` always; ``val`` and ``test`` where the data came with them or ``split`` has made them.
        notes: decisions of the reader worth telling the user, as sentences.
        unreadable: what was left out, by name.
    """

    name: str
    origin: str
    task: Task
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    schema: Schema
    parts: Mapping[str, Part]
    notes: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = field(default=())

    def __repr__(self) -> str:
        parts = ", ".join(f"{len(part):,} {name}" for name, part in self.parts.items())
        return f"Data({self.name!r}, {self.schema.kind}, {self.task}: {parts})"

    @property
    def train(self) -> Part:
        """The training part."""
        return self.parts["train"]

    @property
    def val(self) -> Part:
        """The validation part."""
        return self.parts["val"]

    @property
    def test(self) -> Part | None:
        """The test part, where there is one."""
        return self.parts.get("test")

    def with_parts(self, parts: Mapping[str, Part], *notes: str) -> Data:
        """The same data set divided otherwise, with notes added."""
        return replace(self, parts=dict(parts), notes=self.notes + notes)


def class_counts(part: Part, classes: int) -> list[int]:
    """How many samples (of sentences: tokens) of each class a part holds."""
    counts: list[int] = torch.bincount(part.answers, minlength=classes).tolist()
    return counts


def as_tensor(value: object) -> Tensor:
    """Numbers of whatever form as a tensor.

    Raises:
        UsageError: they are none, or rows of different lengths.
    """
    if isinstance(value, Tensor):
        return value
    try:
        array = np.asarray(value)
        # Rows in another order are a view with negative strides, and files of other machines have other bytes first: PyTorch takes neither.
        return torch.as_tensor(np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C"))
    except (TypeError, ValueError) as error:
        raise UsageError(
            "this is no tensor and no array of numbers",
            got=type(value).__name__,
            expected="numbers alone, in rows of one length",
        ) from error
