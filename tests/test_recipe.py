"""The recipe: the same value from TOML, from dotted keys and in Python; mistakes told all at once with the nearest spelling."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from glassnet.errors import UsageError
from glassnet.recipe import Recipe, describe, known_keys, parse_value
from glassnet.recipe_mistakes import check
from glassnet.training.averaging import AVERAGES
from glassnet.training.losses import LOSSES
from glassnet.training.optimizers import OPTIMIZERS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OPTIONS = st.dictionaries(TEXT.filter(lambda name: name not in {"name", "init", "options"}), PLAIN, max_size=3)
POSITIVE = st.floats(min_value=1e-300, max_value=1e300)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    """Recipes with all kinds of values."""
    return {
        "data": {"path": draw(TEXT), "target": draw(st.none() | TEXT), "image_size": draw(st.none() | st.integers(1))},
        "augment": {"flip": draw(st.none() | st.booleans()), "scale_crop": draw(st.none() | st.tuples(POSITIVE, POSITIVE))},
        "net": {"name": draw(TEXT), "options": draw(OPTIONS)},
        "optimizer": {"lr": draw(POSITIVE | st.sampled_from(["auto", "find"]))},
        "schedule": {"options": draw(OPTIONS.filter(lambda options: "warmup" not in options))},
        "regularise": {"on": draw(st.lists(TEXT, max_size=3)), "l2": draw(POSITIVE)},
        "stop": {"patience": draw(st.integers(1) | st.sampled_from(["auto", "never"]))},
        "train": {"seed": draw(st.integers(0, 2**32 - 1)), "epochs": draw(st.integers(1, 10**9) | st.just("auto"))},
    }  # fmt: skip


@given(trees(), TEXT)
def test_a_recipe_written_as_toml_reads_back_equal_whatever_it_holds(tree: dict[str, Any], reason: str) -> None:
    recipe = Recipe.from_tree(tree)
    text = recipe.to_toml({"train.seed": reason, "net.name": reason})
    assert Recipe.from_tree(tomllib.loads(text)) == recipe


def test_a_recipe_file_reads_back_equal(tmp_path: Path) -> None:
    recipe = Recipe().changed({"optimizer.lr": 0.1 + 0.2, "net.name": "mlp", "net.hidden": [256, 64]})
    (tmp_path / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    again = Recipe.from_toml(tmp_path / "recipe.toml")
    assert again == recipe
    assert again.optimizer.lr == 0.30000000000000004, "the shortest text that is the same number"
    assert again.net.options == {"hidden": [256, 64]}


def test_the_default_recipe_reads_back_and_every_section_is_shown() -> None:
    text = Recipe().to_toml()
    assert Recipe.from_tree(tomllib.loads(text)) == Recipe()
    assert set(tomllib.loads(text)) == set(Recipe.model_fields)


def test_reasons_stand_beside_their_values_on_the_same_line() -> None:
    text = Recipe().to_toml({"net.name": "the images are\nsmall"})
    assert 'name = "auto"  # the images are small' in text.splitlines()


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Recipe().train.epochs = 3  # type: ignore[misc]


def test_changing_a_recipe_leaves_the_first_as_it_was() -> None:
    before = Recipe()
    after = before.changed({"train.epochs": 3, "net.hidden": [1]})
    assert (before.train.epochs, before.net.options) == ("auto", {})
    assert (after.train.epochs, after.net.options) == (3, {"hidden": [1]})


def test_a_later_change_of_an_open_key_replaces_the_earlier_one() -> None:
    recipe = Recipe().changed({"net.hidden": [1]}).changed({"net.hidden": [2], "net.act": "tanh"})
    assert recipe.net.options == {"hidden": [2], "act": "tanh"}


def told(settings: dict[str, Any]) -> str:
    with pytest.raises(UsageError) as error:
        Recipe().changed(settings, where="here")
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("optimizer.lrr", "optimizer.lr"),
        ("train.epoch", "train.epochs"),
        ("optimiser.lr", "optimizer.lr"),
        ("regularize.l2", "regularise.l2"),
        ("optimizer.lr.deep", "optimizer.lr"),
        ("epochs", "train.epochs"),
        ("data.vall", "data.val"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_spelling(key: str, meant: str) -> None:
    message = told({key: 1})
    assert f"unknown recipe key '{key}'" in message
    assert f"did you mean '{meant}'?" in message
    assert "here" in message


def test_an_unknown_section_in_a_file_is_told_with_the_nearest_spelling() -> None:
    with pytest.raises(UsageError, match=r"unknown recipe key 'optimiser'[\s\S]*did you mean 'optimizer'\?"):
        Recipe.from_tree({"optimiser": {"lr": 1}})


def test_all_mistakes_are_told_at_once_in_one_list() -> None:
    message = told({"nonsense": 1, "train.epoch": 3, "train.epochs": 0, "optimizer.lr": "fast", "clip.norm": -1})
    assert message.startswith("5 mistakes:")
    assert message.count("mistakes:") == 1
    for key in ("'nonsense'", "'train.epoch'", "'train.epochs'", "'optimizer.lr'", "'clip.norm'"):
        assert key in message


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("train.epochs", 0, "a whole number ≥ 1 or auto"),
        ("train.epochs", 2.5, "a whole number ≥ 1 or auto"),
        ("optimizer.lr", 0, "a number > 0 or auto or find"),
        ("optimizer.lr", math.inf, "a number > 0 or auto or find"),
        ("optimizer.lr", math.nan, "a number > 0 or auto or find"),
        ("data.val_fraction", 1.5, "a number > 0 and < 1 or auto"),
        ("augment.flip", "perhaps", "true or false"),
        ("train.seed", 2**32, "a whole number ≥ 0 and < 4,294,967,296"),
        ("train.precision", "float16", "auto or float32 or bfloat16"),
        ("data.path", 3, "a text"),
        ("optimizer.betas", [0.9], "a list or table"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_given_and_what_is_right(key: str, value: Any, expected: str) -> None:
    message = told({key: value})
    assert f"wrong value for '{key}'" in message
    assert f"expected: {expected}" in message
    assert "mistakes" not in message, "one mistake is told once"


@pytest.mark.parametrize("tree", [{"train": 3}, {"net": [1]}, {"data": "mnist"}])
def test_a_value_in_the_place_of_a_section_is_told(tree: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"'{next(iter(tree))}' must be a table"):
        Recipe.from_tree(tree)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read the recipe"),
        (b"[train", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
        (b"a = " + b"[" * 5000, "not valid TOML"),
        (b"[train]\nepochs = 1\nepochs = 2", "not valid TOML"),
    ],
)
def test_a_file_that_is_no_recipe_is_told(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "recipe.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=problem) as error:
        Recipe.from_toml(path)
    assert error.value.where == str(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3.0", 3.0),
        ("1e-3", 0.001),
        ("true", True),
        ("[256,64]", [256, 64]),
        ('"3"', "3"),
        ("adam", "adam"),
        ("{ a = 1 }", {"a": 1}),
        ("", ""),
        ("C:\\data", "C:\\data"),
        ("2020-01-01", "2020-01-01"),
        ("12:30:00", "12:30:00"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_values_are_read_as_toml_where_they_are_toml_and_else_as_text(text: str, value: Any) -> None:
    read = parse_value(text)
    assert read == value
    assert type(read) is type(value)


def test_the_description_covers_every_key_with_words_and_a_default_that_is_valid() -> None:
    described = list(describe())
    assert [key for key, _, _ in described] == known_keys()
    assert all(meaning for _, meaning, _ in described)
    for key, _, default in described:
        if default is not None:
            assert Recipe().changed({key: default}) == Recipe(), key


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer.name": "adam", "optimizer.momentum": 0.9}, "adam takes no momentum"),
        ({"optimizer.name": "lbfgs", "optimizer.weight_decay": 0.1}, "lbfgs has no weight decay"),
        ({"regularise.average": "swa", "regularise.ema_decay": 0.9}, "the average swa has no ema_decay"),
        ({"regularise.average": "none", "regularise.average_from": 0.5}, "--average swa or polyak"),
        ({"loss.name": "hinge", "loss.label_smoothing": 0.1}, "the loss hinge smooths no labels"),
        ({"loss.name": "squared", "loss.j": 2.0}, "the loss squared has no j"),
    ],
)
def test_what_would_do_nothing_is_refused_before_data_are_read(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as told:
        check(Recipe().changed(settings))
    assert words in told.value.message()


@given(st.sampled_from(sorted(OPTIMIZERS)), st.sampled_from(sorted(LOSSES)), st.sampled_from(AVERAGES))
def test_names_alone_are_never_refused(optimizer: str, loss: str, average: str) -> None:
    check(Recipe().changed({"optimizer.name": optimizer, "loss.name": loss, "regularise.average": average}))
