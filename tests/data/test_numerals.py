"""Numbers as people and programs write them, against what each cell means where it was written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from glassnet.data.numerals import Numerals, numbers, shown, sign_of
from glassnet.data.options import ReadOptions
from glassnet.data.readers import tables
from glassnet.data.table_schema import TableSchema
from glassnet.errors import DataError

COUNTRIES = {
    "Python": ("", "."),
    "England": (",", "."),
    "Germany": (".", ","),
    "France": ("\u202f", ","),
    "Switzerland": ("'", "."),
    "Sweden": (" ", ","),
}


def written(value: float, country: str, decimals: int) -> str:
    grouping, mark = COUNTRIES[country]
    return f"{value:,.{decimals}f}".replace(",", "G").replace(".", mark).replace("G", grouping)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("decimals", [0, 1, 2, 3, 4])
def test_a_column_is_read_as_it_was_written(country: str, decimals: int) -> None:
    values = np.random.default_rng(3).lognormal(6, 2, 200).round(decimals) * np.resize([1, 1, -1], 200)
    series = pl.Series("x", [written(value, country, decimals) for value in values])
    decimal = shown(series)
    # Whole numbers of Python show nothing, and need nothing shown.
    assert decimal == ("" if country == "Python" and not decimals else COUNTRIES[country][1] if decimals else decimal)
    assert numbers(series, Numerals(decimal or ".")).to_list() == pytest.approx(values.tolist())


@pytest.mark.parametrize(
    ("cells", "decimal", "values"),
    [
        (["1,085", "980"], ".", [1085.0, 980.0]),
        (["1,085", "1,200"], "", None),  # thousands in England, three decimals in Germany
        (["1,085", "1200"], ",", [1.085, 1200.0]),
        (["0,085", "1,200"], ",", [0.085, 1.2]),
        (["12.340", "980", "1.200"], ",", [12340.0, 980.0, 1200.0]),
        (["12.345", "980"], "", None),
        (
            [*(f"{n}.{n}1" for n in range(10, 20)), "980", "15", "7"],
            ",",
            [*(1000.0 * n + 10 * n + 1 for n in range(10, 20)), 980.0, 15.0, 7.0],
        ),
        (["1.234.567", "3"], ",", [1234567.0, 3.0]),
        (["1,23,456", "7"], ".", [123456.0, 7.0]),  # lakhs
        (["1.037,09"], ",", [1037.09]),
        (["1e5", "2.5e-3"], ".", [1e5, 2.5e-3]),
        (["1,5", "2.5"], "", None),
        (["13.05.2021", "14.05.2021"], "", None),
        (["abc", "2021-05-13"], "", None),
    ],
)
def test_what_cells_show(cells: list[str], decimal: str, values: list[float] | None) -> None:
    series = pl.Series("x", cells)
    assert shown(series) == decimal
    if values is not None:
        assert numbers(series, Numerals(shown(series))).to_list() == values


@pytest.mark.parametrize(
    ("cells", "sign", "values"),
    [
        (["$361,560", "$980", "1,200"], "$", [361560.0, 980.0, 1200.0]),
        (["-$1,234.50", "$ 3", "3 $"], "$", [-1234.5, 3.0, 3.0]),
        (["12,50 €", "3 €"], "€", [12.5, 3.0]),
        (["45%", "3.5 %"], "%", [45.0, 3.5]),
        (["45%", "0.45"], "", [None, 0.45]),
        (["$5", "€6"], "", [None, None]),
        (["100% wool", "50%"], "", [None, None]),
        (["1.234,56 EUR", "20,00 EUR"], "EUR", [1234.56, 20.0]),
        (["CHF 1'234.50", "CHF 20.00"], "CHF", [1234.5, 20.0]),
        (["120 kr", "1 200 kr"], "kr", [120.0, 1200.0]),
        (["kraft", "kr 5"], "", [None, None]),
        (["($5.20)", "$7.10"], "$", [-5.2, 7.1]),
        (["$1e3", "EUR"], "", [None, None]),
    ],
)
def test_signs_of_currencies_are_left_out_where_all_cells_mean_the_same(
    cells: list[str], sign: str, values: list[float | None]
) -> None:
    series = pl.Series("x", cells)
    assert sign_of(series) == sign
    assert numbers(series, Numerals(shown(series), sign)).to_list() == values


@pytest.mark.parametrize(
    ("cells", "unit", "values"),
    [
        (["12 kg", "1,200.5 kg", "-3kg"], "kg", [12.0, 1200.5, -3.0]),
        (["1 year", "12 years"], "years", [1.0, 12.0]),
        (["21,5 °C", "-3 °C"], "°C", [21.5, -3.0]),
        (["180 km/h", "95.5 km/h"], "km/h", [180.0, 95.5]),
        (["64GB", "128GB", "unknown"], "GB", [64.0, 128.0, None]),
        (["1 200 sq. ft.", "980 sq. ft."], "sq. ft.", [1200.0, 980.0]),
        (["500 g", "1 kg"], "", [None, None]),
        (["12 kg", "12"], "", [None, 12.0]),
        (["1e5", "2e5"], "", [1e5, 2e5]),
        (["5 m", "5 ms"], "", [None, None]),
        (["3 of 10", "3rd"], "", [None, None]),
        (["A1", "A2"], "", [None, None]),
        (["500 gram", "500 grams"], "", [None, None]),
        (["74 m2", "120.5 m2"], "m2", [74.0, 120.5]),
        (["12 Jan 2020", "13 Jan 2020"], "", [None, None]),
        (["12 kg", "14 kg", "kg 12"], "kg", [12.0, 14.0, None]),
    ],
)
def test_units_are_left_out_where_all_numbers_bear_the_same(
    cells: list[str], unit: str, values: list[float | None]
) -> None:
    series = pl.Series("x", cells)
    assert sign_of(series) == unit
    written = Numerals(shown(series), unit)
    assert written.unit == unit
    assert numbers(series, written).to_list() == values
    assert Numerals.from_json(written.to_json()) == written


def test_numbers_with_units_are_read_as_the_training_file_wrote_them(tmp_path: Path) -> None:
    rows = [f"{800 + 7 * n} kg,{n % 5 + 1} star{'s' if n % 5 else ''}" for n in range(60)]
    data = tables.read(table(tmp_path, "t.csv", "weight,y\n" + "\n".join(rows) + "\n"), ReadOptions())
    assert isinstance(data.schema, TableSchema)
    assert data.schema.columns[0].kind == "number"
    assert "'800 kg' in 'weight' is 800" in " ".join(data.notes)
    assert data.classes == ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), "names, not quantities"
    _, new = data.schema.read([str(table(tmp_path, "new.csv", "weight,x\n900 kg,\n900,\n900 lbs,\n"))])
    inputs = new.take(torch.arange(3))
    assert inputs[:2, 0].tolist() == [900.0, 900.0]
    assert inputs[2, 0].isnan()
    assert "'900 lbs' (row 4)" in " ".join(new.notes)
    with pytest.raises(DataError, match="no number in kg at all"):
        data.schema.read([str(table(tmp_path, "other.csv", "weight,x\n900 lbs,\n950 lbs,\n"))])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["(1,085)", "980", "12"], [-1085.0, 980.0, 12.0]),
        (["−5", "7.5"], [-5.0, 7.5]),
        (["1.234,50-", "20,00"], [-1234.5, 20.0]),
        (["850-", "20"], [-850.0, 20.0]),
        (["2-", "3", "1+"], [None, 3.0, None]),  # marks of a school
        (["5 (3)", "(a)"], [None, None]),
        (["60-65", "(60-65)"], [None, None]),
    ],
)
def test_what_is_below_zero_as_accountants_and_typesetters_write_it(
    cells: list[str], values: list[float | None]
) -> None:
    series = pl.Series("x", cells)
    assert numbers(series, Numerals(shown(series))).to_list() == values


def test_codes_with_leading_zeros_are_no_numbers(tmp_path: Path) -> None:
    rows = [f"{code},{n % 7},{n % 2}" for n, code in enumerate(["01067", "80331", "10115"] * 10)]
    data = tables.read(table(tmp_path, "t.csv", "zip,month,y\n" + "\n".join(rows) + "\n"), ReadOptions())
    assert isinstance(data.schema, TableSchema)
    assert data.schema.columns[0].levels == ("01067", "10115", "80331")
    assert any("codes such as '01067'" in note for note in data.notes)
    padded = [f"{n % 12 + 1:02d},{n % 2}" for n in range(40)]
    months = tables.read(table(tmp_path, "m.csv", "month,y\n" + "\n".join(padded) + "\n"), ReadOptions())
    assert isinstance(months.schema, TableSchema)
    assert months.schema.columns[0].kind == "number", "two digits may well be filled up with zeros"
    many = [f"{1000 + 37 * n % 900:05d},{n % 2}" for n in range(60)]
    each = tables.read(table(tmp_path, "e.csv", "code,y\n" + "\n".join(many) + "\n"), ReadOptions())
    assert isinstance(each.schema, TableSchema)
    assert each.schema.columns[0].kind == "number", "of as many different codes nothing could be learned as categories"


def table(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_semicolons_do_not_make_thousands_small(tmp_path: Path) -> None:
    path = table(tmp_path, "t.csv", "price;rooms;y\n1,085;3;0.5\n980;4;1.5\n12,700;5;2.5\n700;2;3.5\n")
    data = tables.read(path, ReadOptions())
    assert data.train.inputs.take(torch.arange(4))[:, 0].tolist() == [1085.0, 980.0, 12700.0, 700.0]
    assert "t.csv: '1,085' in 'price' is 1085." in data.notes


@pytest.mark.parametrize(("rest", "price"), [("2,5", 1.085), ("2.5", 1085.0), ("2", 1.085)])
def test_what_a_column_leaves_open_the_others_decide_and_at_last_custom(
    tmp_path: Path, rest: str, price: float
) -> None:
    path = table(tmp_path, "t.csv", f"price;other;y\n1,085;{rest};1\n2,085;3;3\n1,200;4;9\n3,300;1;7\n")
    assert float(tables.read(path, ReadOptions()).train.inputs.take(torch.arange(1))[0, 0]) == pytest.approx(price)


def test_what_stays_open_is_told(tmp_path: Path) -> None:
    rows = "87.342;1\n75.648;3\n177.847;9\n52.246;7\n"
    notes = tables.read(table(tmp_path, "t.csv", "area;y\n" + rows), ReadOptions()).notes
    assert "t.csv: '87.342' in 'area' is 87.342." in notes
    notes = tables.read(table(tmp_path, "t.csv", "area,y\n" + rows.replace(";", ",")), ReadOptions()).notes
    assert not any("'87.342' in 'area'" in note for note in notes)


def schema_of(folder: Path, text: str) -> TableSchema:
    schema = tables.read(table(folder, "train.csv", text), ReadOptions()).schema
    assert isinstance(schema, TableSchema)
    return TableSchema.from_json(json.loads(json.dumps(schema.to_json())))  # as a saved model has it


GERMAN = "preis;fläche;y\n1.085,50;70,5;1\n980;60;2\n12.700;90,25;3\n700,25;50;5\n"
ENGLISH = 'preis,fläche,y\n"1,085.50",70.5,1\n980,60,2\n"12,700",90.25,3\n700.25,50,5\n'


@pytest.mark.parametrize("trained", [GERMAN, ENGLISH])
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("preis;fläche\n1.085;70,5\n", [[1085.0, 70.5]]),
        ('preis,fläche\n"1,085",70.5\n', [[1085.0, 70.5]]),
        ("preis;fläche\n1085;70\n", [[1085.0, 70.0]]),
        ("preis;fläche\n1.085,5;70,125\n", [[1085.5, 70.125]]),
    ],
)
def test_new_rows_of_either_country_are_read_as_they_mean(
    tmp_path: Path, trained: str, text: str, rows: list[list[float]]
) -> None:
    """One row shows little: what its own cells leave open, the other columns and the training file tell."""
    _, source = schema_of(tmp_path, trained).read([str(table(tmp_path, "new.csv", text))])
    assert source.take(torch.arange(len(rows))).tolist() == rows


def test_a_lonely_cell_is_read_as_the_training_file_has_it(tmp_path: Path) -> None:
    for trained, value in ((GERMAN, 70.125), (ENGLISH, 70125.0)):
        schema = schema_of(tmp_path, trained)
        _, source = schema.read([str(table(tmp_path, "new.csv", "preis;fläche\n500;70,125\n"))])
        assert source.take(torch.arange(1))[0, 1] == value


@pytest.mark.parametrize(
    ("trained", "new", "read"),
    [
        ("45%", "38 %", 38.0),
        ("45%", "0.38", None),
        ("0.45", "38%", None),
        ("$45", "38", 38.0),
        ("45", "$38", 38.0),
        ("$45", "€38", None),
    ],
)
def test_signs_of_new_rows(tmp_path: Path, trained: str, new: str, read: float | None) -> None:
    rows = "".join(f"{trained.replace('5', str(i % 7))},{i % 5},{i}\n" for i in range(30))
    schema = schema_of(tmp_path, "share,x,y\n" + rows)
    path = str(table(tmp_path, "new.csv", f"share,x\n{new},1\n"))
    if read is None:
        with pytest.raises(DataError, match="column 'share' has no number at all"):
            schema.read([path])
    else:
        assert float(schema.read([path])[1].take(torch.arange(1))[0, 0]) == read


def test_columns_without_a_number_and_numbers_too_large_are_told_together(tmp_path: Path) -> None:
    schema = schema_of(tmp_path, ENGLISH)
    with pytest.raises(DataError) as caught:
        schema.read([str(table(tmp_path, "new.csv", "preis,fläche\nviel,1e300\n"))])
    told = str(caught.value)
    assert "column 'preis' has no number at all" in told
    assert "'1e300' in row 2" in told


def test_a_delimiter_behind_every_line_makes_no_target(tmp_path: Path) -> None:
    path = table(tmp_path, "t.csv", "a,y,\n" + "".join(f"{i % 5},{i % 3},\n" for i in range(12)))
    data = tables.read(path, ReadOptions())
    assert data.outputs == ("y",)
    assert any("'y', the last one with a name, is the target" in note for note in data.notes)


@pytest.mark.parametrize(("start", "told"), [(1_700_000_000, True), (0, False)])
def test_inputs_that_float32_takes_for_one_number_are_told(tmp_path: Path, start: int, told: bool) -> None:
    rows = "".join(f"{start + 7 * i % 60},{i % 3}\n" for i in range(40))
    notes = tables.read(table(tmp_path, "t.csv", "reading,y\n" + rows), ReadOptions()).notes
    assert any("'reading': its numbers differ by less than float32" in note for note in notes) == told


def test_other_parts_need_not_have_what_is_left_out(tmp_path: Path) -> None:
    rows = [f"{i},{i % 7},{'ab'[i % 2]},{i / 4}\n" for i in range(40)]
    train = table(tmp_path, "t-train.csv", "id,x,c,y\n" + "".join(rows))
    table(tmp_path, "t-test.csv", "c,x,y\na,1,2\nb,2,3\n")
    data = tables.read(train, ReadOptions())
    assert data.test is not None
    assert data.test.inputs.take(torch.arange(2)).tolist() == [[1.0, 0.0], [2.0, 1.0]]
    table(tmp_path, "t-test.csv", "id,c,y\n1,a,2\n2,b,3\n")
    with pytest.raises(DataError, match="without 'x'"):
        tables.read(train, ReadOptions())


def test_cells_that_do_not_fit_are_told_in_new_rows_and_in_the_test_part(tmp_path: Path) -> None:
    rows = "".join(f"{i / 2};{'ab'[i % 2]};{'true' if i % 3 else 'false'};{i}\n" for i in range(1, 30))
    train = table(tmp_path, "t-train.csv", "size;kind;old;y\n" + rows)
    test = "size;kind;old;y\n1.5;a;true;2\nlarge;c;true;3\n2.5;d;perhaps;4\n;a;;5\n"
    table(tmp_path, "t-test.csv", test)
    data = tables.read(train, ReadOptions())
    told = [note for note in data.notes if note.startswith("t-test.csv, column")]
    assert told == [
        "t-test.csv, column 'size': 1 cell is no number and counts as missing: 'large' (row 3).",
        "t-test.csv, column 'kind': 2 cells are no categories of the training file and count as missing: 'c' (row 3), 'd' (row 4).",
        "t-test.csv, column 'old': 1 cell is no TRUE or FALSE and counts as missing: 'perhaps' (row 4).",
    ]
    _, source = data.schema.read([str(tmp_path / "t-test.csv")])
    assert list(source.notes) == told  # type: ignore[attr-defined]
