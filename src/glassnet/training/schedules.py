"""How the learning rate changes over a run (requirement S2): factors on the base rate, pure functions of the step.

With t = step / steps per epoch in epochs and u = step / total steps in 0 to 1.
"""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown


@dataclass(frozen=True)
class Range:
    """What an option may be, in words and as a test."""

    words: str
    holds: Callable[[float], bool]


Positive = typing.Annotated[float, Range("a number > 0", lambda value: value > 0)]
NotNegative = typing.Annotated[float, Range("a number ≥ 0", lambda value: value >= 0)]
AtLeastOne = typing.Annotated[float, Range("a number ≥ 1", lambda value: value >= 1)]
Factor = typing.Annotated[float, Range("a number above 0 and at most 1", lambda value: 0 < value <= 1)]
Share = typing.Annotated[float, Range("a number from 0 to 1", lambda value: 0 <= value <= 1)]
Epochs = typing.Annotated[int, Range("a whole number ≥ 0", lambda value: value >= 0 and value == int(value))]

Count = typing.Annotated[int, Range("a whole number ≥ 1", lambda value: value >= 1 and value == int(value))]

Curve = Callable[[float, float], float]
"""(t in epochs, u as a share of the run) -> factor."""


def constant() -> Schedule:
    """1 throughout."""
    return Schedule(lambda t, u: 1.0)


def step(*, every: Positive = 10.0, factor: Factor = 0.1) -> Schedule:
    """factor^⌊t / every⌋: divided by 2 or 10 every some epochs. As StepLR."""
    return Schedule(lambda t, u: factor ** math.floor(t / every + 1e-9))


def exponential(*, rate: NotNegative = 0.1) -> Schedule:
    """e^(−rate·t). As ExponentialLR with gamma = e^(−rate) for each epoch."""
    return Schedule(lambda t, u: math.exp(-rate * t))


def inverse(*, rate: NotNegative = 0.1) -> Schedule:
    """1 / (1 + rate·t)."""
    return Schedule(lambda t, u: 1 / (1 + rate * t))


def cosine(*, final: Share = 0.0) -> Schedule:
    """Final + (1 − final)(1 + cos πu)/2. As CosineAnnealingLR (Loshchilov & Hutter 2017, eq. 5, without restarts)."""
    return Schedule(lambda t, u: final + (1 - final) * (1 + math.cos(math.pi * u)) / 2)


def one_cycle(*, peak: Share = 0.2, start: Share = 0.04, final: Share = 0.0) -> Schedule:
    """Linear from ``start`` to 1 at the share ``peak`` of the run, then linear to ``final`` (Smith & Topin 2018)."""

    def curve(t: float, u: float) -> float:
        if u < peak:
            return start + (1 - start) * u / peak
        return final + (1 - final) * (1 - u) / (1 - peak)

    return Schedule(curve)


def cyclic(*, period: Positive = 4.0, low: Share = 0.1) -> Schedule:
    """A triangle between ``low`` and 1 with a period in epochs, beginning low. As CyclicLR "triangular" (Smith 2017)."""

    def curve(t: float, u: float) -> float:
        place = t / period % 1
        return low + (1 - low) * (1 - abs(2 * place - 1))

    return Schedule(curve)


def warm_restarts(*, period: Positive = 10.0, multiply: AtLeastOne = 1.0, final: Share = 0.0) -> Schedule:
    """Cosines that begin anew after ``period`` epochs, each ``multiply`` times as long (SGDR, Loshchilov & Hutter 2017)."""

    def curve(t: float, u: float) -> float:
        length, begun = period, 0.0
        while t >= begun + length - 1e-9:
            begun, length = begun + length, length * multiply
        return final + (1 - final) * (1 + math.cos(math.pi * (t - begun) / length)) / 2

    return Schedule(curve)


def cyclic_cosine(*, cycles: Count = 5, final: Share = 0.0) -> Schedule:
    """Final + (1 − final)·½(cos(π·mod(n, L)/L) + 1) at step n from 0, with L = ⌈T/cycles⌉ steps of T (Huang et al. 2017, eq. 2)."""
    return CyclicCosine(lambda t, u: 1.0, cycles=int(cycles), final=final)


def swa(*, start: Share = 0.75, rate: Share = 0.5) -> Schedule:
    """1 until half of ``start``, linear to ``rate`` at nine tenths of it, and then ``rate`` (Izmailov et al. 2018, section 4.1).

    The rate stays up while the weights are averaged, so that they go on moving around in the basin whose middle is wanted.
    """

    def curve(t: float, u: float) -> float:
        place = u / start if start else 1.0
        return 1 - (1 - rate) * min(max((place - 0.5) / 0.4, 0.0), 1.0)

    return Schedule(curve)


def plateau(*, factor: Factor = 0.1, patience: Epochs = 5, threshold: NotNegative = 1e-4) -> Schedule:
    """Multiplied by ``factor`` when the loss seen has not fallen by the share ``threshold`` for more than ``patience`` epochs."""
    return Plateau(lambda t, u: 1.0, reduce_by=factor, patience=patience, threshold=threshold)


@dataclass
class Schedule:
    """A curve of factors, with a linear warm-up before it.

    Attributes:
        curve: the factor after the warm-up.
        warmup: epochs in which the factor rises from nearly 0 to the curve.
    """

    curve: Curve
    warmup: float = 0.0

    def factor(self, step: int, steps_per_epoch: int, total_steps: int) -> float:
        """What the base rate is multiplied by in a step, counted from 0."""
        t = step / steps_per_epoch
        risen = min(1.0, (step + 1) / (self.warmup * steps_per_epoch)) if self.warmup else 1.0
        return risen * self.curve(t, step / max(total_steps, 1))

    def observe(self, loss: float) -> None:
        """Told the validation loss after every epoch; only ``plateau`` minds."""

    def state_dict(self) -> dict[str, Any]:
        """What it remembers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""


@dataclass
class CyclicCosine(Schedule):
    """Cosine cycles that divide the run evenly, to the step."""

    cycles: int = 5
    final: float = 0.0

    def factor(self, step: int, steps_per_epoch: int, total_steps: int) -> float:
        """What the base rate is multiplied by."""
        length = math.ceil(total_steps / self.cycles)
        cosine = (1 + math.cos(math.pi * (step % length) / length)) / 2
        return super().factor(step, steps_per_epoch, total_steps) * (self.final + (1 - self.final) * cosine)


@dataclass
class Plateau(Schedule):
    """Reduce on plateau. As ReduceLROnPlateau with mode min and a relative threshold."""

    reduce_by: float = 0.1
    patience: int = 5
    threshold: float = 1e-4
    memory: dict[str, Any] = field(default_factory=lambda: {"best": math.inf, "bad": 0, "factor": 1.0})

    def factor(self, step: int, steps_per_epoch: int, total_steps: int) -> float:
        """What the base rate is multiplied by."""
        return float(super().factor(step, steps_per_epoch, total_steps) * self.memory["factor"])

    def observe(self, loss: float) -> None:
        """Count an epoch without improvement, and reduce after too many."""
        memory = self.memory
        if loss < memory["best"] * (1 - self.threshold):
            memory["best"], memory["bad"] = loss, 0
        else:
            memory["bad"] += 1
        if memory["bad"] > self.patience:
            memory["factor"] *= self.reduce_by
            memory["bad"] = 0

    def state_dict(self) -> dict[str, Any]:
        """Best loss, bad epochs, present factor."""
        return dict(self.memory)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self.memory = dict(state)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "inverse": inverse,
    "cosine": cosine,
    "one-cycle": one_cycle,
    "cyclic": cyclic,
    "warm-restarts": warm_restarts,
    "cyclic-cosine": cyclic_cosine,
    "swa": swa,
    "plateau": plateau,
}


def make_schedule(name: str, *, warmup: float | None = None, **options: Any) -> Schedule:
    """A new schedule of a name.

    Args:
        name: a key of ``SCHEDULES``.
        warmup: epochs of linear rise before it.
        **options: as the function of that name takes them.

    Raises:
        UsageError: unknown name or options, or values out of range, all at once.
    """
    if name not in SCHEDULES:
        raise unknown("schedule", name, SCHEDULES)
    known = inspect.signature(SCHEDULES[name]).parameters
    ranges = typing.get_type_hints(SCHEDULES[name], include_extras=True) | {"warmup": NotNegative}
    mistakes: list[GlassnetError] = [
        unknown(f"option of the schedule {name}", key, [*known, "warmup"], where=f"schedule.{key}")
        for key in options
        if key not in known
    ]
    for key, value in (options | ({} if warmup is None else {"warmup": warmup})).items():
        wanted = ranges[key].__metadata__[0] if key in ranges else None
        if wanted and not (_number(value) and wanted.holds(value)):
            mistakes.append(
                UsageError(
                    f"wrong value for 'schedule.{key}'",
                    where=f"schedule {name}",
                    got=repr(value),
                    expected=wanted.words,
                )
            )
    if mistakes:
        raise all_at_once(mistakes)
    made = SCHEDULES[name](**options)
    made.warmup = warmup or 0.0
    return made


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
