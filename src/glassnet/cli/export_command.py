"""``glassnet export RUN``: the model as one ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassnet.cli.terminal import say

if TYPE_CHECKING:
    from glassnet.data.dataset import Source


@click.command("export")
@click.argument("run")
@click.option("--out", metavar="FILE", help="the file to write (default: RUN's name with .onnx, in this folder)")
def command(run: str, out: str | None) -> None:
    """Write the model of RUN (a run or model folder) as an ONNX file that other programs run.

    It takes raw inputs (bytes of pixels, numbers as they stand in the table) and gives probabilities or values, in batches of any size. Before it is
    written, ONNX Runtime and the model are asked about the same inputs of the validation part.
    """
    from glassnet.export import export
    from glassnet.model import load

    model = load(run)
    path = Path(out) if out else Path(f"{Path(run).resolve().name}.onnx")
    seen, by = own_inputs(run)
    done = export(model, path, seen)
    say(f"{done.path}  {size_told(done.size)}: takes {done.takes}, gives {done.gives}")
    say(
        f"ONNX Runtime and the model, asked about {done.samples:,} inputs {by}: at most {done.difference:.1g} apart{same_told(model.task, done.other_answers, done.samples)}"
    )


def own_inputs(run: str) -> tuple[Source | None, str]:
    """Inputs of the validation part of a run whose data are there; else none, and why."""
    from glassnet.errors import GlassnetError
    from glassnet.reading import read_data
    from glassnet.recipe import Recipe
    from glassnet.runs import open_run

    if (Path(run) / "model.json").is_file():
        return None, "that were made up, since a model folder has no data of its own"
    try:
        data = read_data(Recipe.from_toml(open_run(run).recipe))
    except GlassnetError as error:
        return None, f"that were made up, since the run's data cannot be read ({error.problem})"
    part = data.parts.get("val", data.train)
    return part.inputs, "of its validation part" if "val" in data.parts else "of its training part"


def size_told(size: int) -> str:
    """Bytes in the unit that reads best."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


def same_told(task: str, others: int, samples: int) -> str:
    """Whether classes are the same."""
    if task != "classes":
        return " (as a share of the values' spread)"
    return ", the same class for every one" if not others else f", another class for {others:,} of {samples:,}"
