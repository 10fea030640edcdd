"""A word as three numbers: itself in lower case, its end, and its shape, so that something is known of words that never occurred."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import torch

from glassnet.data.ragged import Ragged
from glassnet.data.tokens import code

COLUMNS = ("word", "end", "shape")
END = 3  # letters
LONGEST_SHAPE = 8
_DIGIT = re.compile(r"\d")


def features(word: str) -> tuple[str, str, str]:
    """``Banks`` gives ``banks``, ``…nks`` and ``≈Xx``; the digits of numbers become 0, runs of one kind of letter one sign."""
    plain = word.lower()
    if not any(letter.isalpha() for letter in plain):
        plain = _DIGIT.sub("0", plain)
    return plain, "…" + plain[-END:], "≈" + "".join(kind for kind, _ in groupby(map(_kind, word)))[:LONGEST_SHAPE]


def _kind(letter: str) -> str:
    if letter.isupper():
        return "X"
    if letter.isalpha():
        return "x"
    return "0" if letter.isdigit() else letter


def ragged_words(sentences: Sequence[Sequence[str]]) -> Ragged:
    """Sentences as a source: values int64 (words, 3), with what the codes mean."""
    lexicon: dict[int, str] = {}
    known: dict[str, tuple[int, ...]] = {}
    values: list[tuple[int, ...]] = []
    for sentence in sentences:
        for word in sentence:
            codes = known.get(word)
            if codes is None:
                told = features(word)
                codes = known[word] = tuple(code(each) for each in told)
                lexicon.update(zip(codes, told, strict=True))
            values.append(codes)
    lengths = torch.tensor([len(sentence) for sentence in sentences], dtype=torch.int64)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])
    return Ragged(torch.tensor(values, dtype=torch.int64).reshape(-1, len(COLUMNS)), offsets, lexicon)
