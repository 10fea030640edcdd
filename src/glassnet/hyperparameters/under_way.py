"""A search under way: what its parts share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glassnet.data.dataset import Data
from glassnet.hyperparameters.asked import Found, Search
from glassnet.hyperparameters.clock import Clock
from glassnet.hyperparameters.own import Maker
from glassnet.recipe import Recipe
from glassnet.searching import Crew, Trial
from glassnet.story import Teller


@dataclass(frozen=True)
class UnderWay:
    """A search under way.

    Attributes:
        search: what it is decided by, nothing left open.
        base: the recipe that stays the same in all trials.
        data: divided.
        epochs: of a whole training.
        crew: who makes the trials.
        clock: what there is still time for.
        found: what was found so far.
        tell: called with every sentence for people.
        seen: called with every trial as it ends, how many its stage has, and the name of the figure.
        stop: asked often; True ends.
        own: what makes the network, where it is the user's own.
        given: the data before they were divided, where they were not named.
    """

    search: Search
    base: Recipe
    data: Data
    epochs: int
    crew: Crew
    clock: Clock
    found: Found
    tell: Teller
    seen: Callable[[Trial, int, str], None]
    stop: Callable[[], bool]
    own: Maker | None = None
    given: Data | None = None
