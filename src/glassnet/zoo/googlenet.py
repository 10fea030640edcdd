"""GoogLeNet, with the two classifiers that help it to learn."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor, nn

from glassnet.layers import Inception, InceptionWidths, LocalResponseNorm, conv_relu
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import image_shape
from glassnet.zoo.width import check_width

SMALLEST = 32  # halved five times
STEM = (64, 64, 192)
# Table 1 of the paper. A number's last block is followed by pooling, but for 5b.
BLOCKS: Mapping[str, InceptionWidths] = {
    "3a": InceptionWidths(64, 96, 128, 16, 32, 32),
    "3b": InceptionWidths(128, 128, 192, 32, 96, 64),
    "4a": InceptionWidths(192, 96, 208, 16, 48, 64),
    "4b": InceptionWidths(160, 112, 224, 24, 64, 64),
    "4c": InceptionWidths(128, 128, 256, 24, 64, 64),
    "4d": InceptionWidths(112, 144, 288, 32, 64, 64),
    "4e": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5a": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5b": InceptionWidths(384, 192, 384, 48, 128, 128),
}
POOLED = ("3b", "4e")
WITH_CLASSIFIER = ("4a", "4d")
AUXILIARY_WEIGHT = 0.3  # of each auxiliary loss (section 5)


class Auxiliary(nn.Module):
    """A classifier on inner maps: average pooling 5×5 / 3, 128 convolutions 1×1, a dense layer, dropout 0.7, logits.

    (batch, in_channels, h, w) → (batch, outputs). The pooling makes 4×4 of the 14×14 maps of 224×224 images. Maps of other sizes are
    averaged to 4×4 after it, and those of 5×5 and smaller instead of it.

    Source: Szegedy et al., 2014, section 5.

    Args:
        in_channels: channels that come in.
        channels: of the 1×1 convolution, 128 in the paper.
        units: of the dense layer, 1024 in the paper.
        outputs: classes or values.
        batch_norm: see :class:`GoogLeNet`.
    """

    def __init__(self, in_channels: int, channels: int, units: int, outputs: int, batch_norm: bool) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(5, 3)
        self.to_4x4 = nn.AdaptiveAvgPool2d(4)
        self.conv = conv_relu(in_channels, channels, 1, batch_norm=batch_norm)
        self.flatten = nn.Flatten()
        self.dense = nn.Linear(channels * 4 * 4, units)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.7)
        self.linear = nn.Linear(units, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Classify maps."""
        if min(x.shape[2:]) > 5:
            x = self.pool(x)
        x = self.flatten(self.conv(self.to_4x4(x)))  # (batch, channels · 16)
        return self.linear(self.dropout(self.relu(self.dense(x))))  # type: ignore[no-any-return]


class GoogLeNet(nn.Module):
    """Three convolutions, nine Inception blocks, global average pooling, classifier: 22 layers with weights.

    In training mode ``forward`` returns three logits: the network's own and those of the classifiers on blocks 4a and 4d; the loss is
    the first one's plus ``auxiliary_weight`` times each of the others'. In evaluation mode it returns the first alone.

    Local response normalisation stands where the paper's figure 3 has it: after the first pooling and before the second. The poolings
    round up, which gives the sizes of table 1. The paper does not tell how weights start; here from He's normal distribution,
    biases from 0.

    Source: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, "Going Deeper with Convolutions", 2014, table 1,
    figure 3 and section 5.

    Args:
        channels: channels of the images.
        outputs: classes or values.
        width: factor on all channels.
        auxiliary: whether there are the two further classifiers.
        lrn: local response normalisation.
        batch_norm: batch normalisation between each convolution and its rectifier; the convolutions then have no biases.
        dropout: probability to drop a feature before the classifier.

    Attributes:
        auxiliary_weight: weight of each auxiliary loss; 0 without such classifiers.
    """

    stages = ("stem", *(f"inception{name}" for name in BLOCKS))

    def __init__(
        self,
        channels: int,
        outputs: int,
        *,
        width: float,
        auxiliary: bool,
        lrn: bool,
        batch_norm: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.auxiliary_weight = AUXILIARY_WEIGHT if auxiliary else 0.0
        self.stem, below = _stem(channels, [round(width * base) for base in STEM], lrn, batch_norm)
        for name, widths in BLOCKS.items():
            scaled = InceptionWidths(*(round(width * base) for base in widths))
            self.add_module(f"inception{name}", Inception(below, scaled, batch_norm))
            below = scaled.out_channels
            if name in POOLED:
                self.add_module(f"pool{name[0]}", nn.MaxPool2d(3, 2, ceil_mode=True))
            if auxiliary and name in WITH_CLASSIFIER:
                self.add_module(
                    f"auxiliary{name}",
                    Auxiliary(below, round(width * 128), round(width * 1024), outputs, batch_norm),
                )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Sequential()
        if dropout:
            self.head.add_module("dropout", nn.Dropout(dropout))
        self.head.add_module("linear", nn.Linear(below, outputs))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        # A classifier has no rectifier behind it; He's factor would only make the first logits large.
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear) and name.endswith("linear"):
                nn.init.normal_(module.weight, 0, 0.01)

    def _pass(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Features, and the maps that auxiliary classifiers read."""
        x = self.stem(x)
        inner = {}
        for name in BLOCKS:
            x = self.get_submodule(f"inception{name}")(x)
            if name in WITH_CLASSIFIER:
                inner[name] = x
            if name in POOLED:
                x = self.get_submodule(f"pool{name[0]}")(x)
        return self.flatten(self.pool(x)), inner  # (batch, 1024)

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) → (batch, 1024)."""
        return self._pass(x)[0]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(batch, channels, height, width) → (batch, outputs), in training three of them."""
        features, inner = self._pass(x)
        logits: Tensor = self.head(features)
        if not (self.training and self.auxiliary_weight):
            return logits
        return logits, *(self.get_submodule(f"auxiliary{name}")(maps) for name, maps in inner.items())


def _stem(channels: int, widths: list[int], lrn: bool, batch_norm: bool) -> tuple[nn.Sequential, int]:
    """Everything before the first Inception block, and the channels that leave it."""
    first, reduced, last = widths
    layers: dict[str, nn.Module] = {
        "conv1": conv_relu(channels, first, 7, 2, batch_norm=batch_norm),
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=True),
        "lrn1": LocalResponseNorm(),
        "reduce2": conv_relu(first, reduced, 1, batch_norm=batch_norm),
        "conv2": conv_relu(reduced, last, 3, batch_norm=batch_norm),
        "lrn2": LocalResponseNorm(),
        "pool2": nn.MaxPool2d(3, 2, ceil_mode=True),
    }
    stem = nn.Sequential()
    for name, layer in layers.items():
        if lrn or not name.startswith("lrn"):
            stem.add_module(name, layer)
    return stem, last


def googlenet(
    shape: tuple[int, ...],
    outputs: int,
    auxiliary: bool = True,
    lrn: bool = True,
    batch_norm: bool = False,
    dropout: float = 0.4,
    width: float = 1.0,
) -> GoogLeNet:
    """GoogLeNet for images of 32×32 and larger, of any size once built; 224×224 in the paper.

    Args:
        shape: channels, height, width.
        outputs: classes or values.
        auxiliary: two further classifiers on inner blocks, whose losses count 0.3 each in training
        lrn: local response normalisation in the first layers
        batch_norm: batch normalisation after the convolutions; not in the paper
        dropout: probability to drop a feature before the classifier in training
        width: factor on all channels

    Raises:
        ModelError: the inputs are no images or too small.
        UsageError: a dropout outside [0, 1), or a width that leaves no channel.
    """
    channels, _, _ = image_shape(shape, layer="googlenet.inception5a (maps of a 32nd)", minimum=SMALLEST)
    check_dropout("googlenet", dropout)
    check_width("googlenet", width, min(min(widths) for widths in BLOCKS.values()))
    return GoogLeNet(
        channels, outputs, width=width, auxiliary=auxiliary, lrn=lrn, batch_norm=batch_norm, dropout=dropout
    )


GOOGLENETS: Mapping[str, Entry] = MappingProxyType(
    {
        "googlenet": Entry(
            name="googlenet",
            build=googlenet,
            kinds=("image",),
            title="GoogLeNet of nine Inception blocks, with two auxiliary classifiers in training",
            paper="Szegedy et al., Going deeper with convolutions, 2014, table 1",
            minimum=SMALLEST,
            references=(
                Reference(
                    (3, 224, 224),
                    1000,
                    13_378_280,
                    "6,998,552 without the auxiliary classifiers, whose two are 3,188,840 + 3,190,888",
                    stated_multiply_adds="1.5G",
                ),
                Reference(
                    (3, 224, 224),
                    1000,
                    6_998_552,
                    "the column of table 1 sums up to 6.8M; its rows do not all follow from its widths",
                    {"auxiliary": False},
                    stated="6.8M",
                    stated_multiply_adds="1.5G",
                ),
            ),
        ),
    }
)
