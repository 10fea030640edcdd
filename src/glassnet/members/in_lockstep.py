"""Members trained in this process step by step, with one pass for the gradients of all where their networks can be stacked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from glassnet.events import Epoch, Event, Finding
from glassnet.members.called import Called
from glassnet.members.side_by_side import ended
from glassnet.runs import RunFolder
from glassnet.story import Listener, Result, Teller
from glassnet.training.execution import process_kept
from glassnet.training.lockstep import Decided, Lockstep, Training

# (place, listen, stop) -> the training of a member, which waits before every step
Begin: TypeAlias = Callable[[int, Listener, Callable[[], bool]], Training[Result]]


def in_lockstep(
    places: list[RunFolder],
    called: list[Called],
    begin: Begin,
    *,
    measure: bool,
    decided: Decided,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
) -> bool:
    """Train the members that are not finished; False when asked to stop before the end.

    Args:
        places: their run folders.
        called: what they are called.
        begin: called for one after the other, when the one before stands before its first step.
        measure: stack them only where that is faster; otherwise wherever it can be done.
        decided: called with whether they are stacked, and why.
        listen: called with the events of one of them, which stands for all; what is found in others is told.
        tell: called with every sentence for people.
        stop: asked after every step.

    Raises:
        GlassnetError: that ended a member; the others are saved and ended.
    """
    left = [place for place, folder in enumerate(places) if not folder.finished]
    failed: list[Exception] = []
    known: set[str] = set()
    done: list[int] = []
    seen: dict[int, _Seen] = {}

    def told_of(place: int) -> Listener:
        def hear(event: Event) -> None:
            if isinstance(event, Epoch):
                seen[place].last = event
                seen[place].best = event if event.best else seen[place].best
            if place == left[0]:
                listen(event)
            elif isinstance(event, Finding) and event.rule not in known:
                tell(f"  {event.severity} ({called[place].short}): {event.what}\n    do:  {event.advice}")
            if isinstance(event, Finding):
                known.add(event.rule)

        return hear

    def halt() -> bool:
        return bool(failed) or stop()

    def note(ends: Iterator[tuple[int, Result | Exception]]) -> None:
        for place, end in ends:
            if isinstance(end, Exception):
                failed.append(end)
            elif end.model is not None:
                done.append(place)
                about = seen[place]
                tell(f"{called[place].full}: {ended(about.last, about.best, about.begun)}")

    steps = Lockstep[Result](measure=measure, decided=decided)
    with process_kept():
        try:
            for place in left:
                if not halt():
                    seen[place] = _Seen(time.monotonic())
                    steps.add(place, begin(place, told_of(place), halt))
                    note(steps.ended())
            while steps:
                note(steps.round())
        finally:
            steps.close()
    if failed:
        raise failed[0]
    return len(done) == len(left)


@dataclass
class _Seen:
    """What was seen of a member: when it began, its last epoch, and the best one."""

    begun: float
    last: Epoch | None = None
    best: Epoch | None = None
