"""Columns of dates in tables: the parts that a network reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from glassnet.data.moments import moments_of, read_as

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

ISO = r"^\d{4}-\d{2}(-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?$"
PLACES = {"year": (0, 4), "month": (5, 2), "day": (8, 2), "hour": (11, 2)}
FEW = 200
SPOKEN = {"%d": "day", "%m": "month", "%Y": "year", "%b": "month", "%B": "month"}


def is_iso(cells: pl.Series) -> bool:
    """Whether all cells are dates such as 2021-05, 2021-05-13 or 2021-05-13T08:30."""
    return bool(cells.str.contains(ISO).all())


def form_of(cells: pl.Series) -> tuple[str, bool] | None:
    """How dates that are not written as in ISO 8601 are written, as a strftime pattern, and whether days and months could change places; None where they are no dates."""
    cells = cells.drop_nulls()
    if not moments_of(cells.head(FEW)):  # a glance at long texts is enough
        return None
    found = [each.form for each in moments_of(cells) if "%Y" in each.form and "%m%d" not in each.form]
    if not found:
        return None
    counts = [int(np.isfinite(read_as(cells, form)).sum()) for form in found]
    return found[0], len(found) > 1 and counts[0] == counts[1]


def told(form: str) -> str:
    """The order of a form for people: ``day.month.year``."""
    text = form.split(" %H")[0]
    for code, word in SPOKEN.items():
        text = text.replace(code, word)
    return text


def part_of(series: pl.Series, kind: str, form: str = "") -> pl.Series:
    """A part of each date as float64; null where a cell is written otherwise, such as 13.05.2021 for ISO dates, whose year would be 13.

    Args:
        series: the cells as text.
        kind: ``year``, ``month``, ``day``, ``weekday`` (Monday 1 to Sunday 7) or ``hour``.
        form: of the training file, as :func:`form_of` gives it; empty for ISO 8601, in which dates may always be written.
    """
    iso = pl.select(pl.when(series.str.contains(ISO)).then(series)).to_series()
    if form:
        seconds = pl.Series(read_as(series, form), nan_to_null=True)
        when = (seconds * 1e6).cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
        iso = pl.select(pl.coalesce(when.dt.strftime("%Y-%m-%d %H:%M"), iso)).to_series()
    if kind == "weekday":
        # a month without a day has no weekday: to_date gives null for it
        return iso.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).dt.weekday().cast(pl.Float64)
    return iso.str.slice(*PLACES[kind]).cast(pl.Float64, strict=False)
