"""AlexNet, with what its paper switches on and off."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from torch import Tensor, nn

from glassnet.layers import LocalResponseNorm
from glassnet.layers import activation as activation_module
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.flatten import FlattenMaps
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import image_shape
from glassnet.zoo.width import check_width

NAMES = {2: "alexnet", 1: "alexnet-single"}  # by the number of columns
CHANNELS = (96, 256, 384, 384, 256)
DENSE = 4096
BETWEEN_COLUMNS = (2, 4, 5)  # the convolutions that see their own column only
WITH_BIAS_ONE = (2, 4, 5)
NORMALISED = (1, 2)
POOLED = (1, 2, 5)
SMALLEST = 63  # 15×15 after the first convolution, then 7×7, 3×3, 1×1


class AlexNet(nn.Module):
    """Five convolutions, three poolings, two dense layers with dropout, classifier.

        96 maps 11×11 / 4, LRN, pool – 256 maps 5×5, LRN, pool – 384 3×3 – 384 3×3 – 256 3×3, pool – 4096 – 4096 – outputs

    In two columns, convolutions 2, 4 and 5 see only the maps of their own half, as the paper divided them over two processors;
    the normalisation spans both. Pooling is 3×3 with stride 2, so that windows overlap; without overlap it is 2×2.

    The paper's figure gives 224×224 pixels and 55×55 maps after the first convolution, which do not fit each other without
    padding. Here the first convolution pads by 2: (224 + 2·2 − 11) / 4 + 1 = 55 (rounded down). Images of 227×227 pixels, the usual
    other reading, lead to the same number of parameters.

    Weights start from N(0, 0.01²), biases of convolutions 2, 4, 5 and of the dense layers from 1, all others from 0 (section 5).

    Source: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, sections 3 to 5.

    Args:
        columns: 2 as in the paper, 1 with every map connected.
        shape: channels, height and width of the images.
        outputs: classes or values.
        width: factor on the channels and on the dense layers.
        activation: name of the activation function.
        lrn: local response normalisation after convolutions 1 and 2.
        overlapping: pooling windows of 3×3 rather than 2×2.
        batch_norm: batch normalisation between each convolution and its activation; the convolutions then have no biases.
        dropout: probability to drop a unit of the dense layers.
    """

    stages = ("block1", "block2", "block3", "block4", "block5", "dense6", "dense7")

    def __init__(
        self,
        columns: int,
        shape: tuple[int, int, int],
        outputs: int,
        *,
        width: float,
        activation: str,
        lrn: bool,
        overlapping: bool,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        channels, rows, columns_of_pixels = shape
        below = channels
        sides = [(side + 4 - 11) // 4 + 1 for side in (rows, columns_of_pixels)]
        window = 3 if overlapping else 2
        for number, base in enumerate(CHANNELS, start=1):
            maps = columns * round(width * base / columns)
            size = {1: 11, 2: 5}.get(number, 3)
            block = nn.Sequential()
            block.add_module(
                "conv",
                nn.Conv2d(
                    below,
                    maps,
                    size,
                    stride=4 if number == 1 else 1,
                    padding=2 if number == 1 else size // 2,
                    groups=columns if number in BETWEEN_COLUMNS else 1,
                    bias=not batch_norm,
                ),
            )
            if batch_norm:
                block.add_module("norm", nn.BatchNorm2d(maps))
            block.add_module("activation", activation_module(activation))
            if lrn and number in NORMALISED:
                block.add_module("lrn", LocalResponseNorm())
            if number in POOLED:
                block.add_module("pool", nn.MaxPool2d(window, 2))
                sides = [(side - window) // 2 + 1 for side in sides]
            self.add_module(f"block{number}", block)
            below = maps
        units = round(width * DENSE)
        self.flatten = FlattenMaps((below, sides[0], sides[1]), NAMES[columns], "dense6", (rows, columns_of_pixels))
        self.dense6 = _dense(self.flatten.features, units, activation, dropout)
        self.dense7 = _dense(units, units, activation, dropout)
        self.head = nn.Linear(units, outputs)
        self._start()

    def _start(self) -> None:
        with_one = {f"block{number}.conv" for number in WITH_BIAS_ONE} | {"dense6.linear", "dense7.linear"}
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                if module.bias is not None:
                    nn.init.constant_(module.bias, 1.0 if name in with_one else 0.0)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, 4096).

        Raises:
            ModelError: images of another size than the network was built for.
        """
        for block in self.stages[:5]:
            x = self.get_submodule(block)(x)  # at last (batch, 256, 6, 6)
        return self.dense7(self.dense6(self.flatten(x)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _dense(inputs: int, units: int, activation: str, dropout: float) -> nn.Sequential:
    layers = nn.Sequential()
    layers.add_module("linear", nn.Linear(inputs, units))
    layers.add_module("activation", activation_module(activation))
    if dropout:
        layers.add_module("dropout", nn.Dropout(dropout))
    return layers


def alexnet(
    columns: int,
    shape: tuple[int, ...],
    outputs: int,
    activation: str = "relu",
    lrn: bool = True,
    overlapping: bool = True,
    batch_norm: bool = False,
    dropout: float = 0.5,
    width: float = 1.0,
) -> AlexNet:
    """AlexNet for images of 63×63 and larger; 224×224 in the paper.

    Args:
        columns: 2 or 1.
        shape: channels, height, width; the network then accepts this size only.
        outputs: classes or values.
        activation: activation function; the paper compares relu with tanh
        lrn: local response normalisation, worth 1.2 % of top-5 error in the paper
        overlapping: pool windows of 3×3 at a distance of 2, rather than 2×2; worth 0.3 % in the paper
        batch_norm: batch normalisation after the convolutions; not in the paper
        dropout: probability to drop a unit of the two dense layers in training
        width: factor on all channels and dense layers

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: an unknown activation, a dropout outside [0, 1), or a width that leaves no channel.
    """
    name = NAMES[columns]
    read = image_shape(shape, layer=f"{name}.block5.pool (pooling 3×3)", minimum=SMALLEST)
    check_dropout(name, dropout)
    check_width(name, width, min(CHANNELS) // columns)
    return AlexNet(
        columns,
        read,
        outputs,
        width=width,
        activation=activation,
        lrn=lrn,
        overlapping=overlapping,
        batch_norm=batch_norm,
        dropout=dropout,
    )


PAPER = "Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural networks, 2012"
ALEXNETS: Mapping[str, Entry] = MappingProxyType(
    {
        "alexnet": Entry(
            name="alexnet",
            build=partial(alexnet, 2),
            kinds=("image",),
            title="AlexNet in the two columns of its paper",
            paper=PAPER,
            minimum=SMALLEST,
            references=(
                Reference(
                    (3, 224, 224),
                    1000,
                    60_965_224,
                    "34,944 + 307,456 + 885,120 + 663,936 + 442,624 + 37,752,832 + 16,781,312 + 4,097,000",
                    stated="60M",
                ),
            ),
        ),
        # Not the paper's net for one processor, which has half as many maps in convolutions 1 to 4, but the form in which AlexNet
        # is usually drawn: the same maps, all connected.
        "alexnet-single": Entry(
            name="alexnet-single",
            build=partial(alexnet, 1),
            kinds=("image",),
            title="AlexNet in one column, every map connected",
            paper=PAPER,
            minimum=SMALLEST,
            references=(
                Reference(
                    (3, 224, 224),
                    1000,
                    62_378_344,
                    "the sum of alexnet, and the connections between its columns: + 307,200 + 663,552 + 442,368",
                ),
            ),
        ),
    }
)
