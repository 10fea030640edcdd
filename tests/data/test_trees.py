"""Trees in brackets: what is read, and everything that may be wrong with them."""

from __future__ import annotations

import pytest
import torch

from glassnet.data.duplicates import digests
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess import fit, preprocess_from_json
from glassnet.data.ragged import ragged_of
from glassnet.data.tree import NoTree, as_texts, encode_tree, parse_tree
from glassnet.errors import DataError, UsageError

SST = "(3 (2 It) (4 (2 's) (4 lovely)))"
TREES = [
    "(4 (4 lovely) (2 film))",
    "(0 (0 dull) (2 film))",
    "(2 (2 a) (2 film))",
    "(3 (2 a) (4 (4 lovely) (2 one)))",
    "(1 (1 dull) (2 one))",
]


def folder(tmp_path, train=None, **parts):
    for name, trees in {"train": train or TREES, **parts}.items():
        (tmp_path / f"{name}.txt").write_text("\n".join(trees) + "\n", encoding="utf-8")
    return str(tmp_path)


def test_a_tree_by_hand():
    nodes = parse_tree(SST)
    assert [(node.label, node.word, node.children, node.depth) for node in nodes] == [
        ("3", None, 2, 1),
        ("2", "It", 0, 2),
        ("4", None, 2, 2),
        ("2", "'s", 0, 3),
        ("4", "lovely", 0, 3),
    ]
    rows = torch.tensor(encode_tree(nodes, {"2": 0, "3": 1, "4": 2})).reshape(-1, 4)
    assert rows[:, 1].tolist() == [3, 1, 3, 1, 1], "1 + children"
    assert rows[:, 2].tolist() == [1, 2, 2, 3, 3]
    assert rows[:, 3].tolist() == [1, 2, 4, 2, 4], "2 + class; the root's is kept apart"
    assert bool((rows > 0).all()), "0 is padding"
    assert parse_tree("(3 a\u00a0b)")[0].word == "a\u00a0b", "a no-break space stands within a word"
    assert parse_tree("( (S (NP x) (VP y)))")[0].label is None
    assert parse_tree("(S\n (NP\tx)\r (VP y) )")[0].children == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(3 (2 a) (4 b)", "1 '\\(' that nothing closes"),
        ("(3 (2 a) (4 b)))", "nothing opened"),
        ("(3 (2 a) (4 b)) (2 c)", "behind the end"),
        ("(3 (2 a) (4 b)) c", "outside of the brackets"),
        ("(3 (2 a) b)", "outside of one of its own"),
        ("(3 x (2 a) (4 b) )", "beside|outside"),
        ("(3 ())", "nothing in it"),
        ("(3)", "a label and a word should stand"),
        ("(3 a b)", "a label and a word should stand"),
        ("hello", "no '\\('"),
        (")", "begins with"),
        ("", "no node"),
        ("(2 " * 6000 + "a" + ")" * 6000, "more than 5,000 nodes"),
    ],
)
def test_what_is_no_tree(text, words):
    if text == "(3 x (2 a) (4 b) )":
        text = "(3 x y (2 a) (4 b))"
    with pytest.raises(NoTree, match=words):
        parse_tree(text)


def test_parts_classes_and_what_is_left_out(tmp_path):
    data = open_data(
        folder(
            tmp_path, train=[*TREES, "(2 (2 a)", "((2 a) (2 b))"], dev=["(3 (2 a) (2 b))"], test=["(0 (2 z) (2 b))"] * 2
        )
    )
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 5, "val": 1, "test": 2}
    assert data.classes == ("0", "1", "2", "3", "4")
    assert data.train.targets.tolist() == [4, 0, 2, 3, 1]
    assert [(item.name, item.reason) for item in data.unreadable] == [
        ("train.txt:6", "1 '(' that nothing closes"),
        ("train.txt:7", "the root has no label"),
    ]
    assert data.schema.kind == "tree"
    assert open_data(str(tmp_path / "train.txt")).train.targets.tolist() == [4, 0, 2, 3, 1]


def test_two_classes_leave_neutral_trees_out(tmp_path):
    data = open_data(folder(tmp_path), ReadOptions(target="binary"))
    assert data.classes == ("negative", "positive")
    assert list(data.train.names) == [f"train.txt:{line}" for line in (1, 2, 4, 5)]
    assert data.train.targets.tolist() == [1, 0, 1, 0]
    rows = ragged_of(data.train.inputs)[0].row(2).reshape(-1, 4)
    assert rows[:, 3].tolist() == [1, 1, 3, 3, 1], "neutral nodes have no class"
    with pytest.raises(DataError, match="no middle"):
        open_data(folder(tmp_path, train=["(S (NP a) (VP b))", "(X (NP a) (VP b))"]), ReadOptions(target="binary"))
    with pytest.raises(UsageError, match="no columns"):
        open_data(folder(tmp_path), ReadOptions(target="label"))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"train": ["(2 (2 a) (2 b))"] * 3}, "only one class"),
        ({"train": ["(2 (2 a) (2 b)"] * 3}, "no tree can be read"),
        ({"test": ["(9 (2 a) (2 b))"]}, "do not occur in the training part"),
        ({"test": [""]}, "without a tree"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(tmp_path, parts, words):
    with pytest.raises(DataError, match=words):
        open_data(folder(tmp_path, **parts))


def test_words_become_numbers_and_the_shape_stays(tmp_path):
    data = open_data(folder(tmp_path))
    prepared = fit("auto", data.train, data.schema)
    out = prepared(data.train.inputs.take(torch.arange(5)))
    assert out.shape == (5, 5, 4)
    known = {word: number + 2 for number, word in enumerate(prepared.words.known)}
    assert set(known) == {"lovely", "film", "dull", "a", "one"}
    assert out[3].tolist() == [
        [0, 2, 1, 0],
        [known["a"], 0, 2, 3],
        [0, 2, 2, 5],
        [known["lovely"], 0, 3, 5],
        [known["one"], 0, 3, 3],
    ]
    assert out[0, 3:].tolist() == [[0] * 4] * 2, "nothing behind the end"
    assert out[0, :3].tolist() == [[0, 2, 1, 0], [known["lovely"], 0, 2, 5], [known["film"], 0, 2, 3]]
    assert prepared.net_options == {"vocabulary": 7, "children": 2}
    again = preprocess_from_json(prepared.to_json())
    assert torch.equal(again(data.train.inputs.take(torch.arange(5))), out)
    new = data.schema.read(["(2 (2 zzz) (2 film))"])[1].take(torch.arange(1))
    assert prepared(new)[0, :, 0].tolist() == [0, 1, known["film"]]


def test_texts_at_the_feet_of_trees_and_trees_that_are_the_same(tmp_path):
    data = open_data(folder(tmp_path, train=[*TREES, "(0 (0 Lovely) (0 film))"]))
    texts = as_texts(data)
    found, index = ragged_of(texts.train.inputs)
    assert [[found.lexicon[token] for token in found.row(int(i)).tolist()] for i in index][3] == ["a", "lovely", "one"]
    keys = digests(data.train.inputs)
    assert keys[0] == keys[5], "the same words in the same shape, whatever the labels"
    assert len(set(keys)) == 5


def test_new_trees_are_read_from_files_and_from_words(tmp_path):
    data = open_data(folder(tmp_path))
    names, source = data.schema.read([SST, str(tmp_path / "train.txt")])
    assert names[:2] == [SST, "train.txt:1"]
    assert len(source) == 6
    with pytest.raises(DataError) as told:
        data.schema.read(["(3 (2 a)", "(4 b) c", str(tmp_path / "none.txt")])
    assert str(told.value).count("no tree") == 2
    assert "none.txt" in str(told.value)


def test_stanford_sentiment_treebank(shared_data):
    data = open_data(str(shared_data / "sst"))
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 8544, "val": 1101, "test": 2210}
    assert torch.bincount(data.train.targets).tolist() == [1092, 2218, 1624, 2322, 1288]
    binary = open_data(str(shared_data / "sst"), ReadOptions(target="binary"))
    assert {name: len(part) for name, part in binary.parts.items()} == {"train": 6920, "val": 872, "test": 1821}
