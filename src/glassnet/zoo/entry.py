"""A row of the zoo's table, and the contract that every network in it honours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from glassnet.zoo.options import Option, options_of


@runtime_checkable
class Net(Protocol):
    """What other rooms may rely on in a network of the zoo, which is an ``nn.Module`` besides.

    ``forward(x)`` equals ``head(features(x))``. A network whose start depends on data also has the method
    ``initialise_from(inputs)``, which takes a batch of preprocessed training inputs and is called once, before training;
    the names of layers whose weights it computes for good, and that nobody is to take for frozen by mistake, are in ``computed``.

    Attributes:
        head: the last layer or layers, from features to logits or values; transfer replaces it.
        stages: names of the submodules worth looking at, in the order in which an input passes them.
    """

    head: nn.Module
    stages: tuple[str, ...]

    def features(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, features)."""
        ...


@dataclass(frozen=True)
class Reference:
    """A parameter count that is known from elsewhere than our code.

    Attributes:
        shape: of one input.
        outputs: classes.
        parameters: trainable numbers.
        source: paper, or the sum worked by hand.
        options: options of the builder.
        stated: the figure as the paper prints it, such as ``0.27M``; empty where it prints none.
        stated_multiply_adds: the paper's figure for one input's multiply-adds, likewise.
    """

    shape: tuple[int, ...]
    outputs: int
    parameters: int
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    stated: str = ""
    stated_multiply_adds: str = ""


USUAL = {"vocabulary": 10_000, "features": 1_433}


@dataclass(frozen=True)
class Entry:
    """A network of the zoo.

    Attributes:
        name: as in recipes and on the command line.
        build: ``build(shape, outputs, **options)``; every further argument of it is an option.
        kinds: kinds of data it reads, such as ``table`` and ``text``.
        title: one line, what it is.
        paper: where it comes from.
        minimum: smallest side of an image in pixels; 1 where any shape does.
        references: known parameter counts.
    """

    name: str
    build: Callable[..., nn.Module]
    kinds: tuple[str, ...]
    title: str
    paper: str
    minimum: int
    references: tuple[Reference, ...]

    @property
    def options(self) -> dict[str, Option]:
        """What may be varied: name, type, default and description, in the order of the builder's signature."""
        return options_of(self.build)

    @property
    def reads_tokens(self) -> bool:
        """Whether its inputs are whole numbers that stand for words or nodes, and nothing else."""
        return set(self.kinds) <= {"text", "tags", "graph", "graphs", "tree", "stream", "pairs"}

    @property
    def usual(self) -> dict[str, int]:
        """What it is told by the data besides a shape, with the value of a data set of usual size."""
        return {name: size for name, size in USUAL.items() if self.reads_tokens and name in self.options}
