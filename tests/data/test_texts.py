"""Texts: how they are found, cut, coded, batched; and what cannot be read, told in words."""

from __future__ import annotations

import pytest
import torch

from glassnet.data.audit import audit
from glassnet.data.augment import build_augment
from glassnet.data.batches import Batches
from glassnet.data.dataset import Part
from glassnet.data.kinds import schema_from_json
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess import fit, preprocess_from_json
from glassnet.data.ragged import Ragged, lengths_of
from glassnet.data.split import split
from glassnet.data.text_files import NoText, decoded, lines_of
from glassnet.data.text_schema import TextSchema
from glassnet.data.tokens import UNKNOWN, characters, code, encode, words
from glassnet.errors import DataError, UsageError

GOOD = ["a fine film", "It's good, 9/10!", "what a joy it is", "a film of wit"]
BAD = ["a dull film", "not good at all", "what a bore", "a waste of time it is"]


def poles(folder, name="films", times=1):
    for pole, texts in (("pos", GOOD), ("neg", BAD)):
        lines = [f"{text}{' indeed' * number}" for number in range(times) for text in texts]
        (folder / f"{name}.{pole}").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def told(schema, part):
    """The texts of a part as lists of tokens."""
    source = part.inputs
    while not isinstance(source, Ragged):
        source = source.of
    return [[source.lexicon.get(int(c), "?") for c in row if c] for row in part.inputs.take(torch.arange(len(part)))]


def test_words_and_characters():
    assert words("It's good, 9/10!\n") == ["it's", "good", ",", "9", "/", "10", "!"]
    assert words("café naïve 東京") == ["café", "naïve", "東京"]
    assert characters(" a\n\n b ") == ["a", " ", "b"]
    assert encode("  ", "words") == [UNKNOWN]
    assert code("film") == code("film") != code("films")
    assert code("a") == ord("a")
    assert all(16 <= code(token) < 2**63 for token in ("film", "東", "\t", "\0", "x" * 10_000))


def test_two_files_of_lines(tmp_path):
    for place in (poles(tmp_path), tmp_path / "films.pos"):
        data = open_data(str(place))
        assert data.classes == ("neg", "pos")
        assert data.schema.kind == "text"
        assert data.train.targets.tolist() == [0] * 4 + [1] * 4
        assert told(data.schema, data.train)[5] == ["it's", "good", ",", "9", "/", "10", "!"]
        assert data.train.names[0] == "films.neg:1"
        assert data.schema.shape == (7,)


def test_real_reviews(shared_data):
    data = open_data(str(shared_data / "reviews"))
    assert len(data.train) == 10_662
    assert data.train.targets.bincount().tolist() == [5_331, 5_331]
    assert data.unreadable == ()


def test_lines_beside_labels(tmp_path):
    (tmp_path / "sentences.txt").write_text("\n".join(GOOD + BAD), encoding="utf-8")
    (tmp_path / "labels.txt").write_text("\n".join(["yes"] * 4 + ["no"] * 4), encoding="utf-8")
    data = open_data(str(tmp_path))
    assert data.classes == ("no", "yes")
    assert data.train.targets.tolist() == [1] * 4 + [0] * 4
    (tmp_path / "labels.txt").write_text("yes\nno\n", encoding="utf-8")
    with pytest.raises(DataError, match="another number of lines") as caught:
        open_data(str(tmp_path))
    assert "2 lines" in str(caught.value)
    assert "8" in str(caught.value)


def test_folders_of_files_with_parts(tmp_path):
    for part, texts in (("train", GOOD), ("test", GOOD[:1])):
        for label in ("b", "a"):
            folder = tmp_path / part / label
            folder.mkdir(parents=True)
            for number, text in enumerate(texts):
                (folder / f"{number}.txt").write_text(f"{text}\nand {label}\n", encoding="utf-8")
    data = open_data(str(tmp_path))
    assert data.classes == ("a", "b")
    assert len(data.train) == 8
    assert len(data.test) == 2
    assert told(data.schema, data.test)[1][-1] == "b"
    assert data.train.names[0] == "train/a/0.txt"


def test_a_table_with_a_column_of_texts(tmp_path):
    rows = [f'{i},"{text}",{label}' for i, (text, label) in enumerate(zip(GOOD + BAD, [1] * 4 + [0] * 4, strict=True))]
    (tmp_path / "films.csv").write_text("id,review,liked\n" + "\n".join(rows), encoding="utf-8")
    data = open_data(str(tmp_path / "films.csv"))
    assert (data.schema.kind, data.schema.column, data.classes) == ("text", "review", ("0", "1"))
    assert data.train.targets.tolist() == [1] * 4 + [0] * 4
    assert told(data.schema, data.train)[0] == ["a", "fine", "film"]
    # the texts may stand last, and an empty one is left out
    rows = [f"{label};{text}" for text, label in zip([*GOOD, *BAD, ""], ["good"] * 4 + ["bad"] * 5, strict=True)]
    (tmp_path / "other.csv").write_text("label;text\n" + "\n".join(rows), encoding="utf-8")
    data = open_data(str(tmp_path / "other.csv"))
    assert data.classes == ("bad", "good")
    assert len(data.train) == 8
    assert data.unreadable[0].reason == "the text is empty"
    with pytest.raises(DataError, match="no column 'txt'"):
        open_data(str(tmp_path / "other.csv"), ReadOptions(text="txt"))


def test_tables_without_texts_stay_tables(tmp_path):
    rows = [f"{i},{i % 3},{'ab'[i % 2]},12 High Street {i}" for i in range(40)]
    (tmp_path / "t.csv").write_text("x,y,label,address\n" + "\n".join(rows), encoding="utf-8")
    assert open_data(str(tmp_path / "t.csv"), ReadOptions(target="label")).schema.kind == "table"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("naïve café".encode(), "utf-8"),
        ("naïve café".encode("cp1252"), "windows-1252"),
        ("naïve café".encode("utf-16"), "utf-16-le"),
        (b"\xef\xbb\xbf" + "naïve café".encode(), "utf-8"),
    ],
)
def test_encodings(raw, encoding):
    found = decoded(raw)
    assert (found.text, found.encoding) == ("naïve café", encoding)


def test_binary_files_are_named_and_left_out(tmp_path):
    with pytest.raises(NoText, match="zero bytes"):
        decoded(b"PNG\0\0\1")
    with pytest.raises(NoText, match="no text has"):
        decoded(bytes(range(1, 32)) * 10)
    for label in "ab":
        folder = tmp_path / label
        folder.mkdir()
        for number, text in enumerate(GOOD):
            (folder / f"{number}.txt").write_text(text + label, encoding="utf-8")
    (tmp_path / "a" / "bad.txt").write_bytes(b"\0\1\2")
    (tmp_path / "b" / "empty.txt").write_text(" \n")
    (tmp_path / "b" / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "b" / "latin.txt").write_bytes("déjà vu".encode("latin-1"))
    data = open_data(str(tmp_path))
    reasons = {item.name: item.reason for item in data.unreadable}
    assert reasons == {
        "a/bad.txt": "a binary file: it has zero bytes",
        "b/empty.txt": "the text is empty",
        "b/photo.jpg": ".jpg files are no texts",
    }
    assert any("windows-1252" in note for note in data.notes)
    for file in (tmp_path / "a").iterdir():
        file.write_bytes(b"\0")
    with pytest.raises(DataError, match="class 'a' has no readable text"):
        open_data(str(tmp_path))


def test_lines_are_cut_at_line_ends_alone():
    assert lines_of("a\x85b\u2028c\r\nd\re\n\nf\n") == ["a\x85b\u2028c", "d", "e", "", "f"]
    assert lines_of("") == []


def test_the_vocabulary_knows_the_training_part_alone(tmp_path):
    data = split(open_data(str(poles(tmp_path, times=2))), val=0.25, test=0.25, seed=0)
    fitted = fit("vocabulary", data.train, data.schema)
    counted = [token for text in told(data.schema, data.train) for token in set(text)]
    every = [token for text in told(data.schema, data.train) for token in text]
    assert set(fitted.known) == {token for token in every if every.count(token) >= 2}
    assert set(fit("every-token", data.train, data.schema).known) == set(counted)
    for part in data.parts.values():
        made = fitted(part.inputs.take(torch.arange(len(part))))
        for row, text in zip(made, told(data.schema, part), strict=True):
            expected = [fitted.known.index(t) + 2 if t in fitted.known else 1 for t in text]
            assert row[row != 0].tolist() == expected
    again = preprocess_from_json(fitted.to_json())
    raw = data.test.inputs.take(torch.arange(len(data.test)))
    assert torch.equal(again(raw), fitted(raw))
    assert schema_from_json(data.schema.to_json()) == data.schema


def test_a_text_that_is_too_long_is_cut(tmp_path):
    (tmp_path / "x.pos").write_text("yes " * 30_000 + "\nyes yes\n")
    (tmp_path / "x.neg").write_text("no no\nno way\n")
    data = open_data(str(tmp_path))
    assert data.schema.shape == (20_000,)
    fitted = fit("vocabulary", data.train, data.schema)
    assert fitted(data.train.some(4)).shape == (4, 1_000)


def long_and_short(count=500):
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 60, (count,), generator=generator).tolist()
    source = Ragged.of([[i + 20] * length for i, length in enumerate(lengths)])
    return Part(source, torch.arange(count) % 2, [str(i) for i in range(count)])


def test_bucketed_batches_hold_every_sample_once_with_little_padding_and_a_new_order():
    batches = Batches(long_and_short(), 16, seed=5)
    orders = []
    for epoch in range(3):
        tokens = places = 0
        seen = []
        for x, _ in batches.epoch(epoch):
            tokens += int((x != 0).sum())
            places += x.numel()
            seen += (x[:, 0] - 20).tolist()
        assert sorted(seen) == list(range(500))
        assert tokens / places > 0.85, "at random it would be about a half"
        orders.append(seen)
    assert orders[0] != orders[1] != orders[2]


def test_bucketed_batches_can_be_entered_anywhere():
    batches, again = (Batches(long_and_short(), 16, seed=5) for _ in range(2))
    whole = list(batches.epoch(2))
    for start in (0, 7, len(whole) - 1):
        for mine, other in zip(whole[start:], again.epoch(2, start=start), strict=True):
            assert torch.equal(mine.inputs, other.inputs)
            assert torch.equal(mine.targets, other.targets)
    assert (whole[3].inputs[:, 0] - 20).tolist() == batches.pieces(2)[3].tolist(), (
        "a strange step names its samples by this"
    )


def test_padding_is_as_short_as_the_batch_allows():
    part = long_and_short()
    lengths = lengths_of(part.inputs)
    index = torch.tensor([3, 9, 4])
    assert part.inputs.take(index).shape == (3, int(lengths[index].max()))
    assert torch.equal(lengths_of(part.subset(index).inputs), lengths[index])


def test_word_dropout_makes_words_unknown_and_keeps_lengths():
    raw = torch.full((200, 50), 77)
    raw[:, 40:] = 0
    change = build_augment({"word_dropout": 0.25}, shape=(50,), kind="text")
    made = change(raw, torch.Generator().manual_seed(0))
    assert bool((made[:, 40:] == 0).all())
    assert float((made[:, :40] == UNKNOWN).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert set(made[:, :40].unique().tolist()) == {UNKNOWN, 77}
    with pytest.raises(UsageError, match="cannot be done on texts"):
        build_augment({"flip": True}, shape=(50,), kind="text")
    with pytest.raises(UsageError, match="for texts alone"):
        build_augment({"word_dropout": 0.1}, shape=(3, 8, 8), kind="image")


def test_audit_tells_repeated_and_contradicting_texts(tmp_path):
    folder = poles(tmp_path)
    with (folder / "films.neg").open("a") as file:
        file.write(GOOD[0] + "\n")
    found = audit(open_data(str(folder)))
    assert {"duplicates-within", "contradicting-labels"} & {trouble.rule for trouble in found.troubles}
    assert found.ranges[0].name == "tokens in a text"
    assert (found.ranges[0].least, found.ranges[0].greatest) == (3, 7)


def test_prediction_takes_texts_files_and_tables(tmp_path):
    schema = open_data(str(poles(tmp_path))).schema
    names, source = schema.read(["A fine film", str(tmp_path / "films.neg")])
    assert names == ["A fine film", *(f"films.neg:{n}" for n in range(1, 5))]
    assert source.row(0).tolist() == encode("a fine film", "words")
    (tmp_path / "new.csv").write_text("text\ngood film\nbad film\n")
    assert schema.read([str(tmp_path / "new.csv")])[0] == ["new.csv:2", "new.csv:3"]
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "photo.txt").write_bytes(b"\0\0")
    with pytest.raises(DataError) as caught:
        schema.read(["folder/none.txt", " ", str(tmp_path / "empty.txt"), str(tmp_path / "photo.txt")])
    for sentence in ("no such file", "the text is empty", "holds no text", "this is no text"):
        assert sentence in str(caught.value)


def test_files_of_a_folder_that_are_no_texts_are_left_out_and_told(tmp_path):
    schema = TextSchema("words", "file", None, 5)
    (tmp_path / "film.txt").write_text("a fine film")
    (tmp_path / "doc.pdf").write_bytes(b"%PDF-1.4 \0\0")
    (tmp_path / "empty.txt").write_text(" \n")
    names, source = schema.read([str(tmp_path)])
    assert names == ["film.txt"]
    assert "doc.pdf" in source.notes[0]
    assert "empty.txt" in source.notes[0]
    (tmp_path / "film.txt").unlink()
    with pytest.raises(DataError, match=r"doc\.pdf"):
        schema.read([str(tmp_path)])
    with pytest.raises(DataError, match=r"doc\.pdf"):
        schema.read([str(tmp_path / "doc.pdf"), "a film"])
