"""Finished models joined into one, against averages taken by hand in float64."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import glassnet
from glassnet import zoo
from glassnet.combined import Ensemble, Member
from glassnet.data.dataset import Data
from glassnet.data.preprocess import TargetScale, fit
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.data.split import split
from glassnet.errors import GlassnetError, ModelError, UsageError
from glassnet.evaluate.temperature import fit_temperature
from glassnet.joining import ensemble
from glassnet.model import Model


def images(count: int = 120, side: int = 6, classes: int = 4) -> Data:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, size=(count, 1, side, side), dtype=np.uint8)
    return split(data_from_arrays(pixels, np.arange(count) % classes), seed=0)


def values(outputs: int = 2) -> Data:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(90, 5)).astype(np.float32)
    return split(data_from_arrays(inputs, inputs[:, :outputs] * 40 + 7), seed=0)


def model(
    data: Data, *, hidden: int = 8, seed: int = 0, preprocess: str = "standardise", logits: int | None = None
) -> Model:
    prepared = fit(preprocess, data.train, data.schema)
    count = logits or len(data.classes) or len(data.outputs)
    options = {"hidden": [hidden]}
    return Model(
        net=zoo.build("mlp", prepared.output_shape, count, options, seed).eval(),
        net_json={"zoo": "mlp", "shape": list(prepared.output_shape), "outputs": count, "options": options},
        preprocess=prepared,
        schema=data.schema,
        task=data.task,
        classes=data.classes,
        outputs=data.outputs,
        target_scale=TargetScale.fit(data.train.targets) if data.task == "values" else None,
        temperature=0.5 + seed,
        card={"fingerprint": "same", "number": seed},
    )


def raw(data: Data) -> Tensor:
    return data.val.inputs.take(torch.arange(len(data.val)))


def by_hand(models: list[Model], inputs: Tensor) -> Tensor:
    """(members, samples, classes): each member's probabilities, in float64."""
    said = []
    for each in models:
        logits = each.net(each.preprocess(inputs)).detach().double()
        if logits.shape[1] == 1:
            p = 1 / (1 + torch.exp(-logits[:, 0] / each.temperature))
            said.append(torch.stack((1 - p, p), dim=1))
        else:
            powers = torch.exp(logits / each.temperature)
            said.append(powers / powers.sum(1, keepdim=True))
    return torch.stack(said)


@pytest.mark.parametrize("preprocess", [("standardise", "standardise", "standardise"), ("none", "pca", "mean-image")])
def test_probabilities_are_averaged(preprocess: tuple[str, ...]) -> None:
    data = images()
    models = [model(data, hidden=4 + 3 * n, seed=n, preprocess=name) for n, name in enumerate(preprocess)]
    joined = ensemble(models)
    expected = by_hand(models, raw(data)).mean(0)
    assert torch.allclose(joined.predict_proba(raw(data)), expected, atol=1e-6)
    assert (joined.preprocess.name == "as-is") == (preprocess[0] == "none")


def test_votes_are_counted_and_the_mean_decides_between_equals() -> None:
    data = images(classes=3)
    models = [model(data, seed=n) for n in range(4)]
    joined = ensemble(models, answer="votes")
    shares = by_hand(models, raw(data))
    mean = shares.mean(0)
    said = joined.predict_proba(raw(data))
    ties = 0
    for sample in range(len(data.val)):
        votes = [int(shares[m, sample].argmax()) for m in range(4)]
        counts = [votes.count(c) for c in range(3)]
        ties += counts.count(max(counts)) > 1
        winners = [c for c in range(3) if counts[c] == max(counts)]
        assert int(said[sample].argmax()) == max(winners, key=lambda c: float(mean[sample, c]))
        expected = [(counts[c] + float(mean[sample, c])) / 5 for c in range(3)]
        assert said[sample].tolist() == pytest.approx(expected, abs=1e-6)
    assert ties > 0, "the test must see ties"


def test_no_mean_overturns_a_majority() -> None:
    class Fixed(nn.Module):
        def __init__(self, *shares: float) -> None:
            super().__init__()
            self.logits = torch.log(torch.tensor([shares]))

        def forward(self, inputs: Tensor) -> Tensor:
            return self.logits.expand(len(inputs), -1)

    members = [Member(Fixed(0.51, 0.49)), Member(Fixed(0.51, 0.49)), Member(Fixed(1e-9, 1 - 1e-9))]
    one = torch.zeros(1, 1)
    assert int(Ensemble(members, "votes")(one).argmax()) == 0
    assert int(Ensemble(members, "mean")(one).argmax()) == 1


def test_one_logit_and_two_logits_answer_together() -> None:
    data = images(classes=2)
    models = [model(data, seed=0, logits=1), model(data, seed=1, logits=2)]
    assert torch.allclose(ensemble(models).predict_proba(raw(data)), by_hand(models, raw(data)).mean(0), atol=1e-6)


@pytest.mark.parametrize("outputs", [1, 2])
def test_values_are_averaged_in_their_own_units(outputs: int, tmp_path: Path) -> None:
    data = values(outputs)
    models = [model(data, seed=n) for n in range(3)]
    models[1] = replace(models[1], target_scale=TargetScale(torch.full((outputs,), 3.0), torch.full((outputs,), 9.0)))
    expected = torch.stack([each.raw_outputs(raw(data)).double() for each in models]).mean(0)
    joined = ensemble(models)
    assert torch.allclose(joined.raw_outputs(raw(data)).double(), expected, rtol=1e-5)
    joined.save(tmp_path / "model")
    again = glassnet.load(tmp_path / "model")
    assert torch.equal(again.raw_outputs(raw(data)), joined.raw_outputs(raw(data)))


@pytest.mark.parametrize("answer", ["mean", "votes"])
def test_an_ensemble_is_saved_and_loaded_bit_for_bit_and_can_be_a_member_itself(answer: str, tmp_path: Path) -> None:
    data = images()
    inner = ensemble([model(data, seed=0), model(data, seed=1, preprocess="none")], answer=answer)
    outer = ensemble([inner, model(data, seed=2, hidden=5)], validation=data.val)
    for place, each in enumerate((inner, outer)):
        each.save(tmp_path / str(place))
        assert {path.name for path in (tmp_path / str(place)).iterdir()} == {"model.json", "weights.safetensors"}
        again = glassnet.load(tmp_path / str(place))
        assert torch.equal(again.raw_outputs(raw(data)), each.raw_outputs(raw(data)))
        assert again.temperature == each.temperature
    assert ensemble([str(tmp_path / "0"), tmp_path / "1"]).classes == data.classes


def test_the_joint_temperature_is_fitted_to_the_joint_answer() -> None:
    data = images(400)
    models = [model(data, seed=n) for n in range(3)]
    joined = ensemble(models, validation=data.val)
    logits = torch.log(by_hand(models, raw(data)).mean(0))
    assert joined.temperature == pytest.approx(fit_temperature(logits, data.val.targets), rel=1e-3)
    assert joined.temperature != 1.0


def test_networks_of_a_class_of_ones_own(tmp_path: Path) -> None:
    data = images()
    own = [nn.Sequential(nn.Flatten(), nn.Linear(36, 4)) for _ in range(2)]
    models = [replace(model(data, seed=n), net=net, net_json={"class": "x:Y"}) for n, net in enumerate(own)]
    joined = ensemble(models)
    joined.save(str(tmp_path))  # a folder may be told as text
    with pytest.raises(ModelError, match="class of your own"):
        type(joined).load(str(tmp_path))
    again = glassnet.load(tmp_path, net=nn.Sequential(nn.Flatten(), nn.Linear(36, 4)))
    assert torch.equal(again.raw_outputs(raw(data)), joined.raw_outputs(raw(data)))


def test_what_cannot_answer_together_is_told_in_words_all_at_once() -> None:
    data = images()
    others = [model(images(classes=3)), model(images(side=7)), model(values())]
    with pytest.raises(ModelError) as told:
        ensemble([model(data), *others])
    text = told.value.message()
    assert "3 mistakes" in text
    for words in ("know other classes", "inputs of another shape", "some tell values", "model 2", "6×6", "7×7"):
        assert words in text, words
    with pytest.raises(UsageError, match="needs models"):
        ensemble([])
    with pytest.raises(UsageError, match="unknown answer"):
        ensemble([model(data)], answer="median")


def test_a_damaged_or_hostile_model_file_is_refused_in_words(tmp_path: Path) -> None:
    data = images()
    ensemble([model(data, seed=n) for n in range(2)]).save(tmp_path)
    good = json.loads((tmp_path / "model.json").read_text())
    deep: dict[str, Any] = {"zoo": "mlp"}
    for _ in range(3000):
        deep = {
            "ensemble": [{"net": deep, "preprocess": None, "temperature": 1, "target_scale": None}],
            "answer": "mean",
        }
    changes: tuple[dict[str, Any], ...] = (
        {"answer": "eval"},
        {"answer": None},
        {"ensemble": []},
        {"ensemble": [{}]},
        {"ensemble": good["net"]["ensemble"][:1]},
        {"ensemble": [good["net"]["ensemble"][0] | {"temperature": -1}] * 2},
        {"ensemble": [good["net"]["ensemble"][0] | {"temperature": "1"}] * 2},
        {"ensemble": 5},
        deep,
    )
    for change in changes:
        try:
            text = json.dumps(good | {"net": good["net"] | change})
        except RecursionError:
            continue
        (tmp_path / "model.json").write_text(text)
        with pytest.raises(GlassnetError):
            glassnet.load(tmp_path)
