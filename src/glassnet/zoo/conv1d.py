"""A convolutional network for signals: sounds, sensors, time series."""

from __future__ import annotations

from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.layers import activation as activation_module
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import axes_of

POSITIONS = 64  # pooling leaves about so many, over which the last averages


class Conv1dNet(nn.Module):
    """Blocks of convolution, batch norm, activation and, for long signals, max pooling; global average pooling; classifier.

    The convolutions keep the length (zeros around, one more behind where the window is even), pooling keeps what is left over, and
    the end is an average over time, so that signals of any length fit.

    Source: Wang, Yan, Oates, "Time Series Classification from Scratch with Deep Neural Networks: A Strong Baseline", 2017, section
    II.B (FCN): 128, 256, 128 channels, windows of 8, 5, 3. The paper has no pooling; its series have some hundred steps, and without
    it 14 of them are seen at once.

    Args:
        channels: channels of the signals.
        widths: channels of each block.
        kernels: length of each block's window.
        pool: neighbours that max pooling joins after each block; 1 leaves pooling out.
        outputs: classes or values.
        activation: name of the activation function.
        dropout: probability to drop a feature before the classifier.
    """

    def __init__(
        self,
        channels: int,
        widths: tuple[int, ...],
        kernels: tuple[int, ...],
        pool: int,
        outputs: int,
        activation: str,
        dropout: float,
    ) -> None:
        super().__init__()
        for number, (width, kernel) in enumerate(zip(widths, kernels, strict=True), start=1):
            block = nn.Sequential()
            block.add_module("pad", nn.ConstantPad1d(((kernel - 1) // 2, kernel // 2), 0.0))
            block.add_module("conv", nn.Conv1d(channels, width, kernel))
            block.add_module("norm", nn.BatchNorm1d(width))
            block.add_module("activation", activation_module(activation))
            if pool > 1:
                block.add_module("pool", nn.MaxPool1d(pool, ceil_mode=True))
            self.add_module(f"block{number}", block)
            channels = width
        self.stages = tuple(f"block{number}" for number in range(1, len(widths) + 1))
        self.pool = nn.AdaptiveAvgPool1d(1)
        self.flatten = nn.Flatten()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(channels, outputs)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, time) → (batch, last width)."""
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.drop(self.flatten(self.pool(x)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def conv1d(
    shape: tuple[int, ...],
    outputs: int,
    widths: tuple[int, ...] = (128, 256, 128),
    kernels: tuple[int, ...] = (8, 5, 3),
    pool: int = 0,
    activation: str = "relu",
    dropout: float = 0.0,
) -> Conv1dNet:
    """A convolutional network for signals of any length.

    Args:
        shape: channels, time.
        outputs: classes or values.
        widths: channels of each block
        kernels: length of each block's window
        pool: neighbours joined by max pooling after each block; 1 for none, 0 chooses by the signals' length
        activation: activation function
        dropout: probability to drop a feature before the classifier in training

    Raises:
        ModelError: the inputs are no signals.
        UsageError: no block, a width or window below 1, not as many windows as widths, a negative pool, an unknown activation, or
            a dropout outside [0, 1).
    """
    channels, length = axes_of(shape, net="conv1d", what="signals", axes=("channels", "time"))
    if not widths or len(widths) != len(kernels) or min(*widths, *kernels) < 1 or pool < 0:
        raise UsageError(
            "these blocks cannot be built",
            where="net conv1d, options widths, kernels and pool",
            got=f"widths {widths}, kernels {kernels}, pool {pool}",
            expected="as many kernels as widths, all of them 1 or more, and a pool of 0 or more",
        )
    check_dropout("conv1d", dropout)
    return Conv1dNet(channels, widths, kernels, pool or _pool_for(length, len(widths)), outputs, activation, dropout)


def _pool_for(length: int, blocks: int) -> int:
    """The smallest factor that leaves at most ``POSITIONS`` after all blocks."""
    pool = 1
    while length > POSITIONS * pool**blocks:
        pool += 1
    return pool
