"""Advice that has been tried: fork a training, change what a finding proposes, and measure what it does.

Each proposed change and the unchanged control go on from the same weights, the same optimiser memory and the same random state for the same number of
samples. Both do so three times, with three orders of the batches: how far the repetitions lie apart is the noise, against which the effect is judged.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from glassnet.assembly import Assembly, assemble
from glassnet.data.dataset import Data
from glassnet.errors import GlassnetError
from glassnet.events import Finding, Step, Tried
from glassnet.layers.twin import twin
from glassnet.recipe import Recipe
from glassnet.training import train
from glassnet.training.evaluate import evaluate
from glassnet.training.state import State, generators, restore_generators, restore_random_states

FEWEST, MOST = 50, 200  # optimiser steps of one trial, which is a twentieth of the run in between
LEAST_LEFT = 30  # with fewer steps to go, a fork at the end says nothing, and trials begin at the start instead
REPEATS = 3
# Student's t at 95 % with the four degrees of freedom that three repetitions of each of two trainings leave.
LIMIT = 2.78
LEAST = 1e-3  # of the loss: less is no help, however sure
# What decides the weights' shapes or what reaches them: such a change cannot take over the weights of the run.
FROM_START = ("net.", "data.", "preprocess.")


@dataclass(frozen=True)
class Outcome:
    """Where a trial ended: the original loss on a fixed sample of the training part, and the monitored validation figure."""

    loss: float
    figure: float | None


def try_remedies(
    recipe: Recipe,
    data: Data,
    finding: Finding,
    *,
    tree: dict[str, Any] | None = None,
    own: nn.Module | None = None,
    steps: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Tried]:
    """Try every remedy of a finding; nothing of the run itself is touched.

    Args:
        recipe: as resolved, of the run in which the finding was made.
        data: of that run, divided.
        finding: what was found.
        tree: the ``state_dict`` of the :class:`~glassnet.training.state.State` to fork; from the start of the run without it.
        own: the user's own module as it was before training, where the recipe's net is one.
        steps: of one trial; a twentieth of the run, but 50 to 200, without it.
        stop: asked between trials.

    Yields:
        The effect of each remedy. A remedy that changes nothing here, or that the recipe refuses, is passed over.
    """
    states = generators()
    try:
        changes = [found for remedy in finding.remedies if (found := resolved_changes(recipe, remedy))]
        if not changes:
            return
        parts = _assembled(recipe, data, own)
        total = int(recipe.train.epochs) * parts.batches.steps_per_epoch
        start = 0 if tree is None else int(tree["place"]["step"])
        if total - start < LEAST_LEFT:
            tree, start = None, 0
        length = min(steps or min(max(total // 20, FEWEST), MOST), total - start)
        controls: dict[bool, list[Outcome]] = {}
        for changed in changes:
            if stop():
                return
            fresh = tree is None or any(key.startswith(FROM_START) for key in changed)
            fork = None if fresh else tree
            if fresh not in controls:
                controls[fresh] = [
                    _trial(recipe, recipe, data, own, fork, length, parts, number) for number in range(REPEATS)
                ]
            try:
                outcomes = [
                    _trial(recipe, recipe.changed(changed), data, own, fork, length, parts, number)
                    for number in range(REPEATS)
                ]
            except GlassnetError:
                continue  # this net or these data do not know such a setting
            yield _judged(finding, recipe, changed, 0 if fresh else start, length, outcomes, controls[fresh])
    finally:
        restore_generators(states)


def resolved_changes(recipe: Recipe, remedy: dict[str, Any]) -> dict[str, Any]:
    """The values that a remedy stands for in this recipe: ``*0.1`` of 0.5 is 0.05. Empty where nothing would change or it is refused."""
    found: dict[str, Any] = {}
    for key, value in remedy.items():
        present = _value_of(recipe, key)
        if isinstance(value, str) and value.startswith("*"):
            if isinstance(present, bool) or not isinstance(present, int | float) or present == 0:
                return {}
            product = present * float(value[1:])
            value = max(1, round(product)) if isinstance(present, int) else float(f"{product:.6g}")
        if value != present:
            found[key] = value
    try:
        recipe.changed(found)
    except GlassnetError:
        return {}
    return found


def _value_of(recipe: Recipe, key: str) -> Any:
    section, _, name = key.partition(".")
    settings = getattr(recipe, section, None)
    return getattr(settings, name, None) if hasattr(settings, name) else getattr(settings, "options", {}).get(name)


def _assembled(recipe: Recipe, data: Data, own: nn.Module | None) -> Assembly:
    """The parts as a new run would have them, without looking inside; what the run's own seed decides is decided by it again."""
    torch.manual_seed(recipe.train.seed)
    return assemble(recipe.changed({"train.measure": "never"}), data, None if own is None else twin(own))


def _trial(
    before: Recipe,
    recipe: Recipe,
    data: Data,
    own: nn.Module | None,
    tree: dict[str, Any] | None,
    steps: int,
    reference: Assembly,
    number: int,
) -> Outcome:
    """Go on for a stretch with the (changed) recipe, and measure with the unchanged recipe's loss."""
    parts = _assembled(recipe, data, own)
    state = State(parts.net, parts.plan)
    if tree is not None:
        take_over(state, tree, before, recipe)
    parts.batches.seed += number  # another order of the samples
    budget = steps * int(before.train.batch_size)
    begun, finite = state.samples, True
    for event in train(parts.net, parts.batches, parts.plan, state=state):
        if isinstance(event, Step):
            finite = event.loss is None or math.isfinite(event.loss)
            if not finite or event.samples - begun >= budget:
                break
    if not finite:
        return Outcome(math.inf, None)
    loss = evaluate(parts.net, parts.sample.epoch(0), reference.plan)["loss"]
    figures = evaluate(parts.net, parts.validation.epoch(0), reference.plan) if parts.validation else {}
    return Outcome(loss if math.isfinite(loss) else math.inf, figures.get(before.stop.monitor))


def take_over(state: State, tree: dict[str, Any], before: Recipe, now: Recipe) -> None:
    """Put a saved training into a state made by another recipe, as far as the two agree; the settings are the new recipe's."""
    tree = copy.deepcopy(tree)  # an optimiser keeps the very tensors it is given
    settings = [
        {key: value for key, value in group.items() if key != "params"} for group in state.optimizer.param_groups
    ]
    state.net.load_state_dict(tree["net"])
    if before.optimizer.name == now.optimizer.name:
        state.optimizer.load_state_dict(tree["optimizer"])
        for group, own in zip(state.optimizer.param_groups, settings, strict=True):
            group.update(own)
    if before.schedule == now.schedule:
        state.schedule.load_state_dict(tree["schedule"])
    if state.averager and tree["averager"] and before.regularise.average == now.regularise.average:
        state.averager.load_state_dict(tree["averager"])
    for name in ("epoch", "batch", "step", "samples", "started"):
        setattr(state, name, tree["place"][name])
    if before.train.batch_size != now.train.batch_size:
        state.batch = 0  # positions within the epoch mean something else now; the epoch begins again
    restore_random_states(tree["random"])


def _judged(
    finding: Finding,
    recipe: Recipe,
    changed: dict[str, Any],
    start: int,
    steps: int,
    outcomes: list[Outcome],
    controls: list[Outcome],
) -> Tried:
    loss, control = _mean([one.loss for one in outcomes]), _mean([one.loss for one in controls])
    noise = math.hypot(_error([one.loss for one in outcomes]), _error([one.loss for one in controls]))
    figures = [one.figure for one in outcomes if one.figure is not None]
    control_figures = [one.figure for one in controls if one.figure is not None]
    settings = ", ".join(
        f"{key} = {_told(value)} instead of {_told(_value_of(recipe, key))}" for key, value in changed.items()
    )
    return Tried(
        rule=finding.rule,
        changes=changed,
        start=start,
        steps=steps,
        loss=loss,
        control=control,
        figure=_mean(figures) if figures else None,
        control_figure=_mean(control_figures) if control_figures else None,
        noise=noise,
        words=f"{settings}: {_effect(loss, control, noise, steps)}",
    )


def helps(tried: Tried) -> bool:
    """Whether the loss was lower with the change, by more than chance would make of it."""
    return (
        math.isfinite(tried.loss)
        and tried.loss < tried.control
        and not _nothing(tried.loss, tried.control, tried.noise)
    )


def _nothing(loss: float, control: float, noise: float) -> bool:
    return math.isfinite(control) and abs(loss - control) <= max(LIMIT * noise, LEAST * abs(control))


def _effect(loss: float, control: float, noise: float, steps: int) -> str:
    if not math.isfinite(loss):
        return f"the loss is not finite within {steps} steps; this does not help"
    if not math.isfinite(control):
        return f"training loss {loss:.4g} after {steps} steps, where the run as it is breaks down; this helps"
    told = f"training loss {loss:.4g} after {steps} steps, {control:.4g} without the change (noise {noise:.2g})"
    if _nothing(loss, control, noise):
        return f"{told}; no difference that this trial could show"
    return f"{told}; {'this helps' if loss < control else 'this makes it worse'}"


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _error(values: list[float]) -> float:
    """Standard error of the mean; 0 where it is not finite, since then nothing is a matter of noise."""
    if not all(math.isfinite(value) for value in values):
        return 0.0
    mean = _mean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))


def _told(value: Any) -> str:
    return "none" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
