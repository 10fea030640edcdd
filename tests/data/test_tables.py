"""Reading tables: what each column means, which part is which, and what a prediction reads."""

from __future__ import annotations

import csv
import json
import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from glassnet.data.dataset import InMemory
from glassnet.data.delimited import read_delimited
from glassnet.data.kinds import schema_from_json
from glassnet.data.options import ReadOptions
from glassnet.data.readers import tables
from glassnet.data.table_schema import TableSchema
from glassnet.errors import DataError, ModelError


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def raw(data: object, part: str = "train") -> torch.Tensor:
    source = data.parts[part].inputs  # type: ignore[attr-defined]
    assert isinstance(source, InMemory)
    return source.values


MIXED = """age,city,member,when,score
31,Rome,true,2020-01-31,1.5
,Oslo,false,2021-02-28,2.5
44,Rome,TRUE,2020-03-01,0.5
52,?,false,2020-12-07,-1e1
"""


def test_each_kind_of_column_by_hand(tmp_path: Path) -> None:
    data = tables.read(write(tmp_path, "mixed.csv", MIXED), ReadOptions())
    nan = math.nan
    expected = [
        # age, city (Oslo 0, Rome 1), member, year, month, day, weekday
        [31, 1, 1, 2020, 1, 31, 5],  # a Friday
        [nan, 0, 0, 2021, 2, 28, 7],  # a Sunday
        [44, 1, 1, 2020, 3, 1, 7],  # a Sunday
        [52, nan, 0, 2020, 12, 7, 1],  # a Monday
    ]
    assert [column.levels for column in data.schema.columns if column.kind == "category"] == [("Oslo", "Rome")]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(raw(data).numpy(), np.array(expected, dtype=np.float32))
    assert data.task == "values"
    assert data.train.targets.tolist() == [[1.5], [2.5], [0.5], [-10.0]]
    assert data.outputs == ("score",)
    assert list(data.train.names) == ["mixed.csv:2", "mixed.csv:3", "mixed.csv:4", "mixed.csv:5"]
    assert raw(data).dtype == torch.float32
    assert data.schema.shape == (7,)


def test_new_rows_that_are_written_otherwise_are_refused_and_not_taken_for_numbers(tmp_path: Path) -> None:
    """Of 13.05.2021 the year was 13, and a model of yes and no was sure of it."""
    schema = tables.read(write(tmp_path, "mixed.csv", MIXED), ReadOptions()).schema

    def said(when: str, member: str) -> list[float]:
        rows = write(tmp_path, "new.csv", f"age,city,member,when\n31,Rome,{member},{when}\n40,Oslo,,\n")
        _, source = schema.read([str(rows)])  # type: ignore[attr-defined]
        first: list[float] = source.take(torch.tensor([0]))[0].tolist()
        return first

    assert said("2021-05-13", "1") == [31, 1, 1, 2021, 5, 13, 4], "1 is TRUE"
    assert said("2021-05", "0")[:5] == [31, 1, 0, 2021, 5]
    for when, member, told in (
        ("13.05.2021", "true", "'when' has no date"),
        ("20210513", "true", "'when' has no date"),
        ("2021-05-13", "ja", "'member' has no TRUE or FALSE"),
        ("05/13/2021", "ja", "2 columns"),
    ):
        with pytest.raises(DataError, match=told):
            said(when, member)


@pytest.mark.parametrize(
    ("pattern", "order", "unsure"),
    [
        ("%d.%m.%Y", "day.month.year", False),
        ("%d/%m/%Y", "day/month/year", False),
        ("%m/%d/%Y", "month/day/year", False),
        ("%Y/%m/%d", "year/month/day", False),
        ("%d %b %Y", "day month year", False),
        ("%d.%m.%Y %H:%M", "day.month.year", False),
        ("%m/%d/%Y", "month/day/year", True),
    ],
)
def test_dates_as_people_write_them(tmp_path: Path, pattern: str, order: str, unsure: bool) -> None:
    """Against Python's own calendar; new rows may be written in the same way or as in ISO 8601."""
    first = datetime(2019, 1, 1, 5, 30, tzinfo=UTC)
    days = [first + timedelta(days=31 * (7 * n % 11)) for n in range(11)]  # the first week of each month
    if not unsure:  # irregular, so that they are no series
        days = [first + timedelta(days=5 * n * n % 701, hours=n) for n in range(24)]
    rows = "".join(f"{day.strftime(pattern)};{n % 3};{n * 0.5}\n" for n, day in enumerate(days))
    data = tables.read(write(tmp_path, "t.csv", "when;x;y\n" + rows), ReadOptions())
    kinds = [column.kind for column in data.schema.columns][:-1]  # type: ignore[attr-defined]
    by_kind = {
        "year": lambda day: day.year,
        "month": lambda day: day.month,
        "day": lambda day: day.day,
        "weekday": lambda day: day.isoweekday(),
        "hour": lambda day: day.hour,
    }
    assert set(kinds) >= {"month", "day", "weekday"}
    assert raw(data)[:, :-1].tolist() == [[by_kind[kind](day) for kind in kinds] for day in days]
    note = next(note for note in data.notes if "holds dates" in note)
    assert f"written {order}" in note
    assert ("change places" in note) == unsure
    kept = TableSchema.from_json(json.loads(json.dumps(data.schema.to_json())))  # type: ignore[attr-defined]
    new = f"when;x\n{days[3].strftime(pattern)};1\n{days[3]:%Y-%m-%d %H:%M};1\nsoon;1\n"
    _, source = kept.read([str(write(tmp_path, "new.csv", new))])
    read = source.take(torch.arange(3))
    own = [by_kind[kind](days[3]) for kind in kinds]
    assert read[:2, :-1].tolist() == [own, own]
    assert bool(read[2, :-1].isnan().all())
    with pytest.raises(DataError, match=f"no date written {order}"):
        kept.read([str(write(tmp_path, "other.csv", "when;x\nsoon;1\n"))])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_encodings_give_the_same_table(tmp_path: Path, encoding: str) -> None:
    text = "größe,käse,class\n" + "1.5,Brie,é\n2.5,Comté,ü\n" * 4
    data = tables.read(write(tmp_path, "t.csv", text, encoding), ReadOptions())
    assert data.schema.names == ("größe", "käse")  # type: ignore[attr-defined]
    assert data.classes == ("é", "ü")
    assert any("Latin-1" in note for note in data.notes) == (encoding == "latin-1")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("semicolon.csv", "a;b;y\n1,5;x;0,25\n-2,5;z;1,5\n1,0;x;3\n2;z;4\n"),
        ("tab.tsv", "a\tb\ty\n1.5\tx\t0.25\n-2.5\tz\t1.5\n1\tx\t3\n2\tz\t4\n"),
        ("pipe.txt", "a|b|y\r\n1.5|x|0.25\r\n-2.5|z|1.5\r\n1|x|3\r\n2|z|4\r\n"),
        ("comma.csv", "a, b, y\n1.5, x, 0.25\n\n-2.5, z, 1.5\n1, x, 3\n2, z, 4\n"),
        ("quoted.csv", '"a","b","y"\n"1.5","x","0.25"\n"-2.5","z","1.5"\n"1","x","3"\n"2","z","4"\n'),
    ],
)
def test_delimiters_and_decimal_commas(tmp_path: Path, name: str, text: str) -> None:
    path = write(tmp_path, name, text)
    assert tables.recognises(path)
    data = tables.read(path, ReadOptions())
    assert raw(data).tolist() == [[1.5, 0.0], [-2.5, 1.0], [1.0, 0.0], [2.0, 1.0]]
    assert data.train.targets.flatten().tolist() == [0.25, 1.5, 3.0, 4.0]


def test_quoted_delimiters_newlines_and_thousands(tmp_path: Path) -> None:
    text = 'price,where,y\n"1,234","a, b",0.5\n"2,345,678.5","c\nd",1.5\n3,"a, b",2.5\n4,"c\nd",3.5\n'
    data = tables.read(write(tmp_path, "t.csv", text), ReadOptions())
    assert raw(data)[:, 0].tolist() == [1234.0, 2345678.5, 3.0, 4.0]
    assert data.schema.columns[1].levels == ("a, b", "c\nd")  # type: ignore[attr-defined]
    assert list(data.train.names) == ["t.csv:2", "t.csv:4", "t.csv:5", "t.csv:7"]


@pytest.mark.parametrize("word", ["", "?", "NA", "N/A", "nan", "NaN", "null", "NULL", "None", " "])
def test_every_spelling_of_missing(tmp_path: Path, word: str) -> None:
    text = f"a,b,y\n1,u,0.5\n{word},{word},1.5\n3,v,2.5\n4,u,3.5\n5,v,{word}\n6,v,9.5\n"
    data = tables.read(write(tmp_path, "t.csv", text), ReadOptions())
    assert raw(data).isnan().tolist() == [[False, False], [True, True], [False, False], [False, False], [False, False]]
    assert list(data.train.names) == ["t.csv:2", "t.csv:3", "t.csv:4", "t.csv:5", "t.csv:7"]
    assert any("1 of 6 rows" in note and "target is missing" in note for note in data.notes)


def test_columns_that_teach_nothing_are_left_out_and_named(tmp_path: Path) -> None:
    rows = "".join(f"{i},id{i},same,,{i % 7},{'ab'[i % 2]},{i / 4}\n" for i in range(40))
    data = tables.read(write(tmp_path, "t.csv", "n,id,const,void,x,c,y\n" + rows), ReadOptions())
    assert data.schema.names == ("x", "c")  # type: ignore[attr-defined]
    notes = " | ".join(data.notes)
    for word in (
        "'n' is left out: it only counts",
        "'id' is left out: text",
        "'const' is left out",
        "'void' is left out",
    ):
        assert word in notes


def test_stray_words_among_numbers_are_missing_and_told_with_their_row(tmp_path: Path) -> None:
    rows = "".join(f"{'oops' if i == 7 else i * i},{i / 3}\n" for i in range(30))
    data = tables.read(write(tmp_path, "t.csv", "a,y\n" + rows), ReadOptions())
    assert raw(data).isnan().flatten().nonzero().tolist() == [[7]]
    assert any("'oops' (row 9)" in note for note in data.notes)


@pytest.mark.parametrize(
    ("targets", "task", "classes"),
    [
        (["a", "b", "a", "b"], "classes", ("a", "b")),
        (["10", "9", "x", "10", "9", "x"], "classes", ("10", "9", "x")),
        (["True", "False", "False", "True"], "classes", ("False", "True")),
        (["0", "1", "1", "0"], "classes", ("0", "1")),
        (["3", "1", "2", "1", "2", "3"], "classes", ("1", "2", "3")),
        ([str(i % 12) for i in range(60)], "classes", tuple(str(i) for i in range(12))),
        (["0.0", "1.0", "1.0", "0.0"], "classes", ("0", "1")),
        (["3", "5", "3", "5"], "values", ()),
        (["0", "2", "0", "2"], "values", ()),
        ([str(i % 21) for i in range(63)], "values", ()),
        (["0.5", "1", "1", "0.5"], "values", ()),
    ],
)
def test_task_by_the_targets(tmp_path: Path, targets: list[str], task: str, classes: tuple[str, ...]) -> None:
    text = "x,y\n" + "".join(f"{(7 * i) % 11},{target}\n" for i, target in enumerate(targets))
    data = tables.read(write(tmp_path, "t.csv", text), ReadOptions())
    assert (data.task, data.classes) == (task, classes)
    if task == "classes":
        told = [data.classes[i] for i in data.train.targets.tolist()]
        assert told == [
            str(int(float(t))) if t.replace(".", "").isdigit() and classes[0].isdigit() and "x" not in classes else t
            for t in targets
        ]
    if targets[0] not in ("a", "10", "True"):
        assert any("--task" in note for note in data.notes)


def test_task_can_be_ordered(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "x,y\n" + "".join(f"{i * i},{(3, 5, 8)[i % 3]}\n" for i in range(12)))
    as_classes = tables.read(path, ReadOptions(task="classes"))
    assert as_classes.classes == ("3", "5", "8")
    assert as_classes.train.targets.tolist() == [0, 1, 2] * 4
    digits = write(tmp_path, "d.csv", "x,y\n" + "".join(f"{i * i},{i % 2}\n" for i in range(12)))
    assert tables.read(digits, ReadOptions(task="values")).train.targets.tolist() == [[0.0], [1.0]] * 6


def test_target_by_name_and_its_default(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "y,x,w\n" + "".join(f"{'ab'[i % 2]},{i * i},{i * i * i}\n" for i in range(8)))
    named = tables.read(path, ReadOptions(target="y"))
    assert (named.outputs, named.schema.names) == (("y",), ("x", "w"))  # type: ignore[attr-defined]
    default = tables.read(path, ReadOptions())
    assert default.outputs == ("w",)
    assert any("'w', the last one, is the target" in note for note in default.notes)


@pytest.mark.parametrize(
    ("train", "test"),
    [("wine-train.csv", "wine-test.csv"), ("wine_train.csv", "wine_test.tsv"), ("train.csv", "test.csv")],
)
def test_a_test_file_beside_the_training_file_is_found(tmp_path: Path, train: str, test: str) -> None:
    folder = tmp_path / "wine"
    folder.mkdir()
    path = write(folder, train, "a,c,y\n1,p,0.5\n4,q,1.5\n9,p,2.5\n3,q,2\n")
    delimiter = "\t" if test.endswith("tsv") else ","
    write(folder, test, "c,a,y\nq,7,0.25\nnew,8,0.75\n".replace(",", delimiter))  # another order, an unknown category
    for start in (path, folder):
        assert tables.recognises(start)
        data = tables.read(start, ReadOptions())
        assert data.name == "wine"
        np.testing.assert_array_equal(raw(data, "test").numpy(), [[7, 1], [8, np.nan]])
        assert data.parts["test"].targets.flatten().tolist() == [0.25, 0.75]
        assert any("beside" in note for note in data.notes)


def test_given_test_and_val_files_win(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "a,y\n1,0.5\n4,1.5\n")
    other = write(tmp_path, "later.csv", "a,y\n7,0.25\n")
    data = tables.read(path, ReadOptions(test=str(other), val=str(other)))
    assert list(data.parts) == ["train", "val", "test"]
    assert raw(data, "test").tolist() == [[7.0]]


def test_parquet_equals_csv(tmp_path: Path) -> None:
    as_csv = tables.read(write(tmp_path, "mixed.csv", MIXED), ReadOptions())
    frame = pl.DataFrame(
        {
            "age": [31, None, 44, 52],
            "city": pl.Series(["Rome", "Oslo", "Rome", None], dtype=pl.Categorical),
            "member": [True, False, True, False],
            "when": pl.Series(["2020-01-31", "2021-02-28", "2020-03-01", "2020-12-07"]).str.to_date(),
            "lists": [[1], [2], [3], [4]],
            "score": [1.5, 2.5, 0.5, -10.0],
        }
    )
    path = tmp_path / "mixed.parquet"
    frame.write_parquet(path)
    assert tables.recognises(path)
    data = tables.read(path, ReadOptions())
    np.testing.assert_array_equal(raw(data).numpy(), raw(as_csv).numpy())
    assert data.schema == as_csv.schema
    assert data.train.targets.tolist() == as_csv.train.targets.tolist()
    assert any("'lists' is left out" in note for note in data.notes)


def test_prediction_reads_any_order_and_treats_the_unknown_as_missing(tmp_path: Path) -> None:
    data = tables.read(write(tmp_path, "mixed.csv", MIXED), ReadOptions())
    new = write(tmp_path, "new.csv", "extra,when,city,age,member\nz,2020-01-31,Paris,31,false\nz,,Oslo,n/a,true\n")
    schema = schema_from_json(json.loads(json.dumps(data.schema.to_json())))
    assert schema == data.schema
    names, source = schema.read([str(new), str(new)])
    assert names == ["new.csv:2", "new.csv:3"] * 2
    nan = math.nan
    row = [[31, nan, 0, 2020, 1, 31, 5], [nan, 0, 1, nan, nan, nan, nan]]
    np.testing.assert_array_equal(source.take(torch.arange(4)).numpy(), np.array(row + row, dtype=np.float32))
    assert isinstance(schema, TableSchema)
    assert schema.show(source.take(torch.tensor([1]))[0])["city"] == "Oslo"


def test_prediction_names_every_missing_column_and_file(tmp_path: Path) -> None:
    data = tables.read(write(tmp_path, "mixed.csv", MIXED), ReadOptions())
    lacking = write(tmp_path, "lacking.csv", "Age,city,member\n31,Oslo,true\n")
    with pytest.raises(DataError) as caught:
        data.schema.read([str(lacking), str(tmp_path / "absent.csv")])
    for word in ("2 mistakes", "'age'", "'when'", "'Age' for 'age'", "absent.csv", "no such file"):
        assert word in str(caught.value)


def test_a_damaged_schema_is_a_model_error() -> None:
    for values in ({}, {"kind": "hologram"}, {"kind": "table"}, {"kind": "table", "columns": [{"source": "a"}]}):
        with pytest.raises(ModelError):
            schema_from_json(values)


def test_text_that_is_no_table_is_not_recognised(tmp_path: Path) -> None:
    assert not tables.recognises(write(tmp_path, "poem.txt", "no delimiters here\nnor here\n"))
    assert not tables.recognises(write(tmp_path, "image.png", "a,b\n1,2\n"))
    assert not tables.recognises(tmp_path / "absent.csv")
    assert not tables.recognises(tmp_path / "folder")


def test_adult_agrees_with_a_plain_reading(shared_data: Path) -> None:
    path = shared_data / "tabular" / "adult-train.csv"
    data = tables.read(path, ReadOptions())
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(data.train) == len(rows) == 32561
    assert len(data.parts["test"]) == 16281
    assert data.classes == ("<=50K", ">50K")
    assert [data.classes[i] for i in data.train.targets.tolist()] == [row["income"] for row in rows]
    schema = data.schema
    assert isinstance(schema, TableSchema)
    for i in range(0, len(rows), 997):
        told = schema.show(raw(data)[i])
        for name, value in told.items():
            cell = rows[i][name]
            assert (value is None and cell == "?") or value == cell or value == float(cell)
    assert int(raw(data).isnan().sum()) == 4262
    assert int(raw(data, "test").isnan().sum()) == 2203


def test_a_test_file_without_targets_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "train.csv", "a,c,y\n1,p,0.5\n4,q,1.5\n9,p,2.5\n3,q,2\n")
    for text in ("a,c\n7,p\n", "a,c,y\n7,p,\n8,q,NA\n"):
        other = write(tmp_path, "test.csv", text)
        data = tables.read(path, ReadOptions())
        assert list(data.parts) == ["train"]
        assert any("has no 'y' to measure by" in note for note in data.notes)
        with pytest.raises(DataError, match=r"test\.csv"):
            tables.read(path, ReadOptions(test=str(other)))


def test_notes_are_sentences(tmp_path: Path) -> None:
    rows = "".join(f"{i};id{i};same;;{i % 7};{'ab'[i % 2]};{i / 4};{'' if i == 3 else i * i}\n" for i in range(40))
    write(tmp_path, "t-test.csv", "n;id;const;void;x;c;y;z\n" + rows)
    data = tables.read(write(tmp_path, "t-train.csv", "n;id;const;void;x;c;y;z\n" + rows, "latin-1"), ReadOptions())
    assert len(data.notes) >= 8
    assert all(note[0].isupper() or note.startswith(("t-", "1 of")) for note in data.notes)
    assert all(note.endswith(".") for note in data.notes)


def test_undefined_numbers_of_parquet_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    nan = math.nan
    pl.DataFrame({"a": [1.0, nan, 3.0, 9.0], "void": [nan] * 4, "y": [0.5, 1.5, nan, 2.5]}).write_parquet(path)
    data = tables.read(path, ReadOptions())
    assert list(data.train.names) == ["t.parquet:1", "t.parquet:2", "t.parquet:4"]
    np.testing.assert_array_equal(raw(data).numpy(), [[1], [nan], [9]])
    assert any("'void' is left out: every value is missing" in note for note in data.notes)


def test_only_a_column_that_rises_by_one_counts_the_rows(tmp_path: Path) -> None:
    rows = "".join(f"{i + 5},{2 * i},{i + (i > 20)},{i % 4}.5\n" for i in range(40))
    data = tables.read(write(tmp_path, "t.csv", "n,even,leap,y\n" + rows), ReadOptions())
    assert data.schema.names == ("even", "leap")  # type: ignore[attr-defined]


def test_quotes_that_enclose_no_cells_stay_in_tables_divided_by_tabs(tmp_path: Path) -> None:
    rows = ['pos\t"a fine film', "neg\tnot so", 'pos\t"well" done', 'neg\tdull"', 'pos\t6" tall'] * 5
    path = write(tmp_path, "said.tsv", "\n".join(["label\tsaid", *rows]))
    table = read_delimited(path)
    assert table.frame["said"].to_list() == [row.split("\t")[1] for row in rows]
    assert any("quotes are taken as they stand" in note for note in table.notes)


def test_quotes_that_enclose_cells_are_no_part_of_them(tmp_path: Path) -> None:
    text = 'label\tsaid\npos\t"a\tb"\nneg\t"two\nlines"\npos\t"""well"" done"\nneg\tplain'
    table = read_delimited(write(tmp_path, "said.tsv", text))
    assert table.frame["said"].to_list() == ["a\tb", "two\nlines", '"well" done', "plain"]
    assert table.lines == [2, 4, 5, 6]
    assert not any("quotes" in note for note in table.notes)


HEADERLESS = {
    "numbers.data": "5.1,3.5,1.4,0\n4.9,3.0,1.4,0\n4.7,3.2,1.3,1\n4.6,3.1,1.5,1\n",
    "words.csv": "39,State,77516,Male,low\n50,Private,83311,Male,low\n38,State,215646,Female,low\n53,Private,234721,Male,high\n",
    "blanks.dat": " 0.1   18.0\t2.31 'a'\n 0.20 7.0   7.07 'b'\n 11.0   0.5 6.0\t'a'\n 1.5   0.25 6.5\t'b'\n",
}


@pytest.mark.parametrize("name", HEADERLESS)
def test_a_table_without_column_names_is_read_from_its_first_line_on(tmp_path: Path, name: str) -> None:
    table = read_delimited(write(tmp_path, name, HEADERLESS[name]))
    rows = [re.split(r"[,\s]+", line.strip()) for line in HEADERLESS[name].splitlines()]
    assert table.frame.rows() == [tuple(row) for row in rows]
    assert table.header == tuple(f"column {place}" for place in range(1, len(rows[0]) + 1))
    assert table.lines == [1, 2, 3, 4]
    assert any("no line of column names" in note for note in table.notes)


def test_new_rows_of_a_table_without_column_names_have_none_either(tmp_path: Path) -> None:
    data = tables.read(
        write(tmp_path, "t.data", "".join(f"{n % 7},{n % 5}.5,{'uv'[n % 2]}\n" for n in range(40))), ReadOptions()
    )
    assert isinstance(data.schema, TableSchema)
    assert data.outputs == ("column 3",)
    new = write(tmp_path, "new.csv", "3,4.5\n")  # one line, which nothing below can show to be data
    names, source = data.schema.read([str(new)])
    assert names == ["new.csv:1"]
    assert source.take(torch.tensor([0])).tolist() == [[3.0, 4.5]]
    named = write(tmp_path, "named.csv", "column 2,column 1\n4.5,3\n")
    assert data.schema.read([str(named)])[1].take(torch.tensor([0])).tolist() == [[3.0, 4.5]]
    with pytest.raises(DataError, match="column 2"):
        data.schema.read([str(write(tmp_path, "few.csv", "3\n4\n"))])


def test_a_part_without_the_column_names_of_the_training_part_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"{n % 7},{n % 5}.5,{'uv'[n % 2]}\n" for n in range(40))
    train = write(tmp_path, "train.csv", "a,b,c\n" + rows)
    test = write(tmp_path, "test.csv", rows)
    with pytest.raises(DataError, match="no header"):
        tables.read(train, ReadOptions(test=str(test)))
    headless = write(tmp_path, "more.csv", rows)
    data = tables.read(headless, ReadOptions(test=str(test)))
    assert len(data.parts["test"]) == 40


def test_tabs_divide_cells_of_words_and_numbers(tmp_path: Path) -> None:
    rows = ["town\tsize\tage", "New York\t8\t3", "Los Angeles\t4\t2", "San Diego\t1\t1"]
    assert read_delimited(write(tmp_path, "t.tsv", "\n".join(rows))).header == ("town", "size", "age")
    cars = ['18.0   8   307.0 \t"chevrolet malibu"', '15.0   8   350.0 \t"buick skylark"', '?   4   97.0 \t"ford"'] * 3
    table = read_delimited(write(tmp_path, "cars.data", "\n".join(cars)))
    assert table.frame.row(0) == ("18.0", "8", "307.0", "chevrolet malibu")
    assert table.frame.height == 9


@pytest.mark.parametrize("first", ["country,1990,1995,2001", "a b,1,5,7", "x,3,3,3"])
def test_a_first_line_in_which_some_cell_may_be_a_name_is_asked_about(tmp_path: Path, first: str) -> None:
    rows = "".join(f"c{n},{n}.5,{n * n},{n % 4}\n" for n in range(20))
    with pytest.raises(DataError, match="no header"):
        read_delimited(write(tmp_path, "t.csv", first + "\n" + rows))


@pytest.mark.parametrize(
    ("above", "names", "left_out"),
    [
        ("# made by hand\n\n# on a Monday, twice\na,b,y\n", ("a", "b"), ["# made by hand", "# on a Monday, twice"]),
        ("# a,b,y\n", ("a", "b"), []),
        ("# NumPy's way\n# a,b,y\n", ("a", "b"), ["# NumPy's way"]),
        ("#,b,y\n", ("#", "b"), []),
        ("sep=,\na,b,y\n", ("a", "b"), ["sep=,"]),
    ],
)
def test_comments_above_a_table_are_left_out(
    tmp_path: Path, above: str, names: tuple[str, ...], left_out: list[str]
) -> None:
    rows = [f"{n}.{n % 7},{n % 5},{n % 2}" for n in range(60)]
    path = tmp_path / "t.csv"
    path.write_text(above + "\n".join(rows) + "\n", encoding="utf-8")
    data = tables.read(path, ReadOptions())
    assert isinstance(data.schema, TableSchema)
    assert data.schema.names == names
    told = [note for note in data.notes if "above the table" in note]
    assert all(f"'{line}'" in told[0] for line in left_out) if left_out else not told
    path.write_text(path.read_text() + "1,2,0,4\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"line {len(path.read_text().splitlines())} \(4\)"):
        tables.read(path, ReadOptions())


def test_names_divided_by_blanks_stand_behind_a_mark_as_numpy_writes_them(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    values = np.column_stack([generator.normal(size=(60, 2)), np.arange(60) % 2])
    np.savetxt(tmp_path / "t.dat", values, header="a b y")
    data = tables.read(tmp_path / "t.dat", ReadOptions())
    assert isinstance(data.schema, TableSchema)
    assert data.schema.names == ("a", "b")
