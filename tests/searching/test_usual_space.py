"""What is searched where nothing is said."""

from __future__ import annotations

import pytest

from glassnet.data.dataset import Data
from glassnet.hyperparameters.usual import default_space
from glassnet.reading import read_data
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import check
from glassnet.resolve import resolve
from glassnet.searching import Choice, Parameter, Range
from glassnet.searching.space import draw


@pytest.fixture(scope="module")
def digits() -> Data:
    return read_data(Recipe().changed({"data.path": "digits"}))


def space_of(data: Data, **settings: object) -> dict[str, Parameter]:
    asked = Recipe().changed({"data.path": "digits"} | {key.replace("__", "."): each for key, each in settings.items()})
    resolved, _ = resolve(asked, data)
    return {each.key: each for each in default_space(asked, resolved, data)}


@pytest.mark.parametrize("net", ["auto", "mlp", "linear", "lenet5", "small-vgg", "all-conv"])
def test_every_draw_is_a_recipe_that_can_be_trained(digits: Data, net: str) -> None:
    space = tuple(space_of(digits, net__name=net).values())
    resolved, _ = resolve(Recipe().changed({"data.path": "digits", "net.name": net}), digits)
    for number in range(20):
        check(Recipe().changed({"net.name": resolved.net.name, **draw(space, f"{net}/{number}")}))


def test_rate_lies_around_the_preset_and_architecture_schedule_and_augmentation_are_in_it(digits: Data) -> None:
    space = space_of(digits, net__name="small-vgg")
    rate = space["optimizer.lr"]
    resolved, _ = resolve(Recipe().changed({"data.path": "digits", "net.name": "small-vgg"}), digits)
    assert isinstance(rate, Range)
    assert isinstance(resolved.optimizer.lr, float)
    assert rate.log
    assert rate.low < resolved.optimizer.lr < rate.high
    assert isinstance(width := space["net.width"], Choice)
    assert resolved.net.options.get("width", 1.0) in width.values
    assert isinstance(schedule := space["schedule.name"], Choice)
    assert resolved.schedule.name in schedule.values
    assert isinstance(shift := space["augment.shift"], Choice)
    assert {0, resolved.augment.shift} < set(shift.values)


@pytest.mark.parametrize(
    ("key", "value", "gone"),
    [
        ("optimizer.lr", 0.01, "optimizer.lr"),
        ("net.hidden", [32], "net.hidden"),
        ("net.dropout", 0.1, "regularise.dropout"),
        ("train.batch_size", 32, "train.batch_size"),
        ("schedule.name", "cosine", "schedule.name"),
        ("augment.auto", False, "augment.shift"),
        ("loss.label_smoothing", 0.1, "loss.label_smoothing"),
    ],
)
def test_what_was_asked_for_is_not_searched(digits: Data, key: str, value: object, gone: str) -> None:
    free, left = space_of(digits, net__name="mlp"), space_of(digits, net__name="mlp", **{key.replace(".", "__"): value})
    assert gone in free
    assert gone not in left
    assert set(free) - set(left) == {gone}


def test_batches_leave_some_steps_and_do_not_take_ages(digits: Data) -> None:
    sizes = space_of(digits, net__name="mlp")["train.batch_size"]
    assert isinstance(sizes, Choice)
    assert max(sizes.values) * 10 <= len(digits.train)
    assert max(sizes.values) <= 8 * min(sizes.values)
