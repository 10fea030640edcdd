"""Training the members of an ensemble: ordinary runs in folders within the run, and then all of them as one model (requirement E)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from glassnet import story
from glassnet.cores import cores
from glassnet.data.dataset import Data
from glassnet.joining import ensemble
from glassnet.layer_table import layer_table
from glassnet.members.joined import join
from glassnet.members.side_by_side import side_by_side
from glassnet.model import Model, load
from glassnet.reading import anchored, divide, opened
from glassnet.recipe import Recipe
from glassnet.resolve import check
from glassnet.runs import Recorder, RunFolder, recording
from glassnet.story import Listener, Result, Teller
from glassnet.training.execution import choose_device, machine

WORTH_TELLING = (
    "  warning",
    "going on",
    "checkpoint",
)  # beginnings of what is told of every member, and not of the first alone


def run(
    recipe: Recipe,
    folder: RunFolder,
    *,
    net: nn.Module | None = None,
    data: Data | None = None,
    listen: Listener = lambda event: None,
    tell: Teller = lambda text: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """As :func:`glassnet.story.run`, for every recipe; goes on with what it finds in the folder, and trains no member twice.

    The members differ in their seed alone: weights, order, augmentation and dropout. They are trained on the same parts of the same data, by what
    was resolved for the first of them, and none of them looks at the test part.

    Raises:
        GlassnetError: of the kind that fits.
    """
    if recipe.ensemble.of:
        return join(recipe, folder, tell=tell)
    if recipe.ensemble.members == 1:
        return story.run(recipe, folder, net=net, data=data, listen=listen, tell=tell, stop=stop)
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
    story.begin(data, recorder, tell)
    workers, threads = shared_out(recipe, own=net is not None or given is not None)
    recipe = recipe.changed(
        {
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
    how = f"{workers} at a time, each on one thread" if workers > 1 else "one after the other"
    tell(f"train  {settings.members} networks, {names[0]} to {first + settings.members - 1}, {how}")
    if workers > 1:
        ended = side_by_side(places, names, lambda place: member_recipe(recipe, places, place), workers, tell, stop)
    else:
        ended = in_turn(recipe, places, names, net, undivided, listen, tell, stop)
    if not ended or stop():
        return Result(folder, None, {}, data)

    of_first = Recipe.from_toml(places[0].recipe)
    whole = of_first.changed(
        {
            "ensemble.members": settings.members,
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
    return story.conclude(model, data, whole, models[0].preprocess, recorder, tell, names)


def member_recipe(recipe: Recipe, places: list[RunFolder], place: int) -> Recipe:
    """What a member is trained by: the asked recipe for the first, and what became of it, with another seed, for the others."""
    if place == 0:
        start = recipe.changed({"ensemble.members": 1, "ensemble.workers": None, "data.judge": "val"})
    else:
        start = Recipe.from_toml(places[0].recipe)
    return start.changed({"train.seed": (recipe.train.seed + place) % 2**32})


def in_turn(
    recipe: Recipe,
    places: list[RunFolder],
    names: list[str],
    net: nn.Module | None,
    data: Data,
    listen: Listener,
    tell: Teller,
    stop: Callable[[], bool],
) -> bool:
    """Train one member after the other in this process; False when asked to stop before the end."""
    for place, folder in enumerate(places):
        if folder.finished:
            continue
        tell(f"network {place + 1} of {len(places)}, {names[place]}")

        def say(text: str, first: bool = place == 0) -> None:
            if text.startswith(WORTH_TELLING) or (first and not text.startswith("data")):
                tell(text)

        chosen = member_recipe(recipe, places, place)
        module = None if net is None else drawn_anew(net, chosen.train.seed, place)
        if story.run(chosen, folder, net=module, data=data, listen=listen, tell=say, stop=stop).model is None:
            return False
    return True


def drawn_anew(net: nn.Module, seed: int, place: int) -> nn.Module:
    """A copy of a user's own module; from the second member on with new starting weights, where its layers can draw them."""
    module = copy.deepcopy(net)
    if place:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            for layer in module.modules():
                reset = getattr(layer, "reset_parameters", None)
                if callable(reset):
                    reset()
    return module


def shared_out(recipe: Recipe, *, own: bool) -> tuple[int, int | str]:
    """How many members are trained at a time, and the threads of each.

    On the CPU as many processes as there are cores, with one thread each: networks that do not wait for each other use every core all
    the time, which the threads within one operation do not. One at a time on a GPU, which one network keeps busy, and where the data or the network
    are this process's own.
    """
    asked, threads = recipe.ensemble.workers, recipe.train.threads
    if own or choose_device(recipe.train.device).type != "cpu":
        return 1, threads
    each = 1 if threads == "auto" else int(threads)
    workers = min(recipe.ensemble.members, asked or max(1, cores() // each))
    return (workers, each) if workers > 1 else (1, threads)


def finished(place: RunFolder, net: nn.Module | None) -> Model:
    """A member's model."""
    return load(Path(place.path), net=copy.deepcopy(net))
