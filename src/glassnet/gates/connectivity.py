"""Sparse connectivity and weight sharing, counted against a dense layer (requirement V7)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from glassnet.gates.window import Padding, Sizes, make_window


@dataclass(frozen=True)
class Connectivity:
    """What three layers of the same inputs and outputs cost; biases are not counted.

    Operations are multiplications and additions: an output with n inputs takes n of the one and n − 1 of the other. A convolution's
    zeros of the padding count as inputs, since it multiplies them too; connections are those to real inputs.

    Attributes:
        inputs: numbers that come in.
        outputs: numbers that go out.
        connections: pairs of an input and an output that the window joins.
        dense_weights: a weight for each pair of an input and an output, joined or not.
        local_weights: a weight for each number of each window (locally connected: sparse, not shared).
        shared_weights: the kernels' weights (convolution: sparse and shared).
        dense_operations: of the dense layer.
        window_operations: of the convolution, and of the locally connected layer, which only differ in their weights.
    """

    inputs: int
    outputs: int
    connections: int
    dense_weights: int
    local_weights: int
    shared_weights: int
    dense_operations: int
    window_operations: int


def connectivity(
    size: tuple[int, ...],
    kernel: tuple[int, ...],
    *,
    channels: int = 1,
    maps: int = 1,
    stride: Sizes = 1,
    padding: Padding = 0,
) -> Connectivity:
    """Count weights and operations of a dense, a locally connected and a convolutional layer that see the same.

    Vertical edges of an image of n×n are found by subtracting each pixel's left neighbour from it. With one column of padding that is
    n² outputs: a dense layer has n⁴ weights for it, the convolution 2, and it takes 3n² operations.

    Source: Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 9.2 and figure 9.6.

    Args:
        size: of the input along the sliding dimensions.
        kernel: sides of the window.
        channels: that come in.
        maps: that go out.
        stride: from one window to the next.
        padding: zeros put around, as for :class:`~glassnet.gates.Convolution`.
    """
    window = make_window(len(size), kernel, stride, padding)
    places = prod(window.out_size(size))
    inputs, outputs = channels * prod(size), maps * places
    fan_in = channels * prod(kernel)
    inside = int(window.cut(np.ones((1, 1, *size))).sum())  # numbers of all windows that are no padding
    return Connectivity(
        inputs=inputs,
        outputs=outputs,
        connections=inside * channels * maps,
        dense_weights=inputs * outputs,
        local_weights=fan_in * outputs,
        shared_weights=fan_in * maps,
        dense_operations=(2 * inputs - 1) * outputs,
        window_operations=(2 * fan_in - 1) * outputs,
    )
