"""``glassnet train DATA``: the one dial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from glassnet.cli.flags import no_data, places_of, recipe_flags, settings_of
from glassnet.cli.terminal import say
from glassnet.recipe import Recipe, describe


@click.command("train")
@click.argument("data", required=False)
@click.option("--recipe", "recipe_file", metavar="FILE", help="a recipe file, such as the recipe.toml of a run")
@recipe_flags
@click.option("--out", metavar="FOLDER", help="the run folder (default: runs/DATA-N)")
@click.option(
    "--folds", type=click.IntRange(2), metavar="K", help="cross-validate: K trainings, each validated on another K-th"
)
@click.option(
    "--members", type=click.IntRange(1), metavar="N", help="train N networks from different seeds; they answer together"
)
@click.option(
    "--snapshots",
    type=click.IntRange(2),
    metavar="N",
    help="keep the weights of N cycles of a cyclic rate; they answer together",
)
@click.option("--no-check", is_flag=True, help="begin at once, without looking over gradients and sizes first")
@click.option("--try-advice", is_flag=True, help="try what findings propose on forks of the run, and tell what it did")
@click.option("--json", "as_json", is_flag=True, help="print events as JSON lines")
@click.option("--quiet", is_flag=True, help="print nothing but errors")
@click.option("--keys", is_flag=True, help="list every recipe key and leave")
def command(
    data: str | None,
    recipe_file: str | None,
    out: str | None,
    folds: int | None,
    members: int | None,
    snapshots: int | None,
    no_check: bool,
    try_advice: bool,
    as_json: bool,
    quiet: bool,
    keys: bool,
    **flags: Any,
) -> int:
    """Train a network on DATA: a folder, a file, or a name such as digits, letters or mnist.

    With nothing else said, the network, the preprocessing, the augmentation and the recipe are chosen by the data; each choice is told.
    """
    if keys:
        for key, meaning, default in describe():
            shown = "" if default is None else f" (default: {default})"
            say(f"{key:<26}  {meaning}{shown}")
        return 0
    recipe = Recipe.from_toml(Path(recipe_file)) if recipe_file else Recipe()
    settings = settings_of(flags)
    if data is not None:
        settings["data.path"] = data
    elif recipe_file is None:
        raise no_data("train")
    if no_check:
        settings["train.check"] = False
    if try_advice:
        settings["train.try_advice"] = True
    asked = {"data.folds": folds, "ensemble.members": members, "ensemble.snapshots": snapshots}
    settings |= {key: value for key, value in asked.items() if value}
    recipe = recipe.changed(settings, where=places_of(flags))
    how = "json" if as_json else "quiet" if quiet else "auto"
    from glassnet.cli.running import run_new

    return run_new(recipe, out, how)
