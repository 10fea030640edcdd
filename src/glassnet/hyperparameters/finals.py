"""The best settings trained anew: the best of many noisy trials is not what it seems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import mean, stdev
from typing import Any

from glassnet import story
from glassnet.files import write_file
from glassnet.hyperparameters.asked import final_trainings
from glassnet.hyperparameters.own import made
from glassnet.hyperparameters.under_way import UnderWay
from glassnet.hyperparameters.words import settings_told
from glassnet.runs import RunFolder
from glassnet.searching import Job
from glassnet.searching.stages import ranked


def finals(way: UnderWay) -> None:
    """The best settings, and the recipe without any change, each with fresh seeds: the best of many noisy trials is not what it seems."""
    search, found = way.search, way.found
    # A trial of an earlier stage has had no more epochs than those of the last: where it did better, it is no worse a candidate.
    best = ranked(found.trials)
    contenders: list[dict[str, Any]] = [{}]
    for trial in best:
        if trial.settings not in contenders and len(contenders) <= search.finalists:
            contenders.append(trial.settings)
    if not final_trainings(search):
        found.winner = best[0].settings
        return
    way.tell(
        f"final  the best {len(contenders) - 1}, and the recipe as it was, {way.epochs} epochs, {search.repeats} fresh seed{'' if search.repeats == 1 else 's'} each"
    )
    values: dict[int, list[float]] = {}

    def asked() -> Iterator[Job]:
        """Seed by seed, so that all have as many when the time is over; the recipe as it was and the best trial get one in any case."""
        for repeat in range(search.repeats):
            for place, settings in enumerate(contenders):
                if (repeat or place > 1) and not way.clock.for_finalist(found.trials, settings):
                    return  # and the winner is trained in any case: without it nobody has anything
                more = {"epochs": way.epochs, "seed": search.seed + 1000 + repeat, "whole": True}
                yield Job(0, place, settings, more | {"place": f"finalists/{place}-{repeat + 1}"})

    for job, record in way.crew.run(asked(), lambda *_: True, way.stop):
        if record["value"] is not None:
            values.setdefault(job.number, []).append(record["value"])
    if way.stop():
        found.stopped = True
        return
    for place, settings in enumerate(contenders):
        own = sorted(values.get(place, []))
        if own:
            spread = stdev(own) if len(own) > 1 else 0.0
            found.finalists.append(
                {"place": place, "settings": settings, "values": own, "mean": mean(own), "std": spread}
            )
    fewest = min((len(one["values"]) for one in found.finalists), default=0)
    if fewest < search.repeats:
        way.tell(f"  the time was over after {fewest} of {search.repeats} seeds")
    found.finalists.sort(key=lambda one: -one["mean"])
    found.winner = found.finalists[0]["settings"] if found.finalists else {}
    write_file(found.folder / "finalists.json", json.dumps(found.finalists, indent=1, ensure_ascii=False))
    for one in found.finalists:
        told = f" ± {one['std']:.4f}" if len(one["values"]) > 1 else " (one seed)"
        way.tell(f"  {one['mean']:.4f}{told} on validation with {settings_told(one['settings'])}")


def crown(way: UnderWay) -> None:
    """Train the winner once more, as anybody would, and look at the test part."""
    found, place = way.found, RunFolder(way.found.folder / "winner")
    if not place.finished:
        recipe = way.base.changed(
            {**found.winner, "train.threads": "auto", "train.check": True, "train.measure": "auto"}
        )
        net = made(way.own, recipe)
        if story.run(recipe, place, net=net, data=way.given, stop=way.stop).model is None:
            found.stopped = True
            return
    way.tell(f"winner {settings_told(found.winner)}; run {place.path}")
    found.figures = place.read_json("result")
