"""Series through the whole story: trained, stopped and gone on with, measured beside plain forecasts, and asked for what comes next."""

from __future__ import annotations

import json
import math
import random
from datetime import date, timedelta

import numpy as np
import pytest
import torch
from torch import nn

import glassnet
from glassnet.cli import run
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess import fit
from glassnet.data.split import split
from glassnet.evaluate.forecast import diebold_mariano, plain_forecasts
from glassnet.zoo import Around, best_base, build
from whole_runs import BARE, goes_on_bit_for_bit

QUICK = BARE | {"train.epochs": 4}


def table(path, count=260, columns=1, noise=0.2):
    rng = random.Random(0)
    lines = ["date," + ",".join("ab"[:columns])]
    for i in range(count):
        values = [10 + place + 4 * math.sin(2 * math.pi * i / 7) + rng.gauss(0, noise) for place in range(columns)]
        lines.append(f"{date(2020, 1, 1) + timedelta(i)}," + ",".join(f"{value:.3f}" for value in values))
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return table(tmp_path_factory.mktemp("series") / "load.csv")


@pytest.fixture(scope="module")
def trained(series, tmp_path_factory):
    return glassnet.train(series, out=tmp_path_factory.mktemp("runs") / "mlp", settings=QUICK | {"train.epochs": 20})


def test_it_is_told_beside_plain_forecasts(trained):
    forecast = trained.figures["forecast"]
    column = forecast["columns"][0]
    plain = {each["name"]: each for each in column["plain"]}
    assert (forecast["horizon"], forecast["step"]) == (7, "day")
    assert set(plain) == {
        "same as the day before",
        "same as a week before",
        "same as a week before, and the change since",
        "always the mean",
        "linear model",
    }
    assert column["mae"] < plain["same as the day before"]["mae"] / 5
    assert plain["same as the day before"]["gain"] > 0
    assert plain["same as the day before"]["p"] < 0.01
    assert column["mae"] < plain["same as a week before"]["mae"]
    assert {each["name"] for each in trained.figures["rivals"]} == set(plain)
    assert "the network is better" in "\n".join(lines_of(trained))


def lines_of(trained):
    from glassnet.cli.result_lines import result_lines

    return result_lines(trained.figures)


def test_plain_forecasts_by_hand(tmp_path):
    data = split(open_data(table(tmp_path / "x.csv", 120, 2), ReadOptions(window=9, horizon=10)))
    values = np.array([line.split(",")[1:] for line in (tmp_path / "x.csv").read_text().split()[1:]], dtype=float)
    prepared = fit("standardise", data.train, data.schema)
    said = {each.name: each.said for each in plain_forecasts(data, prepared, "test")}
    first = 120 - len(data.test) - 9  # the first step of the test part
    for sample in (0, 3, len(data.test) - 1):
        t = first + sample
        for place in (0, 1):
            row = slice(10 * place, 10 * place + 10)
            assert np.allclose(said["same as the day before"][sample, row], values[t - 1, place], atol=1e-5)
            week = [values[t + k - 7 * (k // 7 + 1), place] for k in range(10)]
            assert np.allclose(said["same as a week before"][sample, row], week, atol=1e-5)
            moved = week + values[t - 1, place] - values[t - 8, place]
            assert np.allclose(said["same as a week before, and the change since"][sample, row], moved, atol=1e-5)
    assert np.allclose(said["always the mean"], data.train.targets.double().mean(0).numpy())


def test_diebold_mariano_by_hand_and_by_chance():
    rng = np.random.default_rng(0)
    first, second = np.abs(rng.normal(size=(2, 40, 1)))
    d = (second - first)[:, 0]
    away, n = d - d.mean(), 40
    gamma = [float((away[k:] * away[: n - k]).sum() / n) for k in range(4)]
    lags = int(4 * (n / 100) ** (2 / 9))
    variance = gamma[0] + 2 * sum((1 - k / (lags + 1)) * gamma[k] for k in range(1, lags + 1))
    from scipy.stats import t

    wanted = 2 * t.sf(abs(d.mean()) / math.sqrt(variance / n), n - 1)
    assert diebold_mariano(first, second, 1) == pytest.approx((d.mean(), wanted))
    false = 0
    for seed in range(300):  # as good, with errors that overlap as those of a horizon of 5 do
        rng = np.random.default_rng(seed)
        one, two = (np.abs(np.convolve(rng.normal(size=304), np.ones(5), "valid"))[:, None] for _ in range(2))
        false += diebold_mariano(one, two, 5).p < 0.05
    assert 0.02 < false / 300 < 0.12, "about one in twenty"
    assert diebold_mariano(first, first, 1).p == 1.0


@pytest.mark.parametrize("base", ["mean", "last", "season", "season-and-change"])
def test_a_network_that_says_nothing_forecasts_plainly(base):
    class Nothing(nn.Module):
        def forward(self, x):
            return x.new_zeros(len(x), 6)

    x = torch.randn(5, 4, 10)
    made = Around(Nothing(), values=3, targets=[0, 2], horizon=3, base=base, season=4)(x).reshape(5, 2, 3)
    own = x[:, [0, 2]]
    for k in range(3):
        wanted = {
            "mean": own.mean(2),
            "last": own[:, :, 9],
            "season": own[:, :, 6 + k],
            "season-and-change": own[:, :, 6 + k] + own[:, :, 9] - own[:, :, 5],
        }[base]
        torch.testing.assert_close(made[:, :, k], wanted)


def test_forecasts_move_and_grow_with_the_window():
    net = Around(build("mlp", (2, 8), 3, seed=0), values=1, targets=[0], horizon=3, base="last", season=0).eval()
    x = torch.randn(4, 2, 8) * 30
    moved = torch.cat([2 * x[:, :1] + 100, x[:, 1:]], dim=1)
    torch.testing.assert_close(net(moved), 2 * net(x) + 100, rtol=1e-3, atol=1e-2)


def test_the_base_is_what_the_training_part_is_closest_to():
    time = torch.arange(30.0)
    wave = torch.stack([torch.sin(2 * math.pi * (time + i) / 6) for i in range(40)])
    kinds = {"values": 1, "targets": [0], "horizon": 4, "season": 6}
    assert best_base(wave[:, None, :20], wave[:, 20:24], **kinds) == "season"
    trend = wave + 0.5 * (time + torch.arange(40.0)[:, None])
    assert best_base(trend[:, None, :20], trend[:, 20:24], **kinds) == "season-and-change"
    walk = torch.randn(200, 30, generator=torch.Generator().manual_seed(0)).cumsum(1)
    assert best_base(walk[:, None, :20], walk[:, 20:24], **kinds) == "last"
    assert best_base(torch.randn(200, 1, 20), torch.randn(200, 4), **kinds) == "mean"


@pytest.mark.parametrize("net", ["mlp", "lstm", "conv1d"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(series, tmp_path, net):
    small = {"mlp": {}, "lstm": {"net.hidden": 8}, "conv1d": {"net.widths": "4,4", "net.kernels": "3,3"}}[net]
    goes_on_bit_for_bit(series, net, tmp_path, QUICK | small)


def test_command_line(trained, series, tmp_path, capsys, said):
    place = str(trained.folder.path)

    lines = said("predict", place).splitlines()
    assert lines[0] == "load.csv after 2020-09-16"
    assert [line.split()[0] for line in lines[1:]] == [f"2020-09-{day}" for day in range(17, 24)]
    assert lines[1].split()[1] == "a"
    wave = [10 + 4 * math.sin(2 * math.pi * i / 7) for i in range(260, 267)]
    assert np.abs(np.array([float(line.split()[2]) for line in lines[1:]]) - wave).max() < 0.6
    table = said("predict", place, series, "--format", "csv").splitlines()
    assert (table[0], len(table)) == ("date,a", 8)
    rows = json.loads(said("predict", place, series, "--format", "json"))
    assert rows[0]["forecast"][0]["time"] == "2020-09-17"
    assert "same as a week before" in said("evaluate", place)
    assert json.loads(said("evaluate", place, "--json"))["forecast"]["horizon"] == 7
    assert "in steps of one day" in said("data", series)
    assert "a series" in (trained.folder.path / "report.html").read_text().lower()
    assert run(["predict", place, str(tmp_path / "none.csv")]) == 3
    assert capsys.readouterr().err.startswith("error: no such file")


def test_several_columns_and_an_ensemble(tmp_path, capsys):
    path = table(tmp_path / "two.csv", 160, 2)
    for name, seed in (("one", 0), ("two", 1)):
        made = glassnet.train(path, out=tmp_path / name, settings=QUICK | {"train.seed": seed, "data.horizon": 3})
        assert [column["name"] for column in made.figures["forecast"]["columns"]] == ["a", "b"]
    assert run(["predict", str(tmp_path / "one"), "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "date,a,b"
    assert run(["ensemble", str(tmp_path / "one"), str(tmp_path / "two"), "--out", str(tmp_path / "both")]) == 0
    capsys.readouterr()
    assert run(["predict", str(tmp_path / "both"), path, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
