"""Hand-made filters, against loops and against images whose answer is known, and the lectures' worked convolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from glassnet.errors import DataError, UsageError
from glassnet.layers import image_filters

IMAGE = [
    [2, 3, 4, 4, 3, 3],
    [1, 3, 3, 4, 3, 2],
    [0, 1, 2, 3, 4, 4],
    [0, 0, 1, 1, 2, 2],
    [1, 1, 2, 2, 3, 2],
    [1, 2, 3, 3, 2, 1],
]
KERNEL = [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]]


def test_worked_convolution():
    image, kernel = (torch.tensor(rows, dtype=torch.float32)[None, None] for rows in (IMAGE, KERNEL))
    inside = [[2, 3, 0, -3], [-2, 0, 4, 8], [-5, -7, -8, -8], [1, 0, 2, 3]]
    assert F.conv2d(image, kernel)[0, 0].tolist() == inside
    assert F.conv2d(image, kernel, padding=1)[0, 0].tolist() == [
        [6, 11, 12, 12, 11, 7],
        [2, 2, 3, 0, -3, -4],
        [-2, -2, 0, 4, 8, 7],
        [-3, -5, -7, -8, -8, -5],
        [1, 1, 0, 2, 3, 3],
        [4, 8, 11, 9, 5, 1],
    ]


@pytest.mark.parametrize("name", image_filters.FILTERS)
def test_every_filter_pixel_by_pixel(name):
    image = np.random.default_rng(0).normal(size=(2, 5, 7))
    kernel = np.array(image_filters.FILTERS[name])
    around = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    found = image_filters.apply(torch.from_numpy(image), name).numpy()
    for channel, i, j in np.ndindex(*image.shape):
        expected = (kernel * around[channel, i : i + 3, j : j + 3]).sum()
        assert found[channel, i, j] == pytest.approx(expected, abs=1e-6)


def test_what_each_filter_is_for():
    step = torch.tensor([[0.0, 0, 9, 9]] * 4)  # dark left, bright right
    assert image_filters.apply(step, "edge-vertical").tolist() == [[0, -27, -27, 0]] * 4
    assert not image_filters.apply(step, "edge-horizontal").any()
    assert torch.equal(image_filters.apply(step.T, "edge-horizontal"), image_filters.apply(step, "edge-vertical").T)
    assert image_filters.apply(step, "laplacian").tolist() == [[0, 9, -9, 0]] * 4
    assert torch.equal(image_filters.apply(step, "sharpen"), step - image_filters.apply(step, "laplacian"))
    assert torch.equal(image_filters.apply(step, "identity"), step)
    point = torch.zeros(5, 5)
    point[2, 2] = 16
    assert image_filters.apply(point, "gaussian-blur")[1:4, 1:4].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    torch.testing.assert_close(image_filters.apply(9 * point, "box-blur")[1:4, 1:4], torch.full((3, 3), 16.0))


@pytest.mark.parametrize("name", image_filters.FILTERS)
def test_kernels_sum_to_one_or_to_zero(name):
    total = image_filters.kernel(name).sum().item()
    assert total == pytest.approx(0 if name.startswith("edge") or name == "laplacian" else 1)


@pytest.mark.parametrize("shape", [(6, 7), (3, 6, 7), (2, 3, 6, 7), (1, 1)])
def test_shapes_and_whole_numbers(shape):
    image = torch.randint(0, 256, shape, dtype=torch.uint8)
    blurred = image_filters.apply(image, "box-blur")
    assert blurred.shape == image.shape
    assert blurred.dtype == torch.float32
    assert torch.equal(image_filters.apply(image, "identity"), image.float())
    constant = torch.full(shape, 7, dtype=torch.uint8)
    torch.testing.assert_close(image_filters.apply(constant, "gaussian-blur"), constant.float())  # no dark border


def test_what_cannot_be_meant():
    with pytest.raises(UsageError, match="did you mean 'sharpen'"):
        image_filters.apply(torch.zeros(4, 4), "sharp")
    for shape in ((4,), (1, 1, 1, 4, 4), (0, 4, 4)):
        with pytest.raises(DataError, match="no image"):
            image_filters.apply(torch.zeros(shape), "sharpen")
