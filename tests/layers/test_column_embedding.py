"""A vector for every column: one linear layer a column, side by side."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet import zoo
from glassnet.errors import UsageError
from glassnet.layers import ColumnEmbedding


def test_it_is_a_linear_layer_a_column() -> None:
    torch.manual_seed(0)
    columns, size = (3, 1, 4), 5
    layer = ColumnEmbedding(columns, size).double()
    x = torch.randn(6, sum(columns), dtype=torch.float64, requires_grad=True)
    expected, start = [], 0
    for column, width in enumerate(columns):
        block = x[:, start : start + width]
        expected.append(block @ layer.weight[start : start + width] + layer.bias[column])
        start += width
    out = layer(x)
    torch.testing.assert_close(out, torch.cat(expected, 1), rtol=1e-13, atol=1e-13)
    naive = torch.autograd.grad(torch.cat(expected, 1).square().sum(), [x, *layer.parameters()])
    for ours, theirs in zip(torch.autograd.grad(out.square().sum(), [x, *layer.parameters()]), naive, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_it_starts_as_a_linear_layer_of_each_columns_width_does() -> None:
    torch.manual_seed(0)
    layer = ColumnEmbedding((4, 100), 2_000)
    for block, width in ((layer.weight[:4], 4), (layer.weight[4:], 100)):
        usual = nn.Linear(width, 2_000).weight.detach()
        assert block.abs().max() <= width**-0.5
        assert block.detach().std() == pytest.approx(float(usual.std()), rel=0.05)


def test_only_numbers_that_learn_are_counted() -> None:
    assert sum(p.numel() for p in ColumnEmbedding((3, 1, 4), 5).parameters()) == 8 * 5 + 3 * 5


@pytest.mark.parametrize(("columns", "embed"), [((), 8), ((2, 1), 8), ((2, 2), -1)])
def test_what_has_no_columns_gets_no_embedding(columns: tuple[int, ...], embed: int) -> None:
    with pytest.raises(UsageError, match="embed"):
        zoo.build("mlp", (4,), 2, {"embed": embed, "columns": columns}, seed=0)


def test_a_perceptron_reads_the_embeddings() -> None:
    net = zoo.build("mlp", (4,), 2, {"embed": 3, "columns": (1, 3), "hidden": (5,)}, seed=0)
    x = torch.randn(7, 4)
    embedded = torch.relu(net.embedding.linear(x))  # type: ignore[union-attr]
    assert embedded.shape == (7, 6)
    torch.testing.assert_close(net(x), net.head(net.hidden1(embedded)))  # type: ignore[operator]
