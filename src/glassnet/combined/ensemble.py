"""Several networks that answer together: a module of modules, so that whatever takes a network takes an ensemble (requirement E)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.combined.member import Member
from glassnet.errors import UsageError, unknown

ANSWERS = ("mean", "votes")
"""How classes are decided: by the mean of the probabilities, or by counting each network's class."""


class Ensemble(nn.Module):
    """The joint answer of M networks.

    For classes the outputs are logits whose softmax is the joint probability:

    ``mean``: p_c = (1/M) Σ_m p_mc, so that the logits are ln p = logsumexp_m(ln p_m) − ln M.

    ``votes``: p_c = (v_c + p̄_c)/(M + 1), where v_c networks hold class c the most probable and p̄ is the mean above. The mean has the
    weight of one more vote: it decides between classes with equally many votes, can overturn no majority (p̄_c is never 0 for a class with a vote), and keeps
    every class possible, so that the cross-entropy stays finite.

    For values the outputs are the mean of the networks' values, whichever answer is asked for.

    Args:
        members: at least one, all of the same classes or of the same outputs, in the same order.
        answer: one of ``ANSWERS``.

    Raises:
        UsageError: no members, or an unknown answer.
    """

    def __init__(self, members: Sequence[Member], answer: str = "mean") -> None:
        super().__init__()
        if answer not in ANSWERS:
            raise unknown("answer of an ensemble", answer, ANSWERS, where="ensemble.answer")
        if not members:
            raise UsageError("an ensemble needs networks", got="none", expected="one glassnet.combined.Member or more")
        self.members = nn.ModuleList(members)
        self.answer = answer

    def each(self, inputs: Tensor) -> Tensor:
        """What each member says: log-probabilities (members, batch, classes), or values (members, batch, outputs)."""
        return torch.stack([member(inputs) for member in self.members])

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs (batch, ...) to logits (batch, classes), or to values (batch, outputs)."""
        return together(self.each(inputs), self.answer, classes=self.members[0].target_scale is None)

    def extra_repr(self) -> str:
        """For printing."""
        return f"answer={self.answer!r}"


def together(said: Tensor, answer: str, *, classes: bool = True) -> Tensor:
    """Many answers as one, by the formulas of :class:`Ensemble`.

    Args:
        said: log-probabilities (members, batch, classes), with steps between the last two where something is said of each, or values (members, batch, outputs).
        answer: one of ``ANSWERS``.
        classes: whether these are log-probabilities.

    Returns:
        Logits (batch, classes) whose softmax is the joint probability, or values (batch, outputs).
    """
    if not classes:
        return said.mean(0)
    # logsumexp written out, which the glass box can open: the largest is taken away first, so that no exponential vanishes for all.
    top = said.amax(dim=0, keepdim=True)
    mean = ((said - top).exp().mean(dim=0, keepdim=True).log() + top).squeeze(0)
    if answer == "mean":
        return mean
    votes = F.one_hot(said.argmax(-1), said.shape[-1]).sum(0)  # (batch, classes)
    return torch.log((votes + mean.exp()) / (len(said) + 1))
