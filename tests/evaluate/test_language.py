"""The figures of language models and of counting, against sums by hand."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from glassnet.errors import DataError
from glassnet.evaluate import LanguageFigures, figures_from_json, language_report
from glassnet.evaluate.rival_ngrams import Counts

SPOKEN = np.array([2, 3, 2, 4, 2, 3, 3, 2, 3, 2, 4, 4, 2, 3, 2])
JUDGED = np.array([2, 3, 2, 5, 4, 2, 3])
VOCABULARY = 6


def naive(context: tuple[int, ...], token: int) -> float:
    """Witten and Bell's mixture, read off the page."""
    if context == ("nothing",):
        return 1 / VOCABULARY
    length = len(context)
    behind = Counter(
        int(SPOKEN[i + length]) for i in range(len(SPOKEN) - length) if tuple(SPOKEN[i : i + length]) == context
    )
    shorter = naive(context[1:] if context else ("nothing",), token)  # type: ignore[arg-type]
    met, kinds = sum(behind.values()), len(behind)
    return (behind[token] + kinds * shorter) / (met + kinds) if met else shorter


@pytest.mark.parametrize("longest", [1, 2, 3, 4])
def test_counting_is_the_mixture_of_the_paper(longest):
    counts = Counts(SPOKEN, VOCABULARY, 4)
    wanted = [
        -math.log(naive(tuple(JUDGED[max(0, i - longest + 1) : i].tolist()), int(token)))
        for i, token in enumerate(JUDGED)
    ]
    np.testing.assert_allclose(counts.losses(JUDGED, longest), wanted, rtol=1e-12)


def test_chances_of_all_tokens_sum_to_one():
    counts = Counts(SPOKEN, VOCABULARY, 3)
    for context in ([2, 3], [4, 4], [5, 2]):
        chances = [np.exp(-counts.losses(np.array([*context, token]))[-1]) for token in range(VOCABULARY)]
        assert sum(chances) == pytest.approx(1.0, abs=1e-12)


def test_figures_by_hand():
    losses = np.array([0.5, 1.5] * 600)
    figures = language_report(losses, np.array([True, False] * 600), "words", 6_000)
    assert (figures.loss, figures.perplexity) == (1.0, pytest.approx(math.e))
    assert figures.bits == pytest.approx(1.442695)
    assert figures.bits_per_character == pytest.approx(1_200 / math.log(2) / 6_000)
    assert (figures.accuracy, figures.samples) == (0.5, 1_200)
    assert figures.loss_interval == (1.0, 1.0), "blocks that are all alike"
    assert figures_from_json(figures.to_json()) == figures
    assert isinstance(figures_from_json(figures.to_json()), LanguageFigures)
    with pytest.raises(DataError, match="nothing to judge"):
        language_report(np.zeros(0), np.zeros(0, dtype=bool), "words", 0)
