"""Tags of words: whole entities found, the tag that each word has most often, and a linear model on neighbours, to be beaten."""

from __future__ import annotations

import re
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassnet.data.dataset import IGNORED, Data, Part
from glassnet.data.ragged import ragged_of
from glassnet.evaluate.interval import wilson
from glassnet.evaluate.rival import Rival

MOST_WORDS = 200_000  # of the training part, that the linear model is fitted to
HASHED = 1 << 20
_SCHEME = re.compile(r"^(O|[BIESLUM]-.+)$")

Entity = tuple[str, int, int]


def has_entities(tags: Sequence[str]) -> bool:
    """Whether tags are those of stretches: ``O``, ``B-X``, ``I-X``, and also ``E-``, ``S-`` (or ``L-``, ``U-``) for ends and single words."""
    return all(_SCHEME.match(tag) for tag in tags) and any(tag.startswith("I-") for tag in tags)


def entities_of(tags: Sequence[str]) -> list[Entity]:
    """The stretches of a sentence: (kind, first word, word behind the last).

    As the script of the CoNLL shared tasks reads them: a stretch begins at ``B-``, ``S-`` or ``U-``, or at any other tag behind ``O``, behind another kind or behind the end of
    a stretch; so ``I-X`` without ``B-X`` counts too.
    """
    found: list[Entity] = []
    begin, kind, last = 0, "", "O"
    for place, tag in enumerate([*tags, "O"]):
        mark, _, own = tag.partition("-")
        starts = mark in ("B", "S", "U") or (mark != "O" and (own != kind or last in ("O", "E", "L", "S", "U")))
        if kind and (mark == "O" or starts):
            found.append((kind, begin, place))
            kind = ""
        if starts:
            begin, kind = place, own
        last = mark
    return found


def entity_figures(said: Tensor, part: Part, classes: Sequence[str]) -> dict[str, Any]:
    """How well whole entities are found: one counts where kind, first and last word are right.

    Args:
        said: class of each word, (words,), one sentence behind the other.
        part: the sentences.
        classes: names of the tags.

    Returns:
        ``all`` and ``each`` kind: ``precision``, ``recall``, ``f1`` = 2·found / (said + there), and ``support``, how many there are; empty where the tags are not of stretches.
    """
    if not has_entities(classes):
        return {}
    right: Counter[str] = Counter()
    claimed: Counter[str] = Counter()
    there: Counter[str] = Counter()
    lengths = (part.targets != IGNORED).sum(dim=1).tolist()
    sentences = zip(torch.split(said, lengths), torch.split(part.answers, lengths), strict=True)
    for own, true in sentences:
        named, meant = (set(entities_of([classes[i] for i in each.tolist()])) for each in (own, true))
        right.update(kind for kind, _, _ in named & meant)
        claimed.update(kind for kind, _, _ in named)
        there.update(kind for kind, _, _ in meant)
    kinds = sorted(set(claimed) | set(there))
    return {
        "all": _figures(right.total(), claimed.total(), there.total()),
        "each": {kind: _figures(right[kind], claimed[kind], there[kind]) for kind in kinds},
    }


def _figures(right: int, claimed: int, there: int) -> dict[str, Any]:
    return {
        "precision": right / max(claimed, 1),
        "recall": right / max(there, 1),
        "f1": 2 * right / max(claimed + there, 1),
        "support": there,
    }


def tagging_rivals(data: Data, part: str, seed: int) -> list[Rival]:
    """The tag that each word has most often in the training part, and logistic regression on a word and its neighbours."""
    made = [
        _rival(
            "most frequent tag of each word",
            "words that did not occur get the most frequent tag",
            data,
            part,
            most_frequent,
        )
    ]
    if len(torch.unique(data.train.answers)) > 1:
        note = "the word, its end and shape, and both neighbours"
        made.append(_rival("linear model", note, data, part, lambda train, judged: linear(train, judged, seed)))
    return made


def _rival(name: str, note: str, data: Data, part: str, method: Any) -> Rival:
    begin = time.monotonic()
    judged = data.parts[part]
    said = method(data.train, judged)
    right, count = int((said == judged.answers).sum()), len(said)
    entities = entity_figures(said, judged, data.classes)
    more = f"; entities F1 {entities['all']['f1']:.4f}" if entities else ""
    return Rival(name, right / count, "accuracy", time.monotonic() - begin, note + more, wilson(right, count))


def most_frequent(train: Part, judged: Part) -> Tensor:
    """For each word of a part the tag that it has most often in training, in lower case; the first of equals."""
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    usual = int(train.answers.bincount().argmax())
    for word, tag in zip(_codes(train)[:, 0].tolist(), train.answers.tolist(), strict=True):
        counts[word][tag] += 1
    best = {word: min(own, key=lambda tag: (-own[tag], tag)) for word, own in counts.items()}
    return torch.tensor([best.get(word, usual) for word in _codes(judged)[:, 0].tolist()])


def linear(train: Part, judged: Part, seed: int) -> Tensor:
    """Stochastic logistic regression on hashed features: word, end and shape here, before and behind, and pairs of words."""
    from sklearn.linear_model import SGDClassifier

    rows, targets = _features(train)
    if len(targets) > MOST_WORDS:
        some = np.sort(np.random.default_rng(seed).choice(len(targets), MOST_WORDS, replace=False))
        rows, targets = rows[some], targets[some]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model stopped early is a fair rival still
        model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=20, random_state=seed, average=True)
        model.fit(rows, targets)
    return torch.from_numpy(model.predict(_features(judged)[0]))


def _features(part: Part) -> tuple[Any, Any]:
    """A row of hashed features for each word: scipy's sparse matrix, and the tags."""
    from scipy.sparse import csr_matrix

    columns = []
    lengths = (part.targets != IGNORED).sum(dim=1).tolist()
    edge = np.zeros((1, 3), dtype=np.int64)
    for own in torch.split(_codes(part), lengths):
        around = np.concatenate([edge, own.numpy(), edge])
        before, here, behind = around[:-2], around[1:-1], around[2:]
        single = [before[:, k] * 31 + k for k in range(3)] + [here[:, k] * 37 + k for k in range(3)]
        single += [behind[:, k] * 41 + k for k in range(3)]
        pairs = [one[:, 0] * 43 ^ other[:, 0] * 47 for one, other in pairwise((before, here, behind))]
        columns.append(np.stack([*single, *pairs], axis=1))
    hashed = np.concatenate(columns)
    mixed = (hashed ^ (hashed >> 29)) % HASHED  # codes are hashes already; the low bits need some of the high
    count, width = mixed.shape
    values = np.ones(count * width, dtype=np.float32)
    matrix = csr_matrix((values, mixed.ravel(), np.arange(0, count * width + 1, width)), shape=(count, HASHED))
    return matrix, part.answers.numpy()


def _codes(part: Part) -> Tensor:
    """The codes of a part's words, one sentence behind the other: int64 (words, 3)."""
    found = ragged_of(part.inputs)
    assert found is not None, "sentences are ragged"
    words, index = found
    return torch.cat([words.row(place) for place in index.tolist()])
