"""Trees through the whole story: trained, stopped and gone on with, evaluated, and asked."""

from __future__ import annotations

import json
import random

import pytest

import glassnet
from glassnet.cli import run
from whole_runs import BARE, goes_on_bit_for_bit

QUICK = BARE | {"train.epochs": 3, "net.hidden": 16}
PLAIN = ["the", "film", "story", "plot", "cast"]


def phrase(rng: random.Random, depth: int = 0) -> tuple[str, int]:
    """A tree whose class is that of its word, turned about by every "not" above it."""
    kind = rng.random()
    if depth and kind < 0.3:
        sign = rng.choice([-1, 1])
        return f"({1 + sign} {'good' if sign > 0 else 'bad'})", sign
    inner, sign = phrase(rng, depth + 1)
    if kind < 0.6:
        return f"({1 - sign} (1 not) {inner})", -sign
    return f"({1 + sign} (1 {rng.choice(PLAIN)}) {inner})", sign


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("trees"), random.Random(0)
    for part, count in (("train", 700), ("dev", 150), ("test", 150)):
        lines = [phrase(rng)[0] for _ in range(count)]
        (folder / f"{part}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(trees, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "lstm"
    return glassnet.train(str(trees), out=out, settings=QUICK | {"train.epochs": 8, "optimizer.lr": 0.01})


def test_it_learns_what_the_shape_of_a_tree_tells(trained):
    figures = trained.figures
    assert 'name = "tree-lstm"' in trained.folder.recipe.read_text(encoding="utf-8")
    assert figures["figures"]["accuracy"] >= 0.97
    assert figures["rivals"][1]["name"] == "bag-of-words linear model"


@pytest.mark.parametrize("net", ["tree-rnn", "rntn", "tree-lstm"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(trees, tmp_path, net):
    goes_on_bit_for_bit(trees, net, tmp_path, QUICK)


def test_it_says_what_it_thinks_of_trees(trained, trees, capsys):
    folder = str(trained.folder.path)
    asked = ["(0 (1 not) (2 (1 not) (2 good)))", "(9 (9 not) (9 good))"]
    assert run(["predict", folder, *asked, "--format", "json"]) == 0
    assert [row["predicted"] for row in json.loads(capsys.readouterr().out)] == ["2", "0"], (
        "labels given are not looked at"
    )
    assert run(["predict", folder, "(9 (9 not)"]) != 0
    assert "that nothing closes" in capsys.readouterr().err
    assert run(["evaluate", folder, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 150


def test_a_net_that_knows_no_trees_is_refused(trees, tmp_path, capsys):
    assert run(["train", str(trees), "--net", "mlp", "--out", str(tmp_path / "mlp")]) != 0
    assert "does not read trees" in capsys.readouterr().err
