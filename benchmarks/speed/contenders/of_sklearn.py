"""scikit-learn's MLPClassifier, for the rows that are multilayer perceptrons. It has no first step of its own: an epoch at a time."""

from __future__ import annotations

import warnings

from sklearn.neural_network import MLPClassifier

from benchmarks.speed.contenders import Contender, NotWrittenError
from benchmarks.speed.contenders.timed import now
from benchmarks.speed.rows import Row

HIDDEN = {"mlp-32": (256, 128), "mlp-128": (256, 128), "3072-50-10": (50,)}


def start(row: Row) -> Contender:
    """The training of a row."""
    if row.name not in HIDDEN:
        raise NotWrittenError("scikit-learn knows multilayer perceptrons only")
    warnings.simplefilter("ignore")
    inputs, targets = row.floats()
    flat = inputs.reshape(len(inputs), -1)
    net = MLPClassifier(HIDDEN[row.name], batch_size=row.batch, max_iter=1, warm_start=True, alpha=0.0)

    def advance(seconds: float) -> tuple[int, float]:
        begin, samples = now(), 0
        while (spent := now() - begin) < seconds or not samples:
            net.fit(flat, targets)
            samples += len(flat)
        return samples, spent

    return Contender(advance)
