"""Windows that slide over an image, a signal or a volume: what convolution and pooling have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from glassnet.gates.gate import Array

Sizes: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = int | tuple[int, ...] | tuple[tuple[int, int], ...] | Literal["valid", "same"]


@dataclass(frozen=True)
class Window:
    """Where a window of ``kernel`` numbers stands, along each of the sliding dimensions.

    Attributes:
        kernel: its sides.
        stride: from one place to the next.
        padding: numbers put before and after.
        dilation: distance between neighbouring numbers of the window.
        ceil_mode: whether a last window may reach over the end (and the padding), as long as it starts before it.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    ceil_mode: bool = False

    def out_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """The number of places along each dimension: ⌊(M − extent + padding) / stride⌋ + 1, extent = dilation · (kernel − 1) + 1.

        Raises:
            ValueError: another number of dimensions, or a window that is larger than the padded input.
        """
        if len(size) != len(self.kernel):
            raise ValueError(f"a window of {len(self.kernel)} dimensions over {len(size)}")
        places = []
        for m, k, s, (before, after), d in zip(
            size, self.kernel, self.stride, self.padding, self.dilation, strict=True
        ):
            room = m + before + after - d * (k - 1) - 1
            if room < 0:
                raise ValueError(f"a window of {d * (k - 1) + 1} over {m + before + after}")
            last = -(-room // s) if self.ceil_mode else room // s
            if self.ceil_mode and last * s >= m + before:  # it would start in the padding behind the end
                last -= 1
            places.append(last + 1)
        return tuple(places)

    def cut(self, x: Array, fill: float = 0.0) -> Array:
        """All windows of an input, as a view that repeats no number.

        Args:
            x: (batch, channels, *size).
            fill: the value of the padding.

        Returns:
            (batch, channels, *places, *kernel), read-only.
        """
        places = self.out_size(x.shape[2:])
        around = self._around(x.shape[2:])
        padded = np.pad(x, ((0, 0), (0, 0), *around), constant_values=fill) if np.any(around) else x
        extent = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        view = sliding_window_view(padded, extent, tuple(range(2, x.ndim)))
        steps = [slice(None, (p - 1) * s + 1, s) for p, s in zip(places, self.stride, strict=True)]
        spread = [slice(None, None, d) for d in self.dilation]
        return view[(slice(None), slice(None), *steps, *spread)]

    def put_back(self, gradient: Array, size: tuple[int, ...]) -> Array:
        """The adjoint of :meth:`cut`: adds up, for each number of the input, the gradients of all windows that hold it.

        Args:
            gradient: (batch, channels, *places, *kernel).
            size: of the input.

        Returns:
            (batch, channels, *size).
        """
        places = self.out_size(size)
        around = self._around(size)
        padded = np.zeros(
            (*gradient.shape[:2], *(m + before + after for m, (before, after) in zip(size, around, strict=True)))
        )
        for offset in np.ndindex(*self.kernel):  # one number of every window at a time
            where = (
                slice(o * d, o * d + (p - 1) * s + 1, s)
                for o, d, p, s in zip(offset, self.dilation, places, self.stride, strict=True)
            )
            padded[_last(*where)] += gradient[_last(*offset)]
        inside = (slice(before, before + m) for m, (before, _) in zip(size, around, strict=True))
        return np.asarray(padded[_last(*inside)])

    def _around(self, size: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """The padding, and behind the end what a last window of ``ceil_mode`` reaches over."""
        return tuple(
            (before, max(after, (p - 1) * s + d * (k - 1) + 1 - m - before))
            for m, p, k, s, (before, after), d in zip(
                size, self.out_size(size), self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )


def make_window(
    dimensions: int,
    kernel: Sizes,
    stride: Sizes | None = None,
    padding: Padding = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Window:
    """A window whose settings may be given as one number for all dimensions.

    Args:
        dimensions: over which it slides.
        kernel: its sides.
        stride: the sides without it.
        padding: on both sides of each dimension; or (before, after) for each dimension; or "valid" for none, or "same" for as many places
            as numbers with stride 1, with the odd one behind.
        dilation: distance between neighbouring numbers of the window.
        ceil_mode: see :class:`Window`.

    Raises:
        ValueError: nothing to slide over.
    """
    if dimensions < 1:
        raise ValueError("(batch, channels, *size) with one dimension to slide over, or more")
    sides, spread = _each(kernel, dimensions), _each(dilation, dimensions)
    around: tuple[int | tuple[int, int], ...]
    if padding == "same":
        spare = [d * (k - 1) for k, d in zip(sides, spread, strict=True)]  # places that are lost without padding
        around = tuple((total // 2, total - total // 2) for total in spare)
    elif isinstance(padding, tuple):
        around = padding
    else:
        around = (0 if padding == "valid" else padding,) * dimensions
    return Window(
        sides,
        sides if stride is None else _each(stride, dimensions),
        tuple((each, each) if isinstance(each, int) else each for each in around),
        spread,
        ceil_mode,
    )


def _each(value: Sizes, dimensions: int) -> tuple[int, ...]:
    return (value,) * dimensions if isinstance(value, int) else tuple(value)


def _last(*index: int | slice) -> tuple[Any, ...]:
    """An index for the last dimensions."""
    return (..., *index)
