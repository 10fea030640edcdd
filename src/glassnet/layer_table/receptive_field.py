"""Which part of the input an output can see, followed through every operation of a network.

A :class:`Field` belongs to one tensor. For each axis of the input that has positions (height and width of an image) it holds the
window that the tensor's first position sees, and how far the window moves from one position to the next. Operations map fields to
fields: a convolution widens the window, a sum of two branches sees what either sees, a dense layer over positions sees them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

NOWHERE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the input, as a tensor sees it.

    Attributes:
        low: first input position that output position 0 sees; negative inside padding.
        high: last input position that output position 0 sees.
        jump: how far the window moves for the next position.
        positions: positions that the tensor has along this axis.
        size: positions of the input.
    """

    low: Fraction
    high: Fraction
    jump: Fraction
    positions: int
    size: int

    @property
    def width(self) -> int:
        """Input positions that one position sees, padding counted."""
        return int(self.high - self.low) + 1

    def window(self, kernel: int, stride: int, padding: int, dilation: int, positions: int) -> Axis:
        """After an operation on sliding windows."""
        low = self.low - padding * self.jump
        high = self.high + ((kernel - 1) * dilation - padding) * self.jump
        return replace(self, low=low, high=high, jump=self.jump * stride, positions=positions)

    def finer(self, reach: int, stride: Fraction, positions: int) -> Axis:
        """After an upsampling by ``stride`` in which an output draws on up to ``reach`` neighbouring inputs."""
        return replace(self, high=self.high + (reach - 1) * self.jump, jump=self.jump / stride, positions=positions)

    def whole(self) -> Axis:
        """After an operation that mixes all positions; what lies in padding is no longer counted."""
        last = self.high + (self.positions - 1) * self.jump
        low, high = max(self.low, Fraction(0)), min(last, Fraction(self.size - 1))
        return replace(self, low=low, high=high, jump=Fraction(0), positions=1)

    def joined(self, other: Axis) -> Axis:
        """What either branch sees; all of it once one branch has mixed its positions, as in squeeze and excitation."""
        if (self.jump == 0) != (other.jump == 0):
            return self.whole().joined(other.whole())
        return replace(
            self,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            jump=max(self.jump, other.jump),
            positions=max(self.positions, other.positions),
        )


@dataclass(frozen=True, slots=True)
class Field:
    """What the entries of one tensor see of the input.

    Attributes:
        axes: one for each axis of the input that has positions.
        dims: for each dimension of the tensor, the numbers of the axes whose positions it counts; several after flattening.
    """

    axes: tuple[Axis, ...]
    dims: tuple[frozenset[int], ...]

    def mixed(self, axes: frozenset[int]) -> Field:
        """All positions of some axes brought together."""
        changed = tuple(axis.whole() if number in axes else axis for number, axis in enumerate(self.axes))
        return Field(changed, tuple(here - axes for here in self.dims))

    def everything(self, dims: int) -> Field:
        """All positions of all axes brought together, in a tensor of ``dims`` dimensions."""
        return Field(tuple(axis.whole() for axis in self.axes), (NOWHERE,) * dims)


def field_of_input(shape: Sequence[int]) -> Field:
    """Field of the input itself: (batch, channels, positions…), each of which sees only itself."""
    sizes = shape[2:]
    axes = tuple(Axis(Fraction(0), Fraction(0), Fraction(1), size, size) for size in sizes)
    dims = (NOWHERE, NOWHERE, *(frozenset({number}) for number in range(len(sizes))))
    return Field(axes, dims[: len(shape)])
