"""How many trials at a time, and with how many threads each: measured, since neither a process a core nor all threads in one is always the faster.

Small nets lose by threads, which wait for each other after every operation. Large ones can lose side by side, where they drive each other's numbers out
of the processor's cache and share one way to memory. A GPU is left idle by small nets and kept busy by large ones: there trials go step by step together, and
those of one network share their passes where measuring finds that faster.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from glassnet.cores import cores
from glassnet.errors import UsageError
from glassnet.hyperparameters.asked import Search
from glassnet.hyperparameters.in_lockstep import InLockstep
from glassnet.hyperparameters.own import refuse_unsendable
from glassnet.searching import Cluster, Crew, Job, Pool
from glassnet.story import Teller
from glassnet.training.execution import choose_device

MAKER = "glassnet.hyperparameters.objective:objective"
WORTH = 120.0  # seconds of a search from which on measuring pays: starting other processes takes some of them
AT_ONCE = 8  # trials step by step together: the data and the optimisers of all are in memory
WINDOW = 2.0  # seconds of steps by which a way is judged


@dataclass(frozen=True)
class Arrangement:
    """One way to use the cores.

    Attributes:
        jobs: trials at a time.
        threads: of each.
        epochs_per_second: of all of them together; None where it was not measured.
        together: they go step by step in one process.
    """

    jobs: int
    threads: int
    epochs_per_second: float | None = None
    together: bool = False

    def __str__(self) -> str:
        if self.together:
            return f"{self.jobs} at a time, step by step together"
        each = "each on one thread" if self.threads == 1 else f"each on {self.threads} threads"
        return f"{self.jobs} at a time, {each}"


def arrangements(own: int) -> list[Arrangement]:
    """All that give every one of so many cores a thread: from a process a core to one process with all of them."""
    return [Arrangement(jobs, own // jobs) for jobs in range(own, 0, -1) if own % jobs == 0]


def crew_for(
    search: Search, config: dict[str, Any], epochs: int, tell: Teller = lambda text: None
) -> tuple[Crew, list[Arrangement]]:
    """Those who make the trials.

    Args:
        search: says how many are wanted, and on which machines.
        config: of the workers.
        epochs: of all trainings of the search together.
        tell: called with whether trials are stacked, and why.

    Returns:
        The workers, and the ways to use the cores with their measured rates, the chosen one first; one alone, unmeasured, where there is nothing to choose or
        the search is too short for measuring to pay.

    Raises:
        GlassnetError: the objective cannot be made.
    """
    own, threads = cores(), search.threads or 1
    if config.get("net") is not None or config.get("data") is not None:
        if search.cluster:
            raise UsageError(
                "a cluster makes trials of named data and nets of the zoo",
                where="cluster",
                got=search.cluster,
                fix="leave it out",
            )
        if (search.jobs or 1) == 1 and search.together != "processes":
            way = Arrangement(1, threads)  # here and now: other processes would run the script that asks once more
            return InLockstep(config | {"threads": threads}, 1, measure=True, tell=tell), [way]
        refuse_unsendable(config)
    on_the_cpu = choose_device(search.recipe.train.device).type == "cpu"
    if search.cluster:
        way = Arrangement(search.jobs or own, 1)
        return Cluster(MAKER, config | {"threads": 1}, way.jobs, search.cluster), [way]
    asked = search.together == "stacked"
    if asked or (search.together == "auto" and not on_the_cpu and search.jobs != 1):
        way = Arrangement(search.jobs or AT_ONCE, threads, together=True)
        return InLockstep(config | {"threads": threads}, way.jobs, measure=not asked, tell=tell), [way]
    if search.jobs or search.threads or not on_the_cpu:
        way = Arrangement(search.jobs or (max(1, own // threads) if on_the_cpu else 1), threads)
        return _pool(config, way), [way]
    return _measured(config, arrangements(own), epochs, math.inf if search.budget is None else search.budget)


def _measured(
    config: dict[str, Any], open_to_us: list[Arrangement], epochs: int, seconds: float
) -> tuple[Pool, list[Arrangement]]:
    """The fastest way, by training steps of the recipe in as many processes at once as each way has."""
    measured: list[tuple[Arrangement, Pool]] = []
    try:
        for way in open_to_us:
            pool = _pool(config, way)
            measured.append((way, pool))
            if len(measured) == 1:
                expected = epochs / max(_rate(pool, 0.0), 1e-9)
                if len(open_to_us) == 1 or min(expected, seconds) < WORTH:
                    return pool, [way]
            measured[-1] = replace(way, epochs_per_second=_rate(pool, WINDOW)), pool
            measured.sort(key=lambda each: -(each[0].epochs_per_second or 0.0))
            for _, loser in measured[1:]:
                loser.close()
    except BaseException:
        for _, pool in measured:
            pool.close()
        raise
    return measured[0][1], [way for way, _ in measured]


def _pool(config: dict[str, Any], way: Arrangement) -> Pool:
    return Pool(MAKER, config | {"threads": way.threads}, way.jobs, way.threads)


def _rate(pool: Pool, window: float) -> float:
    """Epochs a second of all workers at once; those of a worker that has died are none."""
    jobs = [Job(0, number, {}, {"window": window}) for number in range(pool.jobs)]
    return float(sum(record.get("epochs_per_second", 0.0) for _, record in pool.run(iter(jobs), lambda *_: True)))
