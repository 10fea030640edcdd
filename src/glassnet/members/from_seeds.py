"""Training the members of an ensemble: ordinary runs in folders within the run, and then all of them as one model (requirement E)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from glassnet import story
from glassnet.data.dataset import Data
from glassnet.finishing import conclude
from glassnet.joining import ensemble
from glassnet.layer_table import layer_table
from glassnet.layers.twin import twin
from glassnet.members.called import Called
from glassnet.members.in_lockstep import in_lockstep
from glassnet.members.several import TOLD_OF_WAYS, Several, shared_out
from glassnet.model import Model, load
from glassnet.reading import anchored, divide, opened
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import check
from glassnet.resolve import check_together
from glassnet.runs import Recorder, RunFolder, recording
from glassnet.story import Listener, Result, Teller
from glassnet.training.execution import machine

NAMED = 5  # parameters that begin alike in all members


def train_members(
    recipe: Recipe,
    folder: RunFolder,
    *,
    net: nn.Module | None,
    data: Data | None,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
) -> Result:
    """Train the members that ``recipe.ensemble.members`` counts, and join them.

    They differ in their seed alone: weights, order, augmentation and dropout. They are trained on the same parts of the same data, by what
    was resolved for the first of them, and none of them looks at the test part.

    Raises:
        GlassnetError: of the kind that fits.
    """
    recipe = anchored(recipe)
    with recording(folder, recipe.to_toml()) as recorder:
        check(recipe)
        return _run(recipe, folder, recorder, net, data, listen, tell, stop)


def _run(
    recipe: Recipe,
    folder: RunFolder,
    recorder: Recorder,
    net: nn.Module | None,
    given: Data | None,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
) -> Result:
    settings = recipe.ensemble
    undivided = opened(recipe) if given is None else given
    data = divide(undivided, recipe)
    check_together(recipe, data)
    story.begin(data, recorder, tell)
    way, workers, threads = shared_out(recipe, settings.members, own=net is not None or given is not None)
    recipe = recipe.changed(
        {
            "ensemble.together": way,
            "ensemble.workers": workers,
            "train.threads": threads,
            "data.split_seed": recipe.train.seed if recipe.data.split_seed is None else recipe.data.split_seed,
        }
    )
    if not folder.recipe.exists():
        recorder.write_text(folder.recipe, recipe.to_toml({"ensemble.workers": "as many as there are cores"}))
    first = recipe.train.seed
    names = [f"seed {first + place}" for place in range(settings.members)]
    places = [RunFolder(folder.path / "members" / str(place + 1)) for place in range(settings.members)]
    how = TOLD_OF_WAYS[way].format(workers)
    tell(f"train  {settings.members} networks, {names[0]} to {first + settings.members - 1}, {how}")
    called = [
        Called(f"network {place + 1}", f"network {place + 1} of {len(places)}, {name}")
        for place, name in enumerate(names)
    ]

    def recipe_of(place: int) -> Recipe:
        return member_recipe(recipe, places, place)

    def net_of(place: int) -> nn.Module | None:
        return None if net is None else drawn_anew(net, recipe_of(place).train.seed, place)

    members = Several(places, called, recipe_of, net_of, undivided, tell)
    if way == "processes":
        assert workers is not None
        ended = members.side_by_side(workers, stop)
    elif way == "in-turn":
        ended = members.in_turn(listen, stop)
    else:

        def decided(stacked: bool, why: str) -> None:
            nonlocal recipe
            tell(f"train  {why}")
            recipe = recipe.changed({"ensemble.together": "stacked" if stacked else "in-turn"})
            recorder.write_text(folder.recipe, recipe.to_toml({"ensemble.together": why}))

        ended = in_lockstep(
            places, called, members.begin, measure=way == "auto", decided=decided, listen=listen, tell=tell, stop=stop
        )
    if not ended or stop():
        return Result(folder, None, {}, data)

    of_first = Recipe.from_toml(places[0].recipe)
    whole = of_first.changed(
        {
            "ensemble.members": settings.members,
            "ensemble.together": recipe.ensemble.together,
            "ensemble.workers": workers,
            "data.split_seed": recipe.data.split_seed,
            "data.judge": recipe.data.judge,
        }
    )
    recorder.write_text(folder.recipe, whole.to_toml())
    recorder.write_json("environment", machine())
    models = [finished(place, net) for place in places]
    model = ensemble(models, answer=settings.answer, validation=data.parts.get("val"))
    table = layer_table(models[0].net, models[0].preprocess.output_shape)
    recorder.write_json("net", {"table": f"each of the {len(models)} networks:\n\n{table.text(100)}", **model.net_json})
    figures = conclude(model, data, whole, models[0].preprocess, recorder, tell, names)
    return Result(folder, model, figures, data)


def member_recipe(recipe: Recipe, places: list[RunFolder], place: int) -> Recipe:
    """What a member is trained by: the asked recipe for the first, and what became of it, with another seed, for the others."""
    if place == 0:
        start = recipe.changed(
            {"ensemble.members": 1, "ensemble.workers": None, "ensemble.together": "auto", "data.judge": "val"}
        )
    else:
        start = Recipe.from_toml(places[0].recipe)
    return start.changed({"train.seed": (recipe.train.seed + place) % 2**32})


def drawn_anew(net: nn.Module, seed: int, place: int) -> nn.Module:
    """A copy of a user's own module; from the second member on with new starting weights, where its layers can draw them.

    Warns:
        UserWarning: parameters of layers without ``reset_parameters`` begin alike in all members.
    """
    module = twin(net)
    if not place:
        return module
    kept: list[str] = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for path, layer in module.named_modules():
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()
            else:
                kept += [f"{path}.{name}" if path else name for name, _ in layer.named_parameters(recurse=False)]
    if kept and place == 1:
        warnings.warn(
            f"members after the first begin with weights drawn anew by their layers' reset_parameters; these parameters have none and begin as they are: {', '.join(kept[:NAMED])}",
            stacklevel=2,
        )
    return module


def finished(place: RunFolder, net: nn.Module | None) -> Model:
    """A member's model."""
    return load(Path(place.path), net=None if net is None else twin(net))
