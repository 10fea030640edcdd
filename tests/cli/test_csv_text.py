"""What is written as CSV stays what it is when a spreadsheet opens it."""

from __future__ import annotations

import csv
import io

import pytest

from glassnet.cli.csv_text import csv_text


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "-2+cmd|' /C calc'!A0", "+A1", "\t=1", "\r=1", "-", "--1", "+1e"])
def test_what_would_run_as_a_formula_is_text(cell: str) -> None:
    assert read(csv_text(["input", "p"], [[cell, 0.5]]))[1:] == [["'" + cell.replace("\r", "\n"), "0.5"]]


@pytest.mark.parametrize("cell", ["-1", "+3", "-1.5", "+2e-3", "a-b", "1=1", "", "cats/7.png", 'a "b", c', "a\nb"])
def test_numbers_and_words_stay_as_they_are(cell: str) -> None:
    assert read(csv_text(["input", "p"], [[cell, 1]])) == [["input", "p"], [cell, "1"]]
    assert csv_text(["x"], [[-1, None, -0.5]]) == "x\n-1,,-0.5\n"
    assert read(csv_text(["x", "y"], [["a\rb", "c\r\nd"]]))[1] == ["a\nb", "c\nd"]
