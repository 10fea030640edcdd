"""Truncated backpropagation through time: the same answers, gradients through so many steps and no more."""

from __future__ import annotations

import pytest
import torch

from glassnet.errors import UsageError
from glassnet.layers.truncated import truncated
from glassnet.zoo import build

CELLS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("most", [1, 3, 4, 50])
def test_states_are_those_of_the_whole_and_gradients_are_cut(cell, most):
    torch.manual_seed(0)
    layer = CELLS[cell](2, 5, 2, batch_first=True).double()
    steps = torch.randn(3, 11, 2, dtype=torch.float64, requires_grad=True)
    states = truncated(layer, steps, most)
    torch.testing.assert_close(states, layer(steps)[0])
    (gradient,) = torch.autograd.grad(states[:, -1].sum(), steps)
    reached = gradient.abs().sum(dim=(0, 2)) > 0
    assert reached.tolist() == [step >= 11 - most for step in range(11)], "the last step reaches so far back"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pool", ["last", "mean", "max"])
def test_nets_of_the_zoo_say_the_same_and_padding_changes_nothing(cell, pool):
    options = {"vocabulary": 20, "embed": 6, "hidden": 8, "both_ways": False, "pool": pool}
    whole = build(cell, (12,), 3, options, seed=1).eval()
    cut = build(cell, (12,), 3, {**options, "truncate": 4}, seed=1).eval()
    texts = torch.randint(1, 20, (5, 12), generator=torch.Generator().manual_seed(0))
    texts[0, 3:] = texts[1, 7:] = 0
    torch.testing.assert_close(cut(texts), whole(texts))
    torch.testing.assert_close(cut(torch.nn.functional.pad(texts, (0, 9))), whole(texts))
    signals = torch.randn(4, 3, 10)
    options = {"hidden": 8, "both_ways": False, "pool": pool}
    made = [build(cell, (3, 10), 2, {**options, "truncate": k}, seed=2).eval()(signals) for k in (0, 3)]
    torch.testing.assert_close(*made)


def test_both_ways_cannot_be_cut():
    with pytest.raises(UsageError, match="forwards alone"):
        build("lstm", (3, 10), 2, {"truncate": 5})
