"""A network that forecasts, told around what the window itself says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

BASES = ("mean", "last", "season", "season-and-change")
SMALLEST = 0.01  # in units of the training part's variance: a flat window has no scale of its own
FIRST = 0.1  # how small the last layer begins


class Around(nn.Module):
    """ŷ = μ + σ · (b(z) + net(z)), where z = (x − μ) / σ is the window measured by its own mean μ and spread σ = √(variance + 0.01).

    So the network sees shapes and no level, and what it says is a correction of a plain forecast b: nothing (the window's mean), the last step, the step a season
    before, or that step and what has changed since. A series that grows leaves the range it was trained on, and its season grows with it; both pass through μ and σ.
    The calendar's channels reach the network as they are.

    Source: the normalisation is that of Kim and others, "Reversible instance normalization for accurate time-series forecasting", 2022, without its trained
    scale; forecasting what a seasonal walk leaves over is the differencing of Box and Jenkins, "Time series analysis", 1970.

    Args:
        net: maps (batch, channels, window) to (batch, targets · horizon).
        values: how many of the channels, the first ones, are values; the others are the calendar.
        targets: channels that are forecast.
        horizon: steps ahead.
        base: ``mean``, ``last``, ``season`` or ``season-and-change``.
        season: steps after which the series repeats itself; below the window's length.
        begin: make the last layer's weights small, so that training begins near the plain forecast.
    """

    def __init__(
        self,
        net: nn.Module,
        values: int,
        targets: Sequence[int],
        horizon: int,
        base: str,
        season: int,
        begin: bool = False,
    ) -> None:
        super().__init__()
        self.net = net
        self.values, self.targets, self.horizon = values, list(targets), horizon
        begins, ends = min(self.targets), max(self.targets) + 1
        # Side by side they are a slice, which the glass box can open; places from a list it cannot.
        self.own: slice | list[int] = slice(begins, ends) if self.targets == list(range(begins, ends)) else self.targets
        self.base, self.season = base, season
        self.stages = tuple(f"net.{stage}" for stage in getattr(net, "stages", ()))
        if begin and isinstance(head := getattr(net, "head", None), nn.Module):
            with torch.no_grad():
                for parameter in head.parameters():
                    parameter.mul_(FIRST)

    @property
    def head(self) -> nn.Module:
        """The network's own last layer."""
        return self.net.head  # type: ignore[return-value]

    def features(self, x: Tensor) -> Tensor:
        """(batch, channels, window) → (batch, features)."""
        return self.net.features(measured(x, self.values)[0])  # type: ignore[operator, no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, window) → (batch, targets · horizon)."""
        z, middle, spread = measured(x, self.values)
        said = self.net(z).reshape(x.shape[0], len(self.targets), self.horizon)
        said = said + plain(self.base, z[:, self.own], self.horizon, self.season)
        told = said * spread[:, self.own] + middle[:, self.own]
        return told.flatten(1)  # type: ignore[no-any-return]


def measured(x: Tensor, values: int) -> tuple[Tensor, Tensor, Tensor]:
    """Windows by their own measure: z with the calendar behind it (batch, channels, window), μ and σ (batch, values, 1)."""
    own = x[:, :values]
    middle = own.mean(dim=2, keepdim=True)
    spread = ((own - middle).square().mean(dim=2, keepdim=True) + SMALLEST).sqrt()
    return torch.cat([(own - middle) / spread, x[:, values:]], dim=1), middle, spread


def plain(base: str, z: Tensor, horizon: int, season: int) -> Tensor:
    """The plain forecast b, (batch, targets, horizon).

    With z_1 … z_w the window, m the season and k = 1 … horizon: 0 (``mean``), z_w (``last``), z_{w−m+1+(k−1) mod m} (``season``), or the latter + z_w − z_{w−m}
    (``season-and-change``).

    Args:
        base: one of ``BASES``.
        z: (batch, targets, window).
        horizon: steps ahead.
        season: m, below w; needed for the last two.
    """
    if base == "mean":
        return z.new_zeros(*z.shape[:2], horizon)
    last = z[:, :, -1:]
    if base == "last":
        return last.expand(-1, -1, horizon)
    year = z[:, :, z.shape[2] - season :]
    whole, rest = divmod(horizon, season)
    before = torch.cat([year] * whole + ([year[:, :, :rest]] if rest else []), dim=2)
    return before if base == "season" else before + last - z[:, :, -1 - season].unsqueeze(2)


def best_base(x: Tensor, wanted: Tensor, *, values: int, targets: Sequence[int], horizon: int, season: int) -> str:
    """The plain forecast with the smallest mean squared error, measured in the spread of each window; of equals the simplest.

    Args:
        x: windows of the training part (samples, channels, window).
        wanted: what followed, in the same units (samples, targets · horizon).
        values: see :class:`Around`, as the others.
        targets: channels that are forecast.
        horizon: steps ahead.
        season: 0 leaves the last two out.
    """
    z, middle, spread = measured(x, values)
    own = list(targets)
    away = (wanted.reshape(len(wanted), len(own), horizon) - middle[:, own]) / spread[:, own]
    able = [base for base in BASES if season or not base.startswith("season")]
    return min(able, key=lambda base: float((away - plain(base, z[:, own], horizon, season)).double().square().mean()))
