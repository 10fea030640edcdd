"""How well a network says what comes next in a text, and what counting says of the same text."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.errors import DataError
from glassnet.evaluate.interval import Interval

BLOCK = 500  # tokens; neighbours are alike, so the interval is that of the means of blocks


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """The figures of a language model on one part of a text of n tokens x_1 … x_n.

    Attributes:
        samples: n, tokens that were to be said.
        unit: ``characters`` or ``words``.
        loss: −1/n Σ ln P(x_t | what stands before it), in nats a token.
        loss_interval: its 95 % interval, from the means of blocks of 500 tokens (for the chance in this text, not for that in training).
        perplexity: e^loss: as uncertain as a free choice among so many tokens.
        bits: loss / ln 2, in bits a token.
        bits_per_character: bits of the whole part over its characters, by which models of words and of characters can be compared.
        accuracy: share of tokens that were held to be the most probable.
        sample: some text that the model wrote.
    """

    samples: int
    unit: str
    loss: float
    loss_interval: Interval
    perplexity: float
    bits: float
    bits_per_character: float
    accuracy: float
    sample: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values, with ``kind`` first, for :meth:`from_json`."""
        return {"kind": "language"} | asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LanguageFigures:
        """The figures that :meth:`to_json` described, also after JSON made lists of tuples."""
        fields = {key: value for key, value in values.items() if key != "kind"}
        return cls(**fields | {"loss_interval": Interval(*fields["loss_interval"])})


def language_report(
    losses: npt.NDArray[np.float64],
    right: npt.NDArray[np.bool_],
    unit: str,
    characters: int,
    sample: str = "",
) -> LanguageFigures:
    """The figures from the loss of every token.

    Args:
        losses: −ln P of each token, in the order of the text.
        right: whether it was held to be the most probable.
        unit: of the tokens.
        characters: of the text.
        sample: some text that the model wrote.

    Raises:
        DataError: there are no tokens.
    """
    if not len(losses):
        raise DataError("there is nothing to judge", got="0 tokens", expected="at least 1")
    mean = float(losses.mean())
    return LanguageFigures(
        samples=len(losses),
        unit=unit,
        loss=mean,
        loss_interval=block_interval(losses),
        perplexity=math.exp(min(mean, 700.0)),
        bits=mean / math.log(2),
        bits_per_character=float(losses.sum()) / math.log(2) / max(characters, 1),
        accuracy=float(right.mean()),
        sample=sample,
    )


def block_interval(losses: npt.NDArray[np.float64]) -> Interval:
    """95 % interval of the mean, ± 1.96 standard errors of the means of blocks; of fewer than two blocks the mean twice."""
    mean, blocks = float(losses.mean()), len(losses) // BLOCK
    if blocks < 2:
        return Interval(mean, mean)
    means = losses[: blocks * BLOCK].reshape(blocks, BLOCK).mean(axis=1)
    half = 1.96 * float(means.std(ddof=1)) / math.sqrt(blocks)
    return Interval(mean - half, mean + half)
