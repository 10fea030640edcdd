"""The simple methods themselves: functions that fit a scikit-learn model to rows and targets."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[Any]

PROBE = 1_000
MOST_GROWTH = 8
LEAST_GROWTH = 1.5
INVERSE_PENALTIES = (1.0, 0.01, 0.0001)
PENALTIES = tuple(float(value) for value in np.logspace(-2, 4, 13))
ITERATIONS = 100
CHOOSING_ITERATIONS = 30
HELD_OUT = 5
MOST_HELD_OUT = 1_000
TREES = 100
MOST_CATEGORIES = 255  # boosted trees take no more levels than they have bins
EARLY_STOPPING_FROM = 10_000


class Fitted(Protocol):
    """What a model does once fitted."""

    def predict(self, inputs: Array) -> Array:
        """Classes (n,) or values (n,) or (n, outputs), for (n, columns)."""
        ...


Fit = Callable[[Array, Array], Fitted]


def logistic(inputs: Array, targets: Array) -> Fitted:
    """Multinomial logistic regression with a squared penalty, whose strength is the best of three on a held-out fifth of the rows."""
    from sklearn.linear_model import LogisticRegression

    held = min(len(inputs) // HELD_OUT, MOST_HELD_OUT)
    rest = slice(held, None)
    best, strength = -1.0, INVERSE_PENALTIES[0]
    if held and len(np.unique(targets[rest])) > 1:
        for candidate in INVERSE_PENALTIES:
            model = LogisticRegression(C=candidate, max_iter=CHOOSING_ITERATIONS).fit(inputs[rest], targets[rest])
            score = float(model.score(inputs[:held], targets[:held]))
            if score > best:
                best, strength = score, candidate
    fitted: Fitted = LogisticRegression(C=strength, max_iter=ITERATIONS).fit(inputs, targets)
    return fitted


def ridge(inputs: Array, targets: Array) -> Fitted:
    """Least squares with a squared penalty, whose strength for each output is chosen by leaving each row out once."""
    from sklearn.linear_model import RidgeCV

    fitted: Fitted = RidgeCV(alphas=PENALTIES, alpha_per_target=True).fit(inputs.astype(np.float64), targets)
    return fitted


def boosted_trees(*, classes: bool, categories: Sequence[int], seed: int) -> Fit:
    """Gradient boosting on binned columns, 100 rounds; categories are split as sets, missing values take the better side."""

    def fit(inputs: Array, targets: Array) -> Fitted:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        known: Array = np.asarray(np.isfinite(inputs).any(axis=0))  # a column without any value cannot be binned
        given = {
            "categorical_features": [bool(c in categories) for c in np.flatnonzero(known)],
            "random_state": seed,
        }
        if classes:
            stop = len(targets) >= EARLY_STOPPING_FROM and int(np.bincount(targets)[np.unique(targets)].min()) > 1
            model = HistGradientBoostingClassifier(early_stopping=stop, **given).fit(inputs[:, known], targets)
            return _Columns([model], known)
        values = targets.reshape(len(targets), -1)
        models = [
            HistGradientBoostingRegressor(early_stopping=len(values) >= EARLY_STOPPING_FROM, **given).fit(
                inputs[:, known], values[:, k]
            )
            for k in range(values.shape[1])
        ]
        return _Columns(models, known)

    return fit


def random_forest(*, classes: bool, seed: int) -> Fit:
    """100 trees on bootstrap samples; categories are ordered by their index, missing values take the better side."""

    def fit(inputs: Array, targets: Array) -> Fitted:
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
        from sklearn.preprocessing import StandardScaler

        kind = RandomForestClassifier if classes else RandomForestRegressor
        model = kind(TREES, n_jobs=torch.get_num_threads(), random_state=seed)
        if not classes:
            # a split serves all outputs at once, so that an output in small units would be overheard
            model = TransformedTargetRegressor(model, transformer=StandardScaler())
        fitted: Fitted = model.fit(inputs, targets)
        return fitted

    return fit


def fit_within(fit: Fit, inputs: Array, targets: Array, seconds: float) -> tuple[int, Fitted]:
    """Fit on the first thousand rows, then on up to eight times as many, and so on while the next fit should still be in time.

    A fit is taken to cost at most in proportion to its rows. Where not all rows fit into the time, it stops rather than begin again
    for less than half as many rows more.

    Returns:
        How many rows the last fit had, and its model.
    """
    end = time.monotonic() + seconds
    rows = len(inputs) if len(inputs) <= 2 * PROBE else PROBE
    with warnings.catch_warnings():
        from sklearn.exceptions import ConvergenceWarning

        # a linear model stopped early is a fair rival still, and on separable classes its exponentials may overflow
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        while True:
            begin = time.monotonic()
            model = fit(inputs[:rows], targets[:rows])
            now = time.monotonic()
            affordable = min(len(inputs), MOST_GROWTH * rows, int(rows * (end - now) / max(now - begin, 1e-6)))
            if rows == len(inputs) or (affordable < LEAST_GROWTH * rows and affordable < len(inputs)):
                return rows, model
            rows = affordable


class _Columns:
    """One model for each output, on the columns that held values in training."""

    def __init__(self, models: Sequence[Fitted], known: Array) -> None:
        self.models, self.known = models, known

    def predict(self, inputs: Array) -> Array:
        said = [model.predict(inputs[:, self.known]) for model in self.models]
        return said[0] if len(said) == 1 else np.stack(said, axis=1)
