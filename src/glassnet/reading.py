"""The data that a recipe names, divided into the parts that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from glassnet.data.by_name import set_aside
from glassnet.data.dataset import Data
from glassnet.data.opening import is_there, open_data
from glassnet.data.options import ReadOptions
from glassnet.data.pair_tables import with_vocabulary
from glassnet.data.readers.arrays import FROM_ARRAYS
from glassnet.data.readers.streams import WINDOW
from glassnet.data.split import folds, pooled, split
from glassnet.data.split_stream import is_stream, split_stream
from glassnet.data.walk import shown
from glassnet.errors import GlassnetError, UsageError, all_at_once
from glassnet.recipe import Recipe


def anchored(recipe: Recipe) -> Recipe:
    """The same recipe with the paths that exist made absolute, so that it can be resumed from anywhere."""
    settings = {
        f"data.{name}": str(Path(path).resolve())
        for name in ("path", "val", "test")
        if (path := getattr(recipe.data, name)) and is_there(Path(path))
    }
    if recipe.net.pretrained and is_there(Path(recipe.net.pretrained)):
        settings["net.pretrained"] = str(Path(recipe.net.pretrained).resolve())
    return recipe.changed(settings)


def read_data(recipe: Recipe) -> Data:
    """The data that a recipe names, divided into parts."""
    return divide(opened(recipe), recipe)


def opened(recipe: Recipe) -> Data:
    """The data that a recipe names, in the parts that they come in."""
    if recipe.data.path == FROM_ARRAYS and not is_there(Path(FROM_ARRAYS)):
        raise UsageError(
            "these data were given as arrays, which are not kept",
            where="data.path",
            fix="give them again, from Python: data=(inputs, targets)",
        )
    data = open_data(recipe.data.path, _options(recipe, val=recipe.data.val, test=recipe.data.test))
    _refuse_unheeded(recipe, data)
    return data


def _refuse_unheeded(recipe: Recipe, data: Data) -> None:
    """Refuse what these data cannot heed, instead of learning something else than was asked for.

    Raises:
        UsageError: values are asked of classes or the other way round, or steps where there is no series; all at once.
    """
    settings, mistakes = recipe.data, list[GlassnetError]()
    if settings.task in ("classes", "values") and data.task != settings.task:
        mistakes.append(
            UsageError(
                f"these data have no {settings.task} to learn",
                where="data.task",
                got=settings.task,
                expected=f"{data.task}, as {shown(recipe.data.path)} gives",
                fix="leave out --task",
            )
        )
    steps = [name for name in ("window", "horizon") if getattr(settings, name) is not None]
    if steps and data.schema.kind != "series":
        flags = " and ".join(f"--{name}" for name in steps)
        mistakes.append(
            UsageError(
                f"only a series has steps, and these are {data.schema.kind} data",
                where=", ".join(f"data.{name}" for name in steps),
                got=" and ".join(str(getattr(settings, name)) for name in steps),
                fix=f"leave out {flags}",
            )
        )
    if mistakes:
        raise all_at_once(mistakes)


def divide(data: Data, recipe: Recipe) -> Data:
    """Training, validation and test parts; what the files gave is kept."""
    settings = recipe.data
    if is_stream(data):
        return _divide_stream(data, recipe)
    if settings.folds is None and settings.fold is None:
        whole = _split(data, recipe)
        return with_vocabulary(whole) if data.task == "translation" else whole
    if settings.folds is None or settings.fold is None:
        which = "folds" if settings.folds is None else "fold"
        raise UsageError(
            "one training is of one fold",
            where=f"data.{which}",
            got="nothing",
            expected="data.folds, into how many, and data.fold, which of them, from 1",
            fix="say both; glassnet train --folds N trains every fold",
        )
    if settings.fold > settings.folds:
        raise UsageError(
            "there is no such fold", where="data.fold", got=settings.fold, expected=f"1 to {settings.folds}"
        )
    return next(islice(each_fold(data, recipe), settings.fold - 1, None))


def each_fold(data: Data, recipe: Recipe) -> Iterator[Data]:
    """What is not the test part, divided once for each of ``recipe.data.folds`` folds, which is then the validation part.

    Raises:
        UsageError: such data have no folds.
    """
    settings = recipe.data
    assert settings.folds is not None, "who asks for folds says how many"
    if is_stream(data):
        _divide_stream(data, recipe)
    if data.task == "translation":
        raise UsageError(
            "translations are not divided into folds", where="data.folds", got=settings.folds, fix="leave out --folds"
        )
    return folds(_split(data, recipe), settings.folds, _seed(recipe))


def undivided(data: Data, recipe: Recipe) -> Data:
    """What folds are cut from as one training part, beside the test part; a series as it is divided without folds, since its windows overlap."""
    whole = _split(data, recipe)
    if whole.schema.kind == "series":
        return whole
    pool = pooled([whole.parts[name] for name in ("train", "val") if name in whole.parts])
    left = {"test": whole.parts["test"]} if "test" in whole.parts else {}
    told = f"For cross-validation training and validation parts are pooled, and these {len(pool):,} samples cut into {recipe.data.folds} folds."
    return whole.with_parts({"train": pool, **left}, told)


def _split(data: Data, recipe: Recipe) -> Data:
    settings = recipe.data
    return split(
        set_aside(data, settings.test_names),
        val=None if settings.val_fraction == "auto" else settings.val_fraction,
        test=None if settings.test_fraction == "auto" else settings.test_fraction,
        seed=_seed(recipe),
    )


def _seed(recipe: Recipe) -> int:
    return recipe.train.seed if recipe.data.split_seed is None else recipe.data.split_seed


def _divide_stream(data: Data, recipe: Recipe) -> Data:
    """One long text, cut in its own order."""
    settings, steps = recipe.data, recipe.train.through_time
    if settings.folds is not None:
        raise UsageError("one long text has no folds", where="data.folds", got=settings.folds, fix="leave out --folds")
    return split_stream(
        data,
        val=None if settings.val_fraction == "auto" else settings.val_fraction,
        test=None if settings.test_fraction == "auto" else settings.test_fraction,
        window=steps or WINDOW,
    )


def read_other(path: str, recipe: Recipe) -> Data:
    """Other data as the test part of the recipe's own, so that classes and columns are read alike and must agree.

    Raises:
        DataError: they have other inputs or classes.
    """
    return open_data(recipe.data.path, _options(recipe, val=None, test=path))


def _options(recipe: Recipe, *, val: str | None, test: str | None) -> ReadOptions:
    settings = recipe.data
    return ReadOptions(
        target=settings.target,
        task="auto" if settings.task == "language" or settings.task == "translation" else settings.task,
        sequence=settings.task if settings.task == "language" or settings.task == "translation" else None,
        image_size=settings.image_size,
        tokens=settings.tokens or "auto",
        text=settings.text,
        time=settings.time,
        window=settings.window,
        horizon=settings.horizon,
        val=val,
        test=test,
    )
