"""Answers in lower precision: as autocast computes them, only where asked for, and told how far they differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import glassnet
from glassnet import cli
from glassnet.errors import UsageError
from glassnet.model import load


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lowered") / "run"
    glassnet.train("digits", "small-vgg", out=folder, epochs=1, check=False, measure="never", precision="float32")
    return folder


def test_answers_are_those_of_autocast_and_the_model_stays_as_it_is(trained: Path) -> None:
    model = load(trained)
    torch.manual_seed(0)
    images = torch.randint(0, 17, (40, 1, 8, 8), dtype=torch.uint8)
    before = model.raw_outputs(images)
    fast = model.answering_in("bfloat16").raw_outputs(images)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        wanted = model.net(model.preprocess(images)).float() / model.temperature
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast, wanted, rtol=2e-2, atol=2e-2)  # another layout sums in another order
    assert not torch.equal(fast, before)
    assert torch.equal(model.raw_outputs(images), before)
    assert model.answering_in("float32") is model


def test_unknown_precisions_and_networks_that_go_step_by_step_are_refused(trained: Path) -> None:
    model = load(trained)
    with pytest.raises(UsageError, match="float16"):
        model.answering_in("float16")
    with pytest.raises(UsageError, match="float32 alone"):
        replace(model, task="translation").answering_in("bfloat16")


def test_the_commands_take_it(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["evaluate", str(trained), "--precision", "bfloat16"]) == 0
    assert "accuracy" in capsys.readouterr().out
    np.save(tmp_path / "some.npy", np.zeros((3, 1, 8, 8), np.uint8))
    assert cli.run(["predict", str(trained), str(tmp_path / "some.npy"), "--precision", "bfloat16"]) == 0
    told = capsys.readouterr()
    assert "bfloat16: of the first 3 answers 0.0% differ" in told.err
    assert len(told.out.splitlines()) == 3
