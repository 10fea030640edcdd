"""Trainings that go through their steps by turns in one process, and make those together that can be made together (:mod:`~glassnet.training.stacked`).

Each training is a generator that yields a :class:`~glassnet.training.waiting.Waiting` before every step and returns its result. One of them runs at a
time, all in one thread, so there is nothing to lock and nothing that could wait for ever. The process's random states are handed over with the turn: each training
finds those that it left, as it would alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar

from glassnet.training.stacked import Stack, build_of, fits, hindrance, try_stack
from glassnet.training.state import Generators, generators, restore_generators
from glassnet.training.waiting import Waiting

T = TypeVar("T")
Training: TypeAlias = Generator[Waiting, None, T]
Decided: TypeAlias = Callable[[bool, str], None]

PATIENCE = 100  # rounds without batches of one shape, after which none are expected


def to_its_end(training: Training[T]) -> T:
    """Run a training by itself, and return its result."""
    while True:
        try:
            next(training)
        except StopIteration as end:
            result: T = end.value
            return result


class Lockstep(Generic[T]):
    """Trainings under way. Those that are built alike and have batches of one size are a group, whose steps are made in one pass where that can be done, and pays.

    A group that cannot be stacked, or is not to be, is trained one after the other. A training that ends leaves the others to go on.

    Args:
        measure: stack a group only where that is faster.
        decided: called once for every group with whether it is stacked, and a sentence that says why.
    """

    def __init__(self, *, measure: bool, decided: Decided = lambda stacked, why: None) -> None:
        self._measure, self._decided = measure, decided
        self._going: list[_Turn[T]] = []
        self._groups: dict[object, _Group] = {}
        self._latest: _Turn[T] | None = None  # whose random states are the process's own at present

    def add(self, name: int, training: Training[T]) -> None:
        """Begin a training: it goes on until it stands before its first step."""
        self._going.append(_Turn(name, training))
        self._go_on(self._going[-1:])

    def round(self) -> Iterator[tuple[int, T | Exception]]:
        """A step of every training (of the first one only, in a group that goes in turn); yields those that :meth:`ended`."""
        alike: dict[object, list[_Turn[T]]] = {}
        for turn in self._going:
            if turn.waiting is not None:
                alike.setdefault(turn.group, []).append(turn)
        for name, turns in alike.items():
            group = self._groups.setdefault(name, _Group())
            try:
                group.learn([turn.waiting for turn in turns if turn.waiting], self._measure, self._decided)
            except Exception as error:  # such as a lack of memory; to one training it happens as in a step of its own
                turns[0].fail(error)
            else:
                self._go_on(turns[:1] if group.stacked is False else turns)
        yield from self.ended()

    def ended(self) -> Iterator[tuple[int, T | Exception]]:
        """Those that have ended since this was asked, with the result or the error that ended them: some do before their first step."""
        ended = [turn for turn in self._going if turn.waiting is None]
        self._going = [turn for turn in self._going if turn.waiting is not None]
        for turn in ended:
            yield turn.name, turn.end[0]

    def __len__(self) -> int:
        """How many trainings are under way, those included whose end has not been told yet."""
        return len(self._going)

    def close(self) -> None:
        """Let the trainings go where they are."""
        for turn in self._going:
            turn.training.close()
        self._going.clear()

    def _go_on(self, turns: Iterable[_Turn[T]]) -> None:
        for turn in turns:
            if self._latest is not turn:
                if self._latest is not None:
                    self._latest.random = generators()
                if turn.random is not None:
                    restore_generators(turn.random)
                self._latest = turn
            turn.go_on()


class _Turn(Generic[T]):
    """A training that has come to a step, or to its end.

    Attributes:
        waiting: the step before which it stands; None at its end.
        end: its result or its error, once there is one.
        random: the random states that it left when another one went on.
        group: with whom it could be stacked: those of its build, with batches of its size, and with the same hindrance or none.
    """

    def __init__(self, name: int, training: Training[T]) -> None:
        self.name, self.training = name, training
        self.waiting: Waiting | None = None
        self.end: list[T | Exception] = []
        self.random: Generators | None = None
        self._build: object = None
        self._largest = 0

    @property
    def group(self) -> object:
        return self._build, self._largest

    def go_on(self) -> None:
        """To its next step."""
        self._come(lambda: next(self.training))

    def fail(self, error: Exception) -> None:
        """Let it end by an error, as if that had happened in its own step."""
        self._come(lambda: self.training.throw(error))

    def _come(self, resume: Callable[[], Waiting]) -> None:
        self.waiting = None
        try:
            self.waiting = resume()
        except StopIteration as end:
            self.end.append(end.value)
        except Exception as error:
            self.end.append(error)
        else:
            self._build = self._build or (build_of(self.waiting), hindrance(self.waiting))
            # The last batch of an epoch may be a smaller one, and a training may be gone on with just before it.
            self._largest = max(self._largest, len(self.waiting.inputs))


class _Group:
    """Trainings of one build and size of batches.

    Attributes:
        stacked: whether they are; None as long as nobody has tried.
    """

    def __init__(self) -> None:
        self.stacked: bool | None = None
        self._stack: Stack | None = None
        self._rounds = 0

    def learn(self, waiting: Sequence[Waiting], measure: bool, decided: Decided) -> None:
        """Make the pass for their next steps where it can be one for all; where not, each makes its own."""
        if self._stack is not None and len(waiting) != len(self._stack.states):
            self._stack.dissolve()
            self._stack = None
        if self.stacked is False or not fits(waiting):
            if self.stacked is None and len(waiting) > 1:
                self._rounds += 1
                why = next(filter(None, map(hindrance, waiting)), None)
                if why is None and self._rounds > PATIENCE:
                    why = "their batches are hardly ever of one shape"
                if why is not None:
                    self._decide(False, f"in turn: {why}", decided)
            return
        if self._stack is None or not self._stack.holds([each.state for each in waiting]):
            # What is asked again when others have come or gone is whether it can be done, and not whether it pays.
            self._stack, why = try_stack(waiting, measure=measure and self.stacked is None)
            self._decide(self._stack is not None, why, decided)
        if self._stack is not None:
            for each, shared in zip(waiting, self._stack.learn(waiting), strict=True):
                each.shared = shared

    def _decide(self, stacked: bool, why: str, decided: Decided) -> None:
        if stacked != self.stacked:
            decided(stacked, why)
        self.stacked = stacked
