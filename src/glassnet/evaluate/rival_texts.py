"""The cheap rival for texts: a linear model on which words and pairs of words occur in them."""

from __future__ import annotations

import time
import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from glassnet.data.dataset import Data, Part
from glassnet.data.ragged import ragged_of
from glassnet.evaluate.interval import wilson
from glassnet.evaluate.rival import Rival

MOST_TEXTS = 50_000
MOST_TOKENS = 3_000_000  # in all training texts together
INVERSE_PENALTIES = (0.3, 1.0, 3.0, 10.0)
HELD_OUT = 5
PAIR = 1_000_003


def bag_of_words(data: Data, part: str, seed: int) -> Rival:
    """Logistic regression on tf-idf weights of words and pairs of words that occur in two training texts or more.

    The strength of its penalty is the best of four on a held-out fifth of the training texts.

    Args:
        data: texts with classes.
        part: that is judged.
        seed: of the sample, where there are more than 50,000 training texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    begin = time.monotonic()
    train, judged = data.train, data.parts[part]
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:MOST_TEXTS]
    tokens = tokens_of(train, order.tolist())
    total, kept = 0, 0
    while kept < len(tokens) and total < MOST_TOKENS:
        total += len(tokens[kept])
        kept += 1
    tokens, targets = tokens[:kept], train.targets[order[:kept]].numpy()

    def vectors(least: int) -> Any:
        return TfidfVectorizer(analyzer=words_and_pairs, min_df=least, sublinear_tf=True)

    try:
        bag = vectors(2).fit(tokens)
    except ValueError:  # no word occurs twice
        bag = vectors(1).fit(tokens)
    rows = bag.transform(tokens)
    held = kept // HELD_OUT
    best, strength = -1.0, 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model stopped early is a fair rival still
        if held and len(np.unique(targets[held:])) > 1:
            for candidate in INVERSE_PENALTIES:
                model = LogisticRegression(C=candidate, max_iter=200).fit(rows[held:], targets[held:])
                score = float(model.score(rows[:held], targets[:held]))
                if score > best:
                    best, strength = score, candidate
        model = LogisticRegression(C=strength, max_iter=500).fit(rows, targets)
    said = model.predict(bag.transform(tokens_of(judged, list(range(len(judged))))))
    right = int((said == judged.targets.numpy()).sum())
    note = f"tf-idf of words and pairs of {'all ' if kept == len(train) else ''}{kept:,} training texts"
    return Rival(
        "bag-of-words linear model",
        right / len(judged),
        "accuracy",
        time.monotonic() - begin,
        note,
        wilson(right, len(judged)),
    )


def tokens_of(part: Part, places: list[int]) -> list[list[int]]:
    """The token codes of some texts."""
    found = ragged_of(part.inputs)
    assert found is not None, "texts are ragged"
    texts, index = found
    return [texts.row(int(index[place])).tolist() for place in places]


def words_and_pairs(codes: list[int]) -> list[int]:
    """The tokens themselves and a number for each pair of neighbours."""
    return codes + [hash((first * PAIR, second)) for first, second in pairwise(codes)]
