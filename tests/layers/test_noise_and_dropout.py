"""Layers that are random in training: their distributions there, and what they do at test."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import UsageError
from glassnet.layers import ClassicDropout, GaussianNoise

COUNT = 200_000


def test_noise_has_the_spread_and_no_mean():
    torch.manual_seed(0)
    layer, x = GaussianNoise(0.3), torch.full((COUNT,), 2.0)
    noise = layer(x) - x
    assert noise.std().item() == pytest.approx(0.3, rel=4 / (2 * COUNT) ** 0.5)
    assert abs(noise.mean().item()) < 4 * 0.3 / COUNT**0.5
    # A normal distribution lies within one σ in 68.27 % and within two in 95.45 %.
    assert (noise.abs() < 0.3).float().mean().item() == pytest.approx(0.6827, abs=0.005)
    assert (noise.abs() < 0.6).float().mean().item() == pytest.approx(0.9545, abs=0.003)
    assert torch.equal(layer.eval()(x), x)


def test_noise_lets_the_gradient_pass():
    x = torch.randn(5, requires_grad=True)
    GaussianNoise(1.0)(x).sum().backward()
    assert torch.equal(x.grad, torch.ones(5))


@pytest.mark.parametrize("keep", [0.5, 0.8])
def test_classic_dropout_keeps_with_probability_keep_and_scales_at_test(keep):
    torch.manual_seed(0)
    layer, x = ClassicDropout(keep), torch.full((COUNT,), 2.0)
    dropped = layer(x)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}  # nothing is enlarged
    assert (dropped > 0).float().mean().item() == pytest.approx(keep, abs=4 * (keep * (1 - keep) / COUNT) ** 0.5)
    assert torch.equal(layer.eval()(x), keep * x)


def test_expected_activation_is_equal_in_both_modes_for_both_kinds():
    torch.manual_seed(0)
    keep, x = 0.7, torch.full((COUNT,), 2.0)
    for layer, level in ((ClassicDropout(keep), keep * 2.0), (nn.Dropout(1 - keep), 2.0)):
        error = 4 * level * ((1 - keep) / keep / COUNT) ** 0.5
        assert layer.train()(x).mean().item() == pytest.approx(level, abs=error)
        assert layer.eval()(x).mean().item() == pytest.approx(level, rel=1e-5)


def test_classic_is_keep_times_inverted_for_the_same_draw():
    x = torch.randn(1000)
    torch.manual_seed(1)
    classic = ClassicDropout(0.6)(x)
    torch.testing.assert_close(classic[classic != 0], x[classic != 0])
    torch.manual_seed(1)
    kept = torch.empty(1000).bernoulli_(0.6)
    torch.testing.assert_close(classic, 0.6 * (x * kept / 0.6))


def test_gradient_passes_where_the_number_stayed():
    torch.manual_seed(2)
    x = torch.ones(100, requires_grad=True)
    out = ClassicDropout(0.5)(x)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


def test_impossible_arguments():
    for keep in (0.0, -0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="probability to keep"):
            ClassicDropout(keep)
    for std in (-0.1, float("nan")):
        with pytest.raises(UsageError, match="standard deviation"):
            GaussianNoise(std)
