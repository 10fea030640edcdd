"""Dropout as it was first described: nothing is enlarged in training, and everything shrinks at test."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError


class ClassicDropout(nn.Module):
    """In training y = m · x, m ~ Bernoulli(keep) for every number; at test y = keep · x. E[y] is keep · x in both.

    ``nn.Dropout(p)`` is the inverted kind, where p is the probability to DROP: m · x / (1 − p) in training and x at test. Here the
    argument is the probability to KEEP. Both kinds compute the same function when the next layer's weights differ by the factor
    keep: test outputs of ``ClassicDropout(keep)`` are keep times those of ``nn.Dropout(1 − keep)``, and so are those in training.

    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout", 2014, sections 4 and 10.

    Args:
        keep: probability that a number stays, above 0 and at most 1.

    Raises:
        UsageError: it is none.
    """

    def __init__(self, keep: float) -> None:
        super().__init__()
        if not 0 < keep <= 1:
            raise UsageError(
                "classic dropout takes the probability to keep a number",
                where="ClassicDropout",
                got=keep,
                expected="0 < keep ≤ 1",
            )
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        """Drop numbers of ``x`` of any shape, or scale it."""
        return x * torch.empty_like(x).bernoulli_(self.keep) if self.training else x * self.keep

    def extra_repr(self) -> str:
        """The argument, for ``print(net)``."""
        return f"keep={self.keep:g}"
