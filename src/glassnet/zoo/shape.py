"""Does an input fit a network? The checks that the builders share."""

from __future__ import annotations

from glassnet.errors import ModelError


def image_shape(shape: tuple[int, ...], *, layer: str, minimum: int) -> tuple[int, int, int]:
    """The shape as (channels, height, width).

    Args:
        shape: shape of one input.
        layer: the layer that a smaller image would not fit, as ``net.layer (what it does)``.
        minimum: the smallest side that fits.

    Raises:
        ModelError: not an image, or a side below the minimum.
    """
    if len(shape) != 3:
        raise ModelError(
            "this net reads images, and these inputs are none",
            where=layer.split(".")[0],
            got=f"inputs of shape {written(shape)}",
            expected="inputs of shape channels×height×width",
            fix="choose a net that reads any shape, such as mlp",
        )
    channels, height, width = shape
    if min(height, width) < minimum:
        raise ModelError(
            "the images are too small for this net",
            where=layer,
            got=f"images of {height}×{width} pixels",
            expected=f"at least {minimum}×{minimum}",
            fix="choose a net for small inputs, such as mlp; images that are files can be brought to a larger --image-size",
        )
    return channels, height, width


def axes_of(shape: tuple[int, ...], *, net: str, what: str, axes: tuple[str, ...]) -> tuple[int, ...]:
    """The shape, if it has these axes.

    Args:
        shape: shape of one input.
        net: name of the network, for the message.
        what: what it reads, such as ``signals``.
        axes: names of the axes.

    Raises:
        ModelError: another number of axes, or an axis without positions.
    """
    if len(shape) != len(axes) or min(shape) < 1:
        raise ModelError(
            f"this net reads {what}, and these inputs are none",
            where=net,
            got=f"inputs of shape {written(shape)}",
            expected=f"inputs of shape {'×'.join(axes)}",
            fix="choose a net that reads any shape, such as mlp",
        )
    return shape


def written(shape: tuple[int, ...]) -> str:
    """``3×32×32`` for (3, 32, 32)."""
    return "×".join(map(str, shape)) or "a single number"
