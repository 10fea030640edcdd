"""Training from Python: the same story as the command line, with a network or arrays of your own if you like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from glassnet import checkup
from glassnet.data.dataset import Data
from glassnet.data.readers.in_memory import Given, data_given
from glassnet.errors import UsageError
from glassnet.events import Checked, Event
from glassnet.members import run
from glassnet.recipe import Recipe, key_of, run_name
from glassnet.recipe_mistakes import OWN_NET
from glassnet.runs import new_run, open_run
from glassnet.story import Result


def train(
    data: str | Path | Given,
    net: str | nn.Module = "auto",
    *,
    out: str | Path | None = None,
    recipe: Recipe | str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    listen: Callable[[Event], None] = lambda event: None,
    **short: Any,
) -> Result:
    """Train a network, and keep everything in a run folder.

    Args:
        data: a path, a name such as ``digits``, an opened data set, a pair of arrays (inputs, targets) with the samples along the first dimension, a ``torch.utils.data.Dataset`` of
            pairs, or a dict of parts, such as ``{"train": (x, y), "val": (x, y)}``. uint8 inputs of 3 or 4 dimensions are images; whole-number or text targets are classes.
        net: the name of a net of the zoo, or a module of your own that maps a batch of preprocessed inputs to logits or values. Of several members
            the first begins with the module's weights, the others with weights drawn anew by its layers' ``reset_parameters``.
        out: the run folder; the next free ``runs/NAME-N`` without it.
        recipe: to start from, or the path of its file.
        settings: recipe values by dotted key, such as ``{"optimizer.lr": 0.01}``.
        listen: called with every event as it happens.
        **short: recipe values by the last part of their key, where that is unambiguous: ``epochs=5, lr=0.01, seed=1``;
            ``members=5`` or ``snapshots=5`` for an ensemble.

    Returns:
        The run folder, the model and the figures.

    Raises:
        GlassnetError: with where, what was given, what was expected and how to mend it.
    """
    chosen, opened = _chosen(data, net, recipe, settings, short)
    folder = new_run(run_name(chosen), None if out is None else str(out))
    return run(chosen, folder, net=net if isinstance(net, nn.Module) else None, data=opened, listen=listen)


def check(
    data: str | Path | Given,
    net: str | nn.Module = "auto",
    *,
    only: str | Sequence[str] = (),
    out: str | Path | None = None,
    recipe: Recipe | str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    listen: Callable[[Event], None] = lambda event: None,
    **short: Any,
) -> list[Checked]:
    """Check a training before it begins, as ``glassnet check`` does; takes what :func:`train` takes and changes nothing.

    For a network with batches and a plan of your own there is :func:`glassnet.checks.run_checks`.

    Args:
        data: as in :func:`train`.
        net: likewise.
        only: ids of the checks wanted, such as ``["initial-loss", "lr-bracket"]``; all nine without it.
        out: a folder for the evidence; nothing is written without it.
        recipe: to start from, or the path of its file.
        settings: recipe values by dotted key.
        listen: called with every result as it comes.
        **short: recipe values by the last part of their key.

    Returns:
        What each check found, in order; the last one is the one that failed, if any did.

    Raises:
        GlassnetError: with where, what was given, what was expected and how to mend it.
    """
    chosen, opened = _chosen(data, net, recipe, settings, short)
    module = net if isinstance(net, nn.Module) else None
    found: list[Checked] = []
    for checked in checkup.run(
        chosen,
        net=module,
        data=opened,
        only=(only,) if isinstance(only, str) else only,
        folder=None if out is None else Path(out),
    ):
        found.append(checked)
        listen(checked)
    return found


def resume(
    path: str | Path,
    *,
    net: nn.Module | None = None,
    data: Given | None = None,
    listen: Callable[[Event], None] = lambda event: None,
) -> Result:
    """Go on with a run that was stopped, bit for bit.

    Args:
        path: the run folder.
        net: the module, where the run trains one of your own; its weights are taken from the checkpoint.
        data: the data again, where the run was given arrays or an opened data set.
        listen: called with every event.
    """
    folder = open_run(str(path))
    recipe = Recipe.from_toml(folder.recipe if folder.recipe.exists() else folder.asked)
    opened = None if data is None else data_given(data)
    return run(recipe, folder, net=net, data=opened, listen=listen)


def _chosen(
    data: str | Path | Given,
    net: str | nn.Module,
    recipe: Recipe | str | Path | None,
    settings: Mapping[str, Any] | None,
    short: Mapping[str, Any],
) -> tuple[Recipe, Data | None]:
    """The recipe that the arguments mean, and the data where they are given and not named."""
    start = recipe if isinstance(recipe, Recipe) else Recipe.from_toml(Path(recipe)) if recipe else Recipe()
    changes = {**_spelled_out(short), **(settings or {})}
    opened: Data | None = None
    if isinstance(data, str | Path):
        changes["data.path"] = str(data)
    else:
        opened = data_given(data)
        changes["data.path"] = opened.origin
    if not isinstance(net, nn.Module | str):
        raise UsageError(
            "this is no network",
            where="net",
            got=repr(net)[:200],
            expected="the name of a net of the zoo, or a module",
            fix=f"make one of the class: net={net.__name__}(...)" if isinstance(net, type) else None,
        )
    changes["net.name"] = OWN_NET if isinstance(net, nn.Module) else net
    chosen = start.changed(changes)
    if isinstance(net, nn.Module) and chosen.regularise.dropout is not None:
        raise UsageError(
            "the dropout of a module of your own is set where it is made",
            where="regularise.dropout",
            got=chosen.regularise.dropout,
            fix="leave it out, and make the module with it",
        )
    return chosen, opened


def _spelled_out(short: Mapping[str, Any]) -> dict[str, Any]:
    """``lr`` -> ``optimizer.lr``.

    Raises:
        UsageError: no key, or more than one, ends so.
    """
    return {key_of(name, fix='say settings={"section.name": ...}'): value for name, value in short.items()}
