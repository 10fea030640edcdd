"""Rows as CSV, as a spreadsheet may open them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"[+-]\d+(\.\d+)?([eE][+-]?\d+)?")  # with a sign, and no formula: a class, or a step of time


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A header and rows. A text that begins like a formula gets a quote before it, for a spreadsheet would run it, and names of files come from anywhere."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    guard = "'" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(cell) else ""
    return guard + cell.replace("\r\n", "\n").replace(
        "\r", "\n"
    )  # csv leaves a carriage return unquoted, which then ends the row
