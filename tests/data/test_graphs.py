"""Graphs from files: the same graph whichever form it comes in, and everything that may be wrong with one."""

from __future__ import annotations

import pickle
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from glassnet.data.fingerprint import fingerprint_of
from glassnet.data.gml import parse
from glassnet.data.graph import Graph, NodeNumbers, Nodes, graph_of, nodes_of
from glassnet.data.opening import open_data
from glassnet.data.pickle_values import RefusedPickle, SparseRows, read_values
from glassnet.data.preprocess import fit
from glassnet.data.split import split
from glassnet.errors import DataError

CONTENT = "a 1 0 2 red\nb 0 1 0 blue\nc 1 1 0 red\nd 0 0 0 blue\ne 1 0 0 red\n"
CITES = "a b\nb a\nb c\nc c\nd a\nd a\n"


def citations(folder: Path, content: str = CONTENT, cites: str = CITES) -> Path:
    (folder / "toy.content").write_text(content, encoding="utf-8")
    (folder / "toy.cites").write_text(cites, encoding="utf-8")
    return folder


def test_citations_by_hand(tmp_path):
    data = open_data(str(citations(tmp_path)))
    nodes, index = nodes_of(data.train.inputs)
    assert nodes.graph.features.tolist() == [[1, 0, 2], [0, 1, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert set(map(tuple, nodes.graph.edges.T.tolist())) == {(0, 1), (1, 0), (1, 2), (2, 1), (3, 0), (0, 3)}
    assert nodes.graph.edges.shape == (2, 6)
    assert data.classes == ("blue", "red")
    assert data.train.targets.tolist() == [1, 0, 1, 0, 1]
    assert list(data.train.names) == list("abcde")
    assert index.tolist() == [0, 1, 2, 3, 4]
    told = " ".join(data.notes)
    for words in ("1 edge from a node to itself", "2 edges given before", "1 node without any edge"):
        assert words in told
    assert open_data(str(tmp_path / "toy.content")).name == "toy"


def test_edges_to_nowhere_are_left_out_by_name(tmp_path):
    data = open_data(str(citations(tmp_path, cites=CITES + "a zzz\nlonely\n")))
    assert {(item.name, item.reason) for item in data.unreadable} == {
        ("toy.cites:7", "there is no node 'zzz'"),
        ("toy.cites:8", "1 names instead of two"),
    }
    assert nodes_of(data.train.inputs)[0].graph.edges.shape == (2, 6)


@pytest.mark.parametrize(
    ("content", "cites", "words"),
    [
        (CONTENT + "a 1 1 1 red\n", CITES, "name of an earlier one"),
        (CONTENT + "f 1 1 red\n", CITES, "different lengths"),
        (CONTENT.replace("1 0 2", "1 x 2"), CITES, "no numbers"),
        (CONTENT.replace("1 0 2", "1 nan 2"), CITES, "NaN or infinite"),
        (CONTENT.replace("blue", "red"), CITES, "only one class"),
        ("a red\nb blue\n", CITES, "without features"),
        ("", CITES, "empty"),
        (CONTENT, "", "empty"),
        (CONTENT, "x y\n", "no edges"),
        (CONTENT, "a a\n", "to itself"),
        ("a\0b", CITES, "no text"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, content, cites, words):
    with pytest.raises(DataError, match=words):
        open_data(str(citations(tmp_path, content, cites)))


def test_a_table_beside_divides_the_nodes(tmp_path):
    citations(tmp_path)
    (tmp_path / "toy_split.csv").write_text("node,split\na,train\nb,train\nc,test\nd,val\ne,none\n", encoding="utf-8")
    data = open_data(str(tmp_path))
    assert {name: list(part.names) for name, part in data.parts.items()} == {
        "train": ["a", "b"],
        "val": ["d"],
        "test": ["c"],
    }
    assert "1 nodes are in no part" in " ".join(data.notes)
    assert len(nodes_of(data.train.inputs)[0].graph) == 5, "the graph is whole in every part"
    assert "e" in data.schema.read([str(tmp_path)])[0]


GML = """Creator "me" # a remark
graph [
  directed 0
  node [ id 1 label "a &amp; b" size 2.5 colour "red" club "x" graphics [ x 1.0 ] ]
  node [ id 7 label "c" size 1 colour "blue" club "y" ]
  node [ id 3 label "d" size -1 club "x" ]
  edge [ source 1 target 7 value 3 ]
  edge [ source 7 target 3 ]
  edge [ source 3 target 99 ]
]
"""


def test_gml_by_hand(tmp_path):
    (tmp_path / "g.gml").write_text(GML, encoding="utf-8")
    data = open_data(str(tmp_path / "g.gml"))
    graph = nodes_of(data.train.inputs)[0].graph
    assert list(data.train.names) == ["a & b", "c", "d"]
    assert data.schema.columns == ("size", "colour=blue", "colour=red")
    assert graph.features.tolist() == [[2.5, 0, 1], [1, 1, 0], [-1, 0, 0]]
    assert data.classes == ("x", "y")
    assert set(map(tuple, graph.edges.T.tolist())) == {(0, 1), (1, 0), (1, 2), (2, 1)}
    assert [item.reason for item in data.unreadable] == ["there is no node '99'"]
    by_colour = open_data(str(tmp_path / "g.gml"), options=_target("colour"))
    assert by_colour.classes == ("blue", "red")
    assert len(by_colour.train) == 2, "a node without a class is a neighbour only"
    with pytest.raises(DataError, match="did you mean 'colour'"):
        open_data(str(tmp_path / "g.gml"), options=_target("colours"))


def _target(name):
    from glassnet.data.options import ReadOptions

    return ReadOptions(target=name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("graph [ node [ id 1 ]", "nothing closes"),
        ("graph [ ] ]", "nothing opened in line 1"),
        ("graph [\n node [ id ] ]", "'id' without a value in line 2"),
        ('graph [ label "abc ]', "quote"),
        ("[ ]", "without a key"),
        ("graph", "at the end"),
    ],
)
def test_gml_that_is_broken_is_told_with_the_line(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        parse(text)
    (tmp_path / "g.gml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="no GML"):
        open_data(str(tmp_path / "g.gml"))


def test_nodes_twice_in_gml_are_refused(tmp_path):
    (tmp_path / "g.gml").write_text(GML.replace("id 7", "id 1"), encoding="utf-8")
    with pytest.raises(DataError, match="name of an earlier one"):
        open_data(str(tmp_path / "g.gml"))


def planetoid(folder: Path) -> dict[str, np.ndarray]:
    """Eight nodes, of which 3 are trained on, 4 and 7 tested, 5 and 6 missing from the test files."""
    random = np.random.RandomState(0)
    features, classes = random.randint(0, 2, (5, 4)).astype(np.float32), np.eye(2, dtype=np.int32)[[0, 1, 1, 0, 1]]
    test, test_classes = random.randint(0, 2, (2, 4)).astype(np.float32), np.eye(2, dtype=np.int32)[[1, 0]]
    values = {
        "x": scipy.sparse.csr_matrix(features[:3]),
        "y": classes[:3],
        "allx": scipy.sparse.csr_matrix(features),
        "ally": classes,
        "tx": scipy.sparse.csr_matrix(test),
        "ty": test_classes,
        "graph": defaultdict(list, {0: [1, 2], 1: [0], 2: [0, 7], 3: [5], 5: [3], 7: [2]}),
    }
    for ending, value in values.items():
        (folder / f"ind.toy.{ending}").write_bytes(pickle.dumps(value, protocol=2))
    (folder / "ind.toy.test.index").write_text("7\n5\n", encoding="utf-8")
    return {"features": features, "test": test}


def test_planetoid_by_hand(tmp_path):
    wanted = planetoid(tmp_path)
    data = open_data(str(tmp_path))
    graph = nodes_of(data.train.inputs)[0].graph
    assert graph.features.shape == (8, 4)
    assert np.array_equal(graph.features[:5].numpy(), wanted["features"])
    assert np.array_equal(graph.features[[7, 5]].numpy(), wanted["test"])
    assert not graph.features[6].any(), "a number that is missing is a node without features"
    assert {name: list(part.names) for name, part in data.parts.items()} == {
        "train": ["0", "1", "2"],
        "val": ["3", "4"],
        "test": ["5", "7"],
    }
    assert data.test.targets.tolist() == [0, 1]
    assert set(map(tuple, graph.edges.T.tolist())) == {
        edge for a, b in ((0, 1), (0, 2), (2, 7), (3, 5)) for edge in ((a, b), (b, a))
    }


class Evil:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize("evil", [Evil(), defaultdict(Evil), scipy.sparse.coo_matrix(np.eye(2))])
def test_planetoid_s_pickles_are_not_run(tmp_path, capsys, evil):
    planetoid(tmp_path)
    (tmp_path / "ind.toy.graph").write_bytes(pickle.dumps(evil, protocol=2))
    with pytest.raises(DataError):
        open_data(str(tmp_path))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "spoil",
    [
        {"indices": np.array([0, 9], np.int32)},
        {"indptr": np.array([0, 2, 1], np.int32)},
        {"indptr": np.array([0, 1, 3], np.int32)},
        {"data": np.array([1.0])},
        {"_shape": (2, 10**12)},
        {"_shape": (2, -1)},
        {"data": None},
    ],
)
def test_damaged_sparse_rows_are_refused(spoil):
    good = {
        "_shape": (2, 2),
        "indptr": np.array([0, 1, 2], np.int32),
        "indices": np.array([0, 1], np.int32),
        "data": np.array([3.0, 4.0]),
    }
    assert SparseRows(good).dense(100).tolist() == [[3, 0], [0, 4]]
    with pytest.raises(RefusedPickle):
        SparseRows(good | spoil).dense(100)
    matrix = scipy.sparse.random(5, 7, 0.4, format="csr", random_state=0)
    np.testing.assert_allclose(read_values(pickle.dumps(matrix, protocol=2)).dense(100), matrix.toarray(), rtol=1e-6)


def test_missing_and_damaged_planetoid_files_are_told_together(tmp_path):
    planetoid(tmp_path)
    (tmp_path / "ind.toy.tx").unlink()
    (tmp_path / "ind.toy.ally").write_bytes(b"\x80\x02garbage")
    with pytest.raises(DataError) as told:
        open_data(str(tmp_path))
    assert "ind.toy.tx" in str(told.value)
    assert "ind.toy.ally" in str(told.value)


def test_cora_is_one_graph_in_both_forms(shared_data):
    own, other = (open_data(str(shared_data / "cora" / place)) for place in ("", "planetoid"))
    found = []
    for data in (own, other):
        nodes, index = nodes_of(data.test.inputs)
        graph = nodes.graph
        degrees = torch.bincount(graph.edges[0], minlength=len(graph))
        around = torch.zeros(len(graph), graph.features.shape[1]).index_add(
            0, graph.edges[0], graph.features[graph.edges[1]]
        )
        assert (len(graph), graph.edges.shape[1]) == (2708, 2 * 5278)
        assert [len(part) for part in data.parts.values()] == [140, 500, 1000]
        rows = [graph.features[index], around[index], degrees[index, None]]
        found.append(Counter(tuple(row) for row in torch.cat(rows, dim=1).int().tolist()))
    assert found[0] == found[1], "the test nodes have the same features, degrees and sums over neighbours"


def test_karate(shared_data):
    data = split(open_data(str(shared_data / "cora" / "karate.gml")))
    nodes, _ = nodes_of(data.train.inputs)
    assert torch.equal(nodes.graph.features, torch.eye(34))
    assert nodes.graph.edges.shape == (2, 156)
    assert data.classes == ("Mr. Hi", "Officer")


def test_numbers_of_nodes_know_their_graph_through_what_batches_do():
    graph = Graph(torch.ones(6, 2), torch.tensor([[0, 1], [1, 0]]))
    x = Nodes(graph).take(torch.tensor([4, 2, 0]))
    assert isinstance(x, NodeNumbers)
    for same in (
        x[:2],
        x.to("cpu"),
        x.clone(),
        torch.cat([x, x]),
        x.chunk(2)[1],
        x.contiguous(),
        x.index_select(0, torch.tensor([1])),
    ):
        assert graph_of(same) is graph
    assert x.chunk(2)[1].tolist() == [[0]]
    assert graph_of(x.float()) is None
    assert graph_of(x > 1) is None
    assert x.shape == (3, 1)


def test_features_by_hand(tmp_path):
    data = open_data(str(citations(tmp_path)))
    raw = data.train.inputs.take(torch.tensor([1]))
    rows = fit("auto", data.train, data.schema)(raw)
    assert graph_of(rows).features.tolist()[:4] == [
        [pytest.approx(1 / 3), 0, pytest.approx(2 / 3)],
        [0, 1, 0],
        [0.5, 0.5, 0],
        [0, 0, 0],
    ]
    part = data.train.subset(torch.tensor([0, 1]))
    standard = fit("standardise", part, data.schema)
    # of nodes 0 and 1: means 0.5, 0.5, 1, deviations 0.5, 0.5, 1
    assert graph_of(standard(raw)).features[3].tolist() == [-1, -1, -1]


def test_another_graph_of_other_edges_has_another_fingerprint(tmp_path):
    first = fingerprint_of(open_data(str(citations(tmp_path))))
    assert first == fingerprint_of(open_data(str(citations(tmp_path))))
    assert first != fingerprint_of(open_data(str(citations(tmp_path, cites=CITES + "e a\n"))))
