"""The network that is taken when nobody chooses."""

from __future__ import annotations

import pytest
import torch

from glassnet.zoo import build, choose


@pytest.mark.parametrize(
    ("kind", "shape", "samples", "name"),
    [
        ("image", (1, 28, 28), 54_000, "small-vgg"),
        ("image", (1, 8, 8), 1_400, "small-vgg"),
        ("image", (3, 96, 96), 300, "small-vgg"),
        ("image", (3, 7, 40), 300, "mlp"),
        ("table", (105,), 30_000, "mlp"),
        ("table", (11,), 1_000, "mlp"),
        ("array", (4, 9, 9), 1_000, "mlp"),
        ("array", (6, 120), 1_000, "conv1d"),
        ("array", (1, 16_000), 1_000, "conv1d"),
        ("array", (6, 7), 1_000, "mlp"),
        ("array", (1, 8, 12, 12), 1_000, "conv3d"),
        ("array", (1, 3, 12, 12), 1_000, "mlp"),
        ("array", (50,), 1_000, "mlp"),
    ],
)
def test_choice_fits_the_data_and_says_why(kind, shape, samples, name):
    chosen, options, reason = choose(kind, shape, samples)
    assert chosen == name
    assert f"{samples:,}" in reason
    net = build(chosen, shape, 10, options, seed=0)
    assert net(torch.randn(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize(("kind", "shape"), [("image", (3, 32, 32)), ("table", (20,))])
def test_fewer_samples_never_get_a_larger_net(kind, shape):
    sizes = []
    for samples in (100, 1_000, 3_000, 10_000, 50_000):
        name, options, _ = choose(kind, shape, samples)
        sizes.append(sum(p.numel() for p in build(name, shape, 10, options, seed=0).parameters()))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] or kind == "table"
