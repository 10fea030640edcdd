"""Which layers are kept, frozen and anew in each way; earlier layers say more than the top ones about other classes."""

from __future__ import annotations

from statistics import fmean

import pytest
import torch
from torch import nn

from glassnet.experiments import transfer_by_four_cases as experiment
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.transfer_by_four_cases import ADVICE, ALL, DEPTHS, LAST, NEW, TOP, WAYS


@pytest.fixture(scope="module")
def letters() -> Images:
    return load_images("letters")


@pytest.fixture(scope="module")
def source(letters: Images) -> nn.Module:
    net, accuracy = experiment.source_net(letters, 0, 300)
    assert accuracy > 0.95
    return net


def test_all_depths_together_say_more_than_the_top_alone(letters: Images, source: nn.Module) -> None:
    shares: dict[str, list[float]] = {TOP: [], DEPTHS: []}
    for case in ADVICE:
        train, test = experiment.target(letters, case, 0)
        for way, found in shares.items():
            found.append(experiment.right(way, source, train, test, 0, 1))
    assert fmean(shares[DEPTHS]) > fmean(shares[TOP]) + 0.05


def test_each_way_trains_what_it_says(letters: Images, source: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, nn.Module] = {}

    def note(net: nn.Module, *_: object) -> None:
        kept["net"] = net

    monkeypatch.setattr(experiment, "_train", note)
    train, test = experiment.target(letters, "few, similar", 0)
    for way, frozen, equal in ((LAST, {"block1", "block2"}, True), (ALL, set(), True), (NEW, set(), False)):
        experiment.right(way, source, train, test, 0, 1)
        net = kept["net"]
        assert {name.split(".")[0] for name, p in net.named_parameters() if not p.requires_grad} == frozen
        same = torch.equal(net.get_submodule("dense2.0").weight, source.get_submodule("dense2.0").weight)  # type: ignore[arg-type]
        assert same is equal
        assert not torch.equal(net.head.weight, source.head.weight)  # type: ignore[arg-type, union-attr]


def test_targets_are_of_other_classes_and_as_many_as_said(letters: Images) -> None:
    for case, each in (("few, similar", experiment.FEW), ("many, different", experiment.MANY)):
        train, _ = experiment.target(letters, case, 3)
        assert torch.bincount(train[1]).tolist() == [each] * 5
    similar, _ = experiment.target(letters, "few, similar", 3)
    for picture, label in zip(*similar, strict=True):
        place = (letters.train[0] == picture).flatten(1).all(1).nonzero()[0, 0]
        assert letters.train[1][place] == label + 5


def test_textures_are_standardised_and_no_pixel_tells_them_apart() -> None:
    inputs, classes = experiment.textures(200, (1, 28, 28), 0)
    assert float(inputs.mean()) == pytest.approx(0, abs=0.02)
    assert float(inputs.std()) == pytest.approx(1, abs=0.02)
    means = torch.stack([inputs[classes == label].mean(0) for label in range(5)])
    assert float(means.abs().max()) < 5 / 200**0.5
    # the direction: class 0 has its frequencies along x, so that neighbours in a column are alike
    along = [float((inputs[classes == 0].diff(dim=axis) ** 2).mean()) for axis in (2, 3)]
    assert along[0] < 0.9 * along[1]
    other, _ = experiment.textures(200, (1, 28, 28), 1)
    assert not torch.equal(inputs, other)


def test_advice_fails_only_where_another_way_is_clearly_better(letters: Images) -> None:
    found = {case: {way: [0.5, 0.52, 0.51] for way in WAYS} for case in ADVICE}
    found["few, similar"][NEW] = [0.8, 0.81, 0.82]
    found["many, similar"][NEW] = [0.4, 0.9, 0.5]  # higher on average, not clearly
    verdicts = experiment.judge(letters, found, [0.9, 0.9, 0.9]).series["verdicts"]
    assert verdicts == {case: case != "few, similar" for case in ADVICE}
