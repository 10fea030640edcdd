"""Words, or other things without a measure, as rows of a table that is learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.indices import whole_numbers


@dataclass(eq=False)
class Embedding(Gate):
    """y = w[i]: row i of the table, the product of a one-hot row with w, without the multiplications by zero.

    i (…) whole numbers from 0 to rows − 1, w (rows, features) → (…, features).

    Attributes:
        padding: the row that does not learn, since it stands for what is not there; None where all learn.
    """

    padding: int | None = None

    name = "embedding"
    formula = "y = rows i of w"
    chain = ("", "dw = Σ dy in the rows i, else 0")

    def forward(self, i: Array, w: Array) -> Array:
        """The rows."""
        self.i, self.shape = whole_numbers(i, len(w)), w.shape
        return np.asarray(w[self.i])

    def backward(self, upstream: Array) -> Gradients:
        """Each row collects from everywhere it was used; the others get 0."""
        dw = np.zeros(self.shape)
        np.add.at(dw, self.i, upstream)
        if self.padding is not None:
            dw[self.padding] = 0.0
        return None, dw
