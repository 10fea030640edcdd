"""How the numbers of a column are written: ``1,085.5``, ``1.085,5``, ``1 085,5``, ``$1,085`` or ``12 kg``.

What a comma or a full stop means can be seen in most columns (``12,5`` has one decimal, ``1,085,000`` groups thousands), but not in ``1,085`` alone. So every
column of a text file tells first for itself, then as the training file did, then as the other columns of its file, and at last by custom: a file that divides its
cells by ``;`` was written where a comma is the decimal sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import polars as pl
else:
    from glassnet.data.frames import pl

Mark = Literal["", ".", ","]

CURRENCIES = ("$", "€", "£", "¥", "₹", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "kr", "zł")
SIGNS = ("%", *CURRENCIES)
_ANY_SIGN = "|".join(re.escape(sign) for sign in SIGNS)
_UNIT = r"[A-Za-zµμΩ°℃][A-Za-zµμΩ°²³/·.^\- ]{0,14}[2-9]?"  # behind a number: kg, °C, km/h, m2, sq. ft., BHK
# As accountants write what is below zero, and as typesetters do; not the school mark 2-.
_BELOW = rf"^\(\s*(?:{_ANY_SIGN})?\s*\d[^()]*\)$|^[−–]\s*(?:{_ANY_SIGN})?\s*\d|^(?:\d{{3,}}|\d[\d\s]*[.,][\d.,]*)-$"
GAPS = " '’\u00a0\u2009\u202f"
_NUMBER = rf"[\d.,{GAPS}]*\d[\d.,]*"
FEWEST_ROUND = 2  # cells such as 12.340 beside 980, before full stops alone are taken to group thousands
FEWEST_MARKED = 10  # or so many such as 12.345, of which none has one or two digits behind the mark,
FEWEST_WHOLE = 3  # beside so many such as 980
_LIKE_NUMBERS = r"^[+-]?[\d.,]*\d[\d.,]*(?:[eE][+-]?\d+)?$"
_GAPPED = rf"^[+-]?[1-9]\d{{0,2}}(?:[{GAPS}]\d{{3}})+(?:[.,]\d+)?$"
# The second group of two digits: lakhs, 1,23,456.
_GROUPED = {
    ".": r"^[+-]?\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d*)?$",
    ",": r"^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$",
}
# What a cell can be only where this mark divides whole numbers from parts.
_SHOWS = {
    ".": (
        r"^[+-]?(?:0*|\d{4,})\.\d*(?:[eE][+-]?\d+)?$|^[+-]?\d+\.(?:\d{0,2}|\d{4,})(?:[eE][+-]?\d+)?$|^[+-]?\d+\.\d*[eE][+-]?\d+$"
        r"|^[+-]?\d{1,3}(?:,\d{2,3})*,\d{3}\.\d*$|^[+-]?\d{1,3}(?:,\d{2,3})+,\d{3}$"
    ),
    ",": (
        r"^[+-]?(?:0*|\d{4,}),\d+(?:[eE][+-]?\d+)?$|^[+-]?\d+,(?:\d{1,2}|\d{4,})(?:[eE][+-]?\d+)?$"
        r"|^[+-]?\d{1,3}(?:\.\d{3})+,\d*$|^[+-]?\d{1,3}(?:\.\d{3}){2,}$"
    ),
}
_THREE_BEHIND = {".": r"^[+-]?[1-9]\d{0,2}\.\d{3}$", ",": r"^[+-]?[1-9]\d{0,2},\d{3}$"}


@dataclass(frozen=True)
class Numerals:
    """How a column's numbers are written.

    Attributes:
        decimal: what divides whole numbers from parts; the other mark groups thousands. Empty where the training file does not tell.
        sign: a currency or per cent sign, or a unit, that its cells bear; empty for none.
    """

    decimal: Mark = ""
    sign: str = ""

    def to_json(self) -> dict[str, str]:
        """Only what is known."""
        return {name: value for name, value in (("decimal", self.decimal), ("sign", self.sign)) if value}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Numerals:
        """What :meth:`to_json` told.

        Raises:
            ValueError: it cannot be that.
        """
        decimal, sign = values.get("decimal", ""), values.get("sign", "")
        if decimal not in ("", ".", ",") or (sign and sign not in SIGNS and not re.fullmatch(_UNIT, sign)):
            raise ValueError(f"numbers written with {decimal!r} and {sign!r}")
        return cls(decimal, sign)

    @property
    def unit(self) -> str:
        """The sign where it is a unit: then it is the only way in which numbers of the column are written."""
        return "" if self.sign in SIGNS else self.sign


UNKNOWN = Numerals()
PLAIN = Numerals(".")


def numbers(series: pl.Series, written: Numerals = PLAIN) -> pl.Series:
    """Cells as float64, null where they are none."""
    if series.dtype.is_numeric():
        return series.cast(pl.Float64)
    groups = written.decimal == "," and series.str.contains(_GROUPED[","]).any()
    if not groups and written.sign != "%":
        plain = series.cast(pl.Float64, strict=False)
        if plain.null_count() == series.null_count():
            return plain
    text = _with_minus(series)
    text = _without_gaps(_without(text, written.sign) if written.sign else text)
    if written.decimal == ",":
        bare = _where(text, _GROUPED[","], text.str.replace_all(".", "", literal=True))
        return bare.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    bare = _where(text, _GROUPED["."], text.str.replace_all(",", "", literal=True))
    return bare.cast(pl.Float64, strict=False)


def shown(series: pl.Series, *, stops_may_group: bool = True) -> Mark:
    """The mark that a cleaned column's cells show to be its decimal sign; empty where they can be read either way, or hold no such numbers.

    Args:
        series: the column.
        stops_may_group: whether ``12.340`` beside ``980`` shows anything, as it does where commas do not divide the cells.
    """
    cells = _bare(series)
    if not cells.len():
        return ""
    counts: dict[Mark, int] = {mark: int(cells.str.contains(_SHOWS[mark]).sum()) for mark in (".", ",")}
    if any(counts.values()):
        return "" if counts["."] == counts[","] else max(counts, key=counts.__getitem__)
    mark = _by_company(cells)
    return "" if mark == "," and not stops_may_group and not cells.str.contains(",", literal=True).any() else mark


def _by_company(cells: pl.Series) -> Mark:
    """What three digits behind every mark mean, by the whole numbers that stand beside them.

    ``980`` beside ``1,085``: decimals would come with one or two digits too, or with three everywhere. A whole number of four digits or more beside it, that nothing groups, says
    that nothing is grouped. Full stops, which are decimal signs nearly everywhere, are believed to group only where cells end in a zero that nobody writes behind
    a decimal sign here and leaves out there, or where there are many.
    """
    behind = {mark: int(cells.str.contains(pattern).sum()) for mark, pattern in _THREE_BEHIND.items()}
    if all(behind.values()) or not any(behind.values()):
        return ""
    mark: Mark = "," if behind[","] else "."
    other: Mark = "." if mark == "," else ","
    whole = cells.filter(cells.str.contains(r"^[+-]?\d+$")).cast(pl.Float64).abs()
    if (whole >= 1000).any():
        return mark
    if not (whole > 0).any():
        return ""
    many = behind[mark] >= FEWEST_MARKED and int((whole > 0).sum()) >= FEWEST_WHOLE
    round_ones = int(cells.str.contains(r"[.,]\d\d0$").sum())
    return other if mark == "," or many or round_ones >= FEWEST_ROUND else ""


def commas(series: pl.Series) -> bool:
    """Whether numbers with a comma stand in a cleaned column."""
    return bool(_bare(series).str.contains(",", literal=True).any())


def marked(series: pl.Series) -> bool:
    """Whether numbers with a comma or a full stop stand in a cleaned column, so that it matters what they mean."""
    cells = _bare(series)
    return bool(cells.len()) and bool(cells.str.contains(r"[.,]").any())


def sign_of(series: pl.Series) -> str:
    """The sign or unit that a cleaned column's numbers bear, all of them the same one; empty for none.

    Where some bear it and others do not, a currency is believed and a per cent sign is not: 5 % and 0.05 may be meant alike.
    """
    if series.dtype.is_numeric():
        return ""
    cells = _with_minus(series.drop_nulls().unique())
    first = cells.str.extract(f"({_ANY_SIGN})").drop_nulls()
    found = dict(first.value_counts().iter_rows())
    borne = list(found)
    if not borne:
        return _unit_of(cells)
    if len(borne) != 1 or (borne[0] == "%" and found["%"] < cells.len()):
        return ""
    return borne[0] if int(cells.str.contains(_bearing(borne[0])).sum()) == found[borne[0]] else ""


def _unit_of(cells: pl.Series) -> str:
    """The unit behind every one of the cells that begin as numbers do, such as ``kg``, or ``years`` where some are ``1 year``; empty where one has none or another."""
    begun = cells.filter(cells.str.contains(r"^[+-]?\s*[\d.,]*\d"))
    units = begun.str.extract(rf"^[+-]?{_NUMBER}\s*({_UNIT})$")
    if begun.len() < 2 or units.null_count() or begun.cast(pl.Float64, strict=False).count():
        return ""
    one, *more = sorted(map(str, units.unique()), key=len)
    if not more:
        return one
    ones = begun.filter(units == one).str.contains(rf"^[+-]?1\s*{re.escape(one)}$").all()
    return more[0] if len(one) > 2 and more == [f"{one}s"] and ones else ""


def example(series: pl.Series, written: Numerals, *, doubtful: bool = False) -> str | None:
    """A cell that is not read as Python would, with what it is read as, such as ``'1,085' in 'price' is 1085``; None where there is none.

    With ``doubtful`` also one that is, but could group thousands: ``'87.342' in 'area' is 87.342``.
    """
    if series.dtype.is_numeric():
        return None
    unit = f"|{_bearing(written.unit)}" if written.unit else ""
    odd = series.filter(series.str.contains(rf"\d[.,]\d|\d[^\d.,eE]\d|{_BELOW}{unit}") & series.is_not_null())
    if odd.len():
        read, usual = numbers(odd, written), odd.cast(pl.Float64, strict=False)
        told = read.is_not_null() & (usual.is_null() | (usual != read))
        if doubtful:
            told |= odd.str.contains(_THREE_BEHIND["."])
        if told.any():
            place = int(told.arg_max() or 0)
            return f"'{odd[place]}' in '{series.name}' is {read[place]:.10g}"
    return None


def _bare(series: pl.Series) -> pl.Series:
    """The cells that look like numbers, each once, without what is sure to be no part of them."""
    if series.dtype.is_numeric():
        return pl.Series([], dtype=pl.String)
    series = _with_minus(series.drop_nulls().unique())
    sign = sign_of(series)
    cells = _without(series, sign) if sign else series
    gapped = cells.str.contains(_GAPPED)
    if gapped.any():
        cells = _without_gaps(cells)
    return cells.filter(cells.str.contains(_LIKE_NUMBERS).fill_null(value=False)).unique()


def _bearing(sign: str) -> str:
    mark = _as_written(sign)
    behind = rf"^[+-]?{_NUMBER}\s*{mark}$"
    return behind if sign == "%" or sign not in SIGNS else rf"^[+-]?\s*{mark}\s*[+-]?{_NUMBER}$|{behind}"


def _as_written(sign: str) -> str:
    """The pattern of a sign; of a unit in the plural also its singular."""
    plural = sign not in SIGNS and len(sign) > 3 and sign.endswith("s")
    return f"{re.escape(sign[:-1])}s?" if plural else re.escape(sign)


def _with_minus(series: pl.Series) -> pl.Series:
    """Cells below zero with a minus in front: ``(1,085)``, ``−5`` and ``85-`` as ``-1,085``, ``-5`` and ``-85``."""
    below = series.str.contains(_BELOW)
    if not below.any():
        return series
    return _where(series, _BELOW, "-" + series.str.replace_all(r"^[−–(]\s*|\s*[)-]$", ""))


def _without(series: pl.Series, sign: str) -> pl.Series:
    """Cells without the sign that they bear; a per cent sign must be there."""
    bare = series.str.replace(_as_written(sign), "").str.replace(r"^([+-]?)\s+", "$1").str.strip_chars()
    bears = series.str.contains(_bearing(sign))
    if sign == "%":
        return pl.select(pl.when(bears).then(bare)).to_series().alias(series.name)
    return pl.select(pl.when(bears).then(bare).otherwise(series)).to_series().alias(series.name)


def _without_gaps(series: pl.Series) -> pl.Series:
    return _where(series, _GAPPED, series.str.replace_all(f"[{GAPS}]", ""))


def _where(series: pl.Series, pattern: str, otherwise: pl.Series) -> pl.Series:
    return pl.select(pl.when(series.str.contains(pattern)).then(otherwise).otherwise(series)).to_series()
