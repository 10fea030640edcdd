"""Whole graphs through the whole story: trained, stopped and gone on with, evaluated, and asked."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import glassnet
from glassnet.cli import run
from glassnet.errors import GlassnetError
from whole_runs import BARE, goes_on_bit_for_bit

pytest.importorskip("torch_geometric")
QUICK = BARE | {"train.epochs": 3, "net.hidden": 16, "net.layers": 2}


def beads(folder: Path, seed: int = 0, count: int = 400) -> Path:
    """Rings of white and black beads: in one class most beads stand beside others of their colour, in the other most do not. Counts say nothing of it."""
    folder.mkdir(exist_ok=True)
    rng = random.Random(seed)
    edges, members, labels, colours, nodes = [], [], [], [], 0
    for graph in range(1, count + 1):
        size, alike = rng.randint(10, 18), rng.random() < 0.5
        own = [rng.randrange(2)]
        while len(own) < size:
            own.append(own[-1] ^ ((rng.random() < 0.1) == alike))
        edges += [f"{nodes + a + 1}, {nodes + (a + 1) % size + 1}" for a in range(size)]
        members += [str(graph)] * size
        colours += map(str, own)
        labels.append("alike" if alike else "mixed")
        nodes += size
    for ending, lines in (
        ("A", edges),
        ("graph_indicator", members),
        ("graph_labels", labels),
        ("node_labels", colours),
    ):
        (folder / f"BEADS_{ending}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def rings(tmp_path_factory):
    return beads(tmp_path_factory.mktemp("beads"))


@pytest.fixture(scope="module")
def trained(rings, tmp_path_factory):
    settings = QUICK | {"train.epochs": 12}
    return glassnet.train(str(rings), out=tmp_path_factory.mktemp("runs") / "gin", settings=settings)


def test_edges_tell_what_counts_do_not(trained):
    figures = trained.figures
    assert trained.data.schema.kind == "graphs"
    assert 'name = "graph-gin"' in trained.folder.recipe.read_text(encoding="utf-8")
    assert [rival["name"] for rival in figures["rivals"]][1] == "linear model on counts"
    assert figures["figures"]["accuracy"] >= 0.9
    assert figures["rivals"][1]["figure"] <= 0.75


@pytest.mark.parametrize("net", ["gin", "gcn", "graphsage", "gat"])
def test_the_other_convolutions_by_their_plain_names(rings, tmp_path, net):
    done = glassnet.train(str(rings), net, out=tmp_path / net, settings=QUICK | {"train.epochs": 12})
    assert f'name = "graph-{net}"' in done.folder.recipe.read_text(encoding="utf-8")
    assert done.figures["figures"]["accuracy"] >= 0.85


def test_a_run_that_was_stopped_goes_on_bit_for_bit(rings, tmp_path):
    goes_on_bit_for_bit(rings, "auto", tmp_path, QUICK)


def test_the_answer_to_a_graph_does_not_depend_on_the_others(trained, rings):
    model = glassnet.load(trained.folder.path)
    every = model.predict(str(rings))
    some = model.predict([str(rings), "7", "graph 3"])
    assert [answer.label for answer in some] == [every[6].label, every[2].label]
    assert some[0].probability == pytest.approx(every[6].probability, abs=1e-5)
    with pytest.raises(GlassnetError, match="no such graph"):
        model.predict([str(rings), "999"])


def test_command_line(trained, rings, tmp_path, capsys):
    def said(*arguments: str, code: int = 0) -> str:
        assert run(list(arguments)) == code
        made = capsys.readouterr()
        return made.out + made.err

    where = str(trained.folder.path)
    assert "400 graphs" in said("data", str(rings)).replace("\n", " ")
    answers = json.loads(said("predict", where, str(rings), "1", "2", "--format", "json"))
    assert len(answers) == 2
    other = beads(tmp_path / "other", seed=9, count=40)
    assert "accuracy" in said("evaluate", where, str(other))
    assert "report" in said("report", where)
    assert "read whole graphs" in said("train", str(rings), "--net", "mlp", "--out", str(tmp_path / "no"), code=4)
    assert "cannot be done on graphs" in said(
        "train", str(rings), "--set", "augment.noise=0.1", "--out", str(tmp_path / "no"), code=2
    )
