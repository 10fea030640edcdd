"""Local response normalisation against the paper's formula, number by number."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F

from glassnet.layer_table import layer_table
from glassnet.layers import LocalResponseNorm, lrn


def by_formula(a: torch.Tensor, n: int, alpha: float, beta: float, k: float) -> torch.Tensor:
    channels = a.shape[1]
    b = torch.empty_like(a)
    for i in range(channels):
        low, high = max(0, i - n // 2), min(channels - 1, i + n // 2)
        total = sum(a[:, j] ** 2 for j in range(low, high + 1))
        b[:, i] = a[:, i] / (k + alpha * total) ** beta
    return b


@pytest.mark.parametrize("shape", [(2, 7, 3, 4), (2, 3, 5), (1, 2, 2, 2, 2)])
@pytest.mark.parametrize(("n", "alpha", "beta", "k"), [(5, 1e-4, 0.75, 2), (3, 0.5, 0.6, 1), (4, 2.0, 0.75, 2)])
def test_formula_of_the_paper(shape, n, alpha, beta, k):
    x = 3 * torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer = LocalResponseNorm(n, alpha, beta, k)
    torch.testing.assert_close(layer(x), by_formula(x, n, alpha, beta, k), rtol=1e-12, atol=0)
    assert gradcheck(layer, x.requires_grad_())
    assert gradgradcheck(layer, x)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_batch_in_pieces_is_what_pytorch_makes_of_it(layout, dtype, monkeypatch):
    monkeypatch.setattr(lrn, "AT_ONCE", 200)  # 2 pixels of 70 channels, the last piece a smaller one
    x, d = (torch.randn(3, 70, 3, 5, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    x, d = (t.to(dtype).contiguous(memory_format=layout) for t in (10 * x, d))
    said = LocalResponseNorm()(x.requires_grad_())
    (slope,) = torch.autograd.grad(said, x, d)
    exact = x.detach().double().requires_grad_()
    wanted = F.local_response_norm(exact, 5, 5e-4, 0.75, 2.0)
    (wanted_slope,) = torch.autograd.grad(wanted, exact, d.double())
    rounding = 2**-8 if dtype == torch.bfloat16 else 2**-21
    torch.testing.assert_close(said.double(), wanted, rtol=rounding, atol=0)
    torch.testing.assert_close(slope.double(), wanted_slope, rtol=rounding, atol=rounding)
    assert said.dtype == slope.dtype == dtype
    assert said.is_contiguous(memory_format=layout)


def test_several_networks_in_one_pass():
    x = torch.randn(2, 4, 6, 3, 3, generator=torch.Generator().manual_seed(0))
    together = torch.func.vmap(LocalResponseNorm(), in_dims=1, out_dims=1)(x)
    torch.testing.assert_close(together[:, 3], LocalResponseNorm()(x[:, 3]))


def test_defaults_are_the_paper_s_and_stronger_than_pytorch_s():
    layer = LocalResponseNorm()
    assert (layer.n, layer.alpha, layer.beta, layer.k) == (5, 1e-4, 0.75, 2.0)
    x = torch.full((1, 9, 1, 1), 100.0)
    # five neighbours of 100²: the sum times α is 5, where PyTorch's mean times α is 1
    assert layer(x)[0, 4].item() == pytest.approx(100 / (2 + 5) ** 0.75, rel=1e-5)
    assert nn.LocalResponseNorm(5, k=2.0)(x)[0, 4].item() == pytest.approx(100 / (2 + 1) ** 0.75, rel=1e-5)


def test_layer_table_sees_a_pixel_alone():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), LocalResponseNorm())
    assert layer_table(net, (3, 9, 9)).rows[-1].receptive_field == (3, 3)
