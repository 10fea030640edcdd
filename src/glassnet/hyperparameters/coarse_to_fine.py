"""The stages of a search: each begins with the space that the one before it has narrowed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from glassnet.errors import UsageError
from glassnet.files import write_file
from glassnet.hyperparameters.asked import Search, Stage, figure_of
from glassnet.hyperparameters.folder import write_trials
from glassnet.hyperparameters.under_way import UnderWay
from glassnet.hyperparameters.words import told_of
from glassnet.searching import Job, Space, Study, Trial, edges, narrow
from glassnet.searching.crew import Report
from glassnet.searching.stages import ranked


def coarse_to_fine(way: UnderWay) -> None:
    """Make the stages one after the other; what ended stands in ``way.found``, and all of it in the folder after every trial."""
    search, found, folder = way.search, way.found, way.found.folder
    assert search.stages is not None
    assert search.space is not None
    space, figure = search.space, figure_of(way.data)
    for number, stage in enumerate(search.stages, start=1):
        study = Study(folder / "search.db", number, space, search.method, search.pruner, search.seed, stage.trials)
        for job, record in way.crew.run(_asked(study, stage, way), _reporting(study), way.stop):
            trial = _trial(job, record)
            study.tell(trial)
            way.seen(trial, study.trials, figure)
            write_trials(folder, [*found.trials, *study.ended()])
        found.trials += study.ended()
        write_trials(folder, found.trials)
        if way.stop():
            found.stopped = True
            return
        space, record = _narrowed(study, space, stage, search)
        found.stages.append(record)
        write_file(folder / "stages.json", json.dumps(found.stages, indent=1, ensure_ascii=False))
        for line in told_of(record, last=number == len(search.stages)):
            way.tell(line)


def _asked(study: Study, stage: Stage, way: UnderWay) -> Iterator[Job]:
    """The jobs of a stage: first those that a kill has left, then new ones, until there are enough or the time is over; one at least."""
    search, before = way.search, list(way.found.trials)
    assert search.stages is not None
    stages = len(search.stages)

    def job(number: int, settings: dict[str, Any]) -> Job:
        place = f"trials/{study.stage}-{number:04d}"
        return Job(study.stage, number, settings, {"epochs": stage.epochs, "seed": search.seed, "place": place})

    for number, settings in study.begun():
        yield job(number, settings)
    while study.asked < study.trials and (
        not study.asked or way.clock.for_trial([*before, *study.ended()], stage.epochs, study.stage, stages)
    ):
        yield job(*study.ask())


def _reporting(study: Study) -> Report:
    return lambda job, epoch, value: study.report(job.number, epoch, value)


def _trial(job: Job, record: dict[str, Any]) -> Trial:
    value = math.nan if record["value"] is None else record["value"]
    return Trial(
        job.stage, job.number, job.settings, record["end"], value, record["epochs"], record["seconds"], record["why"]
    )


def _narrowed(study: Study, space: Space, stage: Stage, search: Search) -> tuple[Space, dict[str, Any]]:
    """The space of the next stage, and the record of this one.

    Raises:
        UsageError: no trial came to its end.
    """
    ended = study.ended()
    if not ranked(ended):
        raise UsageError(
            f"none of the {len(ended)} trials of stage {study.stage} came to its end",
            where="--space",
            got=next((trial.why for trial in ended if trial.why), None),
            fix="a space with smaller rates"
            if any(trial.end == "exploded" for trial in ended)
            else "leave out of the space what does not go together",
        )
    narrowed = narrow(space, ended, widen=search.widen)
    record = {
        "stage": study.stage,
        "trials": len(ended),
        "epochs": stage.epochs,
        "space": {each.key: str(each) for each in space},
        "best": _of(ranked(ended)[0]),
        "edges": [str(edge) for edge in edges(space, ended)],
        "importances": study.importances(),
        "narrowed": [
            {"key": each.before.key, "from": str(each.before), "to": str(each.after or "left out"), "why": each.why}
            for each in narrowed
        ],
    }
    return tuple(each.after for each in narrowed if each.after), record


def _of(trial: Trial) -> dict[str, Any]:
    return {"number": trial.number, "value": trial.value, "settings": trial.settings}
