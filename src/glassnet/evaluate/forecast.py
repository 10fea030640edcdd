"""Forecasts beside plain ones on the same steps: the value before, the value a season before, the mean, a linear model; and whether a lead may be chance."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glassnet.data.dataset import Data
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.windows import windows_of
from glassnet.evaluate.regression import regression_report
from glassnet.evaluate.rival import Rival
from glassnet.evaluate.rival_inputs import prepared, read_rows
from glassnet.evaluate.rival_models import fit_within, ridge

MOST_ROWS = 50_000
LINEAR_SECONDS = 10.0

Floats = npt.NDArray[np.float64]


class Plain(NamedTuple):
    """A plain method's forecasts.

    Attributes:
        name: of the method.
        note: what it does, as a phrase.
        said: float64 (samples, targets · horizon).
        seconds: what they took.
    """

    name: str
    note: str
    said: Floats
    seconds: float


class Compared(NamedTuple):
    """Two forecasts of the same steps.

    Attributes:
        gain: mean of |e_second| − |e_first|: above 0 where the first is better.
        p: probability of a mean as far from 0, if both were as good (Diebold and Mariano 1995, with Student's t).
    """

    gain: float
    p: float


def diebold_mariano(first: Floats, second: Floats, horizon: int) -> Compared:
    """Whether one forecast's absolute errors are smaller than another's by more than chance.

    With d_t = |e_second,t| − |e_first,t|, the mean of the horizon's steps at each origin t = 1 … n, the statistic is d̄ / √(V / n). Neighbouring origins share most of
    their steps, so V = γ_0 + 2 Σ_{k=1}^{L} (1 − k/(L+1)) γ_k sums the autocovariances of d (Newey and West 1987) with L = max(h − 1, ⌊4 (n/100)^{2/9}⌋).

    Args:
        first: absolute errors, (n, outputs), in order of time.
        second: likewise.
        horizon: h.
    """
    from scipy.stats import t as student

    d = (second - first).mean(axis=1)
    n, mean = len(d), float(d.mean())
    if n < 3:
        return Compared(mean, 1.0)
    away = d - mean
    lags = min(max(horizon - 1, int(4 * (n / 100) ** (2 / 9))), n - 2)
    variance = float(away @ away) / n
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(away[lag:] @ away[:-lag]) / n
    if variance <= 0:
        return Compared(mean, 1.0 if mean == 0 else 0.0)
    return Compared(mean, float(2 * student.sf(abs(mean) / math.sqrt(variance / n), n - 1)))


def plain_forecasts(data: Data, preprocess: Callable[[Tensor], Tensor], part: str) -> list[Plain]:
    """What needs no network, on a part of a series.

    The step before each window's end, the steps a week or year (or the season that was seen) before where the series reaches back so far, that season moved by what
    has changed since, the mean of the training part, and ridge regression on the windows.

    Args:
        data: a series, divided into parts.
        preprocess: what the linear model's inputs are prepared by.
        part: that is forecast.
    """
    schema = _schema(data)
    found = windows_of(data.parts[part].inputs)
    assert found is not None, "a series is made of windows"
    windows, ahead = found
    own = windows.values[:, list(schema.places)].double().numpy()  # (steps, targets)
    steps, horizon = ahead.numpy(), np.arange(schema.horizon)
    made: list[Plain] = []

    def add(name: str, note: str, said: Floats, begin: float) -> None:
        flat = said.transpose(0, 2, 1).reshape(
            len(steps), -1
        )  # (samples, horizon, targets) to (samples, targets · horizon)
        made.append(Plain(name, note, flat, time.monotonic() - begin))

    def back(lag: int) -> Floats:
        """The values a whole number of lags before each step, all of them before the forecast is made."""
        return np.asarray(own[steps[:, None] + horizon - lag * (horizon // lag + 1)])

    begin = time.monotonic()
    add(
        f"same as the {'step' if schema.clock.unit == 'number' else schema.clock.step} before",
        "the last value that is known",
        back(1),
        begin,
    )
    for lag in schema.lags:
        begin = time.monotonic()
        if steps.min() < lag:
            continue
        name = f"same as {_told(lag, schema)} before"
        add(name, f"the value {lag:,} steps before", back(lag), begin)
        if lag == schema.season and steps.min() > lag:
            change = own[steps - 1] - own[steps - 1 - lag]  # (samples, targets)
            said = back(lag) + change[:, None, :]
            add(f"{name}, and the change since", "a seasonal random walk", said, begin)
    begin = time.monotonic()
    mean = data.train.targets.double().mean(dim=0).numpy()
    made.append(
        Plain("always the mean", "of the training part", np.tile(mean, (len(steps), 1)), time.monotonic() - begin)
    )
    made.append(_linear(data, preprocess, part))
    return made


def _linear(data: Data, preprocess: Callable[[Tensor], Tensor], part: str) -> Plain:
    """Ridge regression, of which the penalty of each output is chosen by leaving each sample out once."""
    begin = time.monotonic()
    train, judged = data.train, data.parts[part]
    view = prepared(preprocess)
    order = torch.arange(max(len(train) - MOST_ROWS, 0), len(train))
    rows = read_rows(train.inputs, order, view, LINEAR_SECONDS)
    targets = train.targets[order[: len(rows)]].double().numpy()
    count, model = fit_within(ridge, rows, targets, LINEAR_SECONDS)
    questions = read_rows(judged.inputs, torch.arange(len(judged)), view, float("inf"))
    said = np.asarray(model.predict(questions), dtype=np.float64).reshape(len(judged), -1)
    note = f"ridge regression on {count:,} windows"
    return Plain("linear model", note, said, time.monotonic() - begin)


def rivals_of_series(data: Data, preprocess: Callable[[Tensor], Tensor], part: str) -> list[Rival]:
    """The plain forecasts as rivals, by their R²; the note tells their mean absolute error."""
    made = []
    for each in plain_forecasts(data, preprocess, part):
        figures = regression_report(torch.from_numpy(each.said), data.parts[part].targets, data.outputs)
        note = f"{each.note}; MAE {figures.mae:.4g}"
        made.append(Rival(each.name, figures.r2, "r2", each.seconds, note, figures.r2_interval))
    return made


class Forecast(NamedTuple):
    """A network's forecasts of a part of a series.

    Attributes:
        said: in the values' own units, (samples, targets · horizon).
        data: the series, divided into parts.
        preprocess: what the linear model's inputs are prepared by.
    """

    said: Tensor
    data: Data
    preprocess: Callable[[Tensor], Tensor]


def compared_forecasts(made: Sequence[Forecast], part: str) -> dict[str, Any]:
    """A network's forecasts beside the plain ones, column by column, as plain values; of several networks, one for each fold, all together.

    Args:
        made: by each network, in order of time.
        part: that was forecast.

    Returns:
        ``step`` in words, ``horizon``, and ``columns``: of each its ``name``, ``mae``, ``rmse``, ``mae_by_step``, and ``plain``: of each method the same figures, and
        with ``gain`` and ``p`` whether the network is better (:func:`diebold_mariano`).
    """
    schema = _schema(made[0].data)
    true = np.concatenate([each.data.parts[part].targets.double().numpy() for each in made])
    own = np.concatenate([each.said.double().numpy() for each in made])
    methods = _together([plain_forecasts(each.data, each.preprocess, part) for each in made])
    columns = []
    for place, name in enumerate(schema.targets):
        outputs = slice(place * schema.horizon, (place + 1) * schema.horizon)
        errors = np.abs(own[:, outputs] - true[:, outputs])
        rows = []
        for each in methods:
            its = np.abs(each.said[:, outputs] - true[:, outputs])
            gain, p = diebold_mariano(errors, its, schema.horizon)
            rows.append({"name": each.name, "note": each.note, **_figures(its), "gain": gain, "p": p})
        columns.append({"name": name, **_figures(errors), "plain": rows})
    return {"step": schema.clock.step, "horizon": schema.horizon, "columns": columns}


def _together(methods: Sequence[Sequence[Plain]]) -> list[Plain]:
    """The plain forecasts one fold after the other, of the methods that every fold has."""
    if len(methods) == 1:
        return list(methods[0])
    found = [{each.name: each for each in fold} for fold in methods]
    return [
        Plain(
            name,
            first.note if len({fold[name].note for fold in found}) == 1 else "fitted anew in each fold",
            np.concatenate([fold[name].said for fold in found]),
            sum(fold[name].seconds for fold in found),
        )
        for name, first in found[0].items()
        if all(name in fold for fold in found)
    ]


def _figures(errors: Floats) -> dict[str, Any]:
    return {
        "mae": float(errors.mean()),
        "rmse": float(np.sqrt((errors**2).mean())),
        "mae_by_step": errors.mean(axis=0).tolist(),
    }


def _told(lag: int, schema: SeriesSchema) -> str:
    names: Sequence[str] = [name for name, steps in schema.clock.cycles().items() if round(steps) == lag]
    return f"a {names[0]}" if names else f"{lag:,} steps"


def _schema(data: Data) -> SeriesSchema:
    assert isinstance(data.schema, SeriesSchema), "only a series is forecast"
    return data.schema
