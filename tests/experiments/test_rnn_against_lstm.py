"""The plain net forgets what the LSTM remembers, and the gradients through time are those of the chain rule."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from glassnet.experiments.rnn_against_lstm import (
    KINDS,
    LEARNED,
    ONE,
    OPEN,
    PLAIN,
    SYMBOLS,
    UNITS,
    Memory,
    accuracy,
    kept_per_step,
    reach,
    remember,
    sequences,
    through_time,
)


def net_of(kind: str, lag: int, seed: int = 0) -> Memory:
    torch.manual_seed(seed)
    return Memory(kind, lag, torch.Generator().manual_seed(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_lstm_learns_a_lag_of_a_hundred_where_the_plain_net_fails(seed: int) -> None:
    assert remember(OPEN, [100], 100, seed, 1_000)["accuracy"] >= LEARNED
    assert remember(PLAIN, [100], 100, seed, 300)["accuracy"] < 0.6


def test_the_lstm_learns_a_lag_of_fifty_where_the_plain_net_fails() -> None:
    solved = remember(OPEN, [50], 50, 0, 800)
    assert solved["accuracy"] >= LEARNED
    assert remember(PLAIN, [50], 50, 0, solved["steps"])["accuracy"] < 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_both_learn_a_short_lag(kind: str) -> None:
    assert remember(kind, [5], 5, 1, 500)["accuracy"] >= LEARNED


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_at_the_start_the_plain_nets_gradient_is_gone_and_the_open_gates_pass_it(seed: int) -> None:
    norms = {
        kind: through_time(net_of(kind, 100, seed), sequences(50, 100, torch.Generator().manual_seed(0)))
        for kind in KINDS
    }
    assert norms[PLAIN]["h"][0] < 1e-12 * norms[PLAIN]["h"][-1]
    assert norms[OPEN]["c"][0] > 0.01 * norms[OPEN]["c"][-1]
    assert norms[PLAIN]["h"][0] < norms[ONE]["c"][0] < 1e-3 * norms[OPEN]["c"][0]
    assert kept_per_step(norms[OPEN]["c"]) > 0.95


def test_gradients_through_time_are_those_of_the_chain_rule() -> None:
    net = net_of(PLAIN, 6).double()
    inputs, symbols = sequences(3, 6, torch.Generator().manual_seed(1))
    inputs = inputs.double()
    norms = through_time(net, (inputs, symbols))["h"]
    net.requires_grad_(requires_grad=False)
    layer = net.recurrent
    h = [torch.zeros(3, UNITS, dtype=torch.float64)]
    for t in range(7):
        h.append(
            torch.tanh(
                inputs[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0 + h[-1] @ layer.weight_hh_l0.T + layer.bias_hh_l0
            )
        )
    wrong = torch.softmax(net.head(h[-1]), 1) - F.one_hot(symbols, SYMBOLS)
    g = wrong @ net.head.weight
    by_hand = [g.norm(dim=1).mean()]
    for t in range(7, 1, -1):
        g = (g * (1 - h[t] ** 2)) @ layer.weight_hh_l0  # one step back: W·diag(g′)
        by_hand.append(g.norm(dim=1).mean())
    assert norms == pytest.approx([float(each) for each in reversed(by_hand)], rel=1e-9)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_gates_start_as_told() -> None:
    for kind, low, high in ((ONE, 1.0, 1.0), (OPEN, 0.0, 4.61)):  # ln 100 = 4.605
        layer = net_of(kind, 100).requires_grad_(requires_grad=False).recurrent
        forget = (layer.bias_ih_l0 + layer.bias_hh_l0)[UNITS : 2 * UNITS]
        assert low <= float(forget.min()) <= float(forget.max()) <= high
    together = layer.bias_ih_l0 + layer.bias_hh_l0
    assert torch.equal(together[:UNITS], -together[UNITS : 2 * UNITS])


def test_only_the_first_step_tells_the_symbol() -> None:
    inputs, symbols = sequences(2_000, 9, torch.Generator().manual_seed(0))
    assert inputs.shape == (2_000, 10, SYMBOLS)
    assert torch.equal(inputs[:, 0].argmax(1), symbols)
    assert float((inputs[:, 1:].mean(1).argmax(1) == symbols).double().mean()) == pytest.approx(1 / SYMBOLS, abs=0.05)
    assert accuracy(net_of(PLAIN, 9), (inputs, symbols)) < 0.6


def test_reach_ends_at_the_first_lag_that_is_missed() -> None:
    assert reach({2: [1.0, 1.0, 1.0], 5: [1.0, 0.98, 0.3], 10: [1.0, 0.3, 0.3], 20: [1.0, 1.0, 1.0]}) == 5
    assert reach({2: [0.3]}) == 0
