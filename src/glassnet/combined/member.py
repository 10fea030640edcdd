"""A finished network as a part of something larger: it answers in terms that can be averaged."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Member(nn.Module):
    """A network together with what its answers need to be comparable with another's.

    For classes the answer is ln p = log_softmax(s / T) of the network's logits s, one for each class; a network with a single logit s
    for two classes counts as one with the logits 0 and s. For values the answer is in the values' own units.

    Args:
        net: maps inputs to logits (batch, classes), to one logit (batch, 1), or to scaled values (batch, outputs).
        preprocess: done to the inputs first; None where that has been done before.
        temperature: T, positive; for classes only.
        target_scale: undoes the scaling of values (its forward is the decoding); None means that the network tells classes.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        preprocess: nn.Module | None = None,
        temperature: float = 1.0,
        target_scale: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.preprocess = preprocess
        self.net = net
        self.target_scale = target_scale
        self.temperature = temperature

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (batch, ...) to log-probabilities (batch, classes), of nets that tag words (batch, words, classes), or to values (batch, outputs)."""
        outputs = self.net(inputs if self.preprocess is None else self.preprocess(inputs))
        if self.target_scale is not None:
            return self.target_scale(outputs)  # type: ignore[no-any-return]
        if outputs.shape[-1] == 1:
            outputs = torch.cat((torch.zeros_like(outputs), outputs), dim=-1)
        return F.log_softmax(outputs / self.temperature, dim=-1)

    def extra_repr(self) -> str:
        """For printing."""
        return f"temperature={self.temperature:.4g}" if self.target_scale is None else ""
