"""One network that looks at several versions of each image and averages what it says (requirement D4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.combined.ensemble import together
from glassnet.combined.member import Member
from glassnet.data.augment.border import Border, pad
from glassnet.errors import UsageError

D4_SCALES = (224, 256, 384, 480, 640)
"""The sides of He et al. 2016, section 4.1: what "multi-scale testing" means for photographs."""


@dataclass(frozen=True)
class Views:
    """Which versions of an image are looked at.

    Attributes:
        flip: each version also mirrored left and right.
        shift: the image itself, and moved by this many pixels towards each of the four corners; 0 does not move it.
        scales: sides, in pixels, to which the image is brought before it is looked at; empty keeps its own.
        crops: of an image larger than the network's input, the four corners and the centre (Krizhevsky et al. 2012, section 4.1;
            mirrored, the ten crops); without it the network looks at the whole image, whatever its size.
        border: what stands beyond the edge of a moved image.
    """

    flip: bool = False
    shift: int = 0
    scales: tuple[int, ...] = ()
    crops: bool = True
    border: Border = "reflect"

    def __post_init__(self) -> None:
        if not 0 <= self.shift < 1000 or any(not 1 <= side <= 4096 for side in self.scales):
            raise UsageError(
                "images cannot be looked at so",
                where="views",
                got=f"shift {self.shift}, scales {', '.join(map(str, self.scales)) or 'none'}",
                expected="a shift of 0 to 999 pixels, scales of 1 to 4096 pixels",
            )
        if self.border not in ("reflect", "edge", "dark", "bright"):
            raise UsageError("no such border", where="views", got=self.border, expected="reflect, edge, dark or bright")

    def count(self, size: tuple[int, int]) -> int:
        """How many versions of an image there are, for a network whose input is ``size`` (height, width)."""
        sides = [(side, side) for side in self.scales] or [size]
        five = sum(5 if self.crops and _larger(side, size) else 1 for side in sides)
        return five * (5 if self.shift else 1) * (2 if self.flip else 1)

    def of(self, images: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
        """Every version of a batch of images.

        Args:
            images: float (batch, channels, height, width), of any size from the network's own on.
            size: (height, width) of the network's input.

        Yields:
            (batch, channels, *size) each; with ``scales`` and without ``crops`` of those sides.
        """
        for side in self.scales or (None,):
            scaled = resized(images, size if side is None else (side, side))
            for cut in windows(scaled, size) if self.crops and _larger(tuple(scaled.shape[2:]), size) else (scaled,):
                for moved in self._moved(cut):
                    yield moved
                    if self.flip:
                        yield moved.flip(3)

    def _moved(self, images: Tensor) -> Iterator[Tensor]:
        if not self.shift:
            yield images
            return
        height, width = images.shape[2:]
        yield from windows(pad(images, self.shift, self.border), (height, width))

    def words(self, size: tuple[int, int]) -> str:
        """What is looked at, for people."""
        parts = []
        if self.scales:
            what = ", ".join(map(str, self.scales)) + " pixels a side"
            parts.append(
                ("four corners and the centre of the image at " if self.crops else "the whole image at ") + what
            )
        if self.shift:
            parts.append(f"moved by {self.shift} pixel{'s' if self.shift > 1 else ''} towards each corner, and unmoved")
        if self.flip:
            parts.append("mirrored and not")
        return f"{self.count(size)} views of each image: " + "; ".join(parts or ["only as it is"])

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Views:
        """The views that :meth:`to_json` described."""
        return cls(
            bool(values["flip"]),
            int(values["shift"]),
            tuple(int(side) for side in values["scales"]),
            bool(values["crops"]),
            values["border"],
        )


class ManyViews(nn.Module):
    """A network that answers with the mean of its probabilities over several views of each image.

    p_c = (1/V) Σ_v p_vc, as logits ln p_c; of values, their mean.

    Args:
        member: with the preprocessing within it; it reads raw pixels.
        views: what it looks at.
        size: (height, width) of the network's input.
    """

    def __init__(self, member: Member, views: Views, size: tuple[int, int]) -> None:
        super().__init__()
        self.member = member
        self.views = views
        self.size = size

    def each(self, images: Tensor) -> Iterator[Tensor]:
        """What is said of each view: log-probabilities (batch, classes) or values (batch, outputs)."""
        return (self.member(view) for view in self.views.of(images, self.size))

    def forward(self, images: Tensor) -> Tensor:
        """Raw pixels (batch, channels, height, width) as floats to logits (batch, classes), or values (batch, outputs)."""
        # Views may be many and large: what is said of them is small and is all that is kept.
        said = torch.stack(list(self.each(images)))
        return together(said, "mean", classes=self.member.target_scale is None)


def windows(images: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """The centre and the four corners of a batch of images, each (batch, channels, *size)."""
    high, wide = images.shape[2] - size[0], images.shape[3] - size[1]
    for top, left in ((high // 2, wide // 2), (0, 0), (0, wide), (high, 0), (high, wide)):
        yield images[:, :, top : top + size[0], left : left + size[1]]


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images brought to ``size``, bilinear; shrunk ones are smoothed first. Pixels stay within 0 to 255."""
    if tuple(images.shape[2:]) == size:
        return images
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)


def _larger(side: tuple[int, ...], size: tuple[int, int]) -> bool:
    return side[0] > size[0] or side[1] > size[1]
