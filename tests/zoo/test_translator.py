"""Encoder and decoder: padding has no part in anything, attention follows its papers, and the search finds the most probable."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from glassnet.errors import ModelError
from glassnet.translating import search
from glassnet.zoo import ZOO, Translator, build, choose

NETS = [name for name, entry in ZOO.items() if "pairs" in entry.kinds]
KINDS = ("none", "bahdanau", "luong")
CASES = [(name, kind) for name in NETS for kind in KINDS]
READS, WRITES = 12, 7


def made(name: str, attention: str) -> Translator:
    options = {"vocabulary": READS, "embed": 5, "hidden": 6, "attention": attention, "dropout": 0.0}
    net = build(name, (2, 9), WRITES, options, seed=1)
    assert isinstance(net, Translator)
    net = net.double().eval()
    with (
        torch.no_grad()
    ):  # padding must be nothing even where its vector has been written over, and beginnings must differ
        net.embed_read.table.weight[0] = 5.0
        net.embed_written.table.weight[0] = 5.0
        net.head.weight.mul_(8.0)
    return net


def pair(read: int, written: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = torch.zeros(1, 2, max(read, written), dtype=torch.int64)
    x[0, 0, :read] = torch.randint(4, READS, (read,), generator=generator)
    x[0, 1, :written] = torch.randint(4, WRITES, (written,), generator=generator)
    x[0, 1, 0] = 2
    return x


@pytest.mark.parametrize(("name", "attention"), CASES)
def test_padding_never_changes_an_answer(name, attention):
    net = made(name, attention)
    some = [pair(3, 5, 1), pair(8, 2, 2), pair(1, 4, 3)]
    together = net(torch.cat([torch.nn.functional.pad(x, (0, 11 - x.shape[2])) for x in some]))
    for row, x in zip(together, some, strict=True):
        alone = net(x)[0]
        torch.testing.assert_close(row[: len(alone)], alone)
    assert together.shape == (3, 5, WRITES)


@pytest.mark.parametrize(("name", "attention"), CASES)
def test_what_comes_later_is_not_seen_and_what_is_read_is(name, attention):
    net, x = made(name, attention), pair(6, 6)
    said = net(x)
    later, other = x.clone(), x.clone()
    later[0, 1, 4:] = 5
    other[0, 0, 2] = x[0, 0, 2] % (READS - 4) + 4
    torch.testing.assert_close(net(later)[:, :4], said[:, :4])
    assert (net(other) - said).abs().min(dim=2).values.max() > 0
    assert torch.equal(net.head(net.features(x)), said)


def test_attention_of_luong_is_that_of_the_paper():
    net, x = made("translator-gru", "luong"), pair(5, 3)
    memory = net.encode(x[:, 0])
    _, _, shares = net.say(memory, x[:, 1, :3], memory.start)
    hidden, _ = net.decoder(net.embed_written(x[:, 1, :3]), memory.start[0])
    for t in range(3):
        scores = torch.stack([hidden[0, t] @ (net.key.weight @ memory.states[0, s]) for s in range(5)])
        share = torch.softmax(scores, 0)
        torch.testing.assert_close(shares[0, t, :5], share)
        context = sum(share[s] * memory.states[0, s] for s in range(5))
        mixed = torch.tanh(net.mix.weight @ torch.cat([context, hidden[0, t]]) + net.mix.bias)
        torch.testing.assert_close(net.features(x)[0, t], mixed)


def test_attention_of_bahdanau_is_that_of_the_paper():
    net, x = made("translator-gru", "bahdanau"), pair(5, 3)
    memory = net.encode(x[:, 0])
    _, _, shares = net.say(memory, x[:, 1, :3], memory.start)
    state = memory.start[0]
    for t in range(3):
        energies = torch.stack(
            [
                net.score.weight[0] @ torch.tanh(net.query(state[0, 0]) + net.key.weight @ memory.states[0, s])
                for s in range(5)
            ]
        )
        share = torch.softmax(energies, 0)
        torch.testing.assert_close(shares[0, t, :5], share)
        context = sum(share[s] * memory.states[0, s] for s in range(5))
        vector = torch.cat([net.embed_written(x[:, 1, t : t + 1])[0, 0], context])
        _, state = net.decoder(vector[None, None], state)


@pytest.mark.parametrize(("name", "attention"), CASES)
def test_a_beam_that_is_wide_enough_finds_the_most_probable(name, attention):
    net, x = made(name, attention), pair(4, 1)
    most = 2

    @torch.no_grad()
    def log_probability(said: tuple[int, ...]) -> float:
        written = torch.tensor([[2, *said]])
        read = torch.nn.functional.pad(x[:, 0], (0, max(0, written.shape[1] - 4)))
        written = torch.nn.functional.pad(written, (0, max(0, read.shape[1] - written.shape[1])))
        logits = net(torch.stack([read, written], 1))[0, : len(said) + 1].clone()
        logs = torch.log_softmax(logits, 1)
        return sum(float(logs[t, token]) for t, token in enumerate((*said, 3)))

    every = [said for length in range(most + 1) for said in product(range(4, WRITES), repeat=length)]
    scored = {said: log_probability(said) for said in every}
    with torch.no_grad():
        (found,), score = search(net, x[:, 0], 60, most)
    assert len(found) <= most + 1
    if len(found) <= most:
        assert float(score) == pytest.approx(scored[tuple(found)], abs=1e-6)
        ranked = {said: value / ((5 + len(said)) / 6) ** 0.6 for said, value in scored.items()}
        assert ranked[tuple(found)] == pytest.approx(max(ranked.values()), abs=1e-6)
    greedy, _ = search(net, x[:, 0], 1, 5)
    step = net(torch.stack([x[:, 0], torch.tensor([[2, 0, 0, 0]])], 1))[0, 0].clone()
    step[[0, 1, 2]] = float("-inf")
    assert greedy[0][:1] == ([int(step.argmax())] if int(step.argmax()) != 3 else [])


@pytest.mark.parametrize("name", NETS)
def test_parameters_are_as_many_as_by_hand(name):
    for reference in ZOO[name].references:
        net = build(name, reference.shape, reference.outputs, reference.options)
        assert sum(p.numel() for p in net.parameters()) == reference.parameters


def test_auto_chooses_one_and_other_data_are_refused():
    assert choose("pairs", (2, 20), 5_000).name in NETS
    with pytest.raises(ModelError, match="no pairs"):
        build("translator-gru", (3, 8), 4)
