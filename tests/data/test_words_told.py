"""Texts among the columns of a table: which words are told of them, which of these a network reads, and when the texts are read alone."""

from __future__ import annotations

import random
import re
from pathlib import Path

import polars as pl
import pytest
import torch

from glassnet.data.dataset import Data, InMemory, Part
from glassnet.data.kinds import schema_from_json
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.preprocess.table import fit_table, tells
from glassnet.data.table_schema import TableSchema
from glassnet.data.words_told import occurring, words_of

PLACES = ("garden", "pool", "cellar", "balcony")


def flats(folder: Path, rows: int = 400) -> Path:
    """Rent by size, a hundred more where there is a pool and a hundred less where there is a cellar; whether there is a balcony or a garden makes no difference."""
    draw = random.Random(0)
    lines = ["id,size,what,rent"]
    for row in range(rows):
        size, has = draw.randint(20, 120), [place for place in PLACES if draw.random() < 0.4]
        rent = 5 * size + 100 * ("pool" in has) - 100 * ("cellar" in has)
        what = f"A flat, number {row}, with {' and '.join(has)}!" if has else ""
        lines.append(f'F-{row:04},{size},"{what}",{rent}.5')
    path = folder / "flats.csv"
    path.write_text("\n".join(lines))
    return path


def schema_of(data: Data) -> TableSchema:
    assert isinstance(data.schema, TableSchema)
    return data.schema


def test_words_are_those_of_some_rows_and_not_of_nearly_all() -> None:
    cells = [
        f"The {'old' if row < 6 else 'new'} {'red' if row < 4 else 'blue'} number{row}, it's no. {row % 2}"
        for row in range(100)
    ]
    assert set(words_of(pl.Series("text", [*cells, None]))) == {"new", "old", "0", "1"}
    assert words_of(pl.Series("id", [f"F-{row:04}" for row in range(100)])) == ()
    assert words_of(pl.Series("none", [None, None], dtype=pl.String)) == ()
    assert words_of(pl.Series("text", ["b b b"] * 30 + ["a"] * 60 + ["c"] * 10)) == ("a", "b", "c")  # rows, not times


def test_equally_frequent_words_stand_in_the_same_order_in_every_process() -> None:
    """Python gives the words of a set in another order in each process, and a run that goes on reads the table anew."""
    words = [f"word{n}" for n in range(40)]
    assert words_of(pl.Series("text", [" ".join(words)] * 9 + ["other"] * 9)) == ("other", *sorted(words))


def test_words_are_found_as_a_search_of_each_text_finds_them() -> None:
    cells = ["It's RED, red!", "reddish", None, "blue-red", "", "no. 1"]
    told = ("red", "it's", "blue", "1")
    expected = [[bool(re.search(rf"(?<!\w){word}(?!\w)", (cell or "").lower())) for word in told] for cell in cells]
    assert occurring(pl.Series("text", cells), told).tolist() == expected


def test_a_text_among_other_columns_is_read_by_its_words(tmp_path: Path) -> None:
    data = open_data(str(flats(tmp_path)))
    schema = schema_of(data)
    assert data.task == "values"
    assert {"what: pool", "what: cellar", "what: garden", "what: balcony", "size"} < set(schema.names)
    assert not any(name.startswith("id") for name in schema.names)
    (note,) = [note for note in data.notes if "'what'" in note]
    assert "words occur in it" in note
    assert "--text" not in note  # texts alone have classes only
    raw = data.train.inputs.take(torch.arange(len(data.train)))
    pools = [row for row, line in enumerate((tmp_path / "flats.csv").read_text().splitlines()[1:]) if "pool" in line]
    assert raw[:, schema.names.index("what: pool")].nonzero().flatten().tolist() == pools
    assert not raw.isnan().any()  # a text that is missing has no words
    assert schema_from_json(schema.to_json()) == schema


def test_a_network_reads_the_words_that_tell_of_the_target(tmp_path: Path) -> None:
    data = open_data(str(flats(tmp_path)))
    schema = schema_of(data)
    fitted = fit_table("standardise", data.train, schema)
    read = {schema.names[place] for place in fitted.numbers}
    assert {"size", "what: pool", "what: cellar"} <= read
    assert not {"what: balcony", "what: garden"} & read


@pytest.mark.parametrize("rows", [100, 1000])
def test_what_tells_is_three_standard_errors_from_chance(rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    chance = [
        tells(
            (torch.rand(rows, generator=generator) < 0.3).double(),
            torch.randint(2, (rows,), generator=generator),
        )
        for _ in range(2000)
    ]
    assert 0 < sum(chance) < 16  # 2.7 in a thousand of a normal distribution, 5.4 of these
    word = (torch.arange(rows) % 2).double()
    assert tells(word, (word * 2).long())
    assert tells(word, torch.stack([torch.rand(rows, generator=generator), -word.float()], dim=1))
    assert not tells(torch.zeros(rows, dtype=torch.float64), torch.randint(3, (rows,), generator=generator))


def test_new_rows_are_read_as_the_training_file_was(tmp_path: Path) -> None:
    data = open_data(str(flats(tmp_path)))
    new = tmp_path / "new.csv"
    new.write_text("what,size\nA POOL - and a pigsty,30\n,50\n")
    names, source = schema_of(data).read([str(new)])
    assert isinstance(source, InMemory)
    row, nothing = source.take(torch.arange(2))
    told = [
        name for name, lacks in zip(schema_of(data).names, schema_of(data).lacks_word(row), strict=True) if not lacks
    ]
    assert set(told) == {"size", "what: pool", *({"what: and"} & set(schema_of(data).names))}
    assert sum(schema_of(data).lacks_word(nothing)) == len(schema_of(data).names) - 1
    assert (names, source.notes) == (
        ["new.csv:2", "new.csv:3"],
        (),
    )  # a word that is not told is nothing that is missing


def sentences(folder: Path, beside: int, words: int = 9) -> Path:
    draw = random.Random(1)
    header = [f"c{n}" for n in range(beside)] + ["said", "label"]
    lines = [",".join(header)]
    for row in range(60):
        text = " ".join(draw.choice("abcdefghijklmnop") for _ in range(words))
        lines.append(",".join([*(str(draw.randint(0, 9)) for _ in range(beside)), text, "xy"[row % 2]]))
    path = folder / f"said{beside}-{words}.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("beside", "words", "options", "kind"),
    [
        (0, 9, {}, "text"),
        (0, 4, {}, "text"),
        (3, 9, {}, "text"),
        (4, 9, {}, "table"),  # too much beside the texts to leave it out
        (3, 7, {}, "table"),  # no sentences
        (3, 9, {"text": "none"}, "table"),
        (3, 9, {"task": "values", "target": "c0"}, "table"),
        (3, 9, {"target": "c0"}, "text"),
        (4, 7, {"text": "said"}, "text"),
    ],
)
def test_sentences_are_read_alone_where_little_stands_beside_them(
    tmp_path: Path, beside: int, words: int, options: dict[str, str], kind: str
) -> None:
    data = open_data(str(sentences(tmp_path, beside, words)), ReadOptions(**options))  # type: ignore[arg-type]
    assert data.schema.kind == kind
    told = [note for note in data.notes if "not read" in note]
    assert bool(told) == (kind == "text" and beside > 0)
    assert all(f"'c{n}'" in told[0] for n in range(beside) if told and options.get("target") != f"c{n}")


def test_a_number_beside_sentences_is_learnt_as_one(tmp_path: Path) -> None:
    path = tmp_path / "priced.csv"
    draw = random.Random(2)
    rows = [f"{' '.join(draw.choices('abcdefgh', k=9))} {row},{draw.random():.3f}" for row in range(60)]
    path.write_text("\n".join(["said,price", *rows]))
    data = open_data(str(path))
    assert (data.schema.kind, data.task) == ("table", "values")


@pytest.mark.parametrize("labels", ["xy", ("-1", "1"), ("0", "4"), ("0.5", "1.0", "1.5")])
def test_few_different_values_beside_texts_are_classes(tmp_path: Path, labels: tuple[str, ...]) -> None:
    path = tmp_path / "said.csv"
    draw = random.Random(2)
    rows = [f"{' '.join(draw.choices('abcdefgh', k=4))} {row},{labels[row % len(labels)]}" for row in range(60)]
    path.write_text("\n".join(["said,label", *rows]))
    data = open_data(str(path))
    assert (data.schema.kind, data.task, len(data.classes)) == ("text", "classes", len(labels))


def test_the_last_of_several_labels_names_the_classes(tmp_path: Path) -> None:
    path = sentences(tmp_path, 1)
    path.write_text(path.read_text().replace("c0,", "stars,", 1))
    data = open_data(str(path))
    assert data.classes == ("x", "y")


def test_words_of_a_constant_part_are_no_trouble() -> None:
    schema = TableSchema.from_json({"columns": [{"source": "t", "kind": "word", "levels": ["a"]}]})
    part = Part(InMemory(torch.zeros(30, 1)), torch.arange(30) % 2, [str(row) for row in range(30)])
    fitted = fit_table("standardise", part, schema)
    assert fitted.numbers == []
