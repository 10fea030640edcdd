"""Training the members of an ensemble: ordinary runs in folders within the run, and then all of them as one model (requirement E)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from glassnet import story
from glassnet.cores import cores
from glassnet.data.dataset import Data
from glassnet.finishing import conclude
from glassnet.joining import ensemble
from glassnet.layer_table import layer_table
from glassnet.layers.twin import twin
from glassnet.members.in_lockstep import in_lockstep
from glassnet.members.joined import join
from glassnet.members.side_by_side import side_by_side
from glassnet.model import Model, load
from glassnet.reading import anchored, divide, opened
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import check
from glassnet.resolve import check_together
from glassnet.runs import Recorder, RunFolder, recording
from glassnet.story import Listener, Result, Teller
from glassnet.training.execution import choose_device, machine, process_kept
from glassnet.training.lockstep import Training, to_its_end

NAMED = 5  # parameters that begin alike in all members
WORTH_TELLING = (
    "  warning",
    "going on",
    "checkpoint",
)  # beginnings of what is told of every member, and not of the first alone
TOLD_OF_WAYS = {
    "processes": "{} at a time, each on one thread",
    "in-turn": "one after the other",
    "stacked": "step by step together",
    "auto": "together or one after the other, as measuring will tell",
}


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
    check_together(recipe, data)
    story.begin(data, recorder, tell)
    way, workers, threads = shared_out(recipe, own=net is not None or given is not None)
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
    members = Members(recipe, places, names, net, undivided, tell)
    if way == "processes":
        assert workers is not None
        ended = side_by_side(places, names, lambda place: member_recipe(recipe, places, place), workers, tell, stop)
    elif way == "in-turn":
        ended = members.in_turn(listen, stop)
    else:

        def decided(stacked: bool, why: str) -> None:
            nonlocal recipe
            tell(f"train  {why}")
            recipe = recipe.changed({"ensemble.together": "stacked" if stacked else "in-turn"})
            recorder.write_text(folder.recipe, recipe.to_toml({"ensemble.together": why}))

        ended = in_lockstep(
            places, names, members.begin, measure=way == "auto", decided=decided, listen=listen, tell=tell, stop=stop
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


@dataclass(frozen=True)
class Members:
    """The members of an ensemble that are trained in this process.

    Attributes:
        recipe: of the ensemble.
        places: their run folders.
        names: for people.
        net: a user's own module.
        data: read, and not yet divided.
        tell: called with every sentence for people.
    """

    recipe: Recipe
    places: list[RunFolder]
    names: list[str]
    net: nn.Module | None
    data: Data
    tell: Teller

    def in_turn(self, listen: Listener, stop: Callable[[], bool]) -> bool:
        """Train one after the other; False when asked to stop before the end."""
        for place, folder in enumerate(self.places):
            if folder.finished:
                continue
            self.tell(f"network {place + 1} of {len(self.places)}, {self.names[place]}")
            with process_kept():
                result = to_its_end(self.begin(place, listen, stop, waits=False))
            if result.model is None:
                return False
        return True

    def begin(self, place: int, listen: Listener, stop: Callable[[], bool], waits: bool = True) -> Training[Result]:
        """The training of a member, as :func:`glassnet.story.running` makes it; of the first one more is told than of the others."""

        def say(text: str) -> None:
            if text.startswith(WORTH_TELLING) or (place == 0 and not text.startswith("data")):
                self.tell(text)

        chosen = member_recipe(self.recipe, self.places, place)
        module = None if self.net is None else drawn_anew(self.net, chosen.train.seed, place)
        return story.running(
            chosen, self.places[place], net=module, data=self.data, listen=listen, tell=say, stop=stop, waits=waits
        )


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


class Sharing(NamedTuple):
    """How members share the machine.

    Attributes:
        way: ``processes``, ``in-turn``, ``stacked``, or ``auto`` where measuring is to choose between the latter two.
        workers: members at a time in processes of their own; None where they are stacked, or may be.
        threads: of each.
    """

    way: str
    workers: int | None
    threads: int | str


def shared_out(recipe: Recipe, *, own: bool) -> Sharing:
    """How members are trained, how many of them at a time, and with how many threads each.

    On the CPU as many processes as there are cores, with one thread each: networks that do not wait for each other use every core all
    the time, which the threads within one operation do not. In this process on a GPU, which a small network leaves idle most of the time and a large one
    keeps busy, so that measuring decides between one pass for all and each in turn; and where the data or the network are this process's own, in turn.
    """
    settings, threads = recipe.ensemble, recipe.train.threads
    together, asked = settings.together, settings.workers
    if together == "stacked":
        return Sharing(together, None, threads)
    alone = Sharing("in-turn", 1, threads)
    on_the_cpu = choose_device(recipe.train.device).type == "cpu"
    if together == "auto" and asked != 1 and not on_the_cpu:
        return Sharing(together, None, threads)
    if together == "in-turn" or own or not on_the_cpu:
        return alone
    each = 1 if threads == "auto" else int(threads)
    workers = min(settings.members, asked or max(1, cores() // each))
    return Sharing("processes", workers, each) if workers > 1 else alone


def finished(place: RunFolder, net: nn.Module | None) -> Model:
    """A member's model."""
    return load(Path(place.path), net=None if net is None else twin(net))
