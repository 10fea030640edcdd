"""What people read on a terminal: lines that end where the terminal ends, in letters that it has."""

from __future__ import annotations

import codecs
import os
import re
import sys
import textwrap
from typing import TextIO

import click

LEAST = 30  # columns; a terminal that says it has fewer is not believed
# Signs of our own words for streams that lack them, such as those of old Windows consoles; other characters are told by their number.
SPELT = {
    "×": "x", "·": ".", "…": "...", "“": '"', "”": '"', "’": "'", "–": "-", "−": "-", "—": "-", "━": "=", "─": "-", "│": "|",
    "²": "^2", "±": "+-", "√": "sqrt", "≥": ">=", "≤": "<=", "≈": "~", "→": "->", "←": "<-", "∂": "d", "λ": "lambda", "µ": "u", "Σ": "sum", "∞": "inf",
}  # fmt: skip
# A label and the blanks behind it, such as "speed  ", "  where:    " or "  --set net.dropout=0.0  "
_LABEL = re.compile(r" *(--set )?\S+ {2,}(?=\S)|change (?=\S)")
_LABEL_MOST = 30


def say(text: str, *, err: bool = False) -> None:
    """A line of words for people, or several: folded where a terminal listens, as it is elsewhere."""
    click.echo(for_people(text, sys.stderr if err else sys.stdout), err=err)


def for_people(text: str, stream: TextIO) -> str:
    """The text as it suits the stream: see :func:`folded`; unchanged where no terminal listens."""
    width = columns(stream)
    return text if width is None else folded(text, width)


def columns(stream: TextIO) -> int | None:
    """How many letters a line of this terminal has (COLUMNS, where that is set); None where it is no terminal."""
    if not stream.isatty():
        return None
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return max(int(asked), LEAST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, LEAST)
    except (OSError, ValueError):
        return 80


def is_live(stream: TextIO) -> bool:
    """Whether lines that were written can be written over: a terminal, and none that calls itself dumb, as in some editors and build logs."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def folded(text: str, width: int) -> str:
    """Long lines broken between words; what goes on stands under the beginning of its words, beside the line's label.

    Args:
        text: one line or several.
        width: letters a line at most; a single word may be longer.

    >>> print(folded("net    a small net that suits few images", 24))
    net    a small net that
           suits few images
    """
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    label = _LABEL.match(line)
    begin = len(line) - len(line.lstrip(" "))
    hanging = (
        label.end() if label and label.end() <= min(_LABEL_MOST, width // 2) else begin + (2 if 0 < begin < 7 else 0)
    )
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def readable() -> None:
    """Let standard output and error spell what their encoding lacks instead of failing, as on consoles that know cp437 or ASCII only."""
    codecs.register_error("glassnet.spelt", _spelt)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a notebook's streams have none, and take every character
        if reconfigure is not None and not _has_all(stream.encoding):
            reconfigure(errors="glassnet.spelt")


def _has_all(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").replace("_", "") in ("utf8", "utf16", "utf32", "utf8sig")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(SPELT.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lacking), error.end
