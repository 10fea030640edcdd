"""The list of experiments, the command, and what an outcome becomes on disk."""

from __future__ import annotations

import csv
import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from glassnet import cli
from glassnet.errors import UsageError
from glassnet.experiments import EXPERIMENTS, module_of
from glassnet.experiments.outcome import Outcome, Row, compared
from glassnet.experiments.panels import panels
from glassnet.experiments.record import as_plain, table_lines, write_outcome
from glassnet.plots.style import Drawing

HEAVY = {"torch", "numpy", "matplotlib", "sklearn"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_computes_and_draws_and_says_what_it_is(name: str) -> None:
    module = importlib.import_module(module_of(name))
    assert callable(module.run)
    assert callable(module.draw)
    assert len(module.__doc__) > 100
    assert EXPERIMENTS[name].endswith("?")


def test_the_list_is_complete_and_loads_nothing_heavy() -> None:
    program = (
        "import sys; from glassnet.cli.experiment_command import command\n"
        "try: command([])\nexcept SystemExit: pass\nprint('loaded:', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    listed, _, loaded = done.stdout.partition("loaded:")
    assert [line.split()[0] for line in listed.splitlines()[: len(EXPERIMENTS)]] == list(EXPERIMENTS)
    assert not HEAVY & set(loaded.split())


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as raised:
        module_of("zigzag")
    assert raised.value.fix == "did you mean 'zig-zag'?"


def test_the_command_prints_figures_beside_references_and_writes_data_and_picture(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli.cli, ["experiment", "bottleneck-operations", "--out", str(tmp_path / "here")], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert any(line.split()[-3:] == ["112.896", "112.9", "yes"] for line in done.output.splitlines())
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == [
        "figure.png",
        "figure.svg",
        "figures.csv",
        "outcome.json",
    ]
    plain = json.loads((tmp_path / "here" / "outcome.json").read_text())
    assert plain["conclusion"] in done.output
    assert plain["series"]["once"] == 112_896_000
    table = list(csv.DictReader((tmp_path / "here" / "figures.csv").read_text().splitlines()))
    assert [row["agrees"] for row in table] == ["true"] * len(plain["rows"])
    assert (tmp_path / "here" / "figure.png").read_bytes()[:4] == b"\x89PNG"
    svg = (tmp_path / "here" / "figure.svg").read_text()
    assert svg.startswith("<svg")
    assert "prefers-color-scheme:dark" in svg
    as_json = CliRunner().invoke(
        cli.cli, ["experiment", "bottleneck-operations", "--json", "--out", str(tmp_path)], catch_exceptions=False
    )
    assert json.loads(as_json.stdout) == plain


def test_agreement_is_judged_by_the_distance_allowed() -> None:
    assert compared("", 1.04, 1.0, 0.05).agrees
    assert not compared("", 1.06, 1.0, 0.05).agrees
    assert not compared("", -1.0, 1.0, 0.05).agrees
    assert compared("", 10.4, 10.0, 0.5, absolute=True).agrees
    assert not compared("", 10.6, 10.0, 0.5, absolute=True).agrees
    assert not compared("", math.nan, 1.0, 5).agrees
    assert not Outcome([Row("a", 1, 1, True), Row("b", 1, 2, False)], "", {}).agrees
    assert Outcome([Row("a", 1, 1, True), Row("b", 1)], "", {}).agrees


def test_a_disagreement_cannot_be_overlooked_in_the_table() -> None:
    lines = table_lines([Row("long words here", 12345, 0.5, False), Row("b", "some", None)])
    assert lines[1].split() == ["long", "words", "here", "12,345", "0.5", "NO"]
    assert lines[2].split() == ["b", "some", "-"]
    assert lines[0].index("ours") + 4 == lines[1].index("12,345") + 6


def test_data_are_written_before_the_picture_and_what_is_not_finite_is_null(tmp_path: Path) -> None:
    outcome = Outcome([], "c", {"a": np.array([1.0, math.inf]), "b": {"t": (1, 2)}})
    assert as_plain("x", outcome)["series"] == {"a": [1.0, None], "b": {"t": [1, 2]}}

    def broken(_: Outcome) -> Drawing:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_outcome("x", outcome, SimpleNamespace(draw=broken), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.csv", "outcome.json"]
    moving = SimpleNamespace(draw=lambda _: Drawing(panels(1, 1, (1, 1))[0], ""), animate=lambda _: b"GIF89a")
    assert [path.name for path in write_outcome("x", outcome, moving, tmp_path)][-1] == "animation.gif"
