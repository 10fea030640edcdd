"""The networks that Glassnet offers by name: one family a file, one row a network."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import nn

from glassnet.errors import UsageError, unknown
from glassnet.zoo.choice import Choice, choose
from glassnet.zoo.entry import Entry, Net, Reference
from glassnet.zoo.lenet import LeNet5, lenet5
from glassnet.zoo.linear import Linear, linear
from glassnet.zoo.mlp import MLP, mlp
from glassnet.zoo.options import Option, check_options
from glassnet.zoo.resnet_cifar import CifarResNet, resnet20
from glassnet.zoo.small_vgg import SmallVGG, small_vgg

__all__ = [
    "MLP",
    "ZOO",
    "Choice",
    "CifarResNet",
    "Entry",
    "LeNet5",
    "Linear",
    "Net",
    "Option",
    "Reference",
    "SmallVGG",
    "build",
    "choose",
]

ZOO: Mapping[str, Entry] = MappingProxyType(
    {
        "linear": Entry(
            name="linear",
            build=linear,
            kinds=("table", "array", "image"),
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
            kinds=("table", "array", "image"),
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
        "small-vgg": Entry(
            name="small-vgg",
            build=small_vgg,
            kinds=("image",),
            title="small VGG-like net that learns in few epochs",
            paper="Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, 2024",
            minimum=8,
            references=(
                Reference(
                    (3, 32, 32), 10, 1_971_352, "24 + 50,816 + 737,792 + 1,180,160 + 2,560; the paper gives 1.97M"
                ),
            ),
        ),
        "resnet20": Entry(
            name="resnet20",
            build=resnet20,
            kinds=("image",),
            title="residual network of 20 layers for small images",
            paper="He, Zhang, Ren, Sun, Deep residual learning for image recognition, 2015, section 4.2",
            minimum=8,
            references=(
                Reference((3, 32, 32), 10, 269_722, "table 6 gives 0.27M"),
                Reference((3, 32, 32), 10, 272_474, "269,722 + 16·32 + 64 + 32·64 + 128", {"shortcut": "B"}),
            ),
        ),
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
        raise UsageError("a net needs at least one output", where=f"net {name}", got=outputs)
    builder = ZOO[name].build
    checked = check_options(name, builder, options or {})
    if seed is None:
        return builder(shape, outputs, **checked)
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would also seed the accelerators', which are not restored here.
        torch.default_generator.manual_seed(seed)
        return builder(shape, outputs, **checked)
