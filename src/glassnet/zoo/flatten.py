"""The seam before a dense layer: the place where a network becomes bound to one size of input."""

from __future__ import annotations

from torch import Tensor, nn

from glassnet.errors import ModelError
from glassnet.zoo.shape import written


class FlattenMaps(nn.Module):
    """(batch, channels, rows, columns) → (batch, channels · rows · columns), for the one map size that the next layer fits.

    Args:
        maps: (channels, rows, columns) that come in.
        net: name of the network, for messages.
        following: path of the dense layer after it.
        image: (height, width) of the images the network was built for.
    """

    def __init__(self, maps: tuple[int, int, int], net: str, following: str, image: tuple[int, int]) -> None:
        super().__init__()
        self.maps = maps
        self.net = net
        self.following = following
        self.image = image

    @property
    def features(self) -> int:
        """Numbers that go out for one input."""
        channels, rows, columns = self.maps
        return channels * rows * columns

    def forward(self, x: Tensor) -> Tensor:
        """Flatten.

        Raises:
            ModelError: maps of another size, since the images had another size.
        """
        if tuple(x.shape[1:]) != self.maps:
            size = written(self.image)
            raise ModelError(
                f"this network was built for images of {size} pixels, and these have another size",
                where=f"{self.net}.{self.following} (dense layer with {self.features:,} inputs)",
                got=f"maps of {written(tuple(x.shape[1:]))}",
                expected=f"maps of {written(self.maps)}, from images of {size}",
                fix=f"bring the images to {size}, or choose a net with global average pooling, such as resnet18",
            )
        return x.flatten(1)

    def extra_repr(self) -> str:
        """The maps, for ``print(net)``."""
        return f"maps={written(self.maps)}"


class FlattenInputs(nn.Flatten):
    """(batch, …) → (batch, inputs), for the one number of inputs that the next layer fits.

    Args:
        inputs: numbers in one input.
        net: name of the network, for messages.
    """

    def __init__(self, inputs: int, net: str) -> None:
        super().__init__()
        self.inputs = inputs
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Flatten.

        Raises:
            ModelError: inputs of another size.
        """
        flat: Tensor = super().forward(x)
        if flat.shape[1] != self.inputs:
            raise ModelError(
                f"this network was built for inputs of {self.inputs:,} numbers, and these have another size",
                where=self.net,
                got=f"{flat.shape[1]:,} numbers, {written(tuple(x.shape[1:]))}",
                fix="bring the inputs to the size it was built for, or build it for these",
            )
        return flat
