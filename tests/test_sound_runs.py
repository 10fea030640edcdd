"""Sounds through the whole story."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

import glassnet
from glassnet.cli import run
from whole_runs import BARE, goes_on_bit_for_bit

QUICK = BARE | {"train.epochs": 4}


def write(path: Path, values) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 4_000, 0, "NONE", "NONE"))
        file.writeframes((values * 20_000).astype("<i2").tobytes())


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    folder, generator = tmp_path_factory.mktemp("tones"), np.random.default_rng(0)
    for label, begin, end in (("falling", 1_200, 400), ("rising", 400, 1_200)):
        for number in range(60):
            time = np.arange(generator.integers(600, 1_400)) / 4_000
            hertz = begin + (end - begin) * time / time[-1]
            values = np.sin(2 * np.pi * np.cumsum(hertz) / 4_000) + generator.normal(0, 0.1, len(time))
            write(folder / label / f"{label}_{number % 6}_{number}.wav", 0.3 * values)
    return folder


@pytest.mark.parametrize(
    ("net", "options"),
    [
        ("auto", {"net.width": 0.125}),
        ("gru", {"net.hidden": 16, "net.dropout": 0.1, "optimizer.lr": 0.01, "train.epochs": 8}),
        ("conv1d", {"net.widths": [16, 16], "net.kernels": [16, 8], "train.epochs": 8}),
    ],
)
def test_rising_and_falling_tones_are_told_apart(tones, tmp_path, net, options):
    settings = QUICK | {"data.test_names": "*_0_*", "train.batch_size": 8} | options
    trained = glassnet.train(str(tones), net, out=tmp_path / "run", settings=settings)
    assert trained.figures["samples"] == 20
    assert trained.figures["figures"]["accuracy"] >= 0.9
    model = glassnet.load(tmp_path / "run")
    (alone,) = model.predict(str(tones / "rising" / "rising_0_0.wav"))
    together = model.predict([str(tones / "rising")])
    assert alone.label == "rising"
    assert alone.probability == pytest.approx(together[0].probability, abs=1e-4)


def test_stopped_and_gone_on_with_bit_for_bit(tones, tmp_path, capsys):
    goes_on_bit_for_bit(tones, "auto", tmp_path, QUICK | {"net.width": 0.125}, after=7)
    assert run(["evaluate", str(tmp_path / "whole"), str(tones)]) == 0
    assert run(["data", str(tones)]) == 0
    assert "seconds" in capsys.readouterr().out
    (tmp_path / "bad.wav").write_bytes(b"no")
    assert run(["predict", str(tmp_path / "whole"), str(tmp_path / "bad.wav")]) == 3
