"""Networks that tag: padding never changes an answer, each word has its own, and neighbours count."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glassnet.errors import ModelError, UsageError
from glassnet.layer_table import layer_table
from glassnet.training.losses import EveryStep, cross_entropy
from glassnet.zoo import ZOO, build, choose

SIZES = {"words": 30, "ends": 12, "shapes": 6}
NETS = [name for name, entry in ZOO.items() if "tags" in entry.kinds]
CASES = [
    *((name, {}) for name in NETS),
    ("tag-lstm", {"layers": 2, "both_ways": False}),
    ("tag-cnn", {"window": 4, "layers": 1}),
]


def made(name, options, seed=1):
    net = build(name, (12, 3), 4, {**SIZES, **options}, seed=seed)
    with torch.no_grad():  # padding must be nothing even where its vector has been written over
        for module in net.modules():
            if isinstance(module, nn.Embedding):
                module.weight[0] = 5.0
    return net.eval()


def sentences(*lengths):
    generator = torch.Generator().manual_seed(3)
    return [
        torch.stack([torch.randint(1, size, (length,), generator=generator) for size in SIZES.values()], dim=1)
        for length in lengths
    ]


def padded(some, to):
    return torch.stack([torch.nn.functional.pad(one, (0, 0, 0, to - len(one))) for one in some])


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_padding_never_changes_an_answer(name, options):
    net, some = made(name, options), sentences(1, 2, 5, 9, 12)
    alone = [net(one[None])[0] for one in some]
    assert torch.cat(alone).std(0).min() > 1e-4, "words are told apart, else nothing is tested"
    for to in (12, 13, 40):
        for own, among, one in zip(alone, net(padded(some, to)), some, strict=True):
            torch.testing.assert_close(among[: len(one)], own, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_contract(name, options):
    net, x = made(name, options), padded(sentences(3, 12, 7), 12)
    assert net(x).shape == (3, 12, 4)
    assert torch.equal(net.head(net.features(x)), net(x))
    assert all(isinstance(net.get_submodule(stage), nn.Module) for stage in net.stages)
    assert net(torch.zeros(2, 5, 3, dtype=torch.int64)).isfinite().all(), "a sentence of padding alone"
    assert str(layer_table(net, (12, 3), torch.int64))


@pytest.mark.parametrize("name", NETS)
def test_neighbours_count_and_a_word_dropped_is_unknown(name):
    net, (one,) = made(name, {}), sentences(6)
    other = one.clone()
    other[3] = one[3] % 5 + 1
    first, second = net(one[None])[0], net(other[None])[0]
    assert not torch.allclose(first[2], second[2], atol=1e-5)
    assert not torch.allclose(first[4], second[4], atol=1e-5)
    nothing = made(name, {"word_dropout": 1 - 1e-9, "dropout": 0.0}).train()
    unknown = one.clone()
    unknown[:, 0] = 1
    torch.testing.assert_close(nothing(one[None]), nothing.eval()(unknown[None]), rtol=1e-4, atol=1e-5)


def test_a_forward_net_does_not_see_what_comes():
    net, (one,) = made("tag-gru", {"both_ways": False}), sentences(6)
    other = one.clone()
    other[4:] = one[4:] % 5 + 1
    torch.testing.assert_close(net(one[None])[0, :4], net(other[None])[0, :4])


def test_the_loss_is_the_mean_over_all_words():
    logits, lengths = torch.randn(3, 5, 4, dtype=torch.float64), (2, 5, 1)
    targets = torch.full((3, 5), -100)
    total = 0.0
    for row, length in enumerate(lengths):
        targets[row, :length] = torch.arange(length) % 4
        for step in range(length):
            total -= float(logits[row, step].log_softmax(0)[step % 4])
    assert float(EveryStep(cross_entropy)(logits, targets)) == pytest.approx(total / sum(lengths))


@pytest.mark.parametrize("name", NETS)
def test_known_parameter_counts(name):
    for reference in ZOO[name].references:
        net = build(name, reference.shape, reference.outputs, reference.options, seed=0)
        # padding's row of each table is none of those that learn, but is counted by torch
        assert sum(p.numel() for p in net.parameters()) == reference.parameters


def test_refusals():
    with pytest.raises(ModelError, match="tags the words of sentences"):
        build("tag-gru", (3, 32, 32), 10)
    with pytest.raises(UsageError, match="1 or more"):
        build("tag-cnn", (12, 3), 4, {**SIZES, "window": 0})
    with pytest.raises(UsageError, match="below 1"):
        build("tag-lstm", (12, 3), 4, {**SIZES, "word_dropout": 1.0})
    assert choose("tags", (12, 3), 1000).name == "tag-gru"
