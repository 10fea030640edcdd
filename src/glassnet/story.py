"""The whole story of a run, from a recipe to a run folder that holds a model one can trust. Read it downward.

recipe -> data -> parts -> events -> run folder -> model -> figures -> report
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from glassnet.advice import try_remedies
from glassnet.assembly import Assembly, assemble
from glassnet.checks import Subject, quick
from glassnet.data.audit import audit
from glassnet.data.dataset import Data
from glassnet.data.fingerprint import fingerprint_of
from glassnet.diagnose import Doctor
from glassnet.errors import DataError, DivergedError, ModelError, is_out_of_memory
from glassnet.events import Checked, Event, Finding, Step
from glassnet.finishing import conclude, finished_model, snapshots_of
from glassnet.layer_table import layer_table
from glassnet.layers.twin import twin
from glassnet.model import Model
from glassnet.reading import anchored, divide, read_data
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import check
from glassnet.resolve import resolve
from glassnet.resuming import restore, save
from glassnet.runs import Recorder, RunFolder, recording
from glassnet.told import choices, diverged, introduction, out_of_memory, summary
from glassnet.training import checkpoint, train
from glassnet.training.execution import machine, prepare_process, process_kept
from glassnet.training.lockstep import Training, to_its_end
from glassnet.training.state import State, seed_generators
from glassnet.training.thread_watch import ThreadWatch
from glassnet.training.waiting import Waiting

Listener = Callable[[Event], None]
Teller = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        folder: the run folder.
        model: the finished model; None when the run was interrupted, and of a cross-validation, whose folds have one each.
        figures: ``result.json``: the figures on the test part beside baseline and rivals, of a cross-validation those on all folds together; empty when
            interrupted.
        data: the data as they were divided.
    """

    folder: RunFolder
    model: Model | None
    figures: dict[str, Any]
    data: Data

    def __repr__(self) -> str:
        figures = {name: value for name, value in self.figures.get("figures", {}).items() if isinstance(value, float)}
        told = ", ".join(f"{name} {value:.4g}" for name, value in list(figures.items())[:4])
        return (
            f"Result({str(self.folder.path)!r}{': ' + told if told else ', not finished' if not self.figures else ''})"
        )


def run(
    recipe: Recipe,
    folder: RunFolder,
    *,
    net: nn.Module | None = None,
    data: Data | None = None,
    listen: Listener = lambda event: None,
    tell: Teller = lambda text: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """Train as the recipe says, into a new or an interrupted run folder; a checkpoint in it is gone on from.

    Args:
        recipe: what the run is decided by.
        folder: where everything is written.
        net: the user's own module, where ``recipe.net.name`` is ``own``.
        data: already read and not yet divided; read from ``recipe.data.path`` without it.
        listen: called with every event.
        tell: called with every sentence for people.
        stop: asked after every step; True saves a checkpoint and ends.

    Raises:
        GlassnetError: of the kind that fits; the folder keeps the newest checkpoint.
    """
    with process_kept():
        return to_its_end(running(recipe, folder, net=net, data=data, listen=listen, tell=tell, stop=stop, waits=False))


def running(
    recipe: Recipe,
    folder: RunFolder,
    *,
    net: nn.Module | None = None,
    data: Data | None = None,
    listen: Listener = lambda event: None,
    tell: Teller = lambda text: None,
    stop: Callable[[], bool] = lambda: False,
    waits: bool = True,
) -> Training[Result]:
    """The same as :func:`run`, which waits before every step for whoever goes through several runs at once (:mod:`glassnet.training.lockstep`).

    The settings of the process, such as its number of threads, are its caller's to put back.
    """
    recipe = anchored(recipe)
    threads = recipe.train.threads
    with recording(folder, recipe.to_toml()) as recorder:
        check(recipe)
        prepare_process(None if threads == "auto" else int(threads))
        try:
            return (yield from _run(recipe, recorder, net, data, listen, tell, stop, waits))
        except Exception as error:
            if is_out_of_memory(error):
                raise out_of_memory(recipe) from error
            raise


def _run(
    recipe: Recipe,
    recorder: Recorder,
    net: nn.Module | None,
    data: Data | None,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
    waits: bool,
) -> Training[Result]:
    folder = recorder.folder
    data = read_data(recipe) if data is None else divide(data, recipe)
    resolved, reasons = resolve(recipe, data)
    fingerprint = begin(data, recorder, tell)
    if stop():
        return Result(folder, None, {}, data)

    seed_generators(resolved.train.seed)
    earlier = checkpoint.load_newest(folder.checkpoints)
    if earlier:  # it holds all weights: the file that they began with may be gone
        resolved = resolved.changed({"net.pretrained": None})
    parts = assemble(resolved, data, net)
    reasons |= parts.reasons
    anew = folder.recipe.exists() and not earlier
    if not folder.recipe.exists():
        recorder.write_text(folder.recipe, parts.recipe.to_toml(reasons))
        recorder.write_json("environment", machine())
        if parts.range_test is not None:
            recorder.write_json("range_test", asdict(parts.range_test))
        dtype = parts.preprocess.output_dtype
        table = layer_table(parts.net, parts.preprocess.output_shape, dtype)
        recorder.write_json("net", {"table": table.text(100), **parts.net_json})
        for line in choices(parts.recipe, reasons):
            tell(line)

    state = State(parts.net, parts.plan)
    restore(state, recorder, earlier)
    if earlier:
        _, place, damaged = earlier
        for path in damaged:
            tell(f"checkpoint {path.name} is damaged and was passed over")
        tell(f"going on from {place.name}, epoch {state.epoch + 1}")
    elif anew:
        tell("no checkpoint had been written when this run was stopped: it begins anew, as the same run")
    if not earlier and resolved.train.check:
        look_first(parts, recorder, listen, tell)
    untrained = twin(net) if net is not None and resolved.train.try_advice else None
    ended = yield from _train(parts, state, recorder, listen, stop, data, untrained, waits)
    if not ended or stop():
        return Result(folder, None, {}, data)

    model = finished_model(parts, state, data, fingerprint, folder)
    count = parts.recipe.ensemble.snapshots or 0
    names = [f"snapshot {place + 1}" for place in range(count)][-len(getattr(model.net, "members", [])) :]
    figures = conclude(model, data, parts.recipe, parts.preprocess.cpu(), recorder, tell, names)
    return Result(folder, model, figures, data)


def begin(data: Data, recorder: Recorder, tell: Teller) -> str:
    """Look the divided data over, record and tell what they are.

    Returns:
        Their fingerprint.

    Raises:
        DataError: they are others than when the run began.
    """
    before, fingerprint = recorder.folder.read_json("data"), fingerprint_of(data)
    if before and before["fingerprint"] != fingerprint:
        raise DataError(
            "the data have changed since this run began",
            where=data.origin,
            fix="start a new run with 'glassnet train'",
        )
    found = audit(data)
    recorder.write_json("data", summary(data, found, fingerprint))
    for line in introduction(data, found):
        tell(line)
    return fingerprint


def _train(
    parts: Assembly,
    state: State,
    recorder: Recorder,
    listen: Listener,
    stop: Callable[[], bool],
    data: Data,
    untrained: nn.Module | None,
    waits: bool,
) -> Training[bool]:
    """Run the loop to its end, or until asked to stop; True at its end. Saves checkpoints as time goes by."""
    folder = recorder.folder
    doctor, snapshots = Doctor(folder.events()), snapshots_of(parts, folder)
    saved, cost = time.monotonic(), 0.0
    events: Iterator[Event | Waiting] = train(
        parts.net, parts.batches, parts.plan, validation=parts.validation, sample=parts.sample, state=state, waits=waits
    )
    if parts.execution.most_threads and not waits:  # others are at work between two steps
        events = ThreadWatch(parts.execution.most_threads, now=parts.execution.threads).watching(events)
    for event in events:
        if isinstance(event, Waiting):
            yield event
            continue
        if not isinstance(event, Step) or event.loss is not None:
            recorder.append(event)
        listen(event)
        for finding in doctor.see(event):
            recorder.append(finding)
            listen(finding)
            if parts.recipe.train.try_advice:
                for tried in try_remedies(
                    parts.recipe, data, finding, tree=fork_of(state, folder, finding), own=untrained, stop=stop
                ):
                    recorder.append(tried)
                    listen(tried)
            if finding.severity == "stop":
                raise diverged(finding, folder)
        if not isinstance(event, Step):
            continue
        snapshots.keep(parts.net, event.step)
        asked = stop()
        # A checkpoint costs at most a hundredth of the time between two.
        if asked or time.monotonic() - saved >= max(parts.recipe.train.checkpoint_seconds, 100 * cost):
            begin = time.monotonic()
            save(state, recorder)
            saved = time.monotonic()
            cost = saved - begin if parts.recipe.train.checkpoint_seconds >= 1 else 0.0
        if asked:
            return False
    save(state, recorder)
    return True


def fork_of(state: State, folder: RunFolder, finding: Finding) -> dict[str, Any] | None:
    """The state from which advice is tried: the present one, or, where it is spoilt, the newest checkpoint; None means from the start."""
    if finding.severity != "stop":
        return state.state_dict()
    earlier = checkpoint.load_newest(folder.checkpoints)
    return earlier[0]["state"] if earlier else None


def look_first(parts: Assembly, recorder: Recorder, listen: Listener, tell: Teller) -> None:
    """The quick checks, recorded, and told in one line; what they find amiss is told, and training goes on all the same.

    Raises:
        DivergedError: the loss is not finite before the first step.
        ModelError: no gradient reaches any parameter. In both cases nothing at all can be learned.
    """
    begun = time.monotonic()
    subject = Subject(parts.net, parts.batches, parts.plan, validation=parts.validation, plain=parts.sample)
    good: list[str] = []
    amiss: list[Checked] = []
    for found in quick(subject):
        recorder.append(found)
        listen(found)
        if found.verdict == "passed":
            good.append(WHEN_PASSED.get(found.check, found.what))
            if found.check == "gradient-check" and not any("gradients reach" in each for each in good):
                good[-1] = "gradients agree with numerical ones"
        elif found.verdict != "skipped":
            amiss.append(found)
    line = ", ".join(good).replace(", and", " and") or "something is amiss"
    tell(f"check  {line}; {time.monotonic() - begun:.1f} s")
    if parts.recipe.train.effort == "quick" and parts.plan.meter is None:
        tell(
            "watch  nobody looks inside meanwhile (quick), and most of the diagnosis with it (--set train.measure=auto)"
        )
    for found in amiss:
        if found.check == "initial-loss" and not math.isfinite(found.figures["loss"]):
            raise DivergedError(
                "training was not begun: " + found.what, where=type(parts.net).__name__, got=found.why, fix=found.advice
            )
        if found.check == "gradients-reach" and found.figures.get("silent", 0.0) == found.figures["parameters"]:
            raise ModelError(
                "training was not begun: " + found.what, where=type(parts.net).__name__, got=found.why, fix=found.advice
            )
    for found in amiss:
        tell(
            f"  warning: {found.what}\n    why: {found.why}\n    do:  {found.advice} (glassnet check --explain {found.check})"
        )


# Said in the line of the quick checks in place of a sentence with all figures.
WHEN_PASSED = {"gradient-check": "and agree with numerical ones", "sane-sizes": "sizes sane"}
