"""The nets of the cases: small ones of their own beside some of the zoo.

Recurrent nets read an image row by row, from the top, and a series value by value.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.zoo import build

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
}


def linear(shape: tuple[int, ...], outputs: int) -> nn.Module:
    """A linear classifier, or a linear regression."""
    return nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), outputs))


def mlp(
    shape: tuple[int, ...],
    outputs: int,
    hidden: tuple[int, ...] = (128, 64),
    activation: str = "relu",
    dropout: float = 0.0,
    batch_norm: bool = False,
) -> nn.Module:
    """Dense layers."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = prod(shape)
    for units in hidden:
        layers.append(nn.Linear(width, units))
        layers += [nn.BatchNorm1d(units)] if batch_norm else []
        layers.append(ACTIVATIONS[activation]())
        layers += [nn.Dropout(dropout)] if dropout else []
        width = units
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def convolutional(
    shape: tuple[int, ...],
    outputs: int,
    widths: tuple[int, ...] = (8, 16),
    batch_norm: bool = False,
    dropout: float = 0.0,
    dense: int = 64,
) -> nn.Module:
    """Convolutions of 3×3, each followed by pooling, and two dense layers."""
    layers: list[nn.Module] = []
    channels, height, length = shape
    for width in widths:
        layers.append(nn.Conv2d(channels, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width)] if batch_norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels, height, length = width, height // 2, length // 2
    layers += [nn.Flatten(), nn.Linear(channels * height * length, dense), nn.ReLU()]
    layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(dense, outputs))


class Block(nn.Module):
    """Two convolutions with batch norm, and the input added to what they say."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        same = stride == 1 and channels == width
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, width, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) → (batch, width, h / stride, w / stride)."""
        inner = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        return self.relu2(inner + self.shortcut(x))  # type: ignore[no-any-return]


def resnet(shape: tuple[int, ...], outputs: int, blocks: int = 3, width: int = 8) -> nn.Module:
    """A narrow residual net of 6·blocks + 2 layers; the stem halves the image (He et al. 2016, section 4.2)."""
    layers: list[nn.Module] = [nn.Conv2d(shape[0], width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    channels = width
    for group in range(3):
        for number in range(blocks):
            layers.append(Block(channels, width << group, stride=2 if group and number == 0 else 1))
            channels = width << group
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, outputs))


class Recurrent(nn.Module):
    """A recurrent layer over time, and a linear one on its last state.

    Args:
        features: numbers at each time.
        outputs: of the net.
        kind: class of the recurrent layer.
        hidden: its states.
        layers: stacked.
        dropout: between the last state and the answer.
        nonlinearity: of the plain recurrent layer.
    """

    def __init__(
        self,
        features: int,
        outputs: int,
        kind: type[nn.RNNBase],
        hidden: int,
        layers: int,
        dropout: float,
        nonlinearity: str,
    ) -> None:
        super().__init__()
        more: dict[str, Any] = {"nonlinearity": nonlinearity} if kind is nn.RNN else {}
        self.recurrent = kind(features, hidden, layers, batch_first=True, **more)  # type: ignore[arg-type]
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, features) or (batch, 1, rows, columns) → (batch, outputs)."""
        states, _ = self.recurrent(x.squeeze(1) if x.ndim == 4 else x)
        return self.head(self.dropout(states[:, -1]))  # type: ignore[no-any-return]


def _recurrent(kind: type[nn.RNNBase]) -> Callable[..., nn.Module]:
    def make(
        shape: tuple[int, ...],
        outputs: int,
        hidden: int = 48,
        layers: int = 1,
        dropout: float = 0.0,
        nonlinearity: str = "tanh",
    ) -> nn.Module:
        return Recurrent(shape[-1], outputs, kind, hidden, layers, dropout, nonlinearity)

    return make


class Pixels(nn.Module):
    """Reads an image pixel after pixel, so that the last state is as many steps away from the first pixel as there are pixels."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 1, rows, columns) → (batch, outputs)."""
        return self.inner(x.flatten(1)[:, :, None])  # type: ignore[no-any-return]


class Columns(nn.Module):
    """Reads an image column by column, the channels of a column one after the other."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, rows, columns) → (batch, outputs)."""
        return self.inner(x.permute(0, 3, 1, 2).flatten(2))  # type: ignore[no-any-return]


def gru_columns(shape: tuple[int, ...], outputs: int, hidden: int = 48) -> nn.Module:
    """A recurrent net over the columns of a colour image."""
    return Columns(Recurrent(shape[0] * shape[1], outputs, nn.GRU, hidden, 1, 0.0, "tanh"))


def pixel_rnn(shape: tuple[int, ...], outputs: int, hidden: int = 32, kind: str = "rnn") -> nn.Module:
    """A recurrent net that reads single pixels."""
    return Pixels(Recurrent(1, outputs, nn.RNN if kind == "rnn" else nn.GRU, hidden, 1, 0.0, "tanh"))


class Shortcut(nn.Module):
    """x + inner(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) → (batch, width)."""
        return x + self.inner(x)  # type: ignore[no-any-return]


def residual(
    shape: tuple[int, ...], outputs: int, width: int = 48, blocks: int = 2, activation: str = "relu"
) -> nn.Module:
    """Dense layers with shortcuts, each block behind a layer norm (as in Gorishniy et al. 2021, section 3.2)."""
    layers: list[nn.Module] = [nn.Flatten(), nn.Linear(prod(shape), width)]
    for _ in range(blocks):
        wide, narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        layers.append(Shortcut(nn.Sequential(nn.LayerNorm(width), wide, ACTIVATIONS[activation](), narrow)))
    return nn.Sequential(*layers, nn.LayerNorm(width), ACTIVATIONS[activation](), nn.Linear(width, outputs))


def strided(
    shape: tuple[int, ...],
    outputs: int,
    widths: tuple[int, ...] = (12, 24),
    batch_norm: bool = True,
    activation: str = "relu",
) -> nn.Module:
    """Convolutions of stride 2 and a mean over what is left: no pooling, no dense layer but the last (Springenberg et al. 2015)."""
    layers: list[nn.Module] = []
    channels = shape[0]
    for width in widths:
        layers.append(nn.Conv2d(channels, width, 3, stride=2, padding=1))
        layers += [nn.BatchNorm2d(width)] if batch_norm else []
        layers.append(ACTIVATIONS[activation]())
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, outputs))


class BothWays(nn.Module):
    """A recurrent layer from both ends, and a linear one on the mean of its states."""

    def __init__(self, features: int, outputs: int, hidden: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(features, hidden, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, features) or (batch, 1, rows, columns) → (batch, outputs)."""
        states, _ = self.recurrent(x.squeeze(1) if x.ndim == 4 else x)
        return self.head(states.mean(1))  # type: ignore[no-any-return]


def both_ways(shape: tuple[int, ...], outputs: int, hidden: int = 24) -> nn.Module:
    """A recurrent net that reads from both ends."""
    return BothWays(shape[-1], outputs, hidden)


def from_zoo(name: str) -> Callable[..., nn.Module]:
    """The builder of a net of the zoo."""

    def make(shape: tuple[int, ...], outputs: int, **options: object) -> nn.Module:
        return build(name, shape, outputs, options)

    return make


NETS: dict[str, Callable[..., nn.Module]] = {
    "linear": linear,
    "mlp": mlp,
    "convolutional": convolutional,
    "resnet": resnet,
    "rnn": _recurrent(nn.RNN),
    "lstm": _recurrent(nn.LSTM),
    "gru": _recurrent(nn.GRU),
    "gru-columns": gru_columns,
    "pixel-rnn": pixel_rnn,
    "residual": residual,
    "strided": strided,
    "both-ways": both_ways,
    "lenet5": from_zoo("lenet5"),
    "small-vgg": from_zoo("small-vgg"),
}


def last_dense(net: nn.Module) -> nn.Linear:
    """The last linear layer."""
    return [module for module in net.modules() if isinstance(module, nn.Linear)][-1]


def first_weighted(net: nn.Module) -> nn.Module:
    """The first module with weights of its own."""
    return next(module for module in net.modules() if any(True for _ in module.parameters(recurse=False)))


def make(name: str, shape: tuple[int, ...], outputs: int, options: dict[str, object], seed: int) -> nn.Module:
    """A new net of a name."""
    torch.manual_seed(seed)
    return NETS[name](shape, outputs, **options)
