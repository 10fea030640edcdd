"""The fully connected layer as one gate."""

from __future__ import annotations

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients


class Dense(Gate):
    """y = x · wᵀ + b: every output is a weighted sum of all inputs (requirement L1, without the activation).

    x (…, inputs), w (outputs, inputs), b (outputs,) or left out → y (…, outputs); w is laid out as in ``nn.Linear``.
    """

    name = "dense"
    formula = "y = x · wᵀ + b"
    chain = ("dx = dy · w", "dw = dyᵀ · x", "db = Σ dy over the batch")

    def forward(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """The weighted sums."""
        self.x, self.w = x, w
        return np.asarray(x @ w.T if b is None else x @ w.T + b)

    def backward(self, upstream: Array) -> Gradients:
        """Each weight's gradient is its input times its output's upstream gradient, added up over the batch."""
        outputs, inputs = self.w.shape
        x, dy = self.x.reshape(-1, inputs), upstream.reshape(-1, outputs)  # (batch, inputs), (batch, outputs)
        dx = (dy @ self.w).reshape(self.x.shape)
        dw = dy.T @ x  # (outputs, inputs)
        db = dy.sum(0)
        return dx, dw, db
