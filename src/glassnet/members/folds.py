"""Cross-validation: a training for each fold, ordinary runs in folders within the run, and then what all of them say of the samples that they had not seen.

Every sample but those of the test part is validated on once, by a network that was not trained on it (requirement T8). Figures are those of all these answers
together, and beside them their mean and spread over the folds: what a training like this one reaches on data like these, and how much of that is chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from glassnet import story
from glassnet.data.dataset import Data, Part
from glassnet.data.split import pooled
from glassnet.evaluate import Figures, Forecast, compared_forecasts, over_folds, rivals_over_folds
from glassnet.layers.twin import twin
from glassnet.measuring import entities_in, figures_of, said_of
from glassnet.members.called import Called
from glassnet.members.several import TOLD_OF_WAYS, Several, shared_out
from glassnet.model import load
from glassnet.reading import anchored, each_fold, opened, undivided
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import check
from glassnet.report import story_of_run, write_report
from glassnet.runs import Recorder, RunFolder, recording
from glassnet.story import Listener, Result, Teller
from glassnet.training.execution import machine


def cross_validate(
    recipe: Recipe,
    folder: RunFolder,
    *,
    net: nn.Module | None,
    data: Data | None,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
) -> Result:
    """Train once for each of ``recipe.data.folds`` folds, validated on that fold, and judge all their answers together.

    All begin alike and are trained by what was resolved for the first; of a series, whose folds grow, each resolves for itself what is left open.
    Nobody looks at the test part, and no model comes out of it: each fold has its own.

    Raises:
        GlassnetError: of the kind that fits.
    """
    recipe = anchored(recipe)
    with recording(folder, recipe.to_toml()) as recorder:
        check(recipe)
        return _run(recipe, recorder, net, data, listen, tell, stop)


def _run(
    recipe: Recipe,
    recorder: Recorder,
    net: nn.Module | None,
    given: Data | None,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
) -> Result:
    folder, count = recorder.folder, recipe.data.folds
    assert count is not None
    data = opened(recipe) if given is None else given
    next(each_fold(data, recipe))  # refuses what cannot be cut, before anything is written
    whole = undivided(data, recipe)
    story.begin(whole, recorder, tell)
    way, workers, threads = shared_out(recipe, count, own=net is not None or given is not None, stacks=False)
    seed = recipe.train.seed if recipe.data.split_seed is None else recipe.data.split_seed
    recipe = recipe.changed({"train.threads": threads, "data.split_seed": seed})
    if not folder.recipe.exists():
        recorder.write_text(folder.recipe, recipe.to_toml())
    places = [RunFolder(folder.path / "folds" / str(fold)) for fold in range(1, count + 1)]
    called = [Called(f"fold {fold}", f"fold {fold} of {count}") for fold in range(1, count + 1)]
    grows = whole.schema.kind == "series"

    def recipe_of(place: int) -> Recipe:
        asked = recipe if place == 0 or grows else Recipe.from_toml(places[0].recipe)
        return asked.changed({"data.fold": place + 1, "data.judge": "val"})

    several = Several(places, called, recipe_of, lambda _: None if net is None else twin(net), data, tell)
    which = f"each on what comes before one of {count} stretches" if grows else f"each without another of {count} folds"
    tell(f"train  {count} networks, {which}, {TOLD_OF_WAYS[way].format(workers)}")
    if way == "processes":
        assert workers is not None
        ended = several.side_by_side(workers, stop)
    else:
        ended = several.in_turn(listen, stop)
    if not ended or stop():
        return Result(folder, None, {}, whole)

    tell("measuring what each network says of the fold that it has not seen")
    if not grows:
        of_first = Recipe.from_toml(places[0].recipe)
        recipe = of_first.changed({"data.fold": None, "data.judge": recipe.data.judge})
        recorder.write_text(folder.recipe, recipe.to_toml())
    recorder.write_json("environment", machine())
    recorder.write_json("net", places[0].read_json("net"))
    judged, result = _judged(recipe, data, whole, places, net)
    recorder.write_json("result", result)
    write_report(story_of_run(folder, judged), folder.report)
    return Result(folder, None, result, judged)


def _judged(
    recipe: Recipe, given: Data, whole: Data, places: list[RunFolder], net: nn.Module | None
) -> tuple[Data, dict[str, Any]]:
    """The data with all folds as one validation part, and what ``result.json`` holds."""
    said, parts, each, made = list[Tensor](), list[Part](), list[Figures](), list[Forecast]()
    series = whole.schema.kind == "series"
    for divided, place in zip(each_fold(given, recipe), places, strict=True):
        model = load(place.path, net=None if net is None else twin(net))
        answers = said_of(model, divided, "val")
        assert answers is not None, "texts and translations have no folds"
        said.append(answers)
        parts.append(divided.val)
        each.append(figures_of(model, divided, "val", answers))
        made += [Forecast(answers, divided, model.preprocess)] if series else []
    judged, together = _with_folds(whole, parts), torch.cat(said)
    rivals = [place.read_json("result")["rivals"] for place in places]
    result: dict[str, Any] = {
        "part": "val",
        "samples": len(judged.val),
        "task": judged.task,
        "figures": figures_of(model, judged, "val", together).to_json(),
        "rivals": [asdict(rival) for rival in rivals_over_folds(rivals, [part.answers for part in parts])],
        "folds": over_folds(each, rivals),
    }
    if series:
        result["forecast"] = compared_forecasts(made, "val")
    return judged, result | entities_in(together, judged, "val")


def read_folds(recipe: Recipe) -> tuple[Data, Data]:
    """The data of a cross-validation as they were told, and as they were judged: all folds, one after the other, as the validation part."""
    given = opened(recipe)
    whole = undivided(given, recipe)
    return whole, _with_folds(whole, [divided.val for divided in each_fold(given, recipe)])


def _with_folds(whole: Data, parts: list[Part]) -> Data:
    return whole.with_parts({**whole.parts, "val": pooled(parts)})
