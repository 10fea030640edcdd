"""Tagged sentences: files in columns, words as codes, parts, entities, rivals; and what cannot be read, told in words."""

from __future__ import annotations

import pytest
import torch

from glassnet.data.batches import Batches
from glassnet.data.dataset import class_counts
from glassnet.data.kinds import schema_from_json
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess import fit, preprocess_from_json
from glassnet.data.split import split
from glassnet.data.word_codes import features, ragged_words
from glassnet.errors import DataError
from glassnet.evaluate.tagging import entities_of, entity_figures, has_entities, most_frequent, tagging_rivals

CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP B-MISC
# # B-NP O

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""
UNIVERSAL = "\n".join(
    [
        "# text = I'm here",
        "1-2\tI'm\t_\t_\t_\t_\t_\t_\t_\t_",
        *(
            f"{i}\t{word}\t{word}\t{tag}\t{own}\t_\t0\troot\t_\t_"
            for i, (word, tag, own) in enumerate([("I", "PRON", "PRP"), ("am", "AUX", "VBP"), ("here", "ADV", "RB")], 1)
        ),
        "3.1\tnow\t_\tADV\tRB\t_\t_\t_\t_\t_",
        "",
        "1\t10 000\t_\tNUM\tCD\t_\t0\troot\t_\t_",
    ]
)


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return str(path)


def many(count, start=0):
    """Sentences of different lengths where every word has one tag."""
    words = [("the", "D"), ("dog", "N"), ("runs", "V"), ("fast", "A"), ("Bonn", "N")]
    rows = ["\n".join(f"{w}{start + i if w == 'dog' else ''} {t}" for w, t in words[: 2 + i % 4]) for i in range(count)]
    return "\n\n".join(rows) + "\n"


def tags(data, part, number):
    row = data.parts[part].targets[number]
    return [data.classes[i] for i in row[row >= 0].tolist()]


def test_columns_of_conll(tmp_path):
    data = open_data(written(tmp_path / "a.conll", CONLL))
    assert data.schema.kind == "tags"
    assert data.classes == ("O", "B-MISC", "B-ORG", "B-PER", "I-PER")
    assert data.train.names == ["a.conll:3", "a.conll:8"]
    assert tags(data, "train", 0) == ["B-ORG", "O", "B-MISC", "O"]
    assert tags(data, "train", 1) == ["B-PER", "I-PER"]
    assert class_counts(data.train, 5) == [2, 1, 1, 1, 1]
    assert data.train.answers.tolist() == [2, 0, 1, 0, 3, 4]
    parts = open_data(str(tmp_path / "a.conll"), ReadOptions(target="2"))
    assert tags(parts, "train", 0) == ["NNP", "VBZ", "JJ", "#"]


def test_columns_of_universal_dependencies(tmp_path):
    path = written(tmp_path / "en-ud-train.conllu", UNIVERSAL)
    data = open_data(path)
    assert tags(data, "train", 0) == ["PRON", "AUX", "ADV"]
    assert tags(open_data(path, ReadOptions(target="xpos")), "train", 0) == ["PRP", "VBP", "RB"]
    names, source = data.schema.read([path])
    assert names == ["I am here", "10\u00a0000"]
    assert source.lengths.tolist() == [3, 1]


def test_parts_beside_and_in_a_folder(tmp_path):
    for name, start in (("train", 0), ("dev", 100), ("test", 200)):
        written(tmp_path / f"x-{name}.txt", many(20, start))
    for place in (tmp_path, tmp_path / "x-train.txt"):
        data = open_data(str(place))
        assert {name: len(part) for name, part in data.parts.items()} == {"train": 20, "val": 20, "test": 20}
    written(tmp_path / "x-test.txt", "new X\nthe D\n\n" + many(5))
    data = open_data(str(tmp_path))
    assert data.classes[-1] == "X"
    assert any("cannot be learned: X" in note for note in data.notes)
    alone = split(open_data(written(tmp_path / "alone.bio", many(100))), seed=1)
    assert [len(alone.parts[name]) for name in ("train", "val", "test")] == [64, 16, 20]


def test_prose_and_tables_are_no_tagged_sentences(tmp_path):
    from glassnet.data.tagged_files import is_tagged

    for name, text in (
        ("prose.txt", "one two three\nfour five\n\nsix seven eight nine\n" * 5),
        ("table.tsv", "a\tb\n1\t2\n3\t4\n5\t6\n7\t8\n9\t1\n"),
        ("pairs.txt", "\n\n".join(f"word{i} mot{i}" for i in range(20))),
    ):
        written(tmp_path / name, text)
        assert not is_tagged(tmp_path / name)
    assert is_tagged(tmp_path / "pairs.txt") is False


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.conll", "", "no sentence"),
        ("a.conll", "one\ntwo\n", "one column only"),
        ("a.conll", "a X\nb Y\nc\nd X Y\n\n", "line 3 has 1, line 4 has 3"),
        ("a.conll", "a X\nb X\n", "one tag only"),
        ("a.conll", "a\0X\n\0\0", "binary file"),
    ],
)
def test_what_cannot_be_read(tmp_path, name, text, said):
    with pytest.raises(DataError, match=said):
        open_data(written(tmp_path / name, text))


def test_other_encodings_and_columns(tmp_path):
    data = open_data(written(tmp_path / "a.conll", "Café N\ngut A\n\nÄpfel N\n", "utf-16"))
    assert "café" in data.train.inputs.lexicon.values()
    data = open_data(written(tmp_path / "b.conll", "Café N\ngut A\n\n", "cp1252"))
    assert any("windows-1252" in note for note in data.notes)
    with pytest.raises(DataError, match="a number from 2 to 2"):
        open_data(str(tmp_path / "b.conll"), ReadOptions(target="7"))


def test_features_of_words():
    assert features("Banks") == ("banks", "…nks", "≈Xx")
    assert features("1997") == ("0000", "…000", "≈0")
    assert features("mid-1990s") == ("mid-1990s", "…90s", "≈x-0x")
    assert features("w17")[0] == "w17", "digits that tell words apart are kept"
    source = ragged_words([["The", "dog"], ["the"]])
    taken = source.take(torch.tensor([0, 1]))
    assert taken.shape == (2, 2, 3)
    assert taken[0, 0, 0] == taken[1, 0, 0], "lower case"
    assert taken[0, 0, 2] != taken[1, 0, 2], "another shape"
    assert taken[1, 1].tolist() == [0, 0, 0]


def test_preprocessing_is_fitted_on_its_part_alone_and_kept(tmp_path):
    data = open_data(written(tmp_path / "a.conll", many(30)))
    some = data.train.subset(torch.arange(10))
    made = fit("auto", some, data.schema)
    again = preprocess_from_json(made.to_json())
    raw = data.train.inputs.take(torch.arange(30))
    assert torch.equal(made(raw), again(raw))
    whole = fit("auto", some, data.schema)(raw)
    assert torch.equal(whole, made(raw))
    assert "dog3" not in made.known[0], "it occurs once"
    assert "dog3" in fit("every-word", some, data.schema).known[0]
    assert "dog20" not in fit("every-word", some, data.schema).known[0], "it is in another part"
    dog = made(raw)[20, 1]
    assert dog[0] == 1, "unknown"
    assert made(raw)[0, -1].tolist() == [0, 0, 0], "padding"
    assert made.net_options == {"words": len(made.known[0]) + 2, "ends": len(made.known[1]) + 2, "shapes": 5}


def test_batches_have_a_tag_for_every_word_and_none_behind(tmp_path):
    data = open_data(written(tmp_path / "a.conll", many(50)))
    seen = 0
    for inputs, targets in Batches(data.train, 8, seed=3).epoch(0):
        assert inputs.shape[:2] == targets.shape
        assert torch.equal(inputs[..., 0] != 0, targets >= 0)
        seen += int((targets >= 0).sum())
    assert seen == len(data.train.answers)


def test_new_sentences(tmp_path):
    schema = schema_from_json(open_data(written(tmp_path / "a.conll", CONLL)).schema.to_json())
    lines = written(tmp_path / "lines.txt", "It's a well-known dog.\n\nBonn is old.\n")
    bare = written(tmp_path / "bare.txt", "one\ntwo\n\nthree\n")
    names, source = schema.read(["Who ran?", lines, bare, str(tmp_path / "a.conll")])
    assert names[:5] == ["Who ran ?", "It's a well-known dog .", "Bonn is old .", "one two", "three"]
    assert names[5] == "EU rejects German #"
    assert source.lengths.tolist() == [len(name.split(" ")) for name in names]
    with pytest.raises(DataError, match=r"(?s)no such file.*sentence is empty"):
        schema.read(["no/such.conll", "  "])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("O O", []),
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("B-PER B-PER I-PER", [("PER", 0, 1), ("PER", 1, 3)]),
        ("I-PER I-PER O I-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("I-PER I-LOC I-LOC", [("PER", 0, 1), ("LOC", 1, 3)]),
        ("B-PER I-LOC", [("PER", 0, 1), ("LOC", 1, 2)]),
        ("S-PER B-LOC I-LOC E-LOC S-PER", [("PER", 0, 1), ("LOC", 1, 4), ("PER", 4, 5)]),
        ("U-PER B-LOC L-LOC I-LOC", [("PER", 0, 1), ("LOC", 1, 3), ("LOC", 3, 4)]),
    ],
)
def test_entities_by_hand(given, wanted):
    assert entities_of(given.split()) == wanted


def test_figures_of_entities_by_hand(tmp_path):
    text = "a B-X\nb I-X\nc O\nd B-Y\n\ne B-X\nf O\n"
    data = open_data(written(tmp_path / "a.conll", text))
    assert has_entities(data.classes)
    assert not has_entities(("O", "N", "V"))
    assert not has_entities(("B-X", "O"))
    said = [data.classes.index(tag) for tag in ["B-X", "I-X", "O", "B-X", "B-X", "I-X"]]
    found = entity_figures(torch.tensor(said), data.train, data.classes)
    # said: X 0-2 (right), X 3-4 (wrong kind), X 4-6 (too long); there: X, Y, X
    assert found["all"] == {"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3, "support": 3}
    assert found["each"]["X"] == {"precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5, "support": 2}
    assert found["each"]["Y"]["f1"] == 0


def test_rivals(tmp_path):
    written(tmp_path / "train.conll", "can N\nyou P\n\ncan V\nyou P\n\ncan V\nyou P\nrun V\n\n" * 3)
    written(tmp_path / "test.conll", "Can N\nyou P\nfly N\n")
    data = open_data(str(tmp_path))
    said = most_frequent(data.train, data.test)
    assert [data.classes[i] for i in said.tolist()] == ["V", "P", "P"], "its own, in any case; else the commonest"
    rivals = tagging_rivals(data, "test", seed=0)
    assert [rival.name for rival in rivals] == ["most frequent tag of each word", "linear model"]
    assert rivals[0].figure == pytest.approx(1 / 3)
