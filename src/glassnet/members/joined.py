"""Finished runs joined into one: as a run of its own where they were trained on the same parts of the same data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from glassnet import story
from glassnet.data.fingerprint import fingerprint_of
from glassnet.errors import DataError, GlassnetError, all_at_once
from glassnet.finishing import conclude
from glassnet.joining import ensemble
from glassnet.model import Model, load
from glassnet.reading import read_data
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder, open_run, recording
from glassnet.story import Result, Teller
from glassnet.training.execution import machine


def agree_on_data(paths: Sequence[str]) -> str | None:
    """Why the runs have no part of the data that all of them left alone, in words; None where they have."""
    prints: dict[str, str] = {}
    for path in paths:
        if not os.path.exists(Path(path) / "recipe.toml"):  # noqa: PTH110 - Path.exists raises where a name is too long
            return f"{path} is a model without a run, and nobody knows what it was trained on"
        prints[path] = str(open_run(path).read_json("data").get("fingerprint"))
    if len(set(prints.values())) > 1:
        other = next(path for path in paths if prints[path] != prints[paths[0]])
        return f"{other} was trained on other parts of the data than {paths[0]}"
    return None


def recipe_of(paths: Sequence[str], answer: str) -> Recipe:
    """The recipe that joins these runs: the data and their division are the first one's."""
    first = Recipe.from_toml(open_run(paths[0]).recipe)
    division = first.train.seed if first.data.split_seed is None else first.data.split_seed
    return Recipe(data=first.data).changed(
        {
            "data.split_seed": division,
            "data.judge": "test",
            "net.name": first.net.name,
            "preprocess.name": first.preprocess.name,
            "train.seed": first.train.seed,
            "ensemble.of": tuple(str(Path(path).resolve()) for path in paths),
            "ensemble.answer": answer,
        }
    )


def name_of(path: Path) -> str:
    """What a run is called among others: its folder's name, for a member with that of its ensemble."""
    return "/".join(path.parts[-3:]) if path.parent.name == "members" else path.name


def opened_models(paths: Sequence[str]) -> list[Model]:
    """The models of finished runs.

    Raises:
        GlassnetError: some have none; all of them at once.
    """
    models, mistakes = list[Model](), list[GlassnetError]()
    for path in paths:
        try:
            models.append(load(path))
        except GlassnetError as error:
            mistakes.append(error)
    if mistakes:
        raise all_at_once(mistakes)
    return models


def join(recipe: Recipe, folder: RunFolder, *, tell: Teller = lambda text: None) -> Result:
    """Join the finished runs that ``recipe.ensemble.of`` names into a run folder of their own, and measure what that gains.

    Raises:
        DataError: they were not trained on the same parts of the same data, so that no figure of them all means anything.
        ModelError: they do not fit each other.
    """
    paths = recipe.ensemble.of
    if why := agree_on_data(paths):
        raise DataError(
            "these runs have no test part in common",
            where="ensemble.of",
            got=why,
            fix="glassnet ensemble RUN RUN --out FOLDER joins them all the same, without figures",
        )
    with recording(folder, recipe.to_toml()) as recorder:
        models = opened_models(paths)
        names = [name_of(Path(path)) for path in paths]
        data = read_data(recipe)
        model = ensemble(models, answer=recipe.ensemble.answer, validation=data.parts.get("val"))
        if fingerprint_of(data) != open_run(paths[0]).read_json("data")["fingerprint"]:
            raise DataError(
                "the data have changed since these runs were made",
                where=recipe.data.path,
                fix="put the data back as they were, or train the runs again",
            )
        story.begin(data, recorder, tell)
        tell(f"join   {len(models)} finished networks: {', '.join(names)}")
        recorder.write_text(folder.recipe, recipe.to_toml())
        recorder.write_json("environment", machine())
        recorder.write_json("net", {"table": "", **model.net_json})
        figures = conclude(model, data, recipe, models[0].preprocess, recorder, tell, names)
        return Result(folder, model, figures, data)
