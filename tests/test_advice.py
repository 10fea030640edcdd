"""Advice that is tried: what helps is said to help, what does nothing is said to do nothing, and the run is left alone."""

from __future__ import annotations

import copy
import math
from itertools import islice
from typing import Any

import pytest
import torch

from glassnet.advice import _effect, resolved_changes, take_over, try_remedies
from glassnet.assembly import assemble
from glassnet.data.dataset import Data
from glassnet.events import Finding, Step, Tried
from glassnet.reading import read_data
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.training import train
from glassnet.training.state import State, random_states

SETTINGS = {
    "data.path": "digits",
    "net.name": "mlp",
    "net.hidden": [32],
    "train.epochs": 8,
    "train.batch_size": 32,
    "train.precision": "float32",
    "train.threads": 1,
    "train.measure": "never",
    "optimizer.name": "sgd",
    "optimizer.lr": 1e-5,
    "schedule.name": "constant",
    "augment.auto": False,
}


@pytest.fixture(scope="module")
def digits() -> Data:
    return read_data(Recipe().changed(SETTINGS))


def resolved(data: Data, **changes: Any) -> Recipe:
    return resolve(Recipe().changed(SETTINGS | changes), data)[0]


def finding(*remedies: dict[str, Any]) -> Finding:
    return Finding("lr-too-low", "warning", 20, "what", "why", "advice", {}, list(remedies))


def halfway(recipe: Recipe, data: Data, steps: int) -> dict[str, Any]:
    """The state of a run after some steps."""
    torch.manual_seed(0)
    parts = assemble(recipe, data)
    state = State(parts.net, parts.plan)
    made = (event for event in train(parts.net, parts.batches, parts.plan, state=state) if isinstance(event, Step))
    list(islice(made, steps))
    return copy.deepcopy(state.state_dict())


def tried(recipe: Recipe, data: Data, *remedies: dict[str, Any], **options: Any) -> list[Tried]:
    return list(try_remedies(recipe, data, finding(*remedies), steps=50, **options))


def test_a_rate_that_is_far_too_low_is_seen_to_be(digits: Data) -> None:
    recipe = resolved(digits)
    (effect,) = tried(recipe, digits, {"optimizer.lr": "*1000"}, tree=halfway(recipe, digits, 20))
    assert effect.changes == {"optimizer.lr": 0.01}
    assert effect.start == 20
    assert effect.loss < 0.96 * effect.control
    assert effect.control == pytest.approx(math.log(10), rel=0.15), "the control hardly learns at this rate"
    assert "this helps" in effect.words
    assert "optimizer.lr = 0.01 instead of 1e-05" in effect.words


def test_a_change_that_does_nothing_is_said_to_do_nothing(digits: Data) -> None:
    recipe = resolved(digits, **{"optimizer.lr": 0.02})
    (effect,) = tried(recipe, digits, {"optimizer.lr": "*1.0005"})
    assert "no difference" in effect.words


def test_a_change_that_breaks_the_training_is_said_to_break_it(digits: Data) -> None:
    (effect,) = tried(resolved(digits), digits, {"optimizer.lr": 1e12})
    assert not math.isfinite(effect.loss)
    assert "does not help" in effect.words


def test_the_same_trial_gives_the_same_figures_and_leaves_the_run_as_it_was(digits: Data) -> None:
    recipe = resolved(digits)
    tree = halfway(recipe, digits, 20)
    before, states = copy.deepcopy(tree), random_states()
    first = tried(recipe, digits, {"optimizer.lr": 0.01}, tree=tree)
    assert all(torch.equal(before["net"][name], tree["net"][name]) for name in before["net"])
    assert torch.equal(states["torch"], random_states()["torch"])
    assert tried(recipe, digits, {"optimizer.lr": 0.01}, tree=tree) == first


def test_a_fork_that_changes_nothing_goes_on_exactly_as_the_run_does(digits: Data) -> None:
    recipe = resolved(digits, **{"optimizer.momentum": 0.9, "optimizer.lr": 0.01})
    tree, later = halfway(recipe, digits, 20), halfway(recipe, digits, 40)
    parts = assemble(recipe, digits)
    state = State(parts.net, parts.plan)
    take_over(state, tree, recipe, recipe)
    made = (event for event in train(parts.net, parts.batches, parts.plan, state=state) if isinstance(event, Step))
    list(islice(made, 20))
    assert all(torch.equal(later["net"][name], value) for name, value in state.net.state_dict().items())


def test_another_optimiser_begins_with_an_empty_memory_on_the_same_weights(digits: Data) -> None:
    recipe = resolved(digits, **{"optimizer.momentum": 0.9, "optimizer.lr": 0.01})
    tree = halfway(recipe, digits, 20)
    (effect,) = tried(recipe, digits, {"optimizer.name": "adamw", "optimizer.momentum": None}, tree=tree)
    assert effect.start == 20


def test_a_change_of_the_net_is_tried_from_the_start(digits: Data) -> None:
    recipe = resolved(digits)
    wider, rate = tried(recipe, digits, {"net.hidden": [64]}, {"optimizer.lr": 0.01}, tree=halfway(recipe, digits, 20))
    assert (wider.start, rate.start) == (0, 20)
    assert wider.control != rate.control, "each is compared with a control from its own beginning"


@pytest.mark.parametrize(
    ("remedy", "means"),
    [
        ({"optimizer.lr": "*0.1"}, {"optimizer.lr": 1e-6}),
        ({"train.batch_size": "*0.5"}, {"train.batch_size": 16}),
        ({"clip.norm": 1.0}, {"clip.norm": 1.0}),
        ({"clip.norm": "*0.1"}, {}),  # there is no clipping to change
        ({"optimizer.lr": 1e-5}, {}),  # it is so already
        ({"optimizer.nonsense": 1}, {}),
        ({"optimizer.lr": -1.0}, {}),
        ({"net.hidden": [8]}, {"net.hidden": [8]}),
    ],
)
def test_what_a_remedy_stands_for(digits: Data, remedy: dict[str, Any], means: dict[str, Any]) -> None:
    assert resolved_changes(resolved(digits), remedy) == means


def test_a_remedy_that_the_net_does_not_know_is_passed_over(digits: Data) -> None:
    assert tried(resolved(digits), digits, {"net.no_such_option": 3}) == []


def test_an_effect_in_the_fourth_digit_is_none() -> None:
    assert _effect(2.3139, 2.3141, 1e-9, 50).endswith("no difference that this trial could show")
    assert _effect(2.30, 2.3141, 1e-9, 50).endswith("this helps")
    assert _effect(2.33, 2.3141, 1e-9, 50).endswith("this makes it worse")
