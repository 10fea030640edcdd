"""Weights and activations over the time of a training, from what the run recorded: no network is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassnet.errors import UsageError
from glassnet.events import Measured
from glassnet.explain.subject import Array


@dataclass(frozen=True)
class History:
    """One layer's activations and all weights' sizes over the measured steps.

    Attributes:
        layer: whose activations.
        layers: names of all layers that were measured.
        steps: (looks,) optimiser steps.
        edges: (bins + 1,) of the values, common to all looks.
        shares: (looks, bins) share of the layer's values in each bin; a row of a look sums to 1.
        weights: names of parameters of two dimensions and more.
        sizes: (weights, looks) root mean square of each.
    """

    layer: str
    layers: tuple[str, ...]
    steps: tuple[int, ...]
    edges: Array
    shares: Array
    weights: tuple[str, ...]
    sizes: Array


def history(measured: Sequence[Measured], layer: str | None = None, bins: int = 40) -> History:
    """Bring the histograms of all looks to common bins.

    Args:
        measured: events of a run, in their order (``[e for e in run.events() if isinstance(e, Measured)]``).
        layer: whose activations; None takes the last hidden one, that before the last.
        bins: of the common range.

    Raises:
        UsageError: nothing was measured, or no such layer.
    """
    if not measured:
        raise UsageError("nothing was measured in this run", fix="train with monitoring on")
    names = tuple(record["name"] for record in measured[-1].layers)
    chosen = layer or (names[-2] if len(names) > 1 else names[0])
    if chosen not in names:
        raise UsageError("no such layer was measured", got=chosen, expected=", ".join(names))
    kept = [(event.step, next((r for r in event.layers if r["name"] == chosen), None)) for event in measured]
    looks = [
        (step, record) for step, record in kept if record and record.get("histogram") and record.get("low") is not None
    ]
    looks = [(step, record) for step, record in looks if record["high"] is not None]
    if not looks:
        raise UsageError(
            "this layer's values were never finite, or never differed",
            where=chosen,
            expected="another layer, as in glassnet.explain.history(measured, layer=NAME)",
        )
    low, high = min(r["low"] for _, r in looks), max(r["high"] for _, r in looks)
    edges = np.linspace(low, max(high, low + 1e-9), bins + 1)
    shares = np.array([_spread(r["histogram"], r["low"], r["high"], edges) for _, r in looks])
    parameters = [r["name"] for r in measured[-1].parameters if r["dims"] > 1]
    sizes = [
        [next((r["weight"] for r in event.parameters if r["name"] == name), None) for event in measured]
        for name in parameters
    ]
    return History(
        chosen,
        names,
        tuple(step for step, _ in looks),
        edges.astype(np.float32),
        shares.astype(np.float32),
        tuple(parameters),
        np.array([[np.nan if v is None else v for v in row] for row in sizes], dtype=np.float32).reshape(
            len(parameters), len(measured)
        ),
    )


def _spread(
    counts: Sequence[float], low: float, high: float, edges: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> Array:
    """Shares in the common bins, taking the values of a bin as spread evenly over it."""
    own = np.linspace(low, max(high, low + 1e-9), len(counts) + 1)
    below = np.concatenate(([0.0], np.cumsum(counts))) / max(sum(counts), 1e-12)
    return np.diff(np.interp(edges, own, below)).astype(np.float32)
