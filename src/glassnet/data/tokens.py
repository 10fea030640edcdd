"""A text as numbers that need no vocabulary: code points for characters, 63 bits of a hash for words.

So a text can be read before it is known which texts will be trained on. Which of the numbers mean something to a network is the matter of the
preprocessing (:mod:`glassnet.data.preprocess.vocabulary`), which is fitted on the training part alone.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Literal

Unit = Literal["words", "characters"]

UNKNOWN = 1  # the code of a token that is not told; no word and no printable character has it
MOST_TOKENS = 20_000  # of one text; what comes behind is cut off
FIRST_CODE = 16  # the codes below have meanings of their own
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_SPACE = re.compile(r"\s+")


def words(text: str) -> list[str]:
    """The words and signs of a text in lower case: ``It's good, 9/10`` gives ``it's good , 9 / 10``."""
    return _WORD.findall(text.lower())


def characters(text: str) -> list[str]:
    """The characters of a text; any run of blanks and line ends is one blank."""
    return list(_SPACE.sub(" ", text.strip()))


def tokens(text: str, unit: Unit) -> list[str]:
    """The first ``MOST_TOKENS`` tokens of a text."""
    return (words(text) if unit == "words" else characters(text))[:MOST_TOKENS]


def code(token: str) -> int:
    """A number from 16 to 2⁶³ − 1: the code point of a single character (of those below 16, such as a line end, 16 more), else 63 bits of BLAKE2b, of which two words agree with probability 2⁻⁶³."""
    if len(token) == 1:
        return ord(token) if ord(token) >= FIRST_CODE else ord(token) + FIRST_CODE
    digest = int.from_bytes(blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1
    return max(digest, 1 << 32)  # beyond all code points


def encode(text: str, unit: Unit, lexicon: dict[int, str] | None = None) -> list[int]:
    """The codes of a text's tokens; of a text without any token, one that is unknown. New tokens are written into the lexicon."""
    found = []
    for token in tokens(text, unit):
        number = code(token)
        if lexicon is not None:
            lexicon.setdefault(number, token)
        found.append(number)
    return found or [UNKNOWN]
