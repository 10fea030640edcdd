"""The VGG networks: nothing but 3×3 convolutions, and many of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from torch import Tensor, nn

from glassnet.layers import LocalResponseNorm
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.flatten import FlattenMaps
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import image_shape
from glassnet.zoo.width import check_width

CHANNELS = (64, 128, 256, 512, 512)  # of the five blocks
DENSE = 4096
SMALLEST = 32  # halved five times

# Table 1 of the paper: windows of the convolutions of each block.
CONFIGURATIONS: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "vgg11": ((3,), (3,), (3, 3), (3, 3), (3, 3)),  # A
    "vgg13": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),  # B
    "vgg16-c": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),  # C
    "vgg16": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),  # D
    "vgg19": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),  # E
}


class VGG(nn.Module):
    """Five blocks of convolutions, each followed by pooling 2×2, two dense layers with dropout, classifier.

    Weights start from He's normal distribution, N(0, 2 / n) with n connections into a unit, those of the classifier from N(0, 0.01²),
    biases from 0. The authors trained the shallow nets first and started the deep ones from them; later they found Glorot's start
    to do without (section 3.1), which ``--init glorot`` gives. It halves the variance in every layer with a rectifier: eight inputs
    that VGG-19 at an eighth of its width learns by heart in 60 steps of Adam from He's start were not learned in 120 from Glorot's
    (one seed).

    Source: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014, table 1 and section 3.1.

    Args:
        name: a key of ``CONFIGURATIONS``.
        shape: channels, height and width of the images.
        outputs: classes or values.
        width: factor on the channels and on the dense layers.
        batch_norm: batch normalisation between each convolution and its rectifier. The convolutions keep their biases, which then
            change nothing, as in the weights that are published for these networks.
        lrn: local response normalisation after the first convolution.
        dropout: probability to drop a unit of the dense layers.
    """

    stages = ("block1", "block2", "block3", "block4", "block5", "dense1", "dense2")

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        outputs: int,
        *,
        width: float,
        batch_norm: bool,
        lrn: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        below, rows, columns = shape
        for number, (base, windows) in enumerate(zip(CHANNELS, CONFIGURATIONS[name], strict=True), start=1):
            maps = round(width * base)
            block = nn.Sequential()
            for place, window in enumerate(windows, start=1):
                block.add_module(f"conv{place}", nn.Conv2d(below, maps, window, padding=window // 2))
                if batch_norm:
                    block.add_module(f"norm{place}", nn.BatchNorm2d(maps))
                block.add_module(f"relu{place}", nn.ReLU(inplace=True))
                if lrn and number == place == 1:
                    block.add_module("lrn", LocalResponseNorm())
                below = maps
            block.add_module("pool", nn.MaxPool2d(2))
            self.add_module(f"block{number}", block)
        units = round(width * DENSE)
        self.flatten = FlattenMaps((below, rows // 32, columns // 32), name, "dense1", (rows, columns))
        self.dense1 = _dense(self.flatten.features, units, dropout)
        self.dense2 = _dense(units, units, dropout)
        self.head = nn.Linear(units, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        # No rectifier follows the classifier; He's factor would only make the first logits large.
        nn.init.normal_(self.head.weight, 0, 0.01)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, 4096).

        Raises:
            ModelError: images of another size than the network was built for.
        """
        for block in self.stages[:5]:
            x = self.get_submodule(block)(x)  # at last (batch, 512, height / 32, width / 32)
        return self.dense2(self.dense1(self.flatten(x)))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, outputs)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]


def _dense(inputs: int, units: int, dropout: float) -> nn.Sequential:
    layers = nn.Sequential()
    layers.add_module("linear", nn.Linear(inputs, units))
    layers.add_module("relu", nn.ReLU(inplace=True))
    if dropout:
        layers.add_module("dropout", nn.Dropout(dropout))
    return layers


def vgg(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    batch_norm: bool = False,
    lrn: bool = False,
    dropout: float = 0.5,
    width: float = 1.0,
) -> VGG:
    """A VGG network for images of 32×32 and larger; 224×224 in the paper.

    Args:
        name: a key of ``CONFIGURATIONS``.
        shape: channels, height, width; the network then accepts this size only.
        outputs: classes or values.
        batch_norm: batch normalisation after the convolutions; not in the paper
        lrn: local response normalisation after the first convolution; with vgg11 the paper's A-LRN, which gained nothing
        dropout: probability to drop a unit of the two dense layers in training
        width: factor on all channels and dense layers

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: a dropout outside [0, 1), or a width that leaves no channel.
    """
    read = image_shape(shape, layer=f"{name}.block5.pool (pooling 2×2)", minimum=SMALLEST)
    check_dropout(name, dropout)
    check_width(name, width, min(CHANNELS))
    return VGG(name, read, outputs, width=width, batch_norm=batch_norm, lrn=lrn, dropout=dropout)


def _row(name: str, configuration: str, parameters: int, of_norms: int, stated: str) -> Entry:
    source = f"table 2 gives {stated} for configuration {configuration}"
    return Entry(
        name=name,
        build=partial(vgg, name),
        kinds=("image",),
        title=f"VGG with {sum(map(len, CONFIGURATIONS[name])) + 3} layers (configuration {configuration})",
        paper="Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition, 2014",
        minimum=SMALLEST,
        references=(
            Reference((3, 224, 224), 1000, parameters, source, stated=stated),
            Reference(
                (3, 224, 224),
                1000,
                parameters + of_norms,
                "the same + 2 for each map of a convolution",
                {"batch_norm": True},
            ),
        ),
    )


VGGS: Mapping[str, Entry] = MappingProxyType(
    {
        "vgg11": _row("vgg11", "A", 132_863_336, 5_504, "133M"),
        "vgg13": _row("vgg13", "B", 133_047_848, 5_888, "133M"),
        "vgg16": _row("vgg16", "D", 138_357_544, 8_448, "138M"),
        "vgg16-c": _row("vgg16-c", "C", 133_638_952, 8_448, "134M"),
        "vgg19": _row("vgg19", "E", 143_667_240, 11_008, "144M"),
    }
)
