"""``glassnet report RUN…``: the whole story as one HTML file, or several runs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassnet.runs import RunFolder, open_run

if TYPE_CHECKING:
    from glassnet.report import ReportStory


@click.command("report")
@click.argument("runs", nargs=-1, required=True, metavar="RUN [RUN]...")
@click.option(
    "--out", metavar="FILE", help="where to write (default: report.html in the run; of several comparison.html)"
)
def command(runs: tuple[str, ...], out: str | None) -> None:
    """Write the report of RUN again, as one HTML file that opens from disk and needs no network.

    Of several runs a comparison is written: their results with intervals, their curves side by side, and the settings that differ.
    """
    from glassnet.files import write_file
    from glassnet.report import compare, render, story_of_run

    folders = [open_run(run) for run in dict.fromkeys(runs)]
    if len(folders) == 1:
        path = Path(out) if out else folders[0].report
        write_file(path, render(told(folders[0])))
    else:
        path = Path(out) if out else Path("comparison.html")
        write_file(path, compare([(str(folder.path), story_of_run(folder)) for folder in folders]))
    click.echo(str(path))


def told(folder: RunFolder) -> ReportStory:
    """The story with its samples and pictures, as far as data and model are still there; what is missing is told."""
    from glassnet.data.fingerprint import fingerprint_of
    from glassnet.errors import GlassnetError
    from glassnet.members import read_folds
    from glassnet.model import load
    from glassnet.reading import read_data
    from glassnet.recipe import Recipe
    from glassnet.report import story_of_run

    if not folder.finished:
        return story_of_run(folder)
    try:
        recipe = Recipe.from_toml(folder.recipe)
        in_folds = "folds" in folder.read_json("result")
        whole, judged = read_folds(recipe) if in_folds else 2 * (read_data(recipe),)
        if fingerprint_of(whole) != folder.read_json("data").get("fingerprint"):
            return story_of_run(
                folder, left_out=("Samples and pictures are left out: the data have changed since the training.",)
            )
        return story_of_run(folder, judged, None if in_folds else load(str(folder.path)))
    except GlassnetError as error:
        return story_of_run(folder, left_out=(f"Samples and pictures are left out: {error.problem}.",))
