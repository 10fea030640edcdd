"""Free text among the columns of a table: the words that are told of it, and where they occur."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.data.evenly import evenly
from glassnet.data.tokens import words

if TYPE_CHECKING:
    import polars as pl

MOST_WORDS = 200
LEAST_ROWS, LEAST_SHARE, MOST_SHARE = 5, 0.005, 0.95  # of the rows with a text, in which a word has to occur, and may
LOOKED_AT = 20_000  # rows
MOST_NUMBERS = 20_000_000  # rows times words


def words_of(series: pl.Series) -> tuple[str, ...]:
    """Words that many cells of a text have and not nearly all, the most frequent first, equally frequent ones in the order of the alphabet.

    Args:
        series: text, nulls where it is missing; of very many rows some, evenly spread, are looked at.
    """
    cells = series.drop_nulls().to_list()
    most_words = min(MOST_WORDS, MOST_NUMBERS // max(len(cells), 1))
    cells = [cells[place] for place in evenly(len(cells), LOOKED_AT)]
    counts = Counter(word for text in cells for word in _told(text))
    least, most = max(LEAST_ROWS, LEAST_SHARE * len(cells)), MOST_SHARE * len(cells)
    told = sorted((-count, word) for word, count in counts.items() if least <= count <= most)
    return tuple(word for _, word in told[:most_words])


def occurring(series: pl.Series, told: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which of some words each cell has, (rows, words); one that is missing has none."""
    place = {word: column for column, word in enumerate(told)}
    found = np.zeros((series.len(), len(told)), dtype=np.bool_)
    for row, text in enumerate(series.to_list()):
        if text is not None:
            found[row, [place[word] for word in _told(str(text)) if word in place]] = True
    return found


def _told(text: str) -> set[str]:
    return {word for word in words(text) if any(map(str.isalnum, word))}
