"""LeNet-1, LeNet-4 and LeNet-5 as their papers describe them, with what the papers switch."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Literal

import torch
from torch import Tensor, nn

from glassnet.layers import RBF, ConnectionTableConv2d, Subsampling, digit_codes
from glassnet.layers import activation as activation_module
from glassnet.layers.connection_table import LENET5_TABLE, Table
from glassnet.zoo.flatten import FlattenMaps
from glassnet.zoo.shape import image_shape

Connections = Literal["partial", "full"]
Pooling = Literal["trainable", "average", "max"]

FULL_SIZE = 32  # pixels a side of LeNet-4's and LeNet-5's inputs
WEIGHT_RANGE = 2.4

# LeCun et al., 1990, table 1: the maps of H2 that each of the 12 maps of H3 sees. The two halves are alike.
LENET1_TABLE: Table = tuple(
    tuple(first + place for place in row) for first in (0, 2) for row in ((0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1))
)
# Ours, see lenet4: 60 connections between 8 and 16 maps. Four neighbours; two neighbours and the two opposite; three that are apart.
LENET4_TABLE: Table = (
    *(tuple(sorted((first + step) % 8 for step in (0, 1, 2, 3))) for first in range(8)),
    *(tuple(sorted((first + step) % 8 for step in (0, 1, 4, 5))) for first in range(4)),
    *(tuple(sorted((first + step) % 8 for step in (0, 3, 6))) for first in (0, 2, 4, 6)),
)
# Ours, see lenet4: 560 connections between 16 maps and 120 units, of which two in three see five neighbouring maps, the others four.
# Each unit goes on where the one before it ended, so that every map is seen 35 times.
LENET4_UNITS: Table = tuple(
    tuple(
        sorted(
            (14 * (unit // 3) + step) % 16 for step in ((0, 1, 2, 3), (4, 5, 6, 7, 8), (9, 10, 11, 12, 13))[unit % 3]
        )
    )
    for unit in range(120)
)


class EarlyLeNet(nn.Module):
    """Named stages one after another, then the output; every weight starts from U[−2.4/F, 2.4/F], F the inputs of its unit.

    The stages are called as in the papers: ``c`` convolution, ``s`` subsampling, ``f`` dense, numbered through. Each that has weights
    ends in the squashing function (1998, section II.B: all units up to F6 pass their weighted sum through it).

    Biases start from 0, codes of an RBF output stay as they are. The rule for the weights is from LeCun, Bottou, Bengio, Haffner,
    "Gradient-Based Learning Applied to Document Recognition", 1998, appendix A; of biases it says nothing.

    Args:
        padding: pixels put around the image, each with the value of the nearest pixel of the edge: around a digit that is the
            background, whatever value the preprocessing gave it.
        stages: name and layers, in order.
        flatten: from the last stage to features.
        head: from features to logits.
    """

    def __init__(self, padding: int, stages: Mapping[str, nn.Module], flatten: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.stages = tuple(stages)
        self.pad = nn.ReplicationPad2d(padding) if padding else nn.Identity()
        for name, stage in stages.items():
            self.add_module(name, stage)
        self.flatten = flatten
        self.head = head
        draw(self)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, units of the last stage)."""
        x = self.pad(x)
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return self.flatten(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


@torch.no_grad()
def draw(net: nn.Module) -> None:
    """Starting weights as in the 1998 paper's appendix A; in the order of ``net.modules()``."""
    for module in net.modules():
        if isinstance(module, Subsampling):
            bound = WEIGHT_RANGE / prod(
                module.kernel_size
            )  # a unit has the inputs of its window, and they share one weight
            module.coefficient.uniform_(-bound, bound)
        elif isinstance(module, nn.Conv2d | nn.Linear | ConnectionTableConv2d):
            for weight in module.weights() if isinstance(module, ConnectionTableConv2d) else [module.weight]:
                bound = WEIGHT_RANGE / prod(weight.shape[1:])
                weight.uniform_(-bound, bound)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()


def lenet5_1998(
    shape: tuple[int, ...],
    outputs: int,
    table: Connections = "partial",
    subsampling: Pooling = "trainable",
    output: Literal["rbf", "dense"] = "rbf",
    activation: str = "scaled-tanh",
) -> EarlyLeNet:
    """LeNet-5: C1 6@28×28, S2 6@14×14, C3 16@10×10, S4 16@5×5, C5 120, F6 84, ten RBF units.

    60,000 parameters, 340,908 connections on one channel of 32×32. Smaller images get a margin of 2 pixels, so that 28×28 becomes
    32×32. C5's window is as large as the maps of S4, whatever the image's size: all of S4 goes into each of its 120 units.

    The paper's inputs had background −0.1 and ink 1.175, mean about 0 and variance about 1: ``--preprocess standardise`` or
    ``channel-mean`` come near. It trained with a stochastic diagonal Levenberg-Marquardt step and with equation 9 as its loss, which
    the recipe knows as ``--loss map`` and takes for this net where nothing is said; the optimiser is the recipe's. For values instead
    of classes choose ``output=dense``: an RBF unit is never positive.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, sections II.B and II.C.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        table: C3's maps see some maps of S2, as in the paper's table I, or all of them
        subsampling: trainable as in the paper, with a squashing function behind; or plain pooling, with none
        output: rbf measures distances to pictures of the digits; dense is a linear layer
        activation: activation function

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: an unknown activation.
    """
    channels, height, width = image_shape(shape, layer="lenet5-1998.s4 (subsampling 2×2)", minimum=12)
    padding = _margin(height, width)
    rows, columns = (_after_two(side + 2 * padding) for side in (height, width))
    c3 = nn.Conv2d(6, 16, 5) if table == "full" else ConnectionTableConv2d(6, LENET5_TABLE, 5)
    stages = {
        "c1": nn.Sequential(nn.Conv2d(channels, 6, 5), activation_module(activation)),
        "s2": _subsampling(6, subsampling, activation),
        "c3": nn.Sequential(c3, activation_module(activation)),
        "s4": _subsampling(16, subsampling, activation),
        "c5": nn.Sequential(nn.Conv2d(16, 120, (rows, columns)), activation_module(activation)),
        "f6": nn.Sequential(
            _one_place(120, "lenet5-1998", "f6", shape), nn.Linear(120, 84), activation_module(activation)
        ),
    }
    head = RBF(digit_codes(outputs)) if output == "rbf" else nn.Linear(84, outputs)
    return EarlyLeNet(padding, stages, nn.Identity(), head)


def lenet4(
    shape: tuple[int, ...],
    outputs: int,
    table: Connections = "partial",
    activation: str = "scaled-tanh",
) -> EarlyLeNet:
    """LeNet-4: C1 4@28×28, S2 8@14×14, C3 16@10×10, S4 16@5×5, F5 120, outputs; smaller images get a margin of 2 pixels.

    Known: inputs of 32×32; 4 first-level maps, 8 subsampling maps connected in pairs to each of them, 16 maps, 16 subsampling maps,
    120 units, 10 outputs; about 260,000 connections and about 17,000 free parameters; 1.1 % test error. Not known: which connections
    there are. All of them would be 52,698 parameters, because 120 units over all of S4 alone take 48,120.

    Decided here: windows of 5×5 and 2×2 as in LeNet-5, dense outputs, and the only tables whose sums meet both figures: with a
    connections in C3 and b in F5 (of a map with a unit), 16 + 25a + 120 + 25b + 1,362 parameters and 100·(16 + 25a) + 120 + 25b
    + 92,586 connections are 17,000 and 260,000 near a = 60, as many as in LeNet-5, and b = 560. That gives 16,998 and 258,306.
    Which maps these are is ours.

    There is no choice of plain pooling: without coefficients, the two maps of a pair would be the same.

    Source: LeCun et al., "Comparison of learning algorithms for handwritten digit recognition", 1995; LeCun, Bottou, Bengio,
    Haffner, 1998, section III.C.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        table: maps see some of the maps below, or all of them
        activation: activation function

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: an unknown activation.
    """
    channels, height, width = image_shape(shape, layer="lenet4.s4 (subsampling 2×2)", minimum=12)
    padding = _margin(height, width)
    window = (_after_two(height + 2 * padding), _after_two(width + 2 * padding))
    full = table == "full"
    stages = {
        "c1": nn.Sequential(nn.Conv2d(channels, 4, 5), activation_module(activation)),
        "s2": nn.Sequential(Subsampling(4, copies=2), activation_module(activation)),
        "c3": nn.Sequential(
            nn.Conv2d(8, 16, 5) if full else ConnectionTableConv2d(8, LENET4_TABLE, 5), activation_module(activation)
        ),
        "s4": _subsampling(16, "trainable", activation),
        "f5": nn.Sequential(
            nn.Conv2d(16, 120, window) if full else ConnectionTableConv2d(16, LENET4_UNITS, window),
            activation_module(activation),
        ),
    }
    return EarlyLeNet(padding, stages, _one_place(120, "lenet4", "head", shape), nn.Linear(120, outputs))


def lenet1(
    shape: tuple[int, ...],
    outputs: int,
    table: Connections = "partial",
    subsampling: Pooling = "trainable",
    activation: str = "scaled-tanh",
) -> EarlyLeNet:
    """LeNet-1: C1 4@24×24, S2 4@12×12, C3 12@8×8, S4 12@4×4, outputs; images of 16×16 and larger, without a margin.

    2,578 parameters and 98,442 connections on one channel of 28×28: the 1990 paper's figures exactly, and "about 2,600" and "about
    100,000" in 1998. That paper brought its digits to 16×16 pixels and put them in the middle of 28×28; MNIST's are 20×20 in 28×28
    and go in as they are. Decided here: the outputs are linear, for a loss on logits; they were squashed and compared with ±1.

    Source: LeCun et al., "Handwritten digit recognition with a back-propagation network", 1990, section 4 and table 1; LeCun, Bottou,
    Bengio, Haffner, 1998, section III.C.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        table: C3's maps see one or two maps of S2, or all of them
        subsampling: trainable as in the paper, with a squashing function behind; or plain pooling, with none
        activation: activation function

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: an unknown activation.
    """
    channels, height, width = image_shape(shape, layer="lenet1.s4 (subsampling 2×2)", minimum=16)
    c3 = nn.Conv2d(4, 12, 5) if table == "full" else ConnectionTableConv2d(4, LENET1_TABLE, 5)
    stages = {
        "c1": nn.Sequential(nn.Conv2d(channels, 4, 5), activation_module(activation)),
        "s2": _subsampling(4, subsampling, activation),
        "c3": nn.Sequential(c3, activation_module(activation)),
        "s4": _subsampling(12, subsampling, activation),
    }
    flatten = FlattenMaps((12, _after_two(height), _after_two(width)), "lenet1", "head", (height, width))
    return EarlyLeNet(0, stages, flatten, nn.Linear(flatten.features, outputs))


def _one_place(units: int, net: str, following: str, shape: tuple[int, ...]) -> FlattenMaps:
    """After a convolution whose window is the whole map: it leaves one place, if the images have the size the network was built for."""
    return FlattenMaps((units, 1, 1), net, following, (shape[-2], shape[-1]))


def _subsampling(channels: int, kind: Pooling, activation: str) -> nn.Module:
    if kind == "trainable":
        return nn.Sequential(Subsampling(channels), activation_module(activation))
    return nn.AvgPool2d(2) if kind == "average" else nn.MaxPool2d(2)


def _margin(height: int, width: int) -> int:
    return 2 if min(height, width) < FULL_SIZE else 0


def _after_two(side: int) -> int:
    """Side of the maps that two rounds of a convolution by 5 and a halving leave."""
    return ((side - 4) // 2 - 4) // 2
