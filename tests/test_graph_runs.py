"""Nodes of a graph through the whole story: trained, stopped and gone on with, evaluated, and asked."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import glassnet
from glassnet.cli import run
from whole_runs import BARE, goes_on_bit_for_bit

pytest.importorskip("torch_geometric")
QUICK = BARE | {"train.epochs": 30}


def communities(folder: Path, seed: int = 0) -> Path:
    """Two groups of nodes that are mostly joined among themselves; a node's own features say next to nothing."""
    folder.mkdir(exist_ok=True)
    rng = random.Random(seed)
    groups = [rng.randrange(2) for _ in range(120)]
    rows = [
        f"n{node} {rng.randrange(2)} {rng.randrange(2)} {int(rng.random() < (0.6 if group else 0.4))} {'odd' if group else 'even'}"
        for node, group in enumerate(groups)
    ]
    pairs = [
        f"n{a} n{b}" for a in range(120) for b in range(a) if rng.random() < (0.15 if groups[a] == groups[b] else 0.01)
    ]
    (folder / "g.content").write_text("\n".join(rows), encoding="utf-8")
    (folder / "g.cites").write_text("\n".join(pairs), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return communities(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def trained(graph, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "gcn"
    settings = QUICK | {"train.epochs": 150, "preprocess.name": "none", "optimizer.lr": 0.03}
    return glassnet.train(str(graph), out=out, settings=settings)


def test_neighbours_tell_what_features_do_not(trained):
    figures = trained.figures
    assert trained.data.schema.kind == "graph"
    rival = figures["rivals"][1]
    assert rival["name"] == "linear model on features alone"
    assert figures["figures"]["accuracy"] >= 0.8 > rival["figure"]
    assert 'name = "gcn"' in trained.folder.recipe.read_text(encoding="utf-8")


@pytest.mark.parametrize("net", ["gcn", "graphsage", "gat"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(graph, tmp_path, net):
    goes_on_bit_for_bit(graph, net, tmp_path, QUICK)


def test_it_says_what_it_thinks_of_all_nodes_or_some_of_this_graph_or_another(trained, graph, tmp_path, capsys):
    folder = str(trained.folder.path)
    assert run(["predict", folder, str(graph), "--format", "json"]) == 0
    every = {row["input"]: row["predicted"] for row in json.loads(capsys.readouterr().out)}
    assert len(every) == 120
    assert run(["predict", folder, str(graph), "n7", "n3", "--format", "json"]) == 0
    some = json.loads(capsys.readouterr().out)
    assert [(row["input"], row["predicted"]) for row in some] == [(name, every[name]) for name in ("n7", "n3")]
    assert run(["predict", folder, str(graph), "n777"]) != 0
    assert "no such node" in capsys.readouterr().err
    other = communities(tmp_path / "other", seed=1)
    assert run(["evaluate", folder, str(other), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["samples"] == 120
    assert figures["figures"]["accuracy"] >= 0.8
