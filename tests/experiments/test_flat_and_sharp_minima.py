"""Sharpness of what small and large batches find, and the noise of a batch's gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from glassnet.experiments import flat_and_sharp_minima as experiment
from glassnet.experiments.images import Images, load_images
from glassnet.training.losses import cross_entropy


@pytest.fixture(scope="module")
def images() -> Images:
    return load_images(None, train=500)


@pytest.fixture(scope="module")
def pair(images: Images) -> dict[str, dict[str, object]]:
    return {kind: experiment.solution(images, kind, seed=11) for kind in experiment.KINDS}


def test_all_samples_at_once_end_in_a_sharper_place_at_the_same_loss(pair: dict[str, dict[str, float]]) -> None:
    small, large = pair["small"], pair["large"]
    assert small["loss"] == pytest.approx(experiment.GOAL, rel=0.15)
    assert large["loss"] == pytest.approx(experiment.GOAL, rel=0.15)
    for key in ("curvature", "rise", "box"):
        assert large[key] > 1.3 * small[key], key


def test_curvature_is_the_largest_eigenvalue_of_the_whole_hessian(images: Images) -> None:
    torch.manual_seed(0)
    net = nn.Linear(64, 3)
    samples = (images.train[0][:40].flatten(1), images.train[1][:40] % 3)
    weights = {name: value.detach().clone() for name, value in net.named_parameters()}
    flat = torch.cat([value.flatten() for value in weights.values()])

    def loss(values: torch.Tensor) -> torch.Tensor:
        return cross_entropy(samples[0] @ values[:192].view(3, 64).T + values[192:], samples[1])

    hessian = torch.autograd.functional.hessian(loss, flat)
    found = experiment.curvature(net, weights, samples, torch.Generator().manual_seed(0), rounds=200)
    assert found == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=1e-3)


def test_directions_are_as_long_as_the_weights_row_by_row_and_slices_pass_through_the_solution(images: Images) -> None:
    weights = {"w": torch.tensor([[3.0, 4.0], [0.0, 0.1]]), "b": torch.tensor([1.0, 2.0])}
    direction = experiment.normalised(weights, torch.Generator().manual_seed(0))
    assert direction["w"].norm(dim=1).tolist() == pytest.approx([5.0, 0.1])
    assert direction["b"].tolist() == [0.0, 0.0]
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    own = {name: value.detach().clone() for name, value in net.named_parameters()}
    cut = experiment.slice_along(net, own, experiment.normalised(own, torch.Generator().manual_seed(1)), images.train)
    own_loss = cross_entropy(net(images.train[0]), images.train[1]).detach()
    assert cut[experiment.POINTS // 2] == pytest.approx(float(own_loss), rel=1e-5)


def test_the_highest_loss_in_the_box_stays_in_the_box_and_rises(images: Images) -> None:
    """For a linear net with one output per class and tiny boxes the rise is near Σ room·|slope|."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    own = {name: value.detach().clone() for name, value in net.named_parameters()}
    loss = cross_entropy(net(images.train[0]), images.train[1])
    slopes = torch.autograd.grad(loss, list(net.parameters()))
    first = sum(
        float((experiment.BOX * (value.abs() + 1) * slope.abs()).sum())
        for value, slope in zip(own.values(), slopes, strict=True)
    )
    found = experiment.highest_in_box(net, own, images.train)
    assert found == pytest.approx(100 * first / (1 + float(loss.detach())), rel=0.05)


def test_the_variance_of_a_batchs_gradient_falls_like_one_over_its_size(images: Images) -> None:
    noise = experiment.gradient_noise(images, 0, batches=(2, 8, 32, 128), draws=150)
    assert noise["measured"] == pytest.approx(noise["formula"], rel=0.3)
    # from 2 to 8 samples four times less, and a little more since a batch is drawn without putting back
    assert noise["formula"][0] / noise["formula"][1] == pytest.approx(4 * 498 / 492)
    slope = math.log(noise["measured"][1] / noise["measured"][0]) / math.log(4)
    assert slope == pytest.approx(-1, abs=0.2)


def test_the_sentence_and_the_opposite(images: Images, pair: dict[str, dict[str, object]]) -> None:
    noise = experiment.gradient_noise(images, 0, batches=(2, 16), draws=40)
    outcome = experiment.judge(images, [pair, pair], noise)
    assert "in a sharper place by all three measures" in outcome.conclusion
    assert experiment.draw(outcome).figure.axes
    swapped = {"small": pair["large"], "large": pair["small"]}
    outcome = experiment.judge(images, [swapped, swapped], noise)
    assert "by 0 of three measures" in outcome.conclusion
    assert not outcome.agrees
