"""The whole of a search. Read it downward.

recipe + space -> stages of trials, coarse to fine -> finalists with fresh seeds -> winner -> search folder
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.data.dataset import Data
from glassnet.data.readers.in_memory import Given, data_given
from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown
from glassnet.files import make_folder, write_file
from glassnet.hyperparameters.asked import (
    TOGETHER,
    Found,
    Search,
    Stage,
    figure_of,
    final_trainings,
    planned_epochs,
    settled,
)
from glassnet.hyperparameters.clock import Clock
from glassnet.hyperparameters.coarse_to_fine import coarse_to_fine
from glassnet.hyperparameters.finals import crown, finals
from glassnet.hyperparameters.folder import asked_before, new_folder, plain, reopened, words_of
from glassnet.hyperparameters.own import Maker
from glassnet.hyperparameters.side_by_side import crew_for
from glassnet.hyperparameters.spaces import fitted, space_of
from glassnet.hyperparameters.together import together
from glassnet.hyperparameters.under_way import UnderWay
from glassnet.hyperparameters.words import plan_told
from glassnet.plots.searches import draw_search
from glassnet.reading import anchored, divide, read_data
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import OWN_NET, check
from glassnet.resolve import resolve
from glassnet.searching import Space, Trial
from glassnet.searching.space import grid
from glassnet.searching.study import check_names
from glassnet.story import Teller

LEAST = {"finalists": 0, "repeats": 0, "jobs": 1, "threads": 1, "budget": 0.0}


def run(
    search: Search,
    folder: Path,
    *,
    net: Maker | None = None,
    data: Data | None = None,
    tell: Teller = lambda text: None,
    seen: Callable[[Trial, int, str], None] = lambda trial, planned, figure: None,
    stop: Callable[[], bool] = lambda: False,
) -> Found:
    """Search, or go on with a search that was stopped or killed in this folder.

    Args:
        search: what it is decided by; of an interrupted one, what :func:`reopened` returns.
        folder: where everything is written.
        net: what makes the network, where it is the user's own.
        data: not divided, where they are given and not named.
        tell: called with every sentence for people.
        seen: called with every trial as it ends, how many its stage has, and the name of the figure, such as ``accuracy``.
        stop: asked often; True ends, and the same call goes on later.

    Raises:
        GlassnetError: the data cannot be read, or the settings do not go together.
    """
    begun, recipe = time.monotonic(), anchored(search.recipe)
    if search.recipe.data.folds or search.recipe.ensemble.members > 1 or search.recipe.ensemble.of:
        raise UsageError(
            "a search tries single trainings",
            where="--folds, --members",
            fix="search first, then train with what was found",
        )
    check(recipe)
    check_names(search.method, search.pruner)
    if search.together not in TOGETHER:
        raise unknown("way", search.together, TOGETHER, where="--together")
    if search.cluster and search.together != "auto":
        raise UsageError(
            "trials on a cluster are made in processes of it",
            where="--together, --cluster",
            got=f"{search.together}, {search.cluster}",
            fix="leave out one of the two",
        )
    if search.space:  # told now, and not when the data are read and speeds measured
        space = fitted(search.space, recipe)
        for stage in (search.stages or ()) if search.method == "grid" else ():
            grid(space, stage.trials)
    if recipe.net.name == OWN_NET and net is None:
        raise UsageError(
            "this search's network is of your own",
            where="net.name",
            fix="glassnet.search(..., net=YourNet, out=folder)",
        )
    make_folder(folder)
    whole, data = data, read_data(recipe) if data is None else divide(data, recipe)
    if not (folder / "search.json").exists():
        write_file(folder / "asked.json", words_of(search))
    search, base = settled(replace(search, recipe=recipe), data, net)
    write_file(folder / "base.toml", base.to_toml())
    config: dict[str, Any] = {"recipe": str(folder / "base.toml"), "folder": str(folder), "figure": figure_of(data)}
    config |= {"net": net, "data": whole} if net is not None or whole is not None else {}
    epochs = epochs_of(base, data)
    crew, ways = crew_for(search, config, epochs=planned_epochs(search, epochs), tell=tell)
    with crew:
        search = replace(search, jobs=ways[0].jobs, threads=ways[0].threads)
        base = base.changed({"train.threads": ways[0].threads})
        write_file(folder / "base.toml", base.to_toml())
        write_file(folder / "search.json", json.dumps(plain(search), indent=1))
        clock = Clock(
            search.budget,
            whole=epochs,
            jobs=crew.jobs,
            finals=final_trainings(search),
            winner=search.winner,
            begun=begun,
        )
        way = UnderWay(search, base, data, epochs, crew, clock, Found(folder), tell, seen, stop, net, whole)
        for line in plan_told(search, base, len(data.train), ways):
            tell(line)
        coarse_to_fine(way)
        if not way.found.stopped:
            finals(way)
    if search.winner and not way.found.stopped:
        crown(way)
        if not way.found.stopped:
            together(way)
    if not way.found.stopped:
        draw_search(folder)
    return way.found


def search(
    data: str | Path | Given,
    net: str | Maker = "auto",
    *,
    space: str | Space | None = None,
    out: str | Path | None = None,
    recipe: Recipe | str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    tell: Teller = lambda text: None,
    **how: Any,
) -> Found:
    """Search for settings that do better than those chosen by the data, as ``glassnet search`` does.

    Args:
        data: a path, a name such as ``digits``, or data as :func:`glassnet.train` takes them.
        net: the name of a net of the zoo; or, of your own, a class or function that makes a module, called for every trial with what ``net.…`` of the recipe and
            the space say (``space="net.width=16..128 log"`` calls ``net(width=40)``), or a module, of whose weights every trial begins with a copy. With a network or data that are
            not named, trials are made one after the other in this process; ``jobs=2`` makes them in others, for which the script needs its
            ``if __name__ == "__main__":``.
        space: ``"lr=1e-6..1e-3 log, dropout=0..0.7"``, a TOML file, or parameters; chosen by the net without it.
        out: the search folder, a new one or one to go on with; the next free ``searches/NAME-N`` without it.
        recipe: what stays the same in all trials, or the path of its file.
        settings: recipe values by dotted key that stay the same.
        tell: called with every sentence.
        **how: further attributes of :class:`Search`, such as ``method="tpe"``, ``stages=((24, 5), (12, 10))`` of trials and epochs, ``budget=600``.

    Raises:
        GlassnetError: with where, what was given, what was expected and how to mend it.
    """
    start = recipe if isinstance(recipe, Recipe) else Recipe.from_toml(Path(recipe)) if recipe else Recipe()
    how = _understood(how)
    opened = None if isinstance(data, str | Path) else data_given(data)
    own = None if isinstance(net, str) else net
    named = {
        "data.path": str(data) if opened is None else opened.origin,
        "net.name": OWN_NET if own is not None else net,
    }
    asked = Search(
        start.changed({**named, **(settings or {})}),
        space=space_of(space) if isinstance(space, str) else space,
        **how,
    )
    folder = new_folder(asked.recipe) if out is None else Path(out)
    again = (folder / "search.json").exists()
    if again and not asked_before(asked, folder):
        raise UsageError(
            "there is another search in this folder already",
            where=folder,
            fix="choose another out, or ask for the same: then that search goes on",
        )
    return run(reopened(folder) if again else asked, folder, net=own, data=opened, tell=tell)


def _understood(how: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a search as somebody writes them: stages may be pairs (trials, epochs).

    Raises:
        UsageError: unknown names, with the nearest, and values that cannot be; all at once.
    """
    known = [name for name in Search.__dataclass_fields__ if name not in ("recipe", "space")]
    mistakes: list[GlassnetError] = [unknown("argument of a search", name, known) for name in how if name not in known]
    for name, least in LEAST.items():
        value = how.get(name)
        if value is not None and not (isinstance(value, int | float) and value >= least):
            mistakes.append(
                UsageError("this cannot be", where=name, got=repr(value), expected=f"a number, {least} or more")
            )
    given = dict(how)
    if how.get("stages") is not None:
        try:
            given["stages"] = tuple(each if isinstance(each, Stage) else Stage(*each) for each in how["stages"])
            fits = all(isinstance(n, int) and n > 0 for stage in given["stages"] for n in (stage.trials, stage.epochs))
        except TypeError:
            fits = False
        if not fits:
            told = "pairs (trials, epochs) above zero, such as ((24, 5), (12, 10))"
            mistakes.append(UsageError("these are no stages", where="stages", got=repr(how["stages"]), expected=told))
    if mistakes:
        raise all_at_once(mistakes)
    return given


def epochs_of(base: Recipe, data: Data) -> int:
    """Epochs of a whole training by a recipe."""
    resolved, _ = resolve(base, data)
    return int(resolved.train.epochs)
