"""From coarse to fine: where the good trials lie, and whether the best one lies at an edge (requirements H1, H2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from glassnet.searching.space import Choice, Parameter, Range, Space, reachable, written
from glassnet.searching.trial import Trial

GOOD = 0.25  # share of the trials that show where it is good
FEWEST = 3
EDGE = 0.05  # share of a range that counts as its edge
WIDER = 1 / 3  # of a range, by which it is widened
LEAST = 0.2  # of a range, below which a stage does not narrow it: with few trials the good ones may lie close by chance


@dataclass(frozen=True)
class Narrowed:
    """What one setting may be in the next stage.

    Attributes:
        before: as it was.
        after: as it will be; None where it belongs to values of another setting that are gone.
        why: the reason in words.
    """

    before: Parameter
    after: Parameter | None
    why: str


@dataclass(frozen=True)
class Edge:
    """The best value lies where its range ends.

    Attributes:
        parameter: the range.
        value: the best trial's.
        high: whether at its upper end.
    """

    parameter: Range
    value: float
    high: bool

    def __str__(self) -> str:
        end = self.parameter.high if self.high else self.parameter.low
        return (
            f"the best {self.parameter.key} is {written(self.value)}, at the {'upper' if self.high else 'lower'} end of {self.parameter}: "
            f"better ones may lie {'above' if self.high else 'below'} {written(end)}"
        )


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Those that came to their end, the best first; of equals the earlier."""
    return sorted(
        (trial for trial in trials if trial.end == "done" and trial.counts),
        key=lambda trial: (-trial.value, trial.number),
    )


def good(trials: Sequence[Trial]) -> list[Trial]:
    """The best quarter, three at least."""
    order = ranked(trials)
    return order[: max(FEWEST, math.ceil(GOOD * len([trial for trial in trials if trial.end != "failed"])))]


def edges(space: Space, trials: Sequence[Trial]) -> list[Edge]:
    """The ranges at whose end the best trial lies: lr = 9.47e-4 in 1e-6..1e-3, for example."""
    order = ranked(trials)
    if not order:
        return []
    found = []
    for each in space:
        if isinstance(each, Range) and each.key in order[0].settings:
            value = order[0].settings[each.key]
            place = each.place(value)
            natural = each.low == 0 and place <= EDGE  # nothing lies below no dropout
            if (place <= EDGE or place >= 1 - EDGE) and not natural:
                found.append(Edge(each, value, place > 0.5))
    return found


def narrow(space: Space, trials: Sequence[Trial], *, widen: bool = False) -> list[Narrowed]:
    """The space of the next stage: where the best quarter of the trials lies, with some room.

    The room on each side is the mean distance of neighbours among the good ones, so that few trials narrow little. A range is never cut below a
    fifth of what it was in one stage.

    Args:
        space: of this stage.
        trials: of this stage.
        widen: whether a range at whose end the best trial lies is widened there by a third.
    """
    leading = good(trials)
    ended = {edge.parameter.key: edge for edge in edges(space, trials)}
    found = []
    for each in space:
        best = [trial for trial in leading if each.key in trial.settings]
        if len(leading) < FEWEST:
            found.append(Narrowed(each, each, f"only {len(leading)} trials came to their end: too few to narrow by"))
        elif len(best) < FEWEST:
            found.append(
                Narrowed(
                    each, each, f"only {len(best)} of the best {len(leading)} trials have it: too few to narrow by"
                )
            )
        elif isinstance(each, Choice):
            found.append(_fewer(each, best, len(trials)))
        else:
            found.append(_shorter(each, best, len(trials), ended.get(each.key) if widen else None))
    left = reachable(tuple(each.after for each in found if each.after))
    return [each if each.after in left else Narrowed(each.before, None, _gone(each.before)) for each in found]


def _gone(parameter: Parameter) -> str:
    assert parameter.only is not None
    values = " or ".join(written(value) for value in parameter.only.values)
    return f"it belongs to {values} of {parameter.only.key}, which is gone"


def _fewer(choice: Choice, best: Sequence[Trial], count: int) -> Narrowed:
    kept = tuple(value for value in choice.values if any(trial.settings[choice.key] == value for trial in best))
    if len(kept) == len(choice.values):
        return Narrowed(choice, choice, "good trials have each of these")
    gone = "|".join(written(value) for value in choice.values if value not in kept)
    return Narrowed(choice, replace(choice, values=kept), f"none of the best {len(best)} of {count} trials has {gone}")


def _shorter(old: Range, best: Sequence[Trial], count: int, edge: Edge | None) -> Narrowed:
    places = sorted(old.place(trial.settings[old.key]) for trial in best)
    room = (places[-1] - places[0]) / (len(places) - 1) if len(places) > 1 else LEAST / 2
    low, high = places[0] - room, places[-1] + room
    if high - low < LEAST:
        middle = (low + high) / 2
        low, high = middle - LEAST / 2, middle + LEAST / 2
    low, high = max(low, 0.0), min(high, 1.0)
    why = (
        f"the best {len(best)} of {count} trials lie from {written(old.at(places[0]))} to {written(old.at(places[-1]))}"
    )
    if edge is not None:
        low, high = (low, 1 + WIDER) if edge.high else (-WIDER, high)
        why += f"; widened {'above' if edge.high else 'below'}, since the best lies at the edge"
    new = replace(old, low=_value(old, low), high=_value(old, high))
    if not new.low < new.high:
        return Narrowed(old, Choice(old.key, (int(new.low) if old.whole else new.low,), old.only), why)
    if new == old:
        why += ": nearly everywhere"
    return Narrowed(old, new, why)


def _value(old: Range, place: float) -> float:
    """The value at a place that may lie outside; what is at least 0 stays so."""
    if old.log:
        value = old.low * (old.high / old.low) ** place
    else:
        value = old.low + place * (old.high - old.low)
        value = max(value, 0.0) if old.low >= 0 else value
    if old.whole:
        return float(max(round(value), 1 if old.low >= 1 else 0) if old.low >= 0 else round(value))
    if place == 0 or place == 1:
        return old.low if place == 0 else old.high
    return float(f"{value:.2g}")  # a range is easier to read, and to repeat, with two digits
