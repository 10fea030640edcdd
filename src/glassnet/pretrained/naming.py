"""What other libraries call the parameters of the zoo's networks: literal tables, one a library and family.

In a pattern, ``#`` is a whole number, ``*`` is whatever follows (``weight``, ``running_mean``, ...); both are carried over in their
order. A name that no pattern of a table fits is kept as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Naming:
    """How one library names one family.

    Attributes:
        origin: the library and family, for messages.
        names: pairs of patterns, theirs and ours; the first that fits counts.
        unused: patterns of theirs for which our network has no place and needs none.
    """

    origin: str
    names: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()

    def ours(self, name: str) -> str:
        """The name of the same parameter in the zoo."""
        for theirs, ours in self.names:
            found = _pattern(theirs).fullmatch(name)
            if found:
                parts = iter(found.groups())
                return re.sub(r"[#*]", lambda _: next(parts), ours)
        return name

    def is_unused(self, name: str) -> bool:
        """Whether our network has no place for it and needs none."""
        return any(_pattern(pattern).fullmatch(name) for pattern in self.unused)


OWN = Naming("Glassnet")

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
        "MobileNet's authors (TensorFlow)",
        (
            ("Conv2d_0.*", "stem.conv.*"),
            ("Conv2d_#_depthwise.*", "block#.depthwise.conv.*"),
            ("Conv2d_#_pointwise.*", "block#.pointwise.conv.*"),
            ("Conv2d_1c_1x1.*", "head.*"),
        ),
    ),
    Naming(
        "timm's MobileNet v1",
        (
            ("conv_stem.*", "stem.conv.*"),
            ("bn1.*", "stem.norm.*"),
            *(
                (f"blocks.{stage}.{place}.{theirs}.*", f"block{block}.{ours}.*")
                for block, (stage, place) in enumerate(
                    ((0, 0), (1, 0), (1, 1), (2, 0), (2, 1), *((3, place) for place in range(6)), (4, 0), (4, 1)),
                    start=1,
                )
                for theirs, ours in (
                    ("conv_dw", "depthwise.conv"),
                    ("bn1", "depthwise.norm"),
                    ("conv_pw", "pointwise.conv"),
                    ("bn2", "pointwise.norm"),
                )
            ),
            ("classifier.*", "head.*"),
        ),
    ),
)


def naming_of(names: Collection[str], wanted: Iterable[str]) -> Naming:
    """The table under which most of a file's names become names of the network; the first of equals.

    Args:
        names: in the file.
        wanted: the network's.
    """
    known = set(wanted)
    return max(NAMINGS, key=lambda naming: len(known & {naming.ours(name) for name in names}))


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = {"#": r"(\d+)", "*": r"(.+)"}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in text))
