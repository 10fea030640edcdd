"""The whole of a search. Read it downward.

recipe + space -> stages of trials, coarse to fine -> finalists with fresh seeds -> winner -> search folder
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.data.dataset import Data
from glassnet.errors import UsageError
from glassnet.files import make_folder, write_file
from glassnet.hyperparameters.asked import Found, Search, Stage, figure_of, jobs_for, settled
from glassnet.hyperparameters.clock import Clock
from glassnet.hyperparameters.finals import crowned, finals
from glassnet.hyperparameters.folder import new_folder, plain, reopened, words_of, write_trials
from glassnet.hyperparameters.spaces import space_of
from glassnet.hyperparameters.words import short, told_of
from glassnet.reading import anchored, read_data
from glassnet.recipe import Recipe
from glassnet.resolve import check, resolve
from glassnet.searching import Cluster, Job, Pool, Space, Study, Trial, edges, narrow
from glassnet.searching.stages import ranked
from glassnet.story import Teller


def run(
    search: Search,
    folder: Path,
    *,
    tell: Teller = lambda text: None,
    seen: Callable[[Trial, int, str], None] = lambda trial, planned, figure: None,
    stop: Callable[[], bool] = lambda: False,
) -> Found:
    """Search, or go on with a search that was stopped or killed in this folder.

    Args:
        search: what it is decided by; of an interrupted one, what :func:`reopened` returns.
        folder: where everything is written.
        tell: called with every sentence for people.
        seen: called with every trial as it ends, how many its stage has, and the name of the figure, such as ``accuracy``.
        stop: asked often; True ends, and the same call goes on later.

    Raises:
        GlassnetError: the data cannot be read, or the settings do not go together.
    """
    recipe = anchored(search.recipe)
    if search.recipe.data.folds or search.recipe.ensemble.members > 1 or search.recipe.ensemble.of:
        raise UsageError(
            "a search tries single trainings",
            where="--folds, --members",
            fix="search first, then train with what was found",
        )
    check(recipe)
    make_folder(folder)
    data = read_data(recipe)
    if not (folder / "search.json").exists():
        write_file(folder / "asked.json", words_of(search))
    search, base = settled(replace(search, recipe=recipe), data)
    write_file(folder / "base.toml", base.to_toml())
    write_file(folder / "search.json", json.dumps(plain(search), indent=1))
    assert search.space is not None
    assert search.stages is not None
    config = {"recipe": str(folder / "base.toml"), "folder": str(folder), "figure": figure_of(data)}
    jobs = search.jobs or jobs_for(base)
    found = Found(folder)
    tell(
        f"search {len(data.train):,} samples, {base.net.name}; "
        + ", ".join(f"{short(each.key)} {each}" for each in search.space)
    )
    tell(
        f"       {search.method}, {jobs} at a time, each on one thread; "
        + "; then ".join(f"{each.trials} trials of {each.epochs} epochs" for each in search.stages)
    )
    space, maker = search.space, "glassnet.hyperparameters.objective:objective"
    clock = clock_of(search, base, data, jobs)
    with Cluster(maker, config, jobs, search.cluster) if search.cluster else Pool(maker, config, jobs) as pool:
        for number, stage in enumerate(search.stages, start=1):
            study = Study(folder / "search.db", number, space, search.method, search.pruner, search.seed, stage.trials)
            asked = _asked(study, stage, search, clock, found.trials)
            for job, record in pool.run(asked, _reporting(study), stop):
                trial = _trial(job, record)
                study.tell(trial)
                seen(trial, study.trials, config["figure"])
                write_trials(folder, [*found.trials, *study.ended()])
            found.trials += study.ended()
            write_trials(folder, found.trials)
            if stop():
                found.stopped = True
                return found
            space, record = _narrowed(study, space, stage, search)
            found.stages.append(record)
            write_file(folder / "stages.json", json.dumps(found.stages, indent=1, ensure_ascii=False))
            for line in told_of(record, last=number == len(search.stages)):
                tell(line)
        finals(search, base, data, found, pool, clock, tell, stop)
    if found.stopped:
        return found
    if search.winner:
        found.figures = crowned(search, base, found, tell, stop)
        found.stopped = not found.figures
    return found


def search(
    data: str | Path,
    net: str = "auto",
    *,
    space: str | Space | None = None,
    out: str | Path | None = None,
    recipe: Recipe | str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    tell: Teller = lambda text: None,
    **how: Any,
) -> Found:
    """Search for settings that do better than those chosen by the data, as ``glassnet search`` does.

    Args:
        data: a path, or a name such as ``digits``.
        net: the name of a net of the zoo.
        space: ``"lr=1e-6..1e-3 log, dropout=0..0.7"``, a TOML file, or parameters; chosen by the net without it.
        out: the search folder, a new one or one to go on with; the next free ``searches/NAME-N`` without it.
        recipe: what stays the same in all trials, or the path of its file.
        settings: recipe values by dotted key that stay the same.
        tell: called with every sentence.
        **how: further attributes of :class:`Search`, such as ``method="tpe"``, ``stages=(Stage(24, 5), Stage(12, 10))``, ``budget=600``.

    Raises:
        GlassnetError: with where, what was given, what was expected and how to mend it.
    """
    start = recipe if isinstance(recipe, Recipe) else Recipe.from_toml(Path(recipe)) if recipe else Recipe()
    asked = Search(
        start.changed({"data.path": str(data), "net.name": net, **(settings or {})}),
        space=space_of(space) if isinstance(space, str) else space,
        **how,
    )
    folder = new_folder(asked.recipe) if out is None else Path(out)
    return run(reopened(folder) if (folder / "search.json").exists() else asked, folder, tell=tell)


def clock_of(search: Search, base: Recipe, data: Data, jobs: int) -> Clock:
    """The budget, and what it must suffice for."""
    resolved, _ = resolve(base, data)
    finalists = (search.finalists + 1) * search.repeats if search.finalists else 0
    return Clock(search.budget, whole=int(resolved.train.epochs), jobs=jobs, finals=finalists, winner=search.winner)


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
            fix="a space with smaller rates, or --space without settings that do not go together",
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
            {"key": each.before.key, "from": str(each.before), "to": str(each.after), "why": each.why}
            for each in narrowed
        ],
    }
    return tuple(each.after for each in narrowed), record


def _asked(study: Study, stage: Stage, search: Search, clock: Clock, before: Sequence[Trial]) -> Iterator[Job]:
    """The jobs of a stage: first those that a kill has left, then new ones, until there are enough or the time is over; one at least."""

    def job(number: int, settings: dict[str, Any]) -> Job:
        return Job(
            study.stage,
            number,
            settings,
            {"epochs": stage.epochs, "seed": search.seed, "place": f"trials/{study.stage}-{number:04d}"},
        )

    def in_time() -> bool:
        assert search.stages is not None
        return clock.for_trial([*before, *study.ended()], stage.epochs, study.stage, len(search.stages))

    for number, settings in study.begun():
        yield job(number, settings)
    while study.asked < study.trials and (not study.asked or in_time()):
        yield job(*study.ask())


def _reporting(study: Study) -> Callable[[Job, int, float], bool]:
    return lambda job, epoch, value: study.report(job.number, epoch, value)


def _of(trial: Trial) -> dict[str, Any]:
    return {"number": trial.number, "value": trial.value, "settings": trial.settings}
