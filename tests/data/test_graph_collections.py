"""Many graphs with a class each: the TU collection's files and folders of GML files, read, divided, and refused in words."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from glassnet.data.audit import audit
from glassnet.data.batches import Batches
from glassnet.data.duplicates import digests
from glassnet.data.graph import graphs_of
from glassnet.data.kinds import schema_from_json
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess import fit
from glassnet.data.split import split
from glassnet.errors import DataError, GlassnetError


def kernel(folder: Path, name: str = "RINGS", **files: str) -> Path:
    """Graph 1: a triangle of nodes 1, 3, 5; graph 2: nodes 2 and 4, joined; graph 3: node 6 alone. Nodes of different graphs stand mixed."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = {
        "A": "1, 3\n3, 1\n3, 5\n5, 1\n2, 4\n4, 2\n",
        "graph_indicator": "1\n2\n1\n2\n1\n3\n",
        "graph_labels": "-1\n1\n1\n",
        "node_labels": "7\n8\n7\n8\n10\n7\n",
        "node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n4.5, 5\n5.5, 6\n",
    }
    for ending, text in {**usual, **files}.items():
        if text is not None:
            (folder / f"{name}_{ending}.txt").write_text(text, encoding="utf-8")
    return folder


def test_the_files_of_the_collection(tmp_path):
    data = open_data(str(kernel(tmp_path / "rings")))
    assert (data.name, data.task, data.classes) == ("rings", "classes", ("-1", "1"))
    assert data.schema.columns == ("label=7", "label=8", "label=10", "attribute 1", "attribute 2")
    assert data.train.targets.tolist() == [0, 1, 1]
    assert list(data.train.names) == ["graph 1", "graph 2", "graph 3"]
    every = graphs_of(data.train.inputs)[0].graph
    assert every.offsets.tolist() == [0, 3, 5, 6]
    assert every.features[:, 3].tolist() == [0.5, 2.5, 4.5, 1.5, 3.5, 5.5]
    assert every.features[:, :3].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert sorted(map(tuple, every.edges.T.tolist())) == [
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 2),
        (2, 0),
        (2, 1),
        (3, 4),
        (4, 3),
    ]
    assert "3 graphs of 6 nodes and 4 edges" in data.notes[0]
    assert "1 node without any edge." in data.notes
    again = open_data(str(tmp_path / "rings" / "RINGS_A.txt"))
    assert again.name == "RINGS"
    assert again.schema == data.schema == schema_from_json(data.schema.to_json())
    told = audit(data)
    assert [(each.name, each.least, each.greatest) for each in told.ranges] == [
        ("nodes of a graph", 1, 3),
        ("edges of a graph", 0, 3),
    ]


def test_nodes_that_nothing_describes_are_told_by_their_edges(tmp_path):
    data = open_data(str(kernel(tmp_path / "bare", node_labels=None, node_attributes=None)))
    assert data.schema.columns == ("degree=0", "degree=1", "degree=2")
    every = graphs_of(data.train.inputs)[0].graph
    assert every.features.argmax(1).tolist() == [2, 2, 2, 1, 1, 0]
    assert any("number of its edges" in note for note in data.notes)
    star = kernel(
        tmp_path / "star",
        A="1,2\n1,3\n1,4\n1,5\n",
        graph_indicator="1\n" * 5,
        graph_labels="1\n",
        node_labels=None,
        node_attributes=None,
    )
    _, source = data.schema.read([str(star)])
    assert source.graph.features.argmax(1).tolist() == [2, 1, 1, 1, 1], "4 edges are as many as the most there were"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"graph_labels": ""}, "the file is empty"),
        ({"graph_indicator": "\n"}, "the file is empty"),
        ({"graph_indicator": "1\n2\n1\n9\n1\n3\n"}, "a graph that has no label"),
        ({"graph_indicator": "1\n2\none\n2\n1\n3\n"}, "not a whole number"),
        ({"A": "1, 3\n3\n"}, "another number of fields"),
        ({"A": "1, 3\n3, 1.5\n"}, "not a whole number"),
        ({"A": f"1, 3\n3, {2**63}\n"}, r"(?s)too large.*RINGS_A.txt, line 2.*'9223372036854775808'"),
        ({"graph_indicator": f"1\n2\n{10**300}\n2\n1\n3\n"}, r"(?s)too large.*graph_indicator.txt, line 3"),
        ({"A": "1, 3\n3, \x00\x01\x02\x03\x04"}, "this is no text"),
        ({"node_labels": "7\n8\n"}, "another number of lines"),
        ({"node_attributes": "1, 2\n" * 5 + "1, nan\n"}, "NaN or infinite"),
        ({"node_attributes": "1, 2\n" * 5 + "1, ?\n"}, "not a number"),
        ({"graph_labels": "1\n1\n1\n"}, "only one class"),
    ],
)
def test_damaged_files_are_refused_with_the_line(tmp_path, files, words):
    with pytest.raises(DataError, match=words):
        open_data(str(kernel(tmp_path / "bad", **files)))


def test_edges_that_lead_nowhere_and_graphs_without_nodes_are_left_out_by_name(tmp_path):
    data = open_data(str(kernel(tmp_path / "odd", A="1, 3\n1, 99\n1, 2\n0, 1\n4, 4\n", graph_labels="-1\n1\n1\n1\n")))
    assert [(each.name, each.reason) for each in data.unreadable] == [
        ("graph 4", "it has no nodes"),
        ("RINGS_A.txt: line 2", "there is no node 99"),
        ("RINGS_A.txt: line 3", "nodes 1 and 2 are in different graphs"),
        ("RINGS_A.txt: line 4", "there is no node 0"),
    ]
    assert graphs_of(data.train.inputs)[0].graph.edges.T.tolist() == [[0, 1], [1, 0]]
    assert any("from a node to itself" in note for note in data.notes)


def gml(path: Path, nodes: list[str], edges: list[tuple[int, int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    told = "".join(f'  node [ id {number} kind "{kind}" ]\n' for number, kind in enumerate(nodes))
    told += "".join(f"  edge [ source {a} target {b} ]\n" for a, b in edges)
    path.write_text(f"graph [\n{told}]\n", encoding="utf-8")


def folders(root: Path, seed: int = 0, count: int = 12) -> Path:
    rng = random.Random(seed)
    for label in ("path", "ring"):
        for number in range(count):
            size = rng.randint(3, 7)
            edges = [(a, a + 1) for a in range(size - 1)] + ([(size - 1, 0)] if label == "ring" else [])
            gml(root / label / f"{number}.gml", [rng.choice("ab") for _ in range(size)], edges)
    return root


def test_a_folder_of_gml_files_for_each_class(tmp_path):
    root = folders(tmp_path / "shapes")
    (root / "ring" / "broken.gml").write_text("graph [ node [ id 1 ]", encoding="utf-8")
    (root / "ring" / "empty.gml").write_text("graph [ ]", encoding="utf-8")
    data = open_data(str(root))
    assert (data.schema.kind, data.classes, len(data.train)) == ("graphs", ("path", "ring"), 24)
    assert data.schema.columns == ("kind=a", "kind=b")
    assert [each.name for each in data.unreadable] == ["ring/broken.gml", "ring/empty.gml"]
    names, source = data.schema.read([str(root / "path" / "0.gml"), str(root / "ring" / "1.gml")])
    assert len(names) == len(source) == 2
    parts = split(data, seed=0).parts
    assert {name: len(part) for name, part in parts.items()}.keys() == {"train", "val", "test"}
    assert sum(map(len, parts.values())) == 24
    gml(tmp_path / "new.gml", ["a", "c"], [(0, 1)])
    assert data.schema.read([str(tmp_path / "new.gml")])[1].graph.features.tolist() == [[1, 0], [0, 0]]
    (tmp_path / "bare.gml").write_text("graph [ node [ id 1 ] ]", encoding="utf-8")
    with pytest.raises(DataError, match="described otherwise"):
        data.schema.read([str(tmp_path / "bare.gml")])
    with pytest.raises(DataError, match="no such file"):
        data.schema.read([str(tmp_path / "absent.gml")])


def test_other_parts_are_described_as_the_training_part_is(tmp_path):
    train, test = folders(tmp_path / "train"), folders(tmp_path / "more", seed=5, count=3)
    gml(test / "ring" / "z.gml", ["c", "a", "a"], [(0, 1), (1, 2), (2, 0)])
    data = open_data(str(train), ReadOptions(test=str(test)))
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 24, "test": 7}
    features, edges, _ = graphs_of(data.test.inputs)[0].graph.cut(graphs_of(data.test.inputs)[1][-1:])
    assert features.tolist() == [[0, 0], [1, 0], [1, 0]]
    assert edges.shape == (2, 6)
    assert data.test.names[-1] == "ring/z.gml"
    gml(test / "knot" / "0.gml", ["a", "a"], [(0, 1)])
    with pytest.raises(DataError, match="do not occur in the training data"):
        open_data(str(train), ReadOptions(test=str(test)))


def test_preparation_is_that_of_the_training_graphs_and_batches_take_graphs(tmp_path):
    data = open_data(str(kernel(tmp_path / "rings")))
    some = data.train.subset(torch.tensor([0, 2]))
    prepared = fit("standardise", some, data.schema)
    own = graphs_of(data.train.inputs)[0].graph.features[[0, 1, 2, 5]].double()
    torch.testing.assert_close(prepared.mean, own.mean(0).float())
    seen = [
        (inputs, targets) for inputs, targets in Batches(some, 2, seed=1, prepare=lambda raw, _: prepared(raw)).epoch(0)
    ]
    assert seen[0][0].shape == (2, 1)
    assert seen[0][0].graph.offsets.tolist() == [0, 3, 5, 6]
    assert len(set(digests(data.train.inputs))) == 3


def test_values_are_refused(tmp_path):
    with pytest.raises(GlassnetError, match="learnt as classes"):
        open_data(str(kernel(tmp_path / "rings")), ReadOptions(task="values"))
