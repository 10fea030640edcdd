"""Networks for sequences: padding never changes an answer, cells follow their formulas, and what they are told they say."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from glassnet.errors import ModelError, UsageError
from glassnet.layer_table import layer_table
from glassnet.zoo import ZOO, build, choose

WORDS = 30
TEXT_NETS = [name for name, entry in ZOO.items() if "text" in entry.kinds]
CASES = [(name, {}) for name in TEXT_NETS] + [
    ("lstm", {"pool": "last", "layers": 2}),
    ("gru", {"pool": "mean", "both_ways": False}),
    ("lstm", {"pool": "max"}),
    ("rnn", {"pool": "last", "both_ways": False}),
    ("text-cnn", {"windows": (2, 7)}),
    ("text-bag", {"buckets": 0}),
]


def made(name: str, options: dict[str, object], seed: int = 1) -> nn.Module:
    net = build(name, (12,), 4, {"vocabulary": WORDS, **options}, seed=seed)
    with torch.no_grad():  # padding must be nothing even where its vector has been written over
        for module in net.modules():
            if isinstance(module, nn.Embedding):
                module.weight[0] = 5.0
    return net.eval()


def texts(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randint(1, WORDS, (length,), generator=generator) for length in lengths]


def padded(sequences: list[Tensor], to: int) -> Tensor:
    return torch.stack([torch.nn.functional.pad(one, (0, to - len(one))) for one in sequences])


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_padding_never_changes_an_answer(name, options):
    net, some = made(name, options), texts(1, 2, 5, 9, 12)
    alone = torch.cat([net(one[None]) for one in some])
    assert alone.std(0).min() > 1e-4, "texts are told apart, else nothing is tested"
    for to in (12, 13, 40):
        torch.testing.assert_close(net(padded(some, to)), alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_contract_of_the_zoo(name, options):
    net, x = made(name, options), padded(texts(3, 12, 7), 12)
    assert net(x).shape == (3, 4)
    assert torch.equal(net.head(net.features(x)), net(x))
    assert all(isinstance(net.get_submodule(stage), nn.Module) for stage in net.stages)
    assert net(torch.zeros(2, 5, dtype=torch.int64)).isfinite().all(), "a text of padding alone"
    assert all(torch.equal(a, b) for a, b in zip(made(name, options).parameters(), net.parameters(), strict=True))
    net.train()(x).square().sum().backward()
    assert [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_the_last_state_of_both_directions_is_read_at_the_true_ends():
    net, (text,) = made("gru", {"pool": "last"}), texts(6)
    states, _ = net.recurrent(net.embed(text[None]))
    half = states.shape[2] // 2
    expected = torch.cat([states[:, -1, :half], states[:, 0, half:]], dim=1)
    torch.testing.assert_close(net.features(padded([text], 11)), expected)


def test_lstm_follows_the_formulas_of_its_docstring_in_float64():
    net = build("lstm", (3, 5), 2, {"hidden": 4, "both_ways": False, "pool": "last"}, seed=0).double().eval()
    x = torch.randn(1, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    u, w = net.recurrent.weight_ih_l0, net.recurrent.weight_hh_l0
    b = net.recurrent.bias_ih_l0 + net.recurrent.bias_hh_l0
    assert torch.equal(b[4:8], torch.ones(4, dtype=torch.float64)), "forget gates begin at 1"
    h, c = torch.zeros(4, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
    for t in range(5):
        i, f, z, q = (u @ x[0, :, t] + w @ h + b).split(4)
        c = z.tanh() * i.sigmoid() + c * f.sigmoid()
        h = c.tanh() * q.sigmoid()
    torch.testing.assert_close(net.features(x)[0], h)


def test_elman_follows_its_formula():
    net = build("rnn", (3, 5), 2, {"hidden": 4, "both_ways": False, "pool": "last"}, seed=0).double().eval()
    x = torch.randn(1, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    h = torch.zeros(4, dtype=torch.float64)
    cell = net.recurrent
    for t in range(5):
        h = (cell.bias_ih_l0 + cell.bias_hh_l0 + cell.weight_hh_l0 @ h + cell.weight_ih_l0 @ x[0, :, t]).tanh()
    torch.testing.assert_close(net.features(x)[0], h)


def test_convolution_over_words_is_the_naive_loop():
    net, (text,) = made("text-cnn", {"windows": (3,), "maps": 2}), texts(6)
    words = torch.cat([torch.zeros(1, 128), net.embed(text[None])[0], torch.zeros(1, 128)])
    weight, bias = net.maps[0].weight, net.maps[0].bias
    values = torch.stack([(weight * words[t : t + 3].T).sum((1, 2)) + bias for t in range(6)])
    torch.testing.assert_close(net.features(text[None])[0], values.clamp_min(0).amax(0))


def test_bag_is_the_mean_of_words_and_pairs():
    net, (text,) = made("text-bag", {"buckets": 50}), texts(4)
    vectors = [net.embed.table.weight[w] for w in text]
    vectors += [net.pairs.table.weight[(int(a) * 1_000_003 + int(b)) % 50 + 1] for a, b in pairwise(text)]
    torch.testing.assert_close(net.features(text[None])[0], torch.stack(vectors).mean(0))


def test_layer_table_reads_tokens():
    table = layer_table(made("lstm", {}), (12,), torch.int64)
    assert table.failed is None
    assert "head" in table.text(100)


def test_what_is_no_text_is_refused_in_words():
    for name in ("text-cnn", "text-bag", "lstm"):
        with pytest.raises(ModelError, match="these inputs are none"):
            build(name, (14,), 2)
    with pytest.raises(UsageError, match="1 or more"):
        build("gru", (12,), 2, {"vocabulary": 9, "hidden": 0})
    assert choose("text", (12,), 100).name in TEXT_NETS


@pytest.mark.parametrize("name", TEXT_NETS)
def test_learns_eight_texts_by_heart(name):
    net, x = build(name, (12,), 4, {"vocabulary": WORDS, "dropout": 0.0}, seed=1), padded(texts(*range(4, 12)), 12)
    targets = torch.arange(8) % 4
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), targets)
        loss.backward()
        optimizer.step()
    assert loss < 0.1


@pytest.mark.parametrize("name", TEXT_NETS)
def test_dropout_of_text_nets_acts_in_training_alone(name):
    x = padded(texts(5, 9), 12)
    net, plain = (build(name, (12,), 4, {"vocabulary": WORDS, "dropout": share}, seed=1) for share in (0.5, 0))
    assert torch.equal(net.eval()(x), plain.eval()(x))
    assert not torch.equal(net.train()(x), net(x))
    with pytest.raises(UsageError, match="option dropout"):
        build(name, (12,), 4, {"vocabulary": WORDS, "dropout": 1.0})
