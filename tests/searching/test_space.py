"""Spaces: as written, as drawn, as a grid."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from glassnet.errors import UsageError
from glassnet.hyperparameters import full_key, space_of
from glassnet.hyperparameters.spaces import fitted
from glassnet.recipe import Recipe
from glassnet.searching import Choice, Only, Range, grid
from glassnet.searching.space import draw, written


def test_the_lectures_space_is_read_as_written() -> None:
    assert space_of("lr=1e-6..1e-3 log, reg=1e-5..1e5 log, dropout=0..0.7, net.hidden=32|64|[128,64], epochs=1..9") == (
        Range("optimizer.lr", 1e-6, 1e-3, log=True),
        Range("regularise.l2", 1e-5, 1e5, log=True),
        Range("regularise.dropout", 0, 0.7),
        Choice("net.hidden", (32, 64, [128, 64])),
        Range("train.epochs", 1, 9, whole=True),
    )


def test_a_file_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text('lr = "1e-4..1e-1 log"\ndropout = [0.0, 0.5]\n[net]\nactivation = ["relu", "tanh"]\n')
    assert space_of(str(path)) == (
        Range("optimizer.lr", 1e-4, 1e-1, log=True),
        Choice("regularise.dropout", (0.0, 0.5)),
        Choice("net.activation", ("relu", "tanh")),
    )


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as told:
        space_of("lerning_rate=1e-3..1e-1, l2=0..1 log, dropout=0.7..0.1, lr, lr=1..2..3, opt=sgd|sgd")
    text = told.value.message()
    assert text.startswith("6 mistakes")
    for word in ("lerning_rate", "begins above zero", "empty", "no setting", "no range", "named twice"):
        assert word in text, word


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("lr", "optimizer.lr"),
        ("batch-size", "train.batch_size"),
        ("optimizer.momentum", "optimizer.momentum"),
        ("net.activation", "net.activation"),
        ("label_smoothing", "loss.label_smoothing"),
        ("opt", "optimizer.name"),
    ],
)
def test_names_as_people_type_them(name: str, key: str) -> None:
    assert full_key(name) == key


def test_a_name_of_two_keys_is_refused_with_both() -> None:
    with pytest.raises(UsageError, match=r"clip\.norm|preprocess\.name"):
        full_key("name")


def test_draws_are_uniform_in_the_logarithm_and_depend_on_the_seed_alone() -> None:
    space = (Range("a", 1e-6, 1e-3, log=True), Range("b", 2, 5), Range("c", 1, 4, whole=True), Choice("d", ("x", "y")))
    drawn = [draw(space, f"0/1/{number}") for number in range(4000)]
    assert drawn[17] == draw(space, "0/1/17")
    assert drawn[17] != draw(space, "0/2/17")
    logs = np.log10([point["a"] for point in drawn])
    assert stats.kstest(logs, stats.uniform(-6, 3).cdf).pvalue > 0.01
    assert stats.kstest([point["b"] for point in drawn], stats.uniform(2, 3).cdf).pvalue > 0.01
    for key, values in (("c", (1, 2, 3, 4)), ("d", ("x", "y"))):
        counts = [sum(point[key] == value for point in drawn) for value in values]
        assert sum(counts) == 4000
        assert stats.chisquare(counts).pvalue > 0.01


def test_whole_numbers_in_the_logarithm_have_the_parts_that_they_should() -> None:
    space = (Range("n", 1, 64, log=True, whole=True),)
    drawn = [draw(space, f"{number}")["n"] for number in range(6000)]
    assert min(drawn) == 1
    assert max(drawn) == 64
    share = (math.log(8.5) - math.log(0.5)) / (math.log(64.5) - math.log(0.5))
    assert np.mean(np.array(drawn) <= 8) == pytest.approx(share, abs=0.03)


def test_a_grid_has_both_ends_and_no_more_points_than_trials() -> None:
    points = grid((Range("a", 1e-4, 1e-2, log=True), Choice("b", (1, 2))), 7)
    assert points == [{"a": a, "b": b} for a in (1e-4, pytest.approx(1e-3), 1e-2) for b in (1, 2)]
    assert grid((Range("a", 1, 100, log=True),), 1) == [{"a": pytest.approx(10)}]
    with pytest.raises(UsageError, match="more points"):
        grid((Choice("b", (1, 2, 3)),), 2)


@pytest.mark.parametrize(
    ("value", "text"), [(9.47e-4, "0.000947"), (1e-6, "1e-6"), (128, "128"), ([256, 64], "[256,64]"), ("relu", "relu")]
)
def test_values_as_people_read_them(value: object, text: str) -> None:
    assert written(value) == text


MOMENTUM = Range("optimizer.momentum", 0.5, 0.9, only=Only("optimizer.name", ("sgd", "rmsprop")))
OPTIMIZERS = Choice("optimizer.name", ("adam", "sgd", "rmsprop"))


def test_what_belongs_to_one_value_is_drawn_with_that_alone() -> None:
    space = (OPTIMIZERS, MOMENTUM, Range("optimizer.lr", 1e-3, 1e-1, log=True))
    free = (OPTIMIZERS, Range("optimizer.momentum", 0.5, 0.9), space[2])
    for number in range(50):
        point, all_of_it = draw(space, str(number)), draw(free, str(number))
        assert ("optimizer.momentum" in point) == (point["optimizer.name"] != "adam")
        assert point == {key: all_of_it[key] for key in point}  # and what else is drawn stays as it was


def test_a_grid_takes_what_is_one_point_once() -> None:
    points = grid((OPTIMIZERS, MOMENTUM), 6)
    assert [tuple(point.values()) for point in points] == [
        ("adam",),
        ("sgd", 0.5),
        ("sgd", 0.9),
        ("rmsprop", 0.5),
        ("rmsprop", 0.9),
    ]


def bound(text: str, **base: object) -> dict[str, tuple[object, ...] | None]:
    """With what each setting of a space is searched."""
    settings = {key.replace("__", "."): value for key, value in base.items()}
    space = fitted(space_of(text), Recipe().changed(settings))
    return {each.key.partition(".")[2]: each.only and each.only.values for each in space}


def test_settings_are_bound_to_what_takes_them() -> None:
    """What torch.optim, the zoo, the schedules and the losses take, asked of them and written nowhere else."""
    assert bound("opt=adam|sgd|rmsprop, momentum=0.5..0.9, nesterov=true|false, lr=1e-3..1 log") == {
        "name": None,
        "momentum": ("sgd", "rmsprop"),
        "nesterov": ("sgd",),  # although it needs a momentum, which is in the space too
        "lr": None,
    }
    assert bound("opt=adam|lbfgs, weight-decay=1e-6..1e-2 log") == {"name": None, "weight_decay": ("adam",)}
    assert bound("net=linear|mlp, hidden=[32]|[64], dropout=0..0.5") == {
        "name": None,
        "hidden": ("mlp",),
        "dropout": ("mlp",),
    }
    assert bound("schedule=step|cosine, schedule.every=2..4, warmup=0.0..2.0")["every"] == ("step",)
    assert bound("loss=cross-entropy|hinge, label_smoothing=0.01..0.2")["label_smoothing"] == ("cross-entropy",)
    assert bound("regularise.average=none|ema, ema_decay=0.9..0.99")["ema_decay"] == ("ema",)
    assert bound("momentum=0.5..0.9") == {"momentum": None}  # the data choose the optimiser
    assert bound("momentum=0.5..0.9", optimizer__name="sgd") == {"momentum": None}


@pytest.mark.parametrize(
    ("text", "base", "words"),
    [
        ("lr=foo|1e-3", {}, "'foo'"),
        ("dropout=0..2", {}, "number ≥ 0 and ≤ 1"),
        ("batch-size=16.5..64", {}, "whole number"),
        ("momentum=0.5..0.9", {"optimizer__name": "adam"}, "adam takes no momentum"),
        ("opt=adam|adamw, momentum=0.5..0.9", {}, "adam takes no momentum"),
        ("net=mpl|linear", {}, "did you mean 'mlp'"),
        ("dropout=0..0.5", {"net__name": "linear"}, "the net linear has no dropout"),
        ("seed=1..9, data.target=a|b", {}, "2 mistakes"),
    ],
)
def test_a_space_that_no_trial_could_have_is_refused_at_once(text: str, base: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as told:
        bound(text, **base)
    assert words in told.value.message()
