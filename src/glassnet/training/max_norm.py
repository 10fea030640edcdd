"""Max-norm regularisation: the weights into one unit never grow beyond a ball (Srivastava et al. 2014, section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from glassnet.training.weights import divided

_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@dataclass(frozen=True)
class MaxNorm:
    """After a step: w ← w · min(1, c/‖w‖) for the incoming weights w of every unit or filter.

    Attributes:
        c: largest Euclidean norm, positive; 3 to 4 is usual.
    """

    c: float

    @torch.no_grad()
    def __call__(self, net: nn.Module) -> None:
        """Correct every trainable weight in place."""
        groups = {id(module.weight): module.groups for module in net.modules() if isinstance(module, _TRANSPOSED)}
        for weight in divided(net)[0]:
            self._shorten(by_unit(weight, groups.get(id(weight))))

    def _shorten(self, units: Tensor) -> None:
        inputs = tuple(range(2, units.ndim))
        norms = torch.linalg.vector_norm(units, dim=inputs, keepdim=True).clamp_min(1e-12)
        units.mul_((self.c / norms).clamp_max(1))


def by_unit(weight: Tensor, transposed_groups: int | None) -> Tensor:
    """A view (groups, units of a group, inputs...) of a weight.

    Layers hold the unit in the first dimension, (units, inputs...); a transposed convolution holds (inputs, units of a group, ...).
    """
    if transposed_groups is None:
        return weight.unsqueeze(0)
    return weight.view(transposed_groups, -1, *weight.shape[1:]).transpose(1, 2)
