"""Columns of dates, in the ways in which people write them, as seconds since 1970; or of numbers that count time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.data.numerals import numbers

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

Floats = npt.NDArray[np.float64]

# (pattern that every cell fits, what is put before and behind it, strptime pattern of that, strftime pattern for writing)
WAYS: tuple[tuple[str, str, str, str, str], ...] = (
    (r"^\d{4}-\d{1,2}-\d{1,2}$", "", "", "%Y-%m-%d", "%Y-%m-%d"),
    (r"^\d{4}-\d{1,2}$", "", "-01", "%Y-%m-%d", "%Y-%m"),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", "", "", "%Y/%m/%d", "%Y/%m/%d"),
    (r"^\d{4}\.\d{1,2}\.\d{1,2}$", "", "", "%Y.%m.%d", "%Y.%m.%d"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}$", "", "", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}:\d{2}(\.\d+)?$", "", "", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}$", "", "", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}:\d{2}$", "", "", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S"),
    (r"^\d{1,2}\.\d{1,2}\.\d{4}$", "", "", "%d.%m.%Y", "%d.%m.%Y"),
    (r"^\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}$", "", "", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M"),
    (r"^\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}:\d{2}$", "", "", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"),
    (r"^\d{1,2}/\d{1,2}/\d{4}$", "", "", "%m/%d/%Y", "%m/%d/%Y"),
    (r"^\d{1,2}/\d{1,2}/\d{4}$", "", "", "%d/%m/%Y", "%d/%m/%Y"),
    (r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}$", "", "", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M"),
    (r"^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}$", "", "", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"),
    (r"^\d{1,2}-\d{1,2}-\d{4}$", "", "", "%d-%m-%Y", "%d-%m-%Y"),
    (r"^\d{1,2}-\d{1,2}-\d{4}$", "", "", "%m-%d-%Y", "%m-%d-%Y"),
    (r"^\d{1,2}[ -][A-Za-z]{3}[ -]\d{4}$", "", "", "%d %b %Y", "%d %b %Y"),
    (r"^[A-Za-z]{3}[ -]\d{4}$", "01 ", "", "%d %b %Y", "%b %Y"),
    (r"^[A-Za-z]{4,9}[ -]\d{4}$", "01 ", "", "%d %B %Y", "%B %Y"),
    (r"^\d{4}[ -][A-Za-z]{3}$", "", " 01", "%Y %b %d", "%Y-%b"),
)
ISO_ZONE = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$"
COMPACT = r"^(1[89]|2[01])\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$"
QUARTER = re.compile(r"^(\d{4})[ -]?[Qq]([1-4])$")
NAMES = ("time", "date", "datetime", "timestamp", "ds", "day", "month", "year", "week", "hour", "minute", "second")
COUNTING = (*NAMES, "t", "step", "timestep", "period", "seconds", "minutes", "hours", "days", "months", "years")
MOSTLY = 0.9  # of the cells that are not empty must be dates; the others are told and left out
SECONDS = (1e8, 1e10)  # what a count of seconds since 1970 lies between: from 1973 to 2286
MILLISECONDS = 1_000


@dataclass(frozen=True)
class Moments:
    """A column read as moments.

    Attributes:
        values: float64 (rows,): seconds since 1970, or the numbers themselves; NaN where a cell is empty or no date.
        form: strftime pattern of the way they are written; empty for numbers.
    """

    values: Floats
    form: str


def moments_of(series: pl.Series) -> list[Moments]:
    """The ways in which a cleaned column can be read as times, best first; none where it cannot.

    A column of numbers counts only where its name says that it is a time, or where the numbers are dates written together, such as 20210131. Days and months
    that cannot be told apart (``3/4/2021``) give two readings.
    """
    given = series.len() - series.null_count()
    if given == 0:
        return []
    text = series.cast(pl.String) if not series.dtype.is_numeric() else _whole(series)
    found: list[Moments] = []
    for pattern, before, behind, way, form in WAYS:
        if text.str.contains(pattern).sum() < MOSTLY * given:
            continue
        read = _seconds(_framed(text, before, behind, way).str.strptime(pl.Datetime("us"), way, strict=False))
        if np.isfinite(read).sum() >= MOSTLY * given:
            found.append(Moments(read, form))
    if found:
        return sorted(found, key=lambda each: -int(np.isfinite(each.values).sum()))
    return _others(series, text, given)


def _others(series: pl.Series, text: pl.Series, given: int) -> list[Moments]:
    if text.str.contains(ISO_ZONE).sum() >= MOSTLY * given:
        bare = text.str.replace(r"([+-]\d{2}):?(\d{2})$", "").str.replace("Z$", "").str.replace("T", " ", literal=True)
        full = pl.select(pl.when(bare.str.len_chars() == 16).then(bare + ":00").otherwise(bare)).to_series()
        zone = text.str.extract_groups(r"([+-])(\d{2}):?(\d{2})$")
        sign, hours, minutes = (zone.struct.field(name) for name in zone.struct.fields)
        away = hours.cast(pl.Float64).fill_null(0) * 3600 + minutes.cast(pl.Float64).fill_null(0) * 60
        east = pl.select(pl.when(sign == "-").then(-away).otherwise(away)).to_series()
        read = _seconds(full.str.strptime(pl.Datetime("us"), "%Y-%m-%d %H:%M:%S%.f", strict=False)) - east.to_numpy()
        return [Moments(read, "%Y-%m-%dT%H:%M:%S" + ("Z" if text.str.contains(r"(Z|[+-]\d{2}:?\d{2})$").any() else ""))]
    quarters = [QUARTER.match(cell or "") for cell in text.to_list()]
    if sum(match is not None for match in quarters) >= MOSTLY * given:
        cells = pl.Series(
            [match and f"{match[1]}-{3 * int(match[2]) - 2:02d}-01" for match in quarters], dtype=pl.String
        )
        return [Moments(_seconds(cells.str.strptime(pl.Datetime("us"), "%Y-%m-%d", strict=False)), "%Y-%m")]
    values = numbers(series)
    if values.null_count() > series.null_count() + (1 - MOSTLY) * given:
        return []
    if text.str.contains(COMPACT).sum() >= MOSTLY * given:
        return [Moments(_seconds(text.str.strptime(pl.Datetime("us"), "%Y%m%d", strict=False)), "%Y%m%d")]
    if series.name.strip().lower() not in COUNTING:
        return []
    counted = values.fill_null(float("nan")).to_numpy().astype(np.float64)
    middle = float(np.nanmedian(counted))
    for scale in (1, MILLISECONDS):
        if SECONDS[0] <= middle / scale < SECONDS[1]:
            return [Moments(counted / scale, "%Y-%m-%d %H:%M:%S")]
    return [Moments(counted, "")]


def read_as(series: pl.Series, form: str) -> Floats:
    """Cells written in one of the ways that :func:`moments_of` tells by its form, as seconds since 1970, float64 (rows,); NaN where one is written otherwise."""
    read = np.full(series.len(), np.nan)
    for pattern, before, behind, way, written in WAYS:
        if written == form:
            cells = pl.select(
                pl.when(series.str.contains(pattern)).then(_framed(series, before, behind, way))
            ).to_series()
            here = _seconds(cells.str.strptime(pl.Datetime("us"), way, strict=False))
            read = np.where(np.isnan(read), here, read)
    return read


def _framed(text: pl.Series, before: str, behind: str, way: str) -> pl.Series:
    return before + (text.str.replace_all("-", " ") if "%b" in way or "%B" in way else text) + behind


def named_as_time(name: str) -> bool:
    """Whether a column's name says that it holds times."""
    return name.strip().lower() in NAMES


def _whole(series: pl.Series) -> pl.Series:
    """Numbers as text, whole ones without a decimal point."""
    return series.cast(pl.Int64, strict=False).cast(pl.String)


def _seconds(times: pl.Series) -> Floats:
    """Times as seconds since 1970, NaN where there is none."""
    micro = times.cast(pl.Int64).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return np.asarray(micro / 1e6, dtype=np.float64)
