"""Runs that belong together, such as the members of an ensemble or the folds of a cross-validation: what they are, and how they share the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from torch import nn

from glassnet import story
from glassnet.cores import cores
from glassnet.data.dataset import Data
from glassnet.members.called import Called
from glassnet.members.side_by_side import side_by_side
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder
from glassnet.story import Listener, Result, Teller
from glassnet.training.execution import choose_device, process_kept
from glassnet.training.lockstep import Training, to_its_end

# Beginnings of what is told of every one of them, and not of the first alone.
WORTH_TELLING = ("  warning", "going on", "checkpoint")

TOLD_OF_WAYS = {
    "processes": "{} at a time, each on one thread",
    "in-turn": "one after the other",
    "stacked": "step by step together",
    "auto": "together or one after the other, as measuring will tell",
}


@dataclass(frozen=True)
class Several:
    """Runs in folders within the folder of a run.

    Attributes:
        places: their run folders.
        called: what they are called.
        recipe_of: the recipe of each; of all but the first it may be made from what was resolved for the first.
        net_of: a user's own module for each, not yet trained; None where the recipe names the network.
        data: read, and not yet divided.
        tell: called with every sentence for people.
    """

    places: list[RunFolder]
    called: list[Called]
    recipe_of: Callable[[int], Recipe]
    net_of: Callable[[int], nn.Module | None]
    data: Data
    tell: Teller

    def side_by_side(self, workers: int, stop: Callable[[], bool]) -> bool:
        """Train so many at a time, each in a process of its own; False when asked to stop before the end."""
        return side_by_side(self.places, self.called, self.recipe_of, workers, self.tell, stop)

    def in_turn(self, listen: Listener, stop: Callable[[], bool]) -> bool:
        """Train one after the other in this process; False when asked to stop before the end."""
        for place, folder in enumerate(self.places):
            if folder.finished:
                continue
            self.tell(self.called[place].full)
            with process_kept():
                result = to_its_end(self.begin(place, listen, stop, waits=False))
            if not result.figures:
                return False
        return True

    def begin(self, place: int, listen: Listener, stop: Callable[[], bool], waits: bool = True) -> Training[Result]:
        """The training of one, as :func:`glassnet.story.running` makes it; of the first one more is told than of the others."""

        def say(text: str) -> None:
            if text.startswith(WORTH_TELLING) or (place == 0 and not text.startswith("data")):
                self.tell(text)

        return story.running(
            self.recipe_of(place),
            self.places[place],
            net=self.net_of(place),
            data=self.data,
            listen=listen,
            tell=say,
            stop=stop,
            waits=waits,
        )


class Sharing(NamedTuple):
    """How several runs share the machine.

    Attributes:
        way: ``processes``, ``in-turn``, ``stacked``, or ``auto`` where measuring is to choose between the latter two.
        workers: how many at a time in processes of their own; None where they are stacked, or may be.
        threads: of each.
    """

    way: str
    workers: int | None
    threads: int | str


def shared_out(recipe: Recipe, count: int, *, own: bool, stacks: bool = True) -> Sharing:
    """How so many runs are trained, how many of them at a time, and with how many threads each.

    On the CPU as many processes as there are cores, with one thread each: networks that do not wait for each other use every core all
    the time, which the threads within one operation do not. In this process on a GPU, which a small network leaves idle most of the time and a large one
    keeps busy, so that measuring decides between one pass for all and each in turn; and where the data or the network are this process's own, in turn.

    Args:
        recipe: says what is asked for.
        count: of runs.
        own: whether the data or the network are this process's own.
        stacks: whether they may be trained step by step together, which takes the same data for all.
    """
    settings, threads = recipe.ensemble, recipe.train.threads
    together, asked = settings.together, settings.workers
    if together == "stacked":
        return Sharing(together, None, threads)
    alone = Sharing("in-turn", 1, threads)
    on_the_cpu = choose_device(recipe.train.device).type == "cpu"
    if together == "auto" and asked != 1 and stacks and not on_the_cpu:
        return Sharing(together, None, threads)
    if together == "in-turn" or own or not on_the_cpu:
        return alone
    each = 1 if threads == "auto" else int(threads)
    workers = min(count, asked or max(1, cores() // each))
    return Sharing("processes", workers, each) if workers > 1 else alone
