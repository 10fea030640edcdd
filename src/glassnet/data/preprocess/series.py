"""Windows of a series in units of the training part's spread, and what their forecasts are told around."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.normalise import positive
from glassnet.data.preprocess.target_scale import TargetScale
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.windows import windows_of
from glassnet.errors import DataError

FORMS = ("relative", "standardise", "none")
SMALLEST = (
    0.01  # added to the variance of a window, in units of the training part's: a flat window has no scale of its own
)
CHUNK = 4_096
BASES = ("mean", "last", "season", "season-and-change")


class SeriesInputs(Preprocess):
    """``y = (x − mean) / std`` for each column of values, with mean and spread of the steps that training sees; the calendar stays as it is.

    Args:
        name: ``relative`` (a forecast is told around what the window itself says), ``standardise`` or ``none``.
        shape: (channels, window).
        values: how many of the channels, the first ones, are columns of values.
        targets: channels that are forecast.
        horizon: steps that are forecast.
        season: steps after which the series repeats itself, or 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        shape: tuple[int, ...],
        values: int,
        targets: tuple[int, ...],
        horizon: int,
        season: int,
    ) -> None:
        super().__init__()
        self.name, self.values, self.targets = name, values, tuple(targets)
        self.horizon, self.season = horizon, season
        self.input_shape = self.output_shape = tuple(shape)
        self.register_buffer("mean", torch.zeros(shape[0], 1))
        self.register_buffer("std", torch.ones(shape[0], 1))

    @property
    def target_scale(self) -> TargetScale | None:
        """What is forecast is measured as what is seen."""
        if self.name == "none":
            return None
        each = [channel[list(self.targets), 0].repeat_interleave(self.horizon) for channel in (self.mean, self.std)]
        return TargetScale(*each)

    @property
    def around(self) -> dict[str, Any] | None:
        """For ``relative``: what a network is told around."""
        if self.name != "relative":
            return None
        return {
            "values": self.values,
            "targets": list(self.targets),
            "horizon": self.horizon,
            "season": self.season,
        }

    def forward(self, raw: Tensor) -> Tensor:
        """(batch, channels, window) to float32 of the same shape."""
        return (raw.to(torch.float32) - self.mean) / self.std

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "form": "series",
            "name": self.name,
            "shape": list(self.input_shape),
            "values": self.values,
            "targets": list(self.targets),
            "horizon": self.horizon,
            "season": self.season,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SeriesInputs:
        """The module that :meth:`to_json` described, with neutral buffers."""
        if values["name"] not in FORMS:
            raise ValueError(f"{values['name']!r}")
        return cls(
            values["name"],
            tuple(values["shape"]),
            values["values"],
            tuple(values["targets"]),
            values["horizon"],
            values["season"],
        )


def fit_series(name: str, source: Source, schema: SeriesSchema) -> SeriesInputs:
    """Fit on the training part: the scale on every step that its windows and their targets touch, and no other.

    Raises:
        DataError: the inputs are no windows of a series.
    """
    found = windows_of(source)
    if found is None:
        raise DataError(
            "a series is made of windows", got=type(source).__name__, expected="a part of data of kind 'series'"
        )
    windows, ahead = found
    values = len(schema.columns)
    season = schema.season if schema.season < schema.window else 0
    made = SeriesInputs(name, schema.shape, values, schema.places, schema.horizon, season)
    if name == "none":
        return made
    seen = windows.values[int(ahead.min()) - windows.window : int(ahead.max()) + windows.horizon, :values].double()
    mean = seen.mean(dim=0)
    made.mean[:values, 0] = mean.float()
    made.std[:values, 0] = positive((seen - mean).square().mean(dim=0).sqrt(), mean).float()
    return made
