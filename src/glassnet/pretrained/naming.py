"""What other libraries call the parameters of the zoo's networks: literal tables, one a library and family.

In a pattern, ``#`` is a whole number, ``*`` is whatever follows (``weight``, ``running_mean``, ...); both are carried over in their
order. A name that no pattern of a table fits is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache

from torch import nn

from glassnet.layers import Bottleneck
from glassnet.zoo.mobilenet import PaddedConv
from glassnet.zoo.vgg import CONFIGURATIONS


@dataclass(frozen=True)
class Naming:
    """How one library names one family.

    Attributes:
        origin: the library and family, for messages.
        names: pairs of patterns, theirs and ours; the first that fits counts.
        unused: patterns of theirs for which our network has no place and needs none.
        preprocess: by what name the inputs are prepared that these files expect; empty where files of these names differ.
    """

    origin: str
    names: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    preprocess: str = ""

    def ours(self, name: str) -> str:
        """The name of the same parameter in the zoo."""
        for theirs, ours in self.names:
            found = _pattern(theirs).fullmatch(name)
            if found:
                return _filled(ours, found.groups())
        return name

    def is_unused(self, name: str) -> bool:
        """Whether our network has no place for it and needs none."""
        return any(_pattern(pattern).fullmatch(name) for pattern in self.unused)


OWN = Naming("Glassnet")
# What data parallelism, compilation and training frameworks put before every name.
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
OWN_PARTS = ("preprocess.", "target.")
RESNETS = "torchvision's and timm's ResNets"
TIMM_MOBILENET = "timm's MobileNet v1"
# Where timm keeps the blocks of MobileNet v1: (stage, place in it) of blocks 1 to 13.
TIMM_MOBILENET_PLACES = ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), *((3, place) for place in range(6)), (4, 0), (4, 1))


def _vgg(name: str, batch_norm: bool) -> Naming:
    """The names of torchvision, which numbers all layers of the five blocks in one row: convolution, batch norm, rectifier, ..., pooling."""
    names = []
    position = 0
    for block, windows in enumerate(CONFIGURATIONS[name], start=1):
        for place in range(1, len(windows) + 1):
            names.append((f"features.{position}.*", f"block{block}.conv{place}.*"))
            if batch_norm:
                names.append((f"features.{position + 1}.*", f"block{block}.norm{place}.*"))
            position += 3 if batch_norm else 2
        position += 1
    dense = (
        *(("classifier.0.*", "dense1.linear.*"), ("classifier.3.*", "dense2.linear.*"), ("classifier.6.*", "head.*")),
        *(("pre_logits.fc1.*", "dense1.linear.*"), ("pre_logits.fc2.*", "dense2.linear.*"), ("head.fc.*", "head.*")),
    )
    return Naming(
        f"torchvision's and timm's {name}{'_bn' if batch_norm else ''}", (*names, *dense), preprocess="imagenet"
    )


NAMINGS: tuple[Naming, ...] = (
    OWN,
    Naming(
        "the common CIFAR ResNets",
        (
            ("conv1.*", "stem.0.*"),
            ("bn1.*", "stem.1.*"),
            ("layer#.#.conv#.*", "group#.#.conv#.*"),
            ("layer#.#.bn#.*", "group#.#.norm#.*"),
            ("layer#.#.shortcut.#.*", "group#.#.shortcut.#.*"),
            ("layer#.#.downsample.#.*", "group#.#.shortcut.#.*"),
            ("linear.*", "head.*"),
            ("fc.*", "head.*"),
        ),
    ),
    Naming(
        RESNETS,
        (
            ("conv1.*", "stem.conv.*"),
            ("bn1.*", "stem.norm.*"),
            ("layer#.#.conv#.*", "group#.#.conv#.*"),
            ("layer#.#.bn#.*", "group#.#.norm#.*"),
            ("layer#.#.downsample.#.*", "group#.#.shortcut.#.*"),
            ("fc.*", "head.*"),
        ),
        preprocess="imagenet",
    ),
    *(_vgg(name, batch_norm) for name in ("vgg11", "vgg13", "vgg16", "vgg19") for batch_norm in (False, True)),
    Naming(
        "torchvision's AlexNet",
        (
            ("features.0.*", "block1.conv.*"),
            ("features.3.*", "block2.conv.*"),
            ("features.6.*", "block3.conv.*"),
            ("features.8.*", "block4.conv.*"),
            ("features.10.*", "block5.conv.*"),
            ("classifier.1.*", "dense6.linear.*"),
            ("classifier.4.*", "dense7.linear.*"),
            ("classifier.6.*", "head.*"),
        ),
        preprocess="imagenet",
    ),
    # Its third branch has windows of 3×3 where the paper has 5×5, which the shapes then tell.
    Naming(
        "torchvision's GoogLeNet",
        (
            ("conv1.conv.*", "stem.conv1.conv.*"),
            ("conv1.bn.*", "stem.conv1.norm.*"),
            ("conv2.conv.*", "stem.reduce2.conv.*"),
            ("conv2.bn.*", "stem.reduce2.norm.*"),
            ("conv3.conv.*", "stem.conv2.conv.*"),
            ("conv3.bn.*", "stem.conv2.norm.*"),
            *(
                (f"inception{block}.{theirs}.{layer}.*", f"inception{block}.{ours}.{part}.*")
                for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
                for theirs, ours in (
                    ("branch1", "branch1"),
                    ("branch2.#", "branch3.#"),
                    ("branch3.#", "branch5.#"),
                    ("branch4.#", "branch_pool.#"),
                )
                for layer, part in (("conv", "conv"), ("bn", "norm"))
            ),
            *(
                (f"aux{number}.{theirs}.*", f"auxiliary{block}.{ours}.*")
                for number, block in ((1, "4a"), (2, "4d"))
                for theirs, ours in (
                    ("conv.conv", "conv.conv"),
                    ("conv.bn", "conv.norm"),
                    ("fc1", "dense"),
                    ("fc2", "linear"),
                )
            ),
            ("fc.*", "head.linear.*"),
        ),
        unused=("aux#.*",),
        preprocess="centred",  # torchvision's own network turns ImageNet's scale into this one before its first layer
    ),
    Naming(
        "MobileNet's authors (TensorFlow)",
        (
            ("Conv2d_0.*", "stem.conv.*"),
            ("Conv2d_#_depthwise.*", "block#.depthwise.conv.*"),
            ("Conv2d_#_pointwise.*", "block#.pointwise.conv.*"),
            ("Conv2d_1c_1x1.*", "head.*"),
        ),
        preprocess="centred",
    ),
    Naming(
        TIMM_MOBILENET,
        (
            ("conv_stem.*", "stem.conv.*"),
            ("bn1.*", "stem.norm.*"),
            *(
                (f"blocks.{stage}.{place}.{theirs}.*", f"block{block}.{ours}.*")
                for block, (stage, place) in enumerate(TIMM_MOBILENET_PLACES, start=1)
                for theirs, ours in (
                    ("conv_dw", "depthwise.conv"),
                    ("bn1", "depthwise.norm"),
                    ("conv_pw", "pointwise.conv"),
                    ("bn2", "pointwise.norm"),
                )
            ),
            ("classifier.*", "head.*"),
        ),
        preprocess="centred",
    ),
)


def naming_of(names: Collection[str], wanted: Iterable[str]) -> tuple[Naming, str]:
    """The table under which most of a file's names become names of the network, and the prefix to take off before.

    Of equals, the longest prefix and the first table.

    Args:
        names: in the file.
        wanted: the network's.
    """
    known = set(wanted)

    def hits(choice: tuple[Naming, str]) -> int:
        naming, prefix = choice
        return len(known & {naming.ours(name.removeprefix(prefix)) for name in names if name.startswith(prefix)})

    return max(((naming, prefix) for prefix in _prefixes(names) for naming in NAMINGS), key=hits)


def is_of_own_model(name: str) -> bool:
    """Whether it names a part of a model of ours besides the net: its preprocessing, or the scale of its values."""
    return name.startswith(OWN_PARTS)


def _prefixes(names: Collection[str]) -> list[str]:
    """What stands before every name, and could be taken off, longest first; the last is empty."""
    remaining = [name for name in names if not is_of_own_model(name)]
    found = [""]
    while remaining:
        longer = next(
            (f"{found[0]}{p}" for p in PREFIXES if all(n.startswith(f"{found[0]}{p}") for n in remaining)), None
        )
        if longer is None:
            break
        found.insert(0, longer)
    return found


def _filled(pattern: str, parts: Iterable[str]) -> str:
    remaining = iter(parts)
    return re.sub(r"[#*]", lambda _: next(remaining), pattern)


def caution(naming: Naming, net: nn.Module) -> str:
    """What networks with such names usually do otherwise than this one, which no shape tells; empty where nothing is known."""
    for module in net.modules():
        if naming.origin == RESNETS and isinstance(module, Bottleneck) and module.conv1.stride != (1, 1):
            return "most files with these names halve the map in the 3×3 convolution; then say --set net.strided=3x3"
        if naming.origin == TIMM_MOBILENET and isinstance(module, PaddedConv) and module.way == "same":
            return "most files with these names pad on both sides; then say --set net.padding=symmetric"
    return ""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = {"#": r"(\d+)", "*": r"(.+)"}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in text))
