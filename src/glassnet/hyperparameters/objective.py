"""What is done with the settings of a trial: a training that is told of after every epoch, by itself in a worker or as one of several that go step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from torch import nn

from glassnet import story
from glassnet.assembly import assemble
from glassnet.data.dataset import Data
from glassnet.errors import GlassnetError
from glassnet.events import Epoch, Event, Finished, Step
from glassnet.hyperparameters.own import Maker, made
from glassnet.hyperparameters.watch import Watch
from glassnet.reading import divide, opened
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import check
from glassnet.resolve import resolve
from glassnet.resuming import restore, save
from glassnet.runs import Recorder, RunFolder
from glassnet.searching import Job
from glassnet.training import checkpoint, train
from glassnet.training.execution import prepare_process, process_kept
from glassnet.training.lockstep import Training, to_its_end
from glassnet.training.state import State, seed_generators
from glassnet.training.waiting import Waiting

WARM = 3  # steps that are not timed: the first ones allocate
MANY = 1_000  # epochs, more than any timing lasts


# (epoch, value) -> whether to go on
Told: TypeAlias = Callable[[int, float], bool]


def objective(config: dict[str, Any]) -> Callable[[Job, Told], dict[str, Any]]:
    """In a worker: reads the data once, and returns what makes a trial of them."""
    begin = trials(config)

    def make(job: Job, report: Told) -> dict[str, Any]:
        with process_kept():
            return to_its_end(begin(job, report, waits=False))

    return make


class Begin(Protocol):
    """Begins a trial; what it returns in the end is the record of it."""

    def __call__(self, job: Job, report: Told, *, waits: bool) -> Training[dict[str, Any]]:
        """The trial, which waits before every step if it is to."""
        ...


def trials(config: dict[str, Any]) -> Begin:
    """Read the data once, and return what begins a trial of them. The settings of the process are its caller's to put back."""
    prepare_process(config["threads"])
    recipe = Recipe.from_toml(Path(config["recipe"])).changed({"train.threads": config["threads"]})
    whole = config.get("data") or opened(recipe)
    data, own = divide(whole, recipe), config.get("net")

    def begin(job: Job, report: Told, *, waits: bool) -> Training[dict[str, Any]]:
        if "window" in job.extra:
            return {"epochs_per_second": _stepped(recipe, data, own, job.extra["window"])}
        settings = job.settings | {"train.epochs": job.extra["epochs"], "train.seed": job.extra["seed"]}
        place = RunFolder(Path(config["folder"]) / job.extra["place"])
        begun = time.perf_counter()
        try:
            chosen = recipe.changed(settings)
            check(chosen)
            told = config["figure"], report, waits
            if job.extra.get("whole"):
                record = yield from _trained(chosen, place, whole, made(own, chosen), *told)
            else:
                record = yield from _tried(chosen, place, data, made(own, chosen), *told)
        except GlassnetError as error:
            record = {"end": "failed", "value": None, "epochs": 0, "why": error.message().splitlines()[0]}
        return record | {"seconds": round(time.perf_counter() - begun, 2)}

    return begin


def _stepped(recipe: Recipe, data: Data, own: Maker | None, window: float) -> float:
    """Epochs of training a second, by the steps of so many seconds, and some at least, after those in which everything warms up."""
    resolved, _ = resolve(recipe.changed({"train.epochs": MANY}), data)
    parts = assemble(resolved, data, made(own, resolved))
    steps, begun = 0, 0.0
    for event in train(parts.net, parts.batches, parts.plan):
        if isinstance(event, Step):
            steps += 1
            if steps == WARM:
                begun = time.perf_counter()
            elif steps >= 2 * WARM and time.perf_counter() - begun >= window:
                break
    return (steps - WARM) / parts.batches.steps_per_epoch / (time.perf_counter() - begun)


def _tried(
    recipe: Recipe, place: RunFolder, data: Data, own: nn.Module | None, figure: str, report: Told, waits: bool
) -> Training[dict[str, Any]]:
    """A trial: the same steps as ``glassnet train --recipe`` of its folder makes, without report, model and figures on other parts."""
    with Recorder(place) as recorder:
        resolved, reasons = resolve(recipe, data)
        seed_generators(resolved.train.seed)
        parts = assemble(resolved, data, own)
        if not place.recipe.exists():
            recorder.write_text(place.asked, recipe.to_toml())
            recorder.write_text(place.recipe, parts.recipe.to_toml(reasons | parts.reasons))
        state = State(parts.net, parts.plan)
        restore(state, recorder, checkpoint.load_newest(place.checkpoints))
        watch = Watch(figure, (event for event in place.events() if not isinstance(event, Finished)))
        saved = time.monotonic()
        for event in train(
            parts.net,
            parts.batches,
            parts.plan,
            validation=parts.validation,
            sample=parts.sample,
            state=state,
            waits=waits,
        ):
            if isinstance(event, Waiting):
                yield event
                continue
            if not isinstance(event, Step) or event.loss is not None:
                recorder.append(event)
            watch.see(event)
            if watch.exploded:
                return watch.record("exploded", f"the loss went from {watch.losses[0]:.3g} to {watch.losses[-1]:.3g}")
            if (
                isinstance(event, Epoch)
                and not report(event.epoch + 1, watch.best)
                and event.epoch + 1 < int(recipe.train.epochs)
            ):
                return watch.record("pruned", f"others did better after {event.epoch + 1} epochs")
            if isinstance(event, Step) and time.monotonic() - saved >= parts.recipe.train.checkpoint_seconds:
                save(state, recorder)
                saved = time.monotonic()
        return watch.record("done", "")


def _trained(
    recipe: Recipe, place: RunFolder, data: Data, own: nn.Module | None, figure: str, report: Told, waits: bool
) -> Training[dict[str, Any]]:
    """A finalist: an ordinary run that leaves the test part alone."""
    watch = Watch(figure, place.events())

    def listen(event: Event) -> None:
        watch.see(event)
        if isinstance(event, Epoch):
            report(event.epoch + 1, watch.best)

    if not place.finished:
        judged = recipe.changed({"data.judge": "val"})
        yield from story.running(judged, place, net=own, data=data, listen=listen, waits=waits)
    return watch.record("done", "")
