"""Convolution beats the perceptron and the perceptron the linear classifier, at costs that can be counted by hand."""

from __future__ import annotations

import pytest
import torch

from glassnet.experiments import lenet5_and_rivals as experiment
from glassnet.experiments.images import Images, load_images


@pytest.fixture(scope="module")
def letters() -> Images:
    return load_images("letters", train=600, test=960)


def wrong(images: Images, name: str, epochs: int = 12, seeds: int = 3) -> int:
    """Mistakes of a few nets that differ in their seeds, since that of one says little."""
    said = [experiment._net(name, images, epochs, seed=seed)[0] for seed in range(seeds)]
    return sum(int((each != images.test[1]).sum()) for each in said)


def test_lenet5_errs_less_than_the_perceptron_and_the_linear_classifier(letters: Images) -> None:
    linear, five = wrong(letters, "linear"), wrong(letters, "LeNet-5")
    assert five < wrong(letters, "MLP 300")
    assert five < 0.7 * linear


def test_costs_are_those_counted_by_hand(letters: Images) -> None:
    _, cost, kept = experiment._net("linear", letters, 1, seed=0)
    assert (cost, kept) == (7_840, 7_850)
    _, cost, kept = experiment._net("LeNet-5", letters, 1, seed=0)
    # 28²·6·25 + 10²·16·150 + 400·120 + 120·84 + 84·10
    assert (cost, kept) == (117_600 + 240_000 + 48_000 + 10_080 + 840, 61_706)
    _, cost, kept = experiment._memory(experiment.KNN, letters)
    assert cost == kept == 600 * 784


def test_nearest_neighbours_are_those_of_a_plain_search(letters: Images) -> None:
    said, _, _ = experiment._memory(experiment.KNN, letters)
    near = torch.cdist(letters.test[0].flatten(1)[:200], letters.train[0].flatten(1)).topk(3, largest=False).indices
    votes = letters.train[1][near]
    clear = (votes.mode(1).values[:, None] == votes).sum(1) >= 2
    assert torch.equal(said[:200][clear], votes.mode(1).values[clear])


def test_figures_are_judged_on_the_references_data_alone() -> None:
    found = {
        name: {"wrong": 100.0, "seconds": 1.0, "multiply_adds": 1e5, "kept": 1e4, "classes": 10}
        for name in (*experiment.NETS, *experiment.MEMORIES)
    }
    few = torch.zeros(1_000, 1, 28, 28), torch.zeros(1_000)
    other = experiment.judge(Images("letters", 10, few, few, few), found)
    assert all(row.agrees is None for row in other.rows[:8])
    many, test = (torch.zeros(count, 1) for count in experiment.SIZE)
    mnist = experiment.judge(Images("mnist", 10, (many, many), few, (test, test)), found)
    assert {row.what: row.agrees for row in mnist.rows[:8]} == {
        f"{name}: test error": 0.5 <= 1.0 / known <= 2
        for name, known in ({name: entry[3] for name, entry in experiment.NETS.items()} | experiment.MEMORIES).items()
    }
    assert not mnist.agrees  # equally many errors are no lead


def test_small_pictures_are_enlarged() -> None:
    digits = experiment.enlarged(load_images(None))
    assert digits.shape == (1, 28, 28)
