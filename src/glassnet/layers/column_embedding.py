"""A vector of its own for every column of a table."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ColumnEmbedding(nn.Module):
    """e_c = Σ_{i in column c} x_i V_i + b_c: from the numbers that a column is encoded by to a vector, with weights of its own for each column.

    With one-hot categories V holds an embedding of every category; with the piecewise-linear encoding of numbers e_c is a piecewise-linear curve in the
    number, as in Gorishniy, Rubachev and Babenko (2022), "On embeddings for numerical features in tabular deep learning", section 3.3. It equals a linear
    layer whose matrix is 0 except in one block a column, and starts as that layer would: uniform within ±1/√(numbers of the column).

    Args:
        columns: how many of the inputs belong to each column, in order; none 0.
        size: d, numbers in a vector, at least 1.
    """

    of_column: Tensor

    def __init__(self, columns: Sequence[int], size: int) -> None:
        super().__init__()
        self.columns, self.size = tuple(columns), size
        widths = torch.tensor(self.columns)
        bounds = torch.repeat_interleave(widths, widths).rsqrt()  # one an input
        self.weight = nn.Parameter((2 * torch.rand(len(bounds), size) - 1) * bounds[:, None])
        self.bias = nn.Parameter((2 * torch.rand(len(widths), size) - 1) * widths.rsqrt()[:, None])
        belongs = torch.repeat_interleave(torch.eye(len(widths)), widths, dim=0)  # (inputs, columns)
        self.register_buffer("of_column", belongs, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) → (batch, columns · size)."""
        # One product with the matrix of blocks: a product a column would be many tiny ones.
        blocks = (self.of_column[:, :, None] * self.weight[:, None, :]).flatten(1)
        return x @ blocks + self.bias.flatten()

    def extra_repr(self) -> str:
        """For printing."""
        return f"columns={len(self.columns)}, size={self.size}"
