"""How good predicted values are, on one part of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glassnet.errors import DataError, ModelError
from glassnet.evaluate.interval import Interval, quantile_interval, resampled_sums

Floats = npt.NDArray[np.float64]
MOST_POINTS = 1000
MOST_MISTAKES = 24


@dataclass(frozen=True, slots=True)
class OutputFigures:
    """One output, with residuals r = predicted − true over n samples.

    Attributes:
        name: of the output.
        mse: mean r², in squared units of the output.
        rmse: √mse, in units of the output.
        mae: mean |r|, in units of the output.
        r2: 1 − Σr²/Σ(true − mean true)²: 1 is perfect, 0 no better than saying the mean of these very samples, negative worse. Where all
            true values are equal: 1 if every prediction is exact, else 0, as in scikit-learn.
        r2_interval: 95 % bootstrap interval of r2.
        mae_interval: 95 % bootstrap interval of mae.
    """

    name: str
    mse: float
    rmse: float
    mae: float
    r2: float
    r2_interval: Interval
    mae_interval: Interval


@dataclass(frozen=True, slots=True)
class Miss:
    """A prediction far from the truth.

    Attributes:
        index: the sample's place in the part.
        output: index of the output.
        true: the true value.
        predicted: what was predicted.
    """

    index: int
    output: int
    true: float
    predicted: float


@dataclass(frozen=True, slots=True)
class RegressionFigures:
    """The figures of merit of predicted values.

    The means over several outputs are plain averages; those of mse, rmse and mae say little where the outputs' units differ.

    Attributes:
        samples: how many were judged.
        outputs: names of the outputs.
        per_output: figures of each output.
        mse: mean over outputs.
        rmse: mean over outputs.
        mae: mean over outputs.
        r2: mean over outputs.
        r2_interval: 95 % bootstrap interval of the mean r2, for the chance in drawing these samples (not for that in training).
        mae_interval: 95 % bootstrap interval of the mean mae.
        points: for each output (true, predicted) of at most 1,000 samples drawn at random, for plotting.
        worst: the largest misses in units of the output's spread, the largest first.
    """

    samples: int
    outputs: tuple[str, ...]
    per_output: tuple[OutputFigures, ...]
    mse: float
    rmse: float
    mae: float
    r2: float
    r2_interval: Interval
    mae_interval: Interval
    points: tuple[tuple[tuple[float, float], ...], ...]
    worst: tuple[Miss, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values, with ``kind`` first, for :meth:`from_json`."""
        return {"kind": "regression"} | asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> RegressionFigures:
        """The figures that :meth:`to_json` described, also after JSON made lists of tuples."""
        fields = {key: value for key, value in values.items() if key != "kind"}
        return cls(
            **fields
            | _intervals(fields)
            | {
                "outputs": tuple(fields["outputs"]),
                "per_output": tuple(OutputFigures(**each | _intervals(each)) for each in fields["per_output"]),
                "points": tuple(tuple((true, said) for true, said in points) for points in fields["points"]),
                "worst": tuple(Miss(**each) for each in fields["worst"]),
            }
        )


def regression_report(
    predicted: Tensor, targets: Tensor, outputs: Sequence[str], *, seed: int = 0
) -> RegressionFigures:
    """All figures of predicted values, in float64.

    Args:
        predicted: (n, outputs), or (n,) for one output, in the targets' own units.
        targets: of the same shape.
        outputs: names of the outputs.
        seed: of the bootstrap and of the points drawn.

    Raises:
        DataError: there are no samples, or the targets' shape does not fit or they are not finite.
        ModelError: predictions are not finite or their shape does not fit.
    """
    said, true = _values(predicted, targets, len(outputs))
    residual = said - true
    resampled = _resampled(said, true, seed)
    r2, mae = r2_scores(said, true), np.abs(residual).mean(axis=0)
    mse = np.square(residual).mean(axis=0)
    per_output = tuple(
        OutputFigures(
            name=name,
            mse=float(mse[k]),
            rmse=float(np.sqrt(mse[k])),
            mae=float(mae[k]),
            r2=float(r2[k]),
            r2_interval=quantile_interval(resampled[0][:, k]),
            mae_interval=quantile_interval(resampled[1][:, k]),
        )
        for k, name in enumerate(outputs)
    )
    return RegressionFigures(
        samples=len(true),
        outputs=tuple(outputs),
        per_output=per_output,
        mse=float(mse.mean()),
        rmse=float(np.sqrt(mse).mean()),
        mae=float(mae.mean()),
        r2=float(r2.mean()),
        r2_interval=quantile_interval(resampled[0].mean(axis=1)),
        mae_interval=quantile_interval(resampled[1].mean(axis=1)),
        points=_points(said, true, seed),
        worst=_worst(said, true),
    )


def r2_scores(predicted: Floats, true: Floats) -> Floats:
    """R² of each output, (outputs,), from values (n, outputs)."""
    return _r2(np.square(predicted - true).sum(axis=0), np.square(true - true.mean(axis=0)).sum(axis=0))


def _r2(residual: Floats, total: Floats) -> Floats:
    constant = total <= 0
    ratio = residual / np.where(constant, 1.0, total)
    return np.where(constant, np.where(residual > 0, 0.0, 1.0), 1 - ratio)


def _resampled(said: Floats, true: Floats, seed: int) -> tuple[Floats, Floats]:
    """R² and MAE of every bootstrap resample, each (resamples, outputs)."""
    k = true.shape[1]
    # measured from the whole part's mean, so that Σy² − (Σy)²/n does not cancel
    centred = true - true.mean(axis=0)
    residual = said - true
    terms = np.hstack([np.ones((len(true), 1)), centred, centred**2, residual**2, np.abs(residual)])
    sums = resampled_sums(terms, seed)
    n = sums[:, :1]
    first, squares, residuals, absolute = (sums[:, 1 + k * part : 1 + k * (part + 1)] for part in range(4))
    total = squares - first**2 / n
    # a resample of one sample repeated has no spread but for rounding
    total = np.where(total > 1e-12 * np.maximum(squares, 1e-300), total, 0.0)
    return _r2(residuals, total), absolute / n


def _values(predicted: Tensor, targets: Tensor, outputs: int) -> tuple[Floats, Floats]:
    said, true = (each.detach().to("cpu", torch.float64) for each in (predicted, targets))
    said, true = (each.unsqueeze(1) if each.ndim == 1 else each for each in (said, true))
    if len(true) == 0:
        raise DataError("there is nothing to judge", got="0 samples", expected="at least 1")
    if true.shape[1:] != (outputs,):
        raise DataError(
            "the targets do not fit the outputs", got=f"shape {tuple(targets.shape)}", expected=f"(samples, {outputs})"
        )
    if said.shape != true.shape:
        raise ModelError(
            "the predictions do not fit the targets",
            got=f"shape {tuple(predicted.shape)}",
            expected=str(tuple(targets.shape)),
        )
    if not bool(true.isfinite().all()):
        raise DataError(
            "targets are not finite numbers",
            got=f"NaN or infinity in {int((~true.isfinite()).sum())} of {true.numel()} values",
            fix="leave out the samples with such targets",
        )
    if not bool(said.isfinite().all()):
        raise ModelError(
            "the network's predictions are not finite numbers",
            got=f"NaN or infinity in {int((~said.isfinite()).sum())} of {said.numel()} values",
            fix="train again with a smaller learning rate, or with gradient clipping",
        )
    return np.asarray(said.numpy()), np.asarray(true.numpy())


def _points(said: Floats, true: Floats, seed: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    most = max(MOST_POINTS // true.shape[1], 50)
    rows = np.arange(len(true))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(len(true), most, replace=False))
    return tuple(
        tuple((float(t), float(s)) for t, s in zip(true[rows, k], said[rows, k], strict=True))
        for k in range(true.shape[1])
    )


def _worst(said: Floats, true: Floats) -> tuple[Miss, ...]:
    scale = true.std(axis=0)
    miss = np.abs(said - true) / np.where(scale > 0, scale, 1.0)
    order = np.argsort(-miss, axis=None, kind="stable")[:MOST_MISTAKES]
    rows, columns = np.unravel_index(order, miss.shape)
    return tuple(
        Miss(row, column, float(true[row, column]), float(said[row, column]))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if miss[row, column] > 0
    )


def _intervals(fields: dict[str, Any]) -> dict[str, Interval]:
    return {key: Interval(*fields[key]) for key in ("r2_interval", "mae_interval")}
