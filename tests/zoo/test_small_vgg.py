"""The small VGG-like network: its whitening, its start, its shape on images of many sizes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from glassnet.errors import DataError, UsageError
from glassnet.layers import whitening_filters
from glassnet.zoo import build


def smooth_images(count: int, channels: int, side: int) -> torch.Tensor:
    """Noise whose neighbours resemble each other, as in photographs."""
    noise = torch.randn(count, channels, side + 4, side + 4, generator=torch.Generator().manual_seed(0))
    return F.avg_pool2d(noise, 5, stride=1) * 5 + noise.mean(1, keepdim=True)[:, :, 2:-2, 2:-2]


def test_whitened_patches_are_uncorrelated_with_unit_variance():
    images = smooth_images(200, 3, 12)
    filters = whitening_filters(images, 2, eps=0)
    answers = F.conv2d(images, filters)[:, :12].double()  # (images, 12, 11, 11): the positive half
    rows = answers.permute(0, 2, 3, 1).reshape(-1, 12).numpy()
    np.testing.assert_allclose(np.cov(rows.T, bias=True), np.eye(12), atol=2e-3)
    assert torch.equal(filters[12:], -filters[:12])


def test_filters_are_the_eigenvectors_strongest_first():
    images = smooth_images(50, 1, 9)
    patches = np.lib.stride_tricks.sliding_window_view(images[:, 0].numpy(), (2, 2), axis=(1, 2)).reshape(-1, 4)
    values, vectors = np.linalg.eigh(np.cov(patches.T.astype(np.float64), bias=True))
    filters = whitening_filters(images, 2, eps=0.1)[:4].reshape(4, 4).double().numpy()
    for place in range(4):
        expected = vectors[:, 3 - place] / math.sqrt(values[3 - place] + 0.1)
        assert min(np.abs(filters[place] - expected).max(), np.abs(filters[place] + expected).max()) < 1e-5


def test_constant_images_give_finite_filters():
    assert whitening_filters(torch.ones(10, 3, 8, 8), 2, eps=5e-4).isfinite().all()


def test_values_that_are_not_finite_are_refused():
    images = smooth_images(4, 1, 8)
    images[2, 0, 3, 3] = float("nan")
    with pytest.raises(DataError, match="not finite"):
        whitening_filters(images, 2, eps=5e-4)


def test_initialise_from_sets_the_frozen_convolution_and_nothing_else():
    net = build("small-vgg", (3, 32, 32), 10, seed=0)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    images = smooth_images(40, 3, 32)
    net.initialise_from(images)
    changed = [key for key, value in net.state_dict().items() if not torch.equal(value, before[key])]
    assert changed == ["whiten.weight"]
    assert torch.equal(net.whiten.weight, whitening_filters(images, 2, 5e-4))
    assert not net.whiten.weight.requires_grad


@pytest.mark.parametrize(("channels", "trained"), [(1, False), (3, True)])
def test_biases_of_the_whitening_are_trained_for_colours_alone(channels: int, trained: bool) -> None:
    """Without them nothing has a use for the gradient of the next convolution's input, which autograd then leaves out."""
    net = build("small-vgg", (channels, 16, 16), 10, seed=0)
    assert net.whiten.bias.requires_grad is trained
    assert not net.whiten.bias.any()
    asked: list[bool] = []
    net.get_submodule("group1.conv1").register_forward_pre_hook(lambda _, args: asked.append(args[0].requires_grad))
    net(torch.randn(4, channels, 16, 16))
    assert asked == [trained]


def test_convolutions_start_as_identities():
    net = build("small-vgg", (3, 32, 32), 10, seed=0)
    x = torch.randn(1, 24, 9, 9)
    torch.testing.assert_close(net.get_submodule("group1.conv1")(x)[:, :24], x)
    y = torch.randn(1, 64, 9, 9)
    torch.testing.assert_close(net.get_submodule("group1.conv2")(y), y)


@pytest.mark.parametrize(
    ("side", "sides"),
    # the first convolution takes one pixel; then each group halves while at least 2 remain
    [
        (32, [15, 7, 3]),
        (28, [13, 6, 3]),
        (8, [3, 3, 3]),
        (16, [7, 3, 3]),
        (96, [47, 23, 11]),
        (224, [111, 55, 27, 13, 6]),
    ],
)
def test_maps_of_every_group(side, sides):
    net = build("small-vgg", (1, side, side), 10, {"width": 0.125}, seed=0).eval()
    x = net.activation(net.whiten(torch.randn(1, 1, side, side)))
    seen = []
    for stage in net.stages:
        x = net.get_submodule(stage)(x)
        seen.append(x.shape[-1])
    assert seen == sides


def test_widths():
    net = build("small-vgg", (3, 32, 32), 10, {"width": "0.5", "widths": "16,32"}, seed=0)
    assert [net.get_submodule(f"{stage}.conv2").out_channels for stage in net.stages] == [8, 16]
    assert any(
        isinstance(module, nn.ReLU) for module in build("small-vgg", (3, 9, 9), 2, {"activation": "relu"}).modules()
    )
    with pytest.raises(UsageError, match="option width"):
        build("small-vgg", (3, 32, 32), 10, {"width": "inf"}, seed=0)
    with pytest.raises(UsageError, match="at least one channel"):
        build("small-vgg", (3, 32, 32), 10, {"width": 0.001}, seed=0)


def test_first_logits_are_small():
    net = build("small-vgg", (3, 32, 32), 10, seed=0)
    images = smooth_images(64, 3, 32)
    net.initialise_from(images)
    loss = F.cross_entropy(net(images), torch.arange(64) % 10)
    assert abs(loss.item() - math.log(10)) < 0.3
