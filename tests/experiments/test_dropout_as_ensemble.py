"""The rule of scaled weights against all thinned nets, and against some."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn

from glassnet.experiments import dropout_as_ensemble as experiment
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import Samples


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(None, train=experiment.SAMPLES)


@pytest.fixture(scope="module")
def noisy(images: Images) -> Samples:
    return experiment.mislabelled(images, 0)


def test_with_one_hidden_layer_the_rule_is_the_geometric_mean_and_with_two_it_is_not(
    images: Images, noisy: Samples
) -> None:
    one = experiment.all_of(images, noisy, "6", seed=1, epochs=20)
    two = experiment.all_of(images, noisy, "3,3", seed=1, epochs=20)
    assert len(one["nets"]) == len(two["nets"]) == 64
    assert one["difference"] < 1e-14
    assert one["arithmetic"] > 1e-3
    assert two["difference"] > 1e-4


def test_all_thinned_nets_by_pytorchs_own_dropout(images: Images, noisy: Samples) -> None:
    """Two units: the four nets that nn.Dropout can draw, by hand from the weights."""
    net, _ = experiment.trained(images, noisy, 0.5, 2, 5, {"hidden": "2", "activation": "tanh"})
    net = net.double()
    x = images.test[0][:5].double()
    hidden = net.get_submodule("hidden1.linear")(x.flatten(1)).tanh()
    head = net.get_submodule("head")
    assert isinstance(head, nn.Linear)
    masks = [torch.tensor(mask, dtype=torch.float64) for mask in product((0.0, 2.0), repeat=2)]
    logs = [(hidden * mask @ head.weight.T + head.bias).log_softmax(1) for mask in masks]
    geometric = torch.stack(logs).mean(0).exp()
    assert torch.allclose(geometric / geometric.sum(1, keepdim=True), net.eval()(x).softmax(1), atol=1e-14)
    net.train()
    drawn = {tuple(round(value, 9) for value in net(x)[0].log_softmax(0).tolist()) for _ in range(60)}
    assert drawn == {tuple(round(value, 9) for value in each[0].tolist()) for each in logs}


def test_dropout_closes_the_gap_and_many_thinned_nets_come_to_the_rule(images: Images, noisy: Samples) -> None:
    found = experiment.sampled(images, noisy, seed=20, nets=60)
    _, plain = experiment.trained(images, noisy, 0.0, 20)
    assert plain["train"] < 0.02
    assert plain["test"] > found["test"] + 0.03
    assert found["test"] - found["train"] < 0.5 * (plain["test"] - plain["train"])
    assert found["one"] > found["test"] + 0.03
    for curve in found["errors"].values():
        assert abs(curve[-1] - found["test"]) < 0.03
        assert curve[0] > curve[-1]


def test_a_fifth_of_the_labels_is_wrong(images: Images, noisy: Samples) -> None:
    share = float((noisy[1] != images.train[1]).double().mean())
    assert share == pytest.approx(experiment.WRONG, abs=0.06)
    assert noisy[1].min() >= 0
    assert noisy[1].max() < 10


def test_the_sentence_and_the_picture(images: Images, noisy: Samples) -> None:
    counted = {name: experiment.all_of(images, noisy, hidden, 0, 10) for name, hidden in (("one", "4"), ("two", "2,2"))}
    pairs = [experiment.sampled(images, noisy, seed, epochs=30, nets=10) for seed in (0, 1)]
    plain = [experiment.trained(images, noisy, 0.0, seed, 30)[1] for seed in (0, 1)]
    outcome = experiment.judge(images, counted, pairs, plain)
    assert "the geometric mean of all" in outcome.conclusion
    assert experiment.draw(outcome).figure.axes
