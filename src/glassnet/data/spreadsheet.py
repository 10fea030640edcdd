"""Tables in spreadsheets: .xlsx, .xls, .xlsb and .ods. The first sheet is read as if it had been exported as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import dropwhile
from pathlib import Path

from glassnet.data.delimited import Cells, left_out_above, named
from glassnet.errors import DataError, fix_to_read

Row = tuple[int, list[str]]  # its line in the sheet, counted from 1, and its cells


def read_spreadsheet(path: Path, wanted: Collection[str] = ()) -> Cells:
    """Read the first sheet of a spreadsheet; rows above the table that hold a single cell, such as a title, and columns without any cell are left out.

    Args:
        path: the file.
        wanted: columns of the training file that will be read: see :func:`~glassnet.data.delimited.read_delimited`.

    Raises:
        DataError: the file cannot be read, its first sheet is empty, or what :func:`~glassnet.data.delimited.named` refuses.
    """
    import fastexcel  # which no other table needs

    try:
        book = fastexcel.read_excel(path)
        sheets = book.sheet_names
        content = book.load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except (fastexcel.FastExcelError, OSError) as error:
        raise DataError(
            "the spreadsheet cannot be read",
            where=path,
            got=str(error).splitlines()[0].removeprefix("calamine error: "),
            fix=fix_to_read(
                error, path, "open it in a spreadsheet program and save it again, or export the sheet as CSV"
            ),
        ) from error
    notes = []
    if len(sheets) > 1:
        others = ", ".join(f"'{name}'" for name in sheets[1:6]) + (" …" if len(sheets) > 6 else "")
        notes.append(
            f"{path.name}: its first sheet, '{sheets[0]}', is read; {others} {'is' if len(sheets) == 2 else 'are'} not."
        )
    filled = [column.name for column in content.get_columns() if column.null_count() < content.height]
    rows, above = _below_titles(content.select(filled).iter_rows(), len(filled))
    if above:
        notes.append(left_out_above(path, above))
    return named(path, iter(rows), ",", notes, wanted)


def _below_titles(content: Iterator[tuple[str | None, ...]], width: int) -> tuple[list[Row], list[str]]:
    """The rows that hold something, from the first with more than one cell on, and what stood above."""
    rows = [(line, [cell or "" for cell in cells]) for line, cells in enumerate(content, start=1) if any(cells)]
    if width < 3:
        return rows, []
    table = list(dropwhile(lambda row: sum(map(bool, row[1])) < 2, rows))
    return table, [next(filter(None, cells)) for _, cells in rows[: len(rows) - len(table)]]
