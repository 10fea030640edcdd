"""Pooling to a given size, whatever the size of the input."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


def bounds(size: int, places: int) -> list[tuple[int, int]]:
    """Where the windows begin and end: window i of n covers ⌊i·M/n⌋ … ⌈(i + 1)·M/n⌉ − 1, so that none is empty and all are covered."""
    return [(i * size // places, -(-(i + 1) * size // places)) for i in range(places)]


@dataclass(eq=False)
class AdaptiveAveragePool(Gate):
    """y = average of each of n almost equal windows along every dimension, as ``nn.AdaptiveAvgPool2d``.

    (batch, channels, *size) → (batch, channels, *output). Along one dimension this is a matrix with rows 1/length; the whole is such a
    matrix for each dimension, one after the other.

    Attributes:
        output: number of places along each dimension.
    """

    output: tuple[int, ...]

    name = "adaptive-average"
    formula = "y = 1/n · Σ of each window of x"
    chain = ("dx = dy / n for each number of the window",)

    def forward(self, x: Array) -> Array:
        """The averages."""
        self.rows = []
        for size, places in zip(x.shape[2:], self.output, strict=True):
            matrix = np.zeros((places, size))
            for row, (start, end) in zip(matrix, bounds(size, places), strict=True):
                row[start:end] = 1 / (end - start)
            self.rows.append(matrix)
        return self._through([matrix.T for matrix in self.rows], x)

    def backward(self, upstream: Array) -> Gradients:
        """The same with the matrices transposed."""
        return (self._through(self.rows, upstream),)

    def _through(self, matrices: list[Array], x: Array) -> Array:
        for axis, matrix in enumerate(matrices, start=2):
            x = np.moveaxis(np.moveaxis(x, axis, -1) @ matrix, -1, axis)
        return np.asarray(x)


@dataclass(eq=False)
class AdaptiveMaxPool(Gate):
    """y = the largest number of each of n almost equal windows along every dimension, as ``nn.AdaptiveMaxPool2d``.

    (batch, channels, *size) → (batch, channels, *output)

    Attributes:
        output: number of places along each dimension.
    """

    output: tuple[int, ...]

    name = "adaptive-max"
    formula = "y = max of each window of x"
    chain = ("dx = dy at the largest of each window, else 0",)

    def forward(self, x: Array) -> Array:
        """The largest of each window."""
        self.shape = x.shape
        y = np.empty((*x.shape[:2], *self.output))
        # Window by window, since they are not of one size; what is kept is where in the whole input the largest stands.
        numbers = np.arange(x.size).reshape(x.shape)
        self.winner = np.zeros(y.shape, dtype=np.intp)
        edges = [bounds(size, places) for size, places in zip(x.shape[2:], self.output, strict=True)]
        for place, window in zip(np.ndindex(*self.output), product(*edges), strict=True):
            inside: tuple[Any, ...] = (..., *(slice(start, end) for start, end in window))
            flat = x[inside].reshape(*x.shape[:2], -1)
            first = flat.argmax(-1)[..., None]
            here: tuple[Any, ...] = (..., *place)
            y[here] = np.take_along_axis(flat, first, -1)[..., 0]
            self.winner[here] = np.take_along_axis(numbers[inside].reshape(flat.shape), first, -1)[..., 0]
        return y

    def backward(self, upstream: Array) -> Gradients:
        """Each window hands its gradient to its winner; a number may win in two windows."""
        dx = np.bincount(self.winner.ravel(), weights=upstream.ravel(), minlength=int(np.prod(self.shape)))
        return (np.asarray(dx.reshape(self.shape)),)
