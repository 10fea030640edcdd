"""Truncated backpropagation through time: the same states, gradients through so many steps and no more; and answers behind every step."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from glassnet.layers.through_time import cut_gradients, in_pieces
from glassnet.training.losses import cross_entropy, squared, with_steps
from glassnet.zoo import build

CELLS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
FORWARDS = {"vocabulary": 20, "embed": 6, "hidden": 8, "both_ways": False, "dropout": 0.0}


def texts() -> torch.Tensor:
    made = torch.randint(1, 20, (5, 12), generator=torch.Generator().manual_seed(0))
    made[0, 3:] = made[1, 7:] = 0
    return made


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("most", [1, 3, 4, 50])
def test_states_are_those_of_the_whole_and_gradients_are_cut(cell, most):
    torch.manual_seed(0)
    layer = CELLS[cell](2, 5, 2, batch_first=True).double()
    steps = torch.randn(3, 11, 2, dtype=torch.float64, requires_grad=True)
    states = in_pieces(layer, steps, most)
    torch.testing.assert_close(states, layer(steps)[0])
    (gradient,) = torch.autograd.grad(states[:, -1].sum(), steps)
    reached = gradient.abs().sum(dim=(0, 2)) > 0
    assert reached.tolist() == [step >= 11 - most for step in range(11)], "the last step reaches so far back"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pool", ["last", "mean", "max"])
def test_nets_of_the_zoo_say_the_same_and_padding_changes_nothing(cell, pool):
    whole = build(cell, (12,), 3, {**FORWARDS, "pool": pool}, seed=1)
    cut = build(cell, (12,), 3, {**FORWARDS, "pool": pool}, seed=1)
    assert cut_gradients(cut, 4) == 1
    torch.testing.assert_close(cut(texts()), whole(texts()))
    torch.testing.assert_close(cut(F.pad(texts(), (0, 9))), whole(texts()))
    signals = torch.randn(4, 3, 10)
    whole, cut = (build(cell, (3, 10), 2, {"both_ways": False, "pool": pool, "dropout": 0.0}, seed=2) for _ in range(2))
    cut_gradients(cut, 3)
    torch.testing.assert_close(cut(signals), whole(signals))
    signals.requires_grad_()
    reached = [torch.autograd.grad(net(signals).sum(), signals)[0].abs().sum(dim=(0, 1)) > 0 for net in (cut, whole)]
    assert reached[1].all()
    assert not reached[0].all() or pool != "last"
    (finished,) = torch.autograd.grad(cut.eval()(signals).sum(), signals)
    assert (finished.abs().sum(dim=(0, 1)) > 0).all(), "what is explained of a finished net goes through all steps"


def test_a_net_without_steps_has_nothing_to_cut():
    assert cut_gradients(build("mlp", (3, 10), 2, {}, seed=0), 5) == 0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("piece", [0, 5])
def test_the_loss_at_every_step_is_that_of_a_naive_loop(cell, piece):
    """Each text is read from its beginning to every one of its steps, by itself, without padding."""
    net = build(cell, (12,), 3, FORWARDS, seed=3).double()
    net.says_steps = True
    cut_gradients(net, piece)
    wanted = torch.tensor([0, 2, 1, 1, 0])
    outputs = net.train()(texts())
    loss = with_steps(cross_entropy)(outputs, wanted)
    net.eval()
    total, steps = torch.zeros((), dtype=torch.float64), 0
    for text, label in zip(texts(), wanted, strict=True):
        for end in range(1, int((text != 0).sum()) + 1):
            total = total + F.cross_entropy(net(text[None, :end]), label[None])
            steps += 1
    assert steps == 3 + 7 + 3 * 12
    torch.testing.assert_close(loss, total / steps)
    torch.testing.assert_close(outputs[0], net(texts()), msg="the answer is that of the last step")
    if not piece:
        own = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True)
        naive = torch.autograd.grad(total / steps, list(net.parameters()), allow_unused=True)
        for one, other in zip(own, naive, strict=True):
            torch.testing.assert_close(one, other)
    torch.testing.assert_close(with_steps(cross_entropy)(net(texts()), wanted), cross_entropy(net(texts()), wanted))


def test_the_loss_at_every_step_of_signals_and_values():
    net = build("gru", (3, 10), 2, {"both_ways": False, "dropout": 0.0}, seed=2)
    net.says_steps = True
    signals, wanted = torch.randn(4, 3, 10), torch.randn(4, 2)
    loss = with_steps(squared)(net(signals), wanted)
    net.eval()
    naive = torch.stack([squared(net(signals[:, :, :end]), wanted) for end in range(1, 11)]).mean()
    torch.testing.assert_close(loss, naive)
