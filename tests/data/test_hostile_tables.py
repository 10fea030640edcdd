"""Damaged and hostile tables: one clear message that names the place, never another exception."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet.data.options import ReadOptions
from glassnet.data.readers import tables
from glassnet.errors import DataError, GlassnetError

GOOD = "a,b,y\n" + "".join(f"{i * i},{'uv'[i % 2]},{i / 4}\n" for i in range(20))
LABELLED = "a,y\n" + "".join(f"{i * i},{'no' if i % 2 else 'yes'}\n" for i in range(20))

CASES: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", ["empty"]),
    "blank": (b" \n\n \n", ["empty"]),
    "header only": (b"a,b,y\n", ["no rows", "a, b, y"]),
    "ragged": (b"a,b,y\n1,2,3\n4,5\n6,7,8\n9,10,11,12\n", ["2 rows", "line 3 (2)", "line 5 (4)", "3 cells"]),
    "names twice": (b"a,b,a,y\n1,2,3,4\n5,6,7,8\n", ["more than once", "'a'"]),
    "NUL": (b"a,b,y\n1,2,3\n4,\x00,6\n", ["NUL", "line 3"]),
    "open quote": (b'a,b,y\n1,x,3\n4,"oops,6\n7,z,9\n', ["quote", "line 3"]),
    "text after a quote": (b'a,b,y\n1,x,3\n4,"oops"no,6\n', ["quote", "line 3"]),
    "infinite": (b"a,b,y\n1,2,3\n-inf,5,6\n7,1e999,9\n8,9,1\n", ["2 columns", "'-inf' in row 3", "'1e999' in row 4"]),
    "infinite target": (b"a,y\n1,2\n2,inf\n5,3\n", ["column 'y'", "'inf' in row 3"]),
    "beyond float32": (b"a,y\n1,2.5\n1e39,3.5\n3,4.5\n", ["column 'a'", "'1e39' in row 3"]),
    "one column": (b"y\n1\n2\n", ["one column only"]),
    "same target": (b"a,y\n1,5\n2,5\n3,5\n", ["every target is the same"]),
    "no target given": (b"a,y\n1,\n2,?\n3,NA\n", ["every target is missing", "--target"]),
    "free text target": (b"a,y\n1,ab\n2,cd\n3,ef\n", ["nearly every row has a value of its own"]),
    "nothing to learn from": (b"a,y\n1,5\n1,6\n1,7\n", ["no column is left", "'a' is left out"]),
    "binary": (bytes(range(1, 32)) * 40, ["not text"]),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), ["NUL"]),
    "torn UTF-16": ("a,b,y\n1,2,3\n".encode("utf-16") + b"\x00", ["utf-16", "byte"]),
    "one long line": (b"1," * (10 << 20), ["too long", "line 1"]),
    "a long cell": (b"a,b,y\n1,2,3\n4," + b"x" * 200_000 + b",6\n", ["line 3"]),
    "many columns": (
        b",".join(b"c%d" % i for i in range(100_000)) + b"\n" + b"1," * 99_999 + b"1\n",
        ["too many columns", "100,000"],
    ),
}


def read(path: Path, **options: object) -> object:
    return tables.read(path, ReadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES)
def test_damaged_files_are_told_by_place(tmp_path: Path, case: str) -> None:
    content, words = CASES[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    start = time.perf_counter()
    with pytest.raises(DataError) as caught:
        read(path)
    assert time.perf_counter() - start < 5
    for word in [*words, "bad.csv"]:
        assert word in str(caught.value)


def test_years_and_counts_may_be_column_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for header in ("land,2019,2020,2021,y", "0,1,2,3,4", ",0,1,2,y"):
        path.write_text(header + "\n" + "".join(f"{'uv'[i % 2]},{i * i},{i % 5},{-i},{i / 4}\n" for i in range(10)))
        assert len(tables.read(path, ReadOptions()).train) == 10


def test_unknown_target_offers_the_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("age,income\n" + "".join(f"{i},{i * i}\n" for i in range(9)))
    with pytest.raises(DataError, match=r"did you mean 'income'\?"):
        read(path, target="Incom")
    with pytest.raises(DataError, match="one of 'age', 'income'"):
        read(path, target="zzz")


def test_words_cannot_be_values(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(LABELLED)
    with pytest.raises(DataError) as caught:
        read(path, task="values")
    for word in ("20 targets", "'yes' in row 2", "--task classes"):
        assert word in str(caught.value)


def test_stray_words_among_numeric_targets_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{i * i},{'n.b.' if i == 30 else i * 3}\n" for i in range(60)))
    with pytest.raises(DataError) as caught:
        read(path)
    assert "'n.b.' in row 32" in str(caught.value)


def test_labels_with_a_full_stop_in_the_test_file(tmp_path: Path) -> None:
    (tmp_path / "t-train.csv").write_text(LABELLED)
    (tmp_path / "t-test.csv").write_text(LABELLED.replace("no\n", "no.\n").replace("yes\n", "yes.\n"))
    with pytest.raises(DataError) as caught:
        read(tmp_path / "t-train.csv")
    for word in ("t-test.csv", "'no.', 'yes.'", "'no', 'yes'", "full stop", "row 2"):
        assert word in str(caught.value)


def test_parts_with_other_columns_are_all_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "test.csv").write_text("a,y\n1,2\n")
    (tmp_path / "val.csv").write_text("b,y\nu,2\n")
    with pytest.raises(DataError) as caught:
        read(tmp_path / "train.csv")
    for word in ("2 mistakes", "test.csv differ", "without 'b'", "val.csv differ", "without 'a'"):
        assert word in str(caught.value)


def test_faults_in_inputs_and_targets_of_both_parts_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(GOOD.replace("361,", "inf,"))
    (tmp_path / "test.csv").write_text("a,b,y\n1e999,u,inf\n2,v,1\n")
    with pytest.raises(DataError) as caught:
        read(tmp_path / "train.csv")
    for word in ("3 mistakes", "'inf' in row 21", "'1e999' in row 2", "column 'y'"):
        assert word in str(caught.value)


def test_integers_beyond_64_bits_and_formulas_are_plain_cells(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + "".join(f"{2**64 + i * 10**15},=cmd|'/C calc'!A{i % 2},{i / 2}\n" for i in range(12)))
    data = tables.read(path, ReadOptions())
    assert float(data.train.inputs.take(__import__("torch").tensor([0]))[0, 0]) == 2.0**64
    assert data.schema.columns[1].levels == ("=cmd|'/C calc'!A0", "=cmd|'/C calc'!A1")  # type: ignore[attr-defined]


def test_absent_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none.csv")
    good = tmp_path / "good.csv"
    good.write_text(GOOD)
    with pytest.raises(DataError, match="no such file"):
        read(good, test=str(tmp_path / "none.csv"))
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(DataError, match="no file"):
        read(good, test=str(folder))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"a,b\n1,2\n"])
def test_damaged_parquet(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.parquet"):
        read(path)


def test_flipped_parquet_bytes_never_escape(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": [1.0, 2.0, 5.0] * 9, "y": ["u", "v", "u"] * 9}).write_parquet(path)
    content = path.read_bytes()
    chance = random.Random(0)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randint(1, len(damaged))] if chance.random() < 0.3 else damaged)
        try:
            read(path)
        except GlassnetError:
            continue


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="ab1.,;\t|\"\n\r'-e?é\0\ufeff ", max_size=200).map(str.encode),
        st.lists(
            st.lists(
                st.sampled_from(["a", "b", "1", "2.5", "", "?", "inf", "1e400", "2020-01-01", "2020-99-99", "true"]),
                min_size=2,
                max_size=4,
            ),
            max_size=8,
        ).map(lambda rows: ("x,y,z\n" + "\n".join(map(",".join, rows))).encode()),
    )
)
def test_any_bytes_give_a_table_or_a_glassnet_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fuzz.csv"
    path.write_bytes(content)
    try:
        data = tables.read(path, ReadOptions())
    except GlassnetError:
        return
    assert len(data.train) > 0
