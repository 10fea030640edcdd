"""The first layer's filters, and the input that most excites each of its units (requirement V1).

Of all inputs x with ‖x‖ = 1 the dot product w·x is largest for x = w/‖w‖ (Cauchy and Schwarz), so for a first layer no search is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.explain.subject import Array, array
from glassnet.model import Model


@dataclass(frozen=True)
class Filters:
    """The weights of the first layer that has any.

    Attributes:
        name: the layer.
        kind: its class.
        weights: (units, channels, height, width) where they can be seen as pictures, else (units, inputs).
        best: the same over each unit's Euclidean norm: the input of length 1 that excites the unit most; zeros for a unit without weights.
        norms: (units,).
        trained: whether training may change them.
    """

    name: str
    kind: str
    weights: Array
    best: Array
    norms: Array
    trained: bool

    @property
    def are_pictures(self) -> bool:
        """Whether each filter has height and width."""
        return self.weights.ndim == 4 and min(self.weights.shape[2:]) > 1


def filters(model: Model | nn.Module, shape: tuple[int, ...] | None = None) -> Filters:
    """The first layer's weights, in the order in which the network names its modules.

    Args:
        model: a model of Glassnet or any module.
        shape: (channels, height, width) of an input, so that a dense first layer is told as pictures; known for a model of Glassnet.

    Raises:
        UsageError: no layer has weights that are applied to the input as a dot product.
    """
    net = model.net if isinstance(model, Model) else model
    if isinstance(model, Model) and shape is None:
        shape = tuple(model.preprocess.output_shape)
    for name, module in net.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, nn.Embedding | nn.modules.conv._ConvTransposeNd) or not isinstance(weight, Tensor):
            continue
        if weight.ndim >= 2 and next(module.children(), None) is None:
            return _told(name, module, weight, shape)
    raise UsageError(
        "no layer of this network has filters",
        where=type(net).__name__,
        expected="a layer with weights for its inputs, such as Conv2d or Linear",
    )


def _told(name: str, module: nn.Module, weight: Tensor, shape: tuple[int, ...] | None) -> Filters:
    values = array(weight)
    norms = np.sqrt((values.reshape(len(values), -1).astype(np.float64) ** 2).sum(1))
    if values.ndim == 2 and shape is not None and len(shape) == 3 and values.shape[1] == int(np.prod(shape)):
        values = values.reshape(len(values), *shape)
    sizes = norms.reshape(-1, *[1] * (values.ndim - 1))
    best = np.divide(values, sizes, out=np.zeros_like(values), where=sizes > 0, casting="same_kind")
    return Filters(name, type(module).__name__, values, best, norms.astype(np.float32), weight.requires_grad)
