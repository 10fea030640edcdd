"""What an experiment is given and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """How to run an experiment.

    Attributes:
        full: the long form instead of the one that ends within two minutes on two cores.
        seed: of all random numbers.
        data: path or name of data of one's own, for the experiments that take some; None for what is built in.
        say: called with a line of progress now and then.
    """

    full: bool = False
    seed: int = 0
    data: str | None = None
    say: Callable[[str], None] = field(default=lambda line: None, compare=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside its reference.

    Attributes:
        what: the figure, in words.
        ours: as measured here.
        reference: from the lecture, paper or theory; None without one.
        agrees: whether they agree; None where that cannot be said (no reference, or other data than the reference had).
    """

    what: str
    ours: float | str
    reference: float | str | None = None
    agrees: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment found.

    Attributes:
        rows: the figures beside their references.
        conclusion: what follows, in one sentence that depends on the numbers.
        series: everything that the picture needs and a reader may want, as numbers, texts, lists and dicts by name.
        data: which data were used, in words, and how to get those of the reference where they are others.
        caption: what is to be seen in the picture.
    """

    rows: Sequence[Row]
    conclusion: str
    series: Mapping[str, Any]
    data: str = ""
    caption: str = ""

    @property
    def agrees(self) -> bool:
        """Whether no row contradicts its reference."""
        return all(row.agrees is not False for row in self.rows)


def compared(what: str, ours: float, reference: float, within: float, *, absolute: bool = False) -> Row:
    """A row that agrees where ours is within that share of the reference, or within that much of it.

    Args:
        what: the figure, in words.
        ours: as measured here.
        reference: the known value.
        within: largest difference that counts as agreement, as a share of the reference; or the difference itself.
        absolute: whether ``within`` is the difference itself.
    """
    room = within if absolute else within * abs(reference)
    return Row(what, ours, reference, math.isfinite(ours) and abs(ours - reference) <= room)
