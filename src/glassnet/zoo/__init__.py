"""The networks that Glassnet offers by name: one family a file, one row a network."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn

from glassnet.errors import UsageError, unknown
from glassnet.zoo.alexnet import ALEXNETS, AlexNet
from glassnet.zoo.all_conv import AllConv, all_conv
from glassnet.zoo.around import Around, best_base
from glassnet.zoo.choice import Choice, choose
from glassnet.zoo.conv1d import Conv1dNet, conv1d
from glassnet.zoo.conv3d import Conv3dNet, conv3d
from glassnet.zoo.entry import Entry, Net, Reference
from glassnet.zoo.googlenet import GOOGLENETS, GoogLeNet
from glassnet.zoo.graph_nets import GRAPH_NETS, GraphNet
from glassnet.zoo.language import LANGUAGE_NETS, LanguageNet
from glassnet.zoo.lenet import LeNet5, lenet5
from glassnet.zoo.lenet_1998 import EarlyLeNet, lenet1, lenet4, lenet5_1998
from glassnet.zoo.linear import Linear, linear
from glassnet.zoo.mlp import MLP, mlp
from glassnet.zoo.mobilenet import MOBILENETS, MobileNet
from glassnet.zoo.options import Option, check_options
from glassnet.zoo.recurrent import RECURRENT_NETS, RecurrentNet
from glassnet.zoo.resnet import RESNETS, ResNet
from glassnet.zoo.resnet_cifar import CIFAR_RESNETS, CifarResNet
from glassnet.zoo.small_vgg import SmallVGG, small_vgg
from glassnet.zoo.tagger import TAGGERS, Tagger
from glassnet.zoo.text_bag import TextBag, text_bag
from glassnet.zoo.text_cnn import TextCNN, text_cnn
from glassnet.zoo.translator import TRANSLATORS, Translator
from glassnet.zoo.tree_nets import TREE_NETS, TreeNet
from glassnet.zoo.unrolled import UNROLLED_NETS, UnrolledNet
from glassnet.zoo.vgg import VGG, VGGS
from glassnet.zoo.whole_graphs import WHOLE_GRAPH_NETS, GraphReader

__all__ = [
    "MLP",
    "VGG",
    "ZOO",
    "AlexNet",
    "AllConv",
    "Around",
    "Choice",
    "CifarResNet",
    "Conv1dNet",
    "Conv3dNet",
    "EarlyLeNet",
    "Entry",
    "GoogLeNet",
    "GraphNet",
    "GraphReader",
    "LanguageNet",
    "LeNet5",
    "Linear",
    "MobileNet",
    "Net",
    "Option",
    "RecurrentNet",
    "Reference",
    "ResNet",
    "SmallVGG",
    "Tagger",
    "TextBag",
    "TextCNN",
    "Translator",
    "TreeNet",
    "UnrolledNet",
    "best_base",
    "build",
    "choose",
]

ZOO: Mapping[str, Entry] = MappingProxyType(
    {
        "linear": Entry(
            name="linear",
            build=linear,
            kinds=("table", "array", "image", "series"),
            title="softmax regression, or linear regression",
            paper="-",
            minimum=1,
            references=(
                Reference((1, 28, 28), 10, 7_850, "784·10 + 10"),
                Reference((14,), 1, 15, "14 + 1"),
            ),
        ),
        "mlp": Entry(
            name="mlp",
            build=mlp,
            kinds=("table", "array", "image", "series"),
            title="multilayer perceptron of any depth and width",
            paper="Rumelhart, Hinton, Williams, Learning representations by back-propagating errors, 1986",
            minimum=1,
            references=(
                Reference((1, 28, 28), 10, 235_146, "785·256 + 257·128 + 129·10"),
                Reference((3, 32, 32), 10, 154_160, "3073·50 + 51·10", {"hidden": (50,)}),
            ),
        ),
        "lenet5": Entry(
            name="lenet5",
            build=lenet5,
            kinds=("image",),
            title="LeNet-5 in its usual modern form",
            paper="LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998",
            minimum=12,
            references=(
                Reference((1, 28, 28), 10, 61_706, "156 + 2,416 + 48,120 + 10,164 + 850"),
                Reference((1, 32, 32), 10, 61_706, "156 + 2,416 + 48,120 + 10,164 + 850"),
            ),
        ),
        "lenet5-1998": Entry(
            name="lenet5-1998",
            build=lenet5_1998,
            kinds=("image",),
            title="LeNet-5 exactly as in its paper",
            paper="LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition, 1998",
            minimum=12,
            references=(
                Reference((1, 32, 32), 10, 60_000, "156 + 12 + 1,516 + 32 + 48,120 + 10,164", stated="60,000"),
                Reference((1, 28, 28), 10, 60_000, "as on 32×32"),
                Reference((1, 32, 32), 10, 60_900, "full table: 60,000 − 1,516 + 2,416", {"table": "full"}),
                Reference((1, 32, 32), 10, 60_850, "60,000 + 84·10 + 10", {"output": "dense"}),
                Reference((1, 32, 32), 10, 59_956, "60,000 − 12 − 32", {"subsampling": "max"}),
            ),
        ),
        "lenet4": Entry(
            name="lenet4",
            build=lenet4,
            kinds=("image",),
            title="LeNet-4: eight subsampling maps in pairs, 120 units",
            paper="LeCun and others, Comparison of learning algorithms for handwritten digit recognition, 1995",
            minimum=12,
            references=(
                Reference((1, 32, 32), 10, 16_998, "104 + 16 + 1,516 + 32 + 14,120 + 1,210", stated="about 17,000"),
                Reference(
                    (1, 28, 28),
                    10,
                    52_698,
                    "104 + 16 + 3,216 + 32 + 48,120 + 1,210: all connections",
                    {"table": "full"},
                ),
            ),
        ),
        "lenet1": Entry(
            name="lenet1",
            build=lenet1,
            kinds=("image",),
            title="LeNet-1: 2,578 parameters for digits of 28×28",
            paper="LeCun and others, Handwritten digit recognition with a back-propagation network, 1990",
            minimum=16,
            references=(
                Reference((1, 28, 28), 10, 2_578, "104 + 8 + 512 + 24 + 1,930", stated="2,578"),
                Reference((1, 28, 28), 10, 3_278, "full table: 2,578 + 28·25", {"table": "full"}),
            ),
        ),
        "small-vgg": Entry(
            name="small-vgg",
            build=small_vgg,
            kinds=("image",),
            title="small VGG-like net that learns in few epochs",
            paper="Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024",
            minimum=8,
            references=(
                Reference(
                    (3, 32, 32),
                    10,
                    1_971_352,
                    "24 + 50,816 + 737,792 + 1,180,160 + 2,560; the paper gives 1.97M",
                    stated="1.97M",
                ),
            ),
        ),
        "all-conv": Entry(
            name="all-conv",
            build=all_conv,
            kinds=("image",),
            title="convolutions alone, for images of any size",
            paper="Springenberg, Dosovitskiy, Brox, Riedmiller, Striving for simplicity: the all convolutional net, 2015",
            minimum=9,
            references=(
                Reference((3, 32, 32), 10, 1_372_234, "the paper's 1,369,738 and 2·(3·96 + 5·192) of batch norm"),
                Reference(
                    (3, 32, 32),
                    10,
                    1_369_738,
                    "2,688 + 2·83,040 + 166,080 + 3·331,968 + 37,056 + 1,930",
                    {"batch_norm": False},
                ),
            ),
        ),
        "conv1d": Entry(
            name="conv1d",
            build=conv1d,
            kinds=("array", "series"),
            title="convolutions along time, for signals (channels, time) of any length",
            paper="Wang, Yan, Oates, Time series classification from scratch with deep neural networks, 2017",
            minimum=1,
            references=(Reference((1, 128), 10, 265_994, "1,152 + 256 + 164,096 + 512 + 98,432 + 256 + 1,290"),),
        ),
        "conv3d": Entry(
            name="conv3d",
            build=conv3d,
            kinds=("array",),
            title="convolutions in space, for volumes (channels, depth, height, width) of any size",
            paper="Tran, Bourdev, Fergus, Torresani, Paluri, Learning spatiotemporal features with 3D convnets, 2015",
            minimum=1,
            references=(
                Reference(
                    (1, 16, 16, 16), 10, 215_802, "27·(16 + 16² + 16·32 + 32² + 32·64 + 64²) + 4·(16 + 32 + 64) + 650"
                ),
            ),
        ),
        "text-cnn": Entry(
            name="text-cnn",
            build=text_cnn,
            kinds=("text",),
            title="convolutions over words, for texts",
            paper="Kim, Convolutional neural networks for sentence classification, 2014",
            minimum=1,
            references=(
                Reference(
                    (20,),
                    2,
                    71_302,
                    "1,000·32 + 100·32·(3 + 4 + 5) + 300 + 301·2",
                    {"vocabulary": 1_000, "embed": 32},
                ),
            ),
        ),
        "text-bag": Entry(
            name="text-bag",
            build=text_bag,
            kinds=("text",),
            title="mean of the vectors of words and of pairs, for texts",
            paper="Joulin, Grave, Bojanowski, Mikolov, Bag of tricks for efficient text classification, 2017",
            minimum=1,
            references=(
                Reference(
                    (20,),
                    2,
                    1_000 * 32 + 501 * 32 + 33 * 2,
                    "1,000·32 + 501·32 + 33·2",
                    {"vocabulary": 1_000, "embed": 32, "buckets": 500},
                ),
            ),
        ),
        **TAGGERS,
        **RECURRENT_NETS,
        **GRAPH_NETS,
        **TREE_NETS,
        **UNROLLED_NETS,
        **WHOLE_GRAPH_NETS,
        **LANGUAGE_NETS,
        **TRANSLATORS,
        **CIFAR_RESNETS,
        **ALEXNETS,
        **VGGS,
        **GOOGLENETS,
        **RESNETS,
        **MOBILENETS,
    }
)


def build(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    options: Mapping[str, object] | None = None,
    seed: int | None = None,
) -> nn.Module:
    """A new network of the zoo, on the CPU.

    Args:
        name: a key of ``ZOO``.
        shape: shape of one preprocessed input, without the batch: (channels, height, width) or (columns,).
        outputs: classes or values.
        options: what is varied of the network; strings are read as on a command line.
        seed: the same seed gives the same weights and leaves the global random state as it was. None draws the weights from the
            global state, as any PyTorch layer does.

    Raises:
        UsageError: unknown name or option, an option's value that does not fit, or fewer than one output.
        ModelError: the shape does not fit the network.
    """
    if name not in ZOO:
        raise unknown("net", name, ZOO)
    if outputs < 1:
        raise UsageError("a net needs at least one output", where=f"net {name}", got=outputs, expected="1 or more")
    builder = ZOO[name].build
    checked = check_options(name, builder, options or {})
    if seed is None:
        return builder(shape, outputs, **checked)
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would also seed the accelerators', which are not restored here.
        torch.default_generator.manual_seed(seed)
        return builder(shape, outputs, **checked)
