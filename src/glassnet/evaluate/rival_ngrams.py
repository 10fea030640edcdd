"""The rivals of a language model: how often each token occurs, and how often each run of tokens does."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.data.dataset import Data
from glassnet.evaluate.language import block_interval
from glassnet.evaluate.rival import Rival

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LONGEST = 8
MOST_TOKENS = 20_000_000
HELD_OUT = 10
LARGEST_KEY = 2**62


class Counts:
    """An n-gram model with Witten–Bell smoothing (Witten and Bell 1991; Chen and Goodman 1999, section 2.6).

    With c(h) the times that a context h was met, T(h) the number of different tokens behind it, and h' the context without its first token::

        P(x | h) = (c(hx) + T(h) P(x | h')) / (c(h) + T(h)),   P(x | nothing) mixed likewise with 1 / vocabulary

    A context that was never met leaves the word to the shorter one.

    Args:
        tokens: to count, int64 below ``vocabulary``.
        vocabulary: different tokens that there may be.
        longest: tokens of the longest run that is counted, n.
    """

    def __init__(self, tokens: Ints, vocabulary: int, longest: int) -> None:
        self.vocabulary, self.longest = vocabulary, longest
        self.tables: list[tuple[Ints, Ints, Ints, Ints, Ints]] = []
        for length in range(1, longest + 1):
            runs, counts = np.unique(keys_of(tokens, length, vocabulary), return_counts=True)
            contexts, begin = np.unique(runs // vocabulary, return_index=True)
            met = np.add.reduceat(counts, begin) if len(begin) else counts
            kinds = np.diff(np.append(begin, len(runs)))
            self.tables.append((runs, counts, contexts, met, kinds))

    def losses(self, tokens: Ints, longest: int | None = None) -> Floats:
        """−ln P of every token of a text, each from up to ``longest`` − 1 tokens before it."""
        chance = np.full(len(tokens), 1 / self.vocabulary)
        for length in range(1, (longest or self.longest) + 1):
            runs, counts, contexts, met, kinds = self.tables[length - 1]
            keys = keys_of(tokens, length, self.vocabulary)
            if not len(keys) or not len(runs):
                break
            said, found = looked_up(runs, counts, keys), np.searchsorted(contexts, keys // self.vocabulary)
            found = np.minimum(found, len(contexts) - 1)
            known = contexts[found] == keys // self.vocabulary
            shorter = chance[length - 1 :]
            mixed = (said + kinds[found] * shorter) / (met[found] + kinds[found])
            chance = np.concatenate([chance[: length - 1], np.where(known, mixed, shorter)])
        return np.asarray(-np.log(chance), dtype=np.float64)


def keys_of(tokens: Ints, length: int, vocabulary: int) -> Ints:
    """Each run of ``length`` tokens as one number, the last token its lowest digit; (tokens − length + 1,)."""
    count = len(tokens) - length + 1
    if count <= 0:
        return np.zeros(0, dtype=np.int64)
    keys = np.zeros(count, dtype=np.int64)
    for place in range(length):
        keys = keys * vocabulary + tokens[place : place + count]
    return keys


def looked_up(keys: Ints, values: Ints, wanted: Ints) -> Any:
    """The value of each wanted key; 0 where there is none."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def counting_rivals(data: Data, part: str) -> list[Rival]:
    """How often each token occurs, and runs of the length that is best on the last tenth of the training part.

    Args:
        data: one text with its targets.
        part: that is judged.
    """
    begin = time.monotonic()
    train, judged = tokens_of(data, "train")[-MOST_TOKENS:], tokens_of(data, part)
    vocabulary = len(data.classes)
    most = max(1, min(LONGEST, int(math.log(LARGEST_KEY) / math.log(max(vocabulary, 2)))))
    held = max(len(train) // HELD_OUT, 1)
    tried = Counts(train[:-held], vocabulary, most)
    best = min(range(1, most + 1), key=lambda length: float(tried.losses(train[-held:], length).mean()))
    counts = Counts(train, vocabulary, best)
    unit = data.outputs[0].removeprefix("next ")
    seconds = time.monotonic() - begin
    rivals = []
    for length in dict.fromkeys((1, best)):
        losses = counts.losses(judged, length)
        name = f"how often each {unit} occurs" if length == 1 else f"{length}-grams"
        note = (
            "of the training part" if length == 1 else f"runs of up to {length} {unit}s counted, Witten-Bell smoothing"
        )
        rivals.append(Rival(name, float(losses.mean()), "nats", seconds, note, block_interval(losses)))
    return rivals


def tokens_of(data: Data, part: str) -> Ints:
    """The targets of a part as one run of tokens."""
    targets = data.parts[part].targets
    tokens: Ints = targets[targets >= 0].numpy()
    return tokens
