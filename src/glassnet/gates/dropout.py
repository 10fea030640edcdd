"""Dropout with a given mask, inverted and classic (requirement L11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.errors import UsageError
from glassnet.gates.gate import Array, Elementwise


def keep_mask(shape: tuple[int, ...], keep: float, seed: int) -> Array:
    """Zeros and ones, 1 with the probability ``keep``.

    Args:
        shape: of the mask.
        keep: probability that a number stays.
        seed: of the random numbers.
    """
    return np.where(np.random.default_rng(seed).random(shape) < keep, 1.0, 0.0)


@dataclass(eq=False)
class Dropout(Elementwise):
    """y = m · x / (1 − p), m = 1 for what stays and 0 for what is dropped: the inverted kind. At test it is the identity.

    The mask is an input, so that a forward step can be repeated; it is not learned from.

    Source: Srivastava et al., "Dropout", 2014, section 10.

    Attributes:
        p: probability to DROP a number, as in ``nn.Dropout``.

    Raises:
        UsageError: p outside [0, 1).
    """

    p: float

    name = "dropout"
    formula = "y = m · x / (1 − p)"
    chain = ("dx = m / (1 − p) · dy", "")

    def __post_init__(self) -> None:
        if not 0 <= self.p < 1:
            raise UsageError("p is the probability to drop", where="Dropout", got=self.p, expected="0 ≤ p < 1")

    def forward(self, x: Array, m: Array) -> Array:
        """What stays, enlarged."""
        self.keep_shapes(x, m)
        self.m = m
        return x * m / (1 - self.p)

    def local(self) -> tuple[Array, None]:
        """∂y/∂x = m / (1 − p)."""
        return self.m / (1 - self.p), None


@dataclass(eq=False)
class ClassicDropout(Elementwise):
    """y = m · x, m = 1 for what stays and 0 for what is dropped: the kind as first described. At test it is keep · x.

    Source: Srivastava et al., "Dropout", 2014, section 4.
    """

    name = "classic-dropout"
    formula = "y = m · x"
    chain = ("dx = m · dy", "")

    def forward(self, x: Array, m: Array) -> Array:
        """What stays."""
        self.keep_shapes(x, m)
        self.m = m
        return x * m

    def local(self) -> tuple[Array, None]:
        """∂y/∂x = m."""
        return self.m, None
