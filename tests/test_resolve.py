"""What "auto" becomes: decided by the data, told with its reason, and never against what the user said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from glassnet.data.dataset import Data
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.data.split import split
from glassnet.errors import GlassnetError, UsageError
from glassnet.presets import PRESETS
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.training.losses import LOSSES, J
from glassnet.training.optimizers import OPTIMIZERS
from glassnet.training.schedules import SCHEDULES
from glassnet.zoo import ZOO


def images(count: int = 400, channels: int = 1, side: int = 16) -> Data:
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, size=(count, channels, side, side), dtype=np.uint8)
    return split(data_from_arrays(pixels, np.arange(count) % 4), seed=0)


def values(count: int = 400) -> Data:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(count, 5)).astype(np.float32)
    return split(data_from_arrays(inputs, inputs @ np.arange(5.0) + 0.1), seed=0)


def autos(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [f"{key}.{rest}".rstrip(".") for key, item in tree.items() for rest in autos(item)]
    return [""] if tree == "auto" else []


@pytest.mark.parametrize("data", [images(), images(channels=3), values()], ids=["grey", "colour", "values"])
def test_nothing_is_left_open_but_what_must_be_measured(data: Data) -> None:
    resolved, reasons = resolve(Recipe(), data)
    left = set(autos(resolved.model_dump()))
    assert left == {
        "data.val_fraction",
        "data.test_fraction",
        "ensemble.together",
        "train.device",
        "train.layout",
        "train.measure",
        "train.precision",
        "train.threads",
        "train.weight_gradients",
    }
    before = Recipe().model_dump()
    for key, value in ((k, v) for section, table in resolved.model_dump().items() for k, v in flat(section, table)):
        if flat_value(before, key) != value:
            assert reasons[key], key


def flat(section: str, table: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"{section}.{name}", value) for name, value in table.items() if name != "options"]


def flat_value(tree: dict[str, Any], key: str) -> Any:
    section, name = key.split(".")
    return tree[section][name]


def test_resolving_twice_changes_nothing() -> None:
    data = images()
    once, _ = resolve(Recipe(), data)
    twice, reasons = resolve(once, data)
    assert twice == once
    assert reasons == {}


def test_what_the_user_says_stands() -> None:
    said = {
        "net.name": "lenet5",
        "optimizer.lr": 0.123,
        "train.epochs": 7,
        "train.batch_size": 9,
        "loss.label_smoothing": 0.3,
        "schedule.name": "step",
        "augment.rotate": 3.0,
        "stop.patience": 2,
        "stop.monitor": "loss",
    }
    resolved, _ = resolve(Recipe().changed(said), images())
    for key, value in said.items():
        assert flat_value(resolved.model_dump(), key) == value, key


def test_another_optimiser_does_not_inherit_a_rate_that_was_measured_for_sgd() -> None:
    resolved, reasons = resolve(Recipe().changed({"optimizer.name": "adam"}), images())
    assert resolved.optimizer.lr == "find"
    assert resolved.optimizer.momentum is None
    assert "adam" in reasons["optimizer.lr"]
    by_search, _ = resolve(Recipe().changed({"optimizer.name": "lbfgs"}), images())
    assert by_search.optimizer.lr == 1.0
    assert by_search.schedule.name == "constant"
    assert by_search.train.batch_size == len(images().train)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"loss.name": "squared"}, "does not fit the targets"),
        ({"loss.name": "binary"}, "exactly two classes"),
        ({"net.name": "resnet-20"}, "resnet20"),
    ],
)
def test_what_does_not_go_together_is_told(said: dict[str, Any], told: str) -> None:
    from glassnet.assembly import assemble

    data = images()

    def begin() -> None:
        assemble(resolve(Recipe().changed(said), data)[0], data)

    with pytest.raises(GlassnetError, match=told):
        begin()


def test_presets_name_things_that_exist() -> None:
    for name, preset in PRESETS.items():
        assert name in ZOO
        for samples in (100, 3_000, 60_000):
            said = {key: choice.value for key, choice in preset(samples, (3, 32, 32)).items()}
            recipe = Recipe().changed(said)
            assert recipe.optimizer.name in OPTIMIZERS
            assert recipe.schedule.name in SCHEDULES
            assert all(choice.reason for choice in preset(samples, (1, 8, 8)).values())
    assert "cross-entropy" in LOSSES


def test_more_samples_mean_more_steps_in_fewer_epochs() -> None:
    for preset in PRESETS.values():
        epochs, steps = [], []
        for samples in (200, 1_000, 5_000, 20_000, 100_000):
            said = preset(samples, (1, 28, 28))
            epochs.append(said["train.epochs"].value)
            steps.append(said["train.epochs"].value * samples)
        assert epochs == sorted(epochs, reverse=True)
        assert steps == sorted(steps)


def test_labels_are_smoothed_by_cross_entropy_alone() -> None:
    for name in ("hinge", "map"):
        with pytest.raises(UsageError, match=rf"(?s){name} smooths no labels.*--loss cross-entropy"):
            resolve(Recipe().changed({"loss.name": name, "loss.label_smoothing": 0.1, "net.name": "mlp"}), images())
    with pytest.raises(UsageError, match="squared smooths no labels") as caught:
        resolve(Recipe().changed({"loss.label_smoothing": 0.1}), values())
    assert caught.value.fix == "leave it out", "cross-entropy would not fit values"
    # What presets of nets smooth by is for cross-entropy too; the recipe that is written down can be given again.
    own, _ = resolve(Recipe().changed({"loss.name": "hinge", "net.name": "small-vgg"}), images())
    assert own.loss.label_smoothing == 0.0
    assert resolve(own, images())[0].loss == own.loss
    usual, _ = resolve(Recipe().changed({"net.name": "small-vgg"}), images())
    assert usual.loss.label_smoothing == 0.2


def test_the_loss_of_equation_9_and_its_constant() -> None:
    resolved, reasons = resolve(Recipe().changed({"net.name": "lenet5-1998"}), images())
    assert (resolved.loss.name, resolved.loss.j) == ("map", J)
    assert "equation 9" in reasons["loss.name"]
    assert "paper gives none" in reasons["loss.j"]
    again, _ = resolve(resolved, images())
    assert again.loss == resolved.loss

    other, _ = resolve(Recipe().changed({"loss.name": "map", "loss.j": 2.0, "net.name": "lenet5"}), images())
    assert (other.loss.name, other.loss.j) == ("map", 2.0)
    usual, _ = resolve(Recipe().changed({"net.name": "lenet5-1998", "loss.name": "cross-entropy"}), images())
    assert (usual.loss.name, usual.loss.j) == ("cross-entropy", None)

    with pytest.raises(UsageError, match="the loss hinge has no j"):
        resolve(Recipe().changed({"loss.name": "hinge", "loss.j": 2.0}), images())
    with pytest.raises(UsageError, match="does not fit the targets"):
        resolve(Recipe().changed({"loss.name": "map"}), values())


def test_a_net_with_a_loss_of_its_own_for_classes_learns_values_with_the_usual_one() -> None:
    data = values()
    resolved, _ = resolve(Recipe().changed({"net.name": "lenet5-1998"}), data)
    assert (resolved.loss.name, resolved.loss.j) == ("squared", None)


def test_one_example_at_a_time_is_given_a_rate_that_fits() -> None:
    data = images(channels=3, count=4000)
    usual = resolve(Recipe().changed({"net.name": "small-vgg"}), data)[0]
    single = resolve(Recipe().changed({"net.name": "small-vgg", "train.batch_size": 1}), data)[0]
    assert single.optimizer.lr == pytest.approx(float(usual.optimizer.lr) / int(usual.train.batch_size))
    adam = resolve(Recipe().changed({"net.name": "mlp", "train.batch_size": 1}), data)[0]
    assert adam.optimizer.lr == resolve(Recipe().changed({"net.name": "mlp"}), data)[0].optimizer.lr


def test_lbfgs_sees_all_samples_unchanged_in_every_step() -> None:
    resolved, _ = resolve(Recipe().changed({"optimizer.name": "lbfgs"}), images(channels=3))
    assert not any(resolved.augment.given().values())
    assert resolved.train.batch_size == len(images(channels=3).train)


def test_snapshots_bring_their_schedule_and_time_and_swa_its_own() -> None:
    data = images()
    usual = resolve(Recipe(), data)[0]
    resolved, reasons = resolve(Recipe().changed({"ensemble.snapshots": 4}), data)
    assert resolved.schedule.name == "cyclic-cosine"
    assert resolved.schedule.options == {"cycles": 4}
    assert resolved.train.epochs == 4 * -(-int(usual.train.epochs) // 2)
    assert "4 cycles" in reasons["train.epochs"]
    assert resolved.stop.patience == "never"
    assert resolve(resolved, data)[0] == resolved
    swa = resolve(Recipe().changed({"regularise.average": "swa", "regularise.average_from": 0.6}), data)[0]
    assert (swa.schedule.name, swa.schedule.options) == ("swa", {"start": 0.6})


def test_a_warm_up_ends_before_the_run_does() -> None:
    recipe = Recipe().changed({"train.epochs": 5, "schedule.warmup": 5.0})
    with pytest.raises(UsageError, match="the warm-up lasts as long as the whole run"):
        resolve(recipe, images())
    assert resolve(recipe.changed({"train.epochs": 6}), images())[0].schedule.warmup == 5.0


def test_quick_takes_smaller_batches_at_the_same_rate_where_an_epoch_has_few_steps() -> None:
    quick = Recipe().changed({"train.effort": "quick", "net.name": "small-vgg"})
    few, _ = resolve(quick, images(7_000, side=8))
    many, _ = resolve(quick, images(30_000, side=8))
    assert (few.train.batch_size, many.train.batch_size) == (128, 256)
    assert few.optimizer.lr == many.optimizer.lr == 0.6


@pytest.mark.parametrize("channels", [1, 3])
def test_quick_is_a_smaller_net_for_a_quarter_of_the_time_with_changes_that_cost_nothing(channels: int) -> None:
    data = images(channels=channels)
    full, _ = resolve(Recipe(), data)
    soon, reasons = resolve(Recipe().changed({"train.effort": "quick"}), data)
    half = full.net.options["width"] / 2
    assert half <= soon.net.options["width"] < 2 * half
    assert soon.net.options["width"] in (0.125, 0.25, 0.5), "a power of two"
    assert soon.net.options["widths"] == (64, 128, 256)
    assert soon.train.epochs == max(3, round(int(full.train.epochs) / 4))
    assert soon.train.measure == "never"
    assert soon.net.options["activation"] == "relu"
    assert soon.train.batch_size == min(128, int(full.train.batch_size))
    assert soon.optimizer.lr == full.optimizer.lr
    assert set(soon.augment.given()) <= {"flip", "shift"}
    assert "quick" in reasons["train.epochs"]
    assert "quick" in reasons["net.name"]
    again, _ = resolve(soon, data)
    assert again == soon


def test_quick_leaves_what_the_user_says() -> None:
    said = {
        "train.effort": "quick",
        "train.epochs": 7,
        "net.width": 0.75,
        "net.activation": "tanh",
        "augment.rotate": 5.0,
        "train.measure": 100,
    }
    soon, _ = resolve(Recipe().changed(said), images())
    assert soon.net.options["activation"] == "tanh"
    assert (soon.train.epochs, soon.net.options["width"], soon.augment.rotate, soon.train.measure) == (
        7,
        0.75,
        5.0,
        100,
    )
