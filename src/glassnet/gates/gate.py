"""What a gate is: a forward step, and a backward step that turns the upstream gradient into the gradients of its inputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Gradients: TypeAlias = tuple[Array | None, ...]


class Gate(ABC):
    """One operation of a computational graph, with its derivative written out by hand.

    ``forward`` computes the value and keeps what ``backward`` needs. ``backward`` gets the upstream gradient, ∂L/∂output in the shape
    of the output, and returns local gradient × upstream gradient for each input: ∂L/∂input in the shape of that input. It changes
    nothing, so it may be called again. Every node of a graph has a gate of its own, since a gate remembers its last forward step.

    The names of ``forward``'s arguments are the symbols of the formulas; an argument with a default may be left out (a bias), and
    its term then leaves the formula. An argument ``*x`` stands for any number of inputs x1, x2, …

    Attributes:
        name: short, in small letters; nodes without a name of their own are called after it.
        formula: one line of mathematics for the forward step, "output = …", such as "z = x · y".
        chain: one line for each input, such as ("dx = y · dz", "dy = x · dz"); d stands for ∂L/∂. With *x, one line with *x in it stands for all. An input without a gradient (class
            indices, a mask) has the line "".
    """

    name: str

    @property
    @abstractmethod
    def formula(self) -> str:
        """The forward step in one line."""

    @property
    @abstractmethod
    def chain(self) -> tuple[str, ...]:
        """The backward step, one line for each input."""

    @abstractmethod
    def forward(self, *inputs: Any, **named: Any) -> Array:
        """The value, from the inputs' values; every gate names its own inputs, one argument each."""

    @abstractmethod
    def backward(self, upstream: Array) -> Gradients:
        """The gradients of the inputs; None for an input that has none."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Elementwise(Gate):
    """A gate whose every output number depends on one number of each input: its local gradient is an array, not a matrix.

    A gate of this kind writes out ``forward`` and ``local``; the backward step is then the chain rule itself. Inputs of different
    shapes are repeated as NumPy does it (broadcasting); a number that was used several times gets the sum of the gradients.
    ``forward`` begins with ``self.keep_shapes(...)`` where there is more than one input.

    Attributes:
        shapes: of the inputs; empty where there is one input, of the output's shape.
    """

    shapes: tuple[tuple[int, ...], ...] = ()

    @abstractmethod
    def local(self) -> tuple[Array | None, ...]:
        """∂output/∂input for each input, number by number; None for an input that has none."""

    def backward(self, upstream: Array) -> Gradients:
        """Local gradient × upstream gradient."""
        shapes = self.shapes or (upstream.shape,)
        return tuple(
            None if slope is None else unbroadcast(slope * upstream, shape)
            for slope, shape in zip(self.local(), shapes, strict=True)
        )

    def keep_shapes(self, *inputs: Array) -> None:
        """Remember the inputs' shapes for the backward step."""
        self.shapes = tuple(np.shape(x) for x in inputs)


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The adjoint of broadcasting: what was repeated forward is added up backward.

    Args:
        gradient: of the repeated array.
        shape: of the array before it was repeated.

    Returns:
        The sum of ``gradient`` over all repetitions, of shape ``shape``.
    """
    if gradient.shape == shape:
        return gradient
    new = gradient.ndim - len(shape)
    axes = (*range(new), *(new + axis for axis, size in enumerate(shape) if size == 1))
    return np.asarray(gradient.sum(axes, keepdims=True).reshape(shape))
