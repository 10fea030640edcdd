"""Penalties on the weights (requirement R), shown apart from the data loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError, all_at_once
from glassnet.training.weights import divided


@dataclass(frozen=True)
class Penalty:
    """l2 · Σ w² + l1 · Σ |w| over the chosen parameters. The gradient is 2·l2·w + l1·sign(w).

    With both it is the elastic net λ(β·w² + |w|) for l1 = λ and l2 = λβ (Zou & Hastie 2005). Note the missing ½: an optimiser's
    ``weight_decay`` of d equals l2 = d/2 for plain SGD.

    Attributes:
        l2: factor of the squares.
        l1: factor of the absolute values.
        on: patterns of parameter names, such as ``head.*``; empty takes all weights, no biases and no parameters of norm
            layers.
    """

    l2: float = 0.0
    l1: float = 0.0
    on: tuple[str, ...] = ()

    def __call__(self, net: nn.Module) -> Tensor:
        """The penalty, a scalar with a gradient."""
        weights = self.chosen(net)
        total = torch.zeros((), device=weights[0].device)
        if self.l2:
            total = total + self.l2 * torch.stack([weight.square().sum() for weight in weights]).sum()
        if self.l1:
            total = total + self.l1 * torch.stack([weight.abs().sum() for weight in weights]).sum()
        return total

    def chosen(self, net: nn.Module) -> list[nn.Parameter]:
        """The parameters that are penalised.

        Raises:
            UsageError: none is, or a pattern fits nothing.
        """
        trained = {name: p for name, p in net.named_parameters() if p.requires_grad}
        idle = [pattern for pattern in self.on if not any(fnmatchcase(name, pattern) for name in trained)]
        if idle:  # a misspelt pattern beside a right one would leave its weights without a penalty, unnoticed
            raise all_at_once(
                [
                    UsageError(
                        f"no parameter is penalised by '{pattern}'",
                        where="regularise.on",
                        expected="patterns of " + ", ".join(trained),
                    )
                    for pattern in idle
                ]
            )
        found = [p for name, p in trained.items() if self._named(name)] if self.on else divided(net)[0]
        if not found:
            raise UsageError(
                "no parameter is penalised",
                where="regularise.on",
                got=", ".join(self.on) or "weights of two dimensions or more",
                expected="patterns of " + ", ".join(name for name, _ in net.named_parameters()),
            )
        return found

    def _named(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.on)


def make_penalty(*, l2: float = 0.0, l1: float = 0.0, on: Sequence[str] = ()) -> Penalty | None:
    """The penalty, or None where both factors are zero."""
    return Penalty(l2, l1, tuple(on)) if l2 or l1 else None
