"""One long text: how it is recognised, cut and read side by side."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from glassnet.data.dataset import IGNORED
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.readers.streams import in_columns
from glassnet.data.split_stream import split_stream
from glassnet.data.stream import BEGIN, NAMES, Stream, codes_of, joined, part_of, pieces, vocabulary_of
from glassnet.data.stream_batches import StreamBatches
from glassnet.data.stream_schema import StreamSchema
from glassnet.data.tokens import UNKNOWN
from glassnet.errors import DataError, UsageError

TEXT = "It was the best of times, it was the worst of times.\n\tSo much for that; and then\r\nwe went on.\n" * 12


def stream(text: str = TEXT, window: int = 7) -> Stream:
    lexicon: dict[int, str] = {}
    return Stream(codes_of(pieces(text, "characters"), lexicon), window, lexicon)


def test_windows_lie_side_by_side_and_each_token_is_said_once_from_the_one_before():
    text = "abcdefghij"
    some = stream(text, 4)
    assert len(some) == 3
    letters = {0: ".", **some.lexicon}
    read = ["".join(letters[code] for code in row) for row in some.take(torch.arange(3)).tolist()]
    said = ["".join(letters[code] for code in row) for row in some.following(torch.arange(3)).tolist()]
    assert (read, said) == ([".abc", "defg", "hij."], ["abcd", "efgh", "ij.."])


def test_characters_come_back_as_they_were_and_line_ends_differ_from_tabs():
    text = "a\tb\nc\r\nd  e"
    some = stream(text)
    assert joined((some.lexicon[code] for code in some.values.tolist()), "characters") == "a\tb\nc\nd  e"


def test_words_are_put_together_again():
    assert joined(pieces("Well, it's fine (so far).\nGo on!", "words"), "words") == "Well, it's fine (so far).\nGo on!"


def test_vocabulary_is_that_of_the_training_part_alone(tmp_path: Path):
    (tmp_path / "t.txt").write_text("abcab" * 100 + "zzzzz" * 10, encoding="utf-8")
    data = split_stream(open_data(str(tmp_path / "t.txt")), val=None, test=None, window=10)
    assert data.classes == (*NAMES, "a", "b", "c")
    assert bool((data.val.targets[-1][data.val.targets[-1] >= 0] == UNKNOWN).all())
    assert isinstance(data.schema, StreamSchema)
    assert data.schema.known == ("a", "b", "c")
    assert [sum(int((p.targets >= 0).sum()) for p in [data.parts[name]]) for name in ("train", "val")] == [495, 55]


def test_the_end_of_the_text_is_measured_and_nothing_is_lost(tmp_path: Path):
    (tmp_path / "t.txt").write_text(TEXT, encoding="utf-8")
    data = split_stream(open_data(str(tmp_path / "t.txt")), val=0.2, test=0.1, window=9)
    told = "".join(
        data.classes[place]
        for name in ("train", "val", "test")
        for place in data.parts[name].targets.flatten().tolist()
        if place >= 0
    )
    assert told == TEXT.replace("\r\n", "\n")
    assert list(data.parts) == ["train", "val", "test"]


@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_a_lane_goes_on_where_its_batch_before_ended(lanes):
    some = stream()
    part = part_of(some, vocabulary_of(some, "characters"), "t")
    batches = StreamBatches(part, lanes, seed=3)
    order = batches.order(2).reshape(batches.steps_per_epoch, batches.lanes)
    assert bool((order.diff(dim=0) == 1).all())
    assert order.unique().numel() == batches.samples == lanes * (len(part) // lanes)
    all_of = list(batches.epoch(2))
    for position, (inputs, targets) in enumerate(all_of):
        assert inputs.shape == targets.shape == (lanes, 7)
        assert bool((inputs[:, 0] == BEGIN).all()) == (position == 0)
        assert torch.equal(inputs[:, 1:], part.inputs.take(order[position])[:, 1:])
    for (_, before), (after, _) in pairwise(all_of):
        last = [vocabulary_of(some, "characters")[place - len(NAMES)] for place in before[:, -1].tolist()]
        assert [some.lexicon[code] for code in after[:, 0].tolist()] == last
    again = list(batches.epoch(2, start=2))
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(all_of[2:], again, strict=True))


@pytest.mark.parametrize("letters", [30, 200, 411, 1_200])
def test_of_a_measured_part_every_token_counts_once(letters):
    some = stream(TEXT[:letters], 7)
    part = part_of(some, vocabulary_of(some, "characters"), "t")
    batches = StreamBatches(part, 64, measured=True)
    counted = torch.zeros(len(part), dtype=torch.int64)
    order = batches.order(0).reshape(-1, batches.lanes)
    for windows, (_, targets) in zip(order, batches.epoch(0), strict=True):
        counted += torch.bincount(windows, weights=(targets >= 0).sum(1).float(), minlength=len(part)).long()
    assert torch.equal(counted, (part.targets >= 0).sum(1))
    assert IGNORED in part.targets or len(some.values) % 7 == 0


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (TEXT, False),
        ("a,b,c\n1,2,3\n4,5,6\n", True),
        ("name\tage\nAnn\t3\nBob\t4\n", True),
        ("1 2 3\n4 5 6\n", True),
        ("Yes, he said.\nNo, she said, and left.\nWhy?\n", False),
        ("one line without an end", False),
    ],
)
def test_a_text_is_told_from_a_table_by_its_lines(text, table):
    assert in_columns(text) == table


def test_the_task_decides_where_both_could_be(tmp_path: Path):
    path = tmp_path / "pairs.csv"
    path.write_text("a,b\n" + "1,2\n3,4\n" * 60, encoding="utf-8")
    assert open_data(str(path)).schema.kind == "table"
    assert open_data(str(path), ReadOptions(sequence="language")).schema.kind == "stream"
    text = tmp_path / "plain.txt"
    text.write_text(TEXT, encoding="utf-8")
    assert open_data(str(text)).schema.kind == "stream"
    both = tmp_path / "both"
    both.mkdir()
    for name in ("b.txt", "a.txt"):
        (both / name).write_text(name * 200, encoding="utf-8")
    read = open_data(str(both), ReadOptions(sequence="language")).train.inputs
    assert isinstance(read, Stream)
    assert joined((read.lexicon[code] for code in read.values.tolist()), "characters").startswith("a.txta.txt")


def test_other_encodings_are_read_and_told(tmp_path: Path):
    for encoding in ("utf-16", "cp1252"):
        path = tmp_path / f"{encoding}.txt"
        path.write_bytes(("Größe und Maß. " * 40).encode(encoding))
        data = open_data(str(path))
        assert "ß" in vocabulary_of(data.train.inputs, "characters")  # type: ignore[arg-type]
        assert any("is read as" in note for note in data.notes)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "there is no text in it"), (b" \n\n", "there is no text in it"), (bytes(range(256)) * 9, "binary")],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content, problem):
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        open_data(str(path), ReadOptions(sequence="language"))
    assert problem in str(caught.value)


def test_a_text_that_is_too_short_or_divided_to_nothing_is_refused(tmp_path: Path):
    path = tmp_path / "x.txt"
    path.write_text("one line\n", encoding="utf-8")
    with pytest.raises(DataError, match="too short"):
        split_stream(open_data(str(path)), val=None, test=None, window=10)
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(UsageError, match="leave nothing"):
        split_stream(open_data(str(path)), val=0.5, test=0.6, window=10)
