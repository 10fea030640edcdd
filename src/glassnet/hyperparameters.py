"""Searching over recipes: what the trials of :mod:`glassnet.searching` are when the objective is a training. Read it downward.

recipe + space -> stages of trials, coarse to fine -> finalists with fresh seeds -> winner -> search folder
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import torch

from glassnet import story
from glassnet.assembly import assemble
from glassnet.data.dataset import Data
from glassnet.errors import GlassnetError, UsageError, unknown
from glassnet.events import Epoch, Event, Finished, Step
from glassnet.files import make_folder, write_file
from glassnet.reading import anchored, divide, opened, read_data
from glassnet.recipe import Recipe, known_keys, parse_value
from glassnet.resolve import check, resolve
from glassnet.runs import Recorder, RunFolder
from glassnet.searching import (
    Choice,
    Cluster,
    Job,
    Pool,
    Range,
    Space,
    Study,
    Trial,
    edges,
    narrow,
    parse_space,
    read_space,
)
from glassnet.searching.space import written
from glassnet.searching.stages import ranked
from glassnet.training import checkpoint, train
from glassnet.training.execution import choose_device, prepare_process
from glassnet.training.state import State

SHORT = {
    "reg": "regularise.l2",
    "l2": "regularise.l2",
    "l1": "regularise.l1",
    "dropout": "regularise.dropout",
    "opt": "optimizer.name",
    "optimizer": "optimizer.name",
    "sched": "schedule.name",
    "schedule": "schedule.name",
    "net": "net.name",
    "loss": "loss.name",
    "preprocess": "preprocess.name",
    "hidden": "net.hidden",
    "activation": "net.activation",
    "warmup": "schedule.warmup",
}
EXPLODED = 3.0  # times the first loss (requirement H3)
LATELY = 3  # recorded losses whose median is compared with it
SHARES = (0.25, 0.5)  # of the epochs of a whole training: the coarse stage and the next
TRIALS = (24, 12)
FINALISTS, REPEATS = 3, 3
BUDGET = 0.7  # share of a time budget that is for the stages


@dataclass(frozen=True)
class Stage:
    """How many trials of how many epochs."""

    trials: int
    epochs: int


@dataclass(frozen=True)
class Search:
    """What a search is decided by.

    Attributes:
        recipe: what stays the same in all trials; ``auto`` is chosen as for a training.
        space: what is searched; None chooses it by the net.
        stages: from coarse to fine; None makes two, of a quarter and of half the epochs.
        method: a key of ``glassnet.searching.METHODS``.
        pruner: a key of ``glassnet.searching.PRUNERS``.
        widen: widen a range at whose end the best trial lies.
        finalists: the best settings that are trained again.
        repeats: fresh seeds with which each of them is.
        jobs: trials at a time; None takes as many as there are cores, of one thread each.
        seed: of the draws, the division of the data and the trials.
        budget: seconds for everything; None takes what it takes.
        winner: whether the winner is trained once more, measured on the test part and kept.
        cluster: address of a Ray cluster that makes the trials, ``local`` for Ray on this machine; None makes them here. All its machines must
            see the data and the search folder under the same paths.
    """

    recipe: Recipe
    space: Space | None = None
    stages: tuple[Stage, ...] | None = None
    method: str = "random"
    pruner: str = "median"
    widen: bool = False
    finalists: int = FINALISTS
    repeats: int = REPEATS
    jobs: int | None = None
    seed: int = 0
    budget: float | None = None
    winner: bool = True
    cluster: str | None = None


@dataclass
class Found:
    """What a search found.

    Attributes:
        folder: with everything in plain files.
        trials: all that ended, stage by stage.
        finalists: records with ``settings``, ``values`` (one a seed), ``mean`` and ``std``, best mean first; the recipe without changes among them.
        winner: settings of the first finalist; empty where nothing beat the recipe as it was.
        figures: ``result.json`` of the winner's run; empty without one.
        stopped: whether it was interrupted; the same folder goes on.
    """

    folder: Path
    trials: list[Trial] = field(default_factory=list)
    finalists: list[dict[str, Any]] = field(default_factory=list)
    winner: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False


Teller = Callable[[str], None]


def space_of(text: str) -> Space:
    """A space as written on the command line, or the path of a TOML file with one.

    Raises:
        UsageError: all mistakes at once.
    """
    if text.endswith(".toml"):
        return read_space(Path(text), full_key, parse_value)
    return parse_space(text, full_key, parse_value)


def full_key(name: str) -> str:
    """``lr`` -> ``optimizer.lr``; a dotted key is left as it is.

    Raises:
        UsageError: no key, or more than one, is called so.
    """
    keys = known_keys()
    name = name.replace("-", "_")
    if name in keys or name in SHORT:
        return SHORT.get(name, name)
    section, dot, _ = name.partition(".")
    if dot and section in ("net", "schedule"):  # what they let one vary is known to what their name chooses
        return name
    fitting = [key for key in keys if key.rpartition(".")[2] == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"'{name}' could mean {' or '.join(fitting)}", where="--space")
    raise unknown("setting", name, {*SHORT, *keys, *(key.rpartition(".")[2] for key in keys)}, where="--space")


def default_space(recipe: Recipe, data: Data) -> Space:
    """What is worth searching for a net when nothing is said: rate and decay around their presets, and what keeps the net from learning by heart.

    Args:
        recipe: resolved.
        data: divided.
    """
    lr = recipe.optimizer.lr if isinstance(recipe.optimizer.lr, float | int) else 1e-3
    found: list[Range | Choice] = [Range("optimizer.lr", _round(lr / 30), _round(lr * 10), log=True)]
    decay = recipe.optimizer.weight_decay
    if isinstance(decay, float | int) and recipe.optimizer.name not in ("lbfgs",):
        middle = decay or 1e-4
        found.append(Range("optimizer.weight_decay", _round(middle / 30), _round(min(middle * 30, 1.0)), log=True))
    if recipe.net.name == "mlp":
        found.append(Choice("net.hidden", ([64], [128], [256], [256, 128], [512, 256])))
        found.append(Range("regularise.dropout", 0.0, 0.6))
    if data.task == "classes" and recipe.loss.name == "cross-entropy":
        found.append(Range("loss.label_smoothing", 0.0, 0.25))
    sizes = [size for size in (32, 64, 128, 256, 512) if size * 10 <= len(data.train)]
    if len(sizes) > 1:
        found.append(Choice("train.batch_size", tuple(sizes)))
    return tuple(found)


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
    begun = time.monotonic()
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
    search, base = _settled(replace(search, recipe=recipe), data)
    write_file(folder / "base.toml", base.to_toml())
    write_file(folder / "search.json", json.dumps(_plain(search), indent=1))
    assert search.space is not None
    assert search.stages is not None
    config = {"recipe": str(folder / "base.toml"), "folder": str(folder), "figure": figure_of(data)}
    jobs = search.jobs or jobs_for(base)
    found = Found(folder)
    tell(
        f"search {len(data.train):,} samples, {base.net.name}; "
        + ", ".join(f"{_last(each.key)} {each}" for each in search.space)
    )
    tell(
        f"       {search.method}, {jobs} at a time, each on one thread; "
        + "; then ".join(f"{each.trials} trials of {each.epochs} epochs" for each in search.stages)
    )
    space, records = search.space, list[dict[str, Any]]()
    maker = "glassnet.hyperparameters:objective"
    with Cluster(maker, config, jobs, search.cluster) if search.cluster else Pool(maker, config, jobs) as pool:
        for number, stage in enumerate(search.stages, start=1):
            deadline = begun + search.budget * BUDGET * number / len(search.stages) if search.budget else math.inf
            study = Study(folder / "search.db", number, space, search.method, search.pruner, search.seed, stage.trials)
            for job, record in pool.run(_asked(study, stage, search, deadline), _reporting(study), stop):
                value = math.nan if record["value"] is None else record["value"]
                trial = Trial(
                    number,
                    job.number,
                    job.settings,
                    record["end"],
                    value,
                    record["epochs"],
                    record["seconds"],
                    record["why"],
                )
                study.tell(trial)
                seen(trial, study.trials, config["figure"])
                _write_trials(folder, [*found.trials, *study.ended()])
            ended = study.ended()
            found.trials += ended
            _write_trials(folder, found.trials)
            if stop():
                found.stopped = True
                return found
            if not ranked(ended):
                raise UsageError(
                    f"none of the {len(ended)} trials of stage {number} came to its end",
                    where=folder,
                    got=next((trial.why for trial in ended if trial.why), None),
                    fix="a space with smaller rates, or --space without settings that do not go together",
                )
            narrowed = narrow(space, ended, widen=search.widen)
            record = {
                "stage": number,
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
            records.append(record)
            write_file(folder / "stages.json", json.dumps(records, indent=1, ensure_ascii=False))
            for line in told_of(record, last=number == len(search.stages)):
                tell(line)
            space = tuple(each.after for each in narrowed)
        _final(search, base, data, found, pool, tell, stop)
    if found.stopped:
        return found
    if search.winner:
        found.figures = _crowned(search, base, found, tell, stop)
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


def new_folder(recipe: Recipe) -> Path:
    """The next free ``searches/NAME-N``."""
    name = Path(recipe.data.path).stem or "search"
    return next(path for number in count(1) if not (path := Path("searches") / f"{name}-{number}").exists())


def reopened(folder: Path) -> Search:
    """The search that was begun in a folder.

    Raises:
        UsageError: there is none.
    """
    path = folder / "search.json"
    if not path.exists():
        raise UsageError(
            "this is no search folder", where=folder, expected="a folder that 'glassnet search' has written"
        )
    tree = json.loads(path.read_text(encoding="utf-8"))
    space = tuple(
        Range(**each) if "low" in each else Choice(each["key"], tuple(each["values"])) for each in tree.pop("space")
    )
    stages = tuple(Stage(**each) for each in tree.pop("stages"))
    return Search(Recipe.from_toml(folder / "base.toml"), space, stages, **tree)


def figure_of(data: Data) -> str:
    """What is made as large as possible: accuracy of classes, R² of values."""
    return "accuracy" if data.task == "classes" else "r2"


def jobs_for(recipe: Recipe) -> int:
    """Trials at a time: on the CPU a process a core, since trainings that do not wait for each other use all cores all the time, which threads within an operation do not."""
    if choose_device(recipe.train.device).type != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def told_of(record: Mapping[str, Any], *, last: bool) -> list[str]:
    """A stage in words."""
    best = record["best"]
    lines = [
        f"stage {record['stage']}: the best of {record['trials']} trials has {best['value']:.4f} with {settings_told(best['settings'])}"
    ]
    if record["importances"]:
        lines.append(
            "  what mattered: " + ", ".join(f"{_last(key)} {value:.0%}" for key, value in record["importances"].items())
        )
    lines += [f"  warning: {edge}" for edge in record["edges"]]
    if not last:
        lines += [
            f"  {_last(each['key'])}: {each['from']} -> {each['to']} ({each['why']})" for each in record["narrowed"]
        ]
    return lines


def settings_told(settings: Mapping[str, Any]) -> str:
    """``lr 9.5e-4, dropout 0.2``; of none, that nothing is changed."""
    return ", ".join(f"{_last(key)} {written(value)}" for key, value in settings.items()) or "nothing changed"


def objective(config: dict[str, Any]) -> Callable[[Job, Callable[[int, float], bool]], dict[str, Any]]:
    """In a worker: reads the data once, and returns what makes a trial of them."""
    prepare_process(1)
    recipe = Recipe.from_toml(Path(config["recipe"]))
    whole = opened(recipe)
    data = divide(whole, recipe)

    def make(job: Job, report: Callable[[int, float], bool]) -> dict[str, Any]:
        settings = job.settings | {"train.epochs": job.extra["epochs"], "train.seed": job.extra["seed"]}
        place = RunFolder(Path(config["folder"]) / job.extra["place"])
        begun = time.perf_counter()
        try:
            chosen = recipe.changed(settings)
            check(chosen)
            if job.extra.get("whole"):
                record = _trained(chosen, place, whole, config["figure"], report)
            else:
                record = _tried(chosen, place, data, config["figure"], report)
        except GlassnetError as error:
            record = {"end": "failed", "value": None, "epochs": 0, "why": error.message().splitlines()[0]}
        return record | {"seconds": round(time.perf_counter() - begun, 2)}

    return make


def _tried(
    recipe: Recipe, place: RunFolder, data: Data, figure: str, report: Callable[[int, float], bool]
) -> dict[str, Any]:
    """A trial: the same steps as ``glassnet train --recipe`` of its folder makes, without report, model and figures on other parts."""
    with Recorder(place) as recorder:
        resolved, reasons = resolve(recipe, data)
        torch.manual_seed(resolved.train.seed)
        random.seed(resolved.train.seed)
        parts = assemble(resolved, data)
        if not place.recipe.exists():
            recorder.write_text(place.asked, recipe.to_toml())
            recorder.write_text(place.recipe, parts.recipe.to_toml(reasons | parts.reasons))
        state = State(parts.net, parts.plan)
        earlier = checkpoint.load_newest(place.checkpoints)
        if earlier:
            tree, _, _ = earlier
            state.load_state_dict(tree["state"])
            recorder.cut(tree["lengths"])
        else:
            recorder.cut({})
        watch = _Watch(figure, (event for event in place.events() if not isinstance(event, Finished)))
        saved = time.monotonic()
        for event in train(
            parts.net, parts.batches, parts.plan, validation=parts.validation, sample=parts.sample, state=state
        ):
            if not isinstance(event, Step) or event.loss is not None:
                recorder.append(event)
            watch.see(event)
            if watch.exploded:
                return watch.record("exploded", f"the loss went from {watch.losses[0]:.3g} to {watch.losses[-1]:.3g}")
            if (
                isinstance(event, Epoch)
                and not report(event.epoch + 1, watch.best)
                and event.epoch + 1 < watch.planned(recipe)
            ):
                return watch.record("pruned", f"others did better after {event.epoch + 1} epochs")
            if isinstance(event, Step) and time.monotonic() - saved >= parts.recipe.train.checkpoint_seconds:
                tree = {"state": state.state_dict(), "lengths": recorder.lengths()}
                checkpoint.save(place.checkpoints, state.step, tree, epoch=state.epoch)
                saved = time.monotonic()
        return watch.record("done", "")


def _trained(
    recipe: Recipe, place: RunFolder, data: Data, figure: str, report: Callable[[int, float], bool]
) -> dict[str, Any]:
    """A finalist: an ordinary run that leaves the test part alone."""
    watch = _Watch(figure, place.events())

    def listen(event: Event) -> None:
        watch.see(event)
        if isinstance(event, Epoch):
            report(event.epoch + 1, watch.best)

    if not place.finished:
        story.run(recipe.changed({"data.judge": "val"}), place, data=data, listen=listen)
    return watch.record("done", "")


class _Watch:
    """The best figure so far, and whether the loss has exploded."""

    def __init__(self, figure: str, before: Iterator[Event]) -> None:
        self.figure, self.best, self.epochs = figure, -math.inf, 0
        self.losses: list[float] = []
        for event in before:
            self.see(event)

    def see(self, event: Event) -> None:
        if isinstance(event, Epoch):
            value = event.val.get(self.figure)
            self.best = max(self.best, value) if value is not None and math.isfinite(value) else self.best
            self.epochs = max(self.epochs, event.epoch + 1)
        elif isinstance(event, Step) and event.loss is not None:
            self.losses.append(event.loss)

    @property
    def exploded(self) -> bool:
        lately = self.losses[-LATELY:]
        if lately and not math.isfinite(lately[-1]):
            return True
        return len(self.losses) > LATELY and median(lately) > EXPLODED * self.losses[0] > 0

    def planned(self, recipe: Recipe) -> int:
        return int(recipe.train.epochs)

    def record(self, end: str, why: str) -> dict[str, Any]:
        return {"end": end, "value": self.best if math.isfinite(self.best) else None, "epochs": self.epochs, "why": why}


def _settled(search: Search, data: Data) -> tuple[Search, Recipe]:
    """With everything chosen that was left open, and the recipe that stays the same in all trials."""
    fixed = {
        "train.seed": search.seed,
        "data.split_seed": search.seed if search.recipe.data.split_seed is None else search.recipe.data.split_seed,
        "train.threads": 1,
        "train.check": False,
        "train.measure": "never",
    }
    recipe = search.recipe.changed(fixed)
    resolved, _ = resolve(recipe, data)
    if recipe.train.precision == "auto":  # measured once, and not anew by every trial beside others
        prepare_process(1)
        recipe = recipe.changed({"train.precision": assemble(resolved, data).recipe.train.precision})
    space = search.space or default_space(resolved, data)
    for each in space:
        if each.key.startswith(("data.", "ensemble.")) or each.key in ("train.seed", "train.epochs", "train.threads"):
            raise UsageError("this cannot be searched: the trials could not be compared", where=f"--space {each.key}")
    if resolved.net.name != "auto" and recipe.net.name == "auto" and all(each.key != "net.name" for each in space):
        recipe = recipe.changed({"net.name": resolved.net.name})
    whole = int(resolved.train.epochs)
    stages = search.stages or tuple(
        Stage(trials, max(1, round(share * whole))) for trials, share in zip(TRIALS, SHARES, strict=True)
    )
    return replace(search, recipe=recipe, space=space, stages=stages), recipe


def _asked(study: Study, stage: Stage, search: Search, deadline: float) -> Iterator[Job]:
    """The jobs of a stage: first those that a kill has left, then new ones, until there are enough or the time is over."""

    def job(number: int, settings: dict[str, Any]) -> Job:
        return Job(
            study.stage,
            number,
            settings,
            {"epochs": stage.epochs, "seed": search.seed, "place": f"trials/{study.stage}-{number:04d}"},
        )

    for number, settings in study.begun():
        yield job(number, settings)
    while study.asked < study.trials and time.monotonic() < deadline:
        yield job(*study.ask())


def _reporting(study: Study) -> Callable[[Job, int, float], bool]:
    return lambda job, epoch, value: study.report(job.number, epoch, value)


def _final(
    search: Search, base: Recipe, data: Data, found: Found, pool: Pool | Cluster, tell: Teller, stop: Callable[[], bool]
) -> None:
    """The best settings, and the recipe without any change, each with fresh seeds: the best of many noisy trials is not what it seems."""
    assert search.stages is not None
    last = [trial for trial in found.trials if trial.stage == len(search.stages)]
    resolved, _ = resolve(base, data)
    epochs = int(resolved.train.epochs)
    contenders: list[dict[str, Any]] = [{}]
    for trial in [*ranked(last), *ranked(found.trials)]:
        if trial.settings not in contenders and len(contenders) <= search.finalists:
            contenders.append(trial.settings)
    if search.finalists < 1 or search.repeats < 1:
        found.winner = ranked(last)[0].settings
        return
    tell(
        f"final  the best {len(contenders) - 1}, and the recipe as it was, {epochs} epochs, {search.repeats} fresh seeds each"
    )
    values: dict[int, list[float]] = {}
    jobs = (
        Job(
            0,
            place,
            settings,
            {
                "epochs": epochs,
                "seed": search.seed + 1000 + repeat,
                "place": f"finalists/{place}-{repeat + 1}",
                "whole": True,
            },
        )
        for repeat in range(search.repeats)
        for place, settings in enumerate(contenders)
    )
    for job, record in pool.run(jobs, lambda job, epoch, value: True, stop):
        if record["value"] is not None:
            values.setdefault(job.number, []).append(record["value"])
    if stop():
        found.stopped = True
        return
    for place, settings in enumerate(contenders):
        own = sorted(values.get(place, []))
        if own:
            spread = stdev(own) if len(own) > 1 else 0.0
            found.finalists.append(
                {"place": place, "settings": settings, "values": own, "mean": mean(own), "std": spread}
            )
    found.finalists.sort(key=lambda one: -one["mean"])
    found.winner = found.finalists[0]["settings"] if found.finalists else {}
    write_file(found.folder / "finalists.json", json.dumps(found.finalists, indent=1, ensure_ascii=False))
    for one in found.finalists:
        tell(f"  {one['mean']:.4f} ± {one['std']:.4f} on validation with {settings_told(one['settings'])}")


def _crowned(search: Search, base: Recipe, found: Found, tell: Teller, stop: Callable[[], bool]) -> dict[str, Any]:
    """Train the winner once more, as anybody would, and look at the test part: the only time that the search does."""
    place = RunFolder(found.folder / "winner")
    if not place.finished:
        recipe = base.changed({**found.winner, "train.threads": "auto", "train.check": True, "train.measure": "auto"})
        result = story.run(recipe, place, stop=stop)
        if result.model is None:
            return {}
    tell(f"winner {settings_told(found.winner)}; run {place.path}")
    return place.read_json("result")


def _write_trials(folder: Path, trials: Sequence[Trial]) -> None:
    keys = list(dict.fromkeys(key for trial in trials for key in trial.settings))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["stage", "number", "end", "value", "epochs", "seconds", *keys, "why"])
    for trial in sorted(trials, key=lambda each: (each.stage, each.number)):
        value = f"{trial.value:.6g}" if math.isfinite(trial.value) else ""
        own = [
            json.dumps(trial.settings[key])
            if isinstance(trial.settings.get(key), list)
            else trial.settings.get(key, "")
            for key in keys
        ]
        rows.writerow([trial.stage, trial.number, trial.end, value, trial.epochs, trial.seconds, *own, trial.why])
    write_file(folder / "trials.csv", text.getvalue())


def _plain(search: Search) -> dict[str, Any]:
    assert search.space is not None
    assert search.stages is not None
    own = {
        name: getattr(search, name)
        for name in ("method", "pruner", "widen", "finalists", "repeats", "jobs", "seed", "budget", "winner", "cluster")
    }
    space = [
        vars(each) if isinstance(each, Range) else {"key": each.key, "values": list(each.values)}
        for each in search.space
    ]
    return {"space": [dict(each) for each in space], "stages": [vars(each) for each in search.stages], **own}


def _of(trial: Trial) -> dict[str, Any]:
    return {"number": trial.number, "value": trial.value, "settings": trial.settings}


def _last(key: str) -> str:
    return key.rpartition(".")[2] if not key.endswith(".name") else key.partition(".")[0]


def _round(value: float) -> float:
    return float(f"{value:.2g}")
