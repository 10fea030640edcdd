"""Networks that say what comes next: the state goes on from batch to batch, and the gradient does not."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from glassnet.errors import ModelError
from glassnet.layers.carried import carried_of, carry, carrying_on
from glassnet.training.measure.restoring import untouched
from glassnet.zoo import ZOO, LanguageNet, build, choose

NETS = [name for name, entry in ZOO.items() if "stream" in entry.kinds]
WORDS = 20


def made(name: str, **options: object) -> LanguageNet:
    small = {"vocabulary": WORDS, "hidden": 9, "embed": 5, "layers": 2, "dropout": 0.0}
    net = build(name, (6,), WORDS, {**small, **options}, seed=1)
    assert isinstance(net, LanguageNet)
    return net.double()


def text(rows: int = 3, length: int = 18) -> Tensor:
    return torch.randint(2, WORDS, (rows, length), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("training", [True, False])
def test_reading_in_pieces_is_reading_in_one_go(name, training):
    net, x = made(name).train(training), text()
    x[:, 0] = 0
    with torch.no_grad():
        whole = copy.deepcopy(net).eval()(x)
        if training:
            pieces = torch.cat([net(piece) for piece in x.split(6, 1)], 1)
        else:
            with carrying_on(net):
                pieces = torch.cat([net(piece) for piece in x.split(6, 1)], 1)
    torch.testing.assert_close(pieces, whole)
    assert (pieces[:, 6:12] - net.eval()(x[:, 6:12])).abs().max() > 1e-4, "without the state it says something else"


@pytest.mark.parametrize("name", NETS)
def test_a_row_that_begins_anew_forgets_and_its_neighbours_do_not(name):
    net, x = made(name).train(), text()
    with torch.no_grad():
        net(x[:, :6])
        later = x[:, 6:12].clone()
        later[1, 0] = 0
        said = net(later)
        alone = made(name).eval()(later)
    torch.testing.assert_close(said[1], alone[1])
    assert (said[0] - alone[0]).abs().max() > 1e-4


@pytest.mark.parametrize("name", NETS)
def test_the_gradient_ends_at_the_beginning_of_its_own_batch(name):
    net, x = made(name).train(), text()
    net(x[:, :6])
    before = net.carried.clone()
    assert not net.carried.requires_grad
    net.zero_grad()
    net(x[:, 6:12]).sum().backward()
    found = {key: p.grad.clone() for key, p in net.named_parameters() if p.grad is not None}
    net.carried = before
    net.zero_grad()
    net(x[:, 6:12]).sum().backward()
    assert all(torch.equal(found[key], p.grad) for key, p in net.named_parameters())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NETS)
def test_what_is_carried_is_saved_apart_from_the_weights_and_put_back_by_looks(name):
    net, x = made(name).train(), text()
    net(x[:, :6])
    assert not any("carried" in key for key in net.state_dict())
    kept = carried_of(net)
    with untouched(net), torch.no_grad():
        net(x[:, 6:12])
        net(x[:2, :6])
    assert torch.equal(net.carried, kept[""])
    with carrying_on(net.eval()):
        net(x[:1])
    assert torch.equal(net.carried, kept[""])
    other = made(name)
    carry(other, kept)
    with torch.no_grad():
        assert torch.equal(other.train()(x[:, 6:12]), net.train()(x[:, 6:12]))


@pytest.mark.parametrize("name", NETS)
def test_in_evaluation_two_calls_say_the_same_and_rows_do_not_matter_to_each_other(name):
    net, x = made(name).eval(), text()
    torch.testing.assert_close(net(x), net(x))
    torch.testing.assert_close(net(x)[:1], net(x[:1]))
    torch.testing.assert_close(net(x)[:, :7], net(x[:, :7]), msg="what comes later does not matter")
    assert torch.equal(net.head(net.features(x)), net(x))


@pytest.mark.parametrize("name", NETS)
def test_parameters_are_as_many_as_by_hand(name):
    for reference in ZOO[name].references:
        net = build(name, reference.shape, reference.outputs, reference.options)
        assert sum(p.numel() for p in net.parameters()) == reference.parameters


def test_the_forget_gate_begins_open():
    net = made("language-lstm")
    gates = net.recurrent.bias_ih_l0 + net.recurrent.bias_hh_l0
    assert bool((gates[9:18] == 1).all())


def test_auto_chooses_one_and_other_data_are_refused():
    assert choose("stream", (100,), 10_000).name in NETS
    with pytest.raises(ModelError, match="comes next"):
        build("language-gru", (3, 8), 4)
