"""``glassnet evaluate RUN [DATA]``: the figures of requirement O3."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassnet.cli.terminal import say
from glassnet.runs import Recorder, RunFolder, open_run

if TYPE_CHECKING:
    from glassnet.data.dataset import Data
    from glassnet.model import Model
    from glassnet.recipe import Recipe


@click.command("evaluate")
@click.argument("run")
@click.argument("data", required=False)
@click.option(
    "--part", type=click.Choice(["test", "val", "train"]), help="part of the data (default: test, where there is one)"
)
@click.option(
    "--tta", is_flag=True, help="look at several views of each image and average; tells the gain and the cost"
)
@click.option(
    "--views",
    metavar="VIEWS",
    help="which views, such as flip,shift=2 or scales=224+256 or d4 (default: by the training)",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16", "int8"]),
    default="float32",
    help="the lower ones are several times as fast on many machines; the figures say what they cost",
)
@click.option("--json", "as_json", is_flag=True, help="print as JSON")
def command(
    run: str, data: str | None, part: str | None, tta: bool, views: str | None, precision: str, as_json: bool
) -> None:
    """Measure the model of RUN on a part of its own data, or on other DATA with the same classes or columns.

    RUN may be a model folder that no run of ours has written; then DATA are needed.

    Every look at the test part is written into the run, since figures lose their meaning when one chooses by them.
    """
    from glassnet.cli.forecast_lines import forecast_lines
    from glassnet.cli.result_lines import counted, entity_lines, figure_lines
    from glassnet.data.dataset import notes_of
    from glassnet.errors import DataError
    from glassnet.events import finite
    from glassnet.measuring import entities_in, figures_of, forecast_beside, said_of
    from glassnet.model import load
    from glassnet.reading import read_data, read_other
    from glassnet.recipe import Recipe

    # A model folder is not made by training alone: pretrained weights are saved as one, and people hand theirs on.
    folder: RunFolder | None = None if (Path(run) / "model.json").is_file() else open_run(run)
    model = load(run)
    if folder is None:
        whole = data_for(model, data, run)
        source, usual = str(data), "train"
    else:
        recipe = Recipe.from_toml(folder.recipe)
        whole = read_data(recipe) if data is None else read_other(data, recipe)
        source, usual = data or recipe.data.path, "val"
    chosen = part or ("test" if whole.test is not None else usual)
    if chosen not in whole.parts:
        raise DataError(f"the data have no {chosen} part", where=source, expected=", ".join(whole.parts))
    samples = whole.parts[chosen]
    model = model.answering_in(precision, whole.train.inputs)  # what is judged by is not calibrated on
    begun = time.monotonic()
    outputs = said_of(model, whole, chosen)
    seconds = time.monotonic() - begun
    looked: dict[str, Any] = {}
    if tta or views:
        from glassnet.cli.views import looked_again

        larger = None if folder is None else lambda side: reread(recipe, data, side)
        outputs, looked = looked_again(model, views, samples, outputs, seconds, larger, chosen)
    figures = figures_of(model, whole, chosen, outputs)
    count = len(samples) if outputs is not None else figures.samples
    record: dict[str, Any] = {
        "part": chosen,
        "samples": count,
        "data": source,
        "figures": figures.to_json(),
        **({"views": looked} if looked else {}),
        **forecast_beside(outputs, whole, chosen, model.preprocess),
        **entities_in(outputs, whole, chosen),
    }
    uses = 0
    if chosen == "test" and data is None and folder is not None:
        with Recorder(folder) as recorder:
            recorder.use_test("evaluate", count)
        uses = len(folder.test_uses.read_text(encoding="utf-8").splitlines())
    if as_json:
        click.echo(json.dumps(finite(record | {"test_uses": uses}), ensure_ascii=False))
        return
    for note in notes_of(samples.inputs):
        say(note, err=True)
    what = f"{chosen} part of {source}" if data is None or chosen != "test" else source
    say(f"{what}, {counted(count, record['figures'])}")
    if folder is not None and data is not None and same_place(data, recipe.data.path):
        say(
            "These are the data that the model has learned from: on new ones it errs more; leave them out to measure on its test part."
        )
    if "forecast" in record:
        lines = forecast_lines(record["forecast"])
    else:
        lines = figure_lines(record["figures"], full=True) + entity_lines(record.get("entities"))
    say("\n".join(lines))
    if looked:
        from glassnet.cli.views import view_lines

        say("\n".join(view_lines(looked)))
    if uses > 1:
        say(f"the test part has been looked at {uses} times by now; do not choose between models by it")


def same_place(one: str, other: str) -> bool:
    """Whether two paths lead to the same file or folder; names of built-in data are compared as they stand."""
    try:
        return Path(one).samefile(other)
    except OSError:
        return one == other


def reread(recipe: Recipe, data: str | None, side: int) -> Data:
    """The same data, their images read at another size."""
    from glassnet.reading import read_data, read_other

    larger = recipe.changed({"data.image_size": side})
    return read_data(larger) if data is None else read_other(data, larger)


def data_for(model: Model, place: str | None, where: str) -> Data:
    """Data read as the model reads its inputs, their classes numbered as the model's.

    Raises:
        UsageError: no data are named.
        DataError: they cannot be read, are of another shape, or have classes that the model does not know.
    """
    from glassnet.data.opening import open_data
    from glassnet.data.options import ReadOptions
    from glassnet.errors import DataError, UsageError

    if place is None:
        raise UsageError("a model folder has no data of its own", where=where, fix=f"glassnet evaluate {where} DATA")
    options = ReadOptions(
        task="classes" if model.task == "classes" else "values",
        like=model.schema.shape,
        tokens=getattr(model.schema, "unit", "auto"),
        rate=getattr(model.schema, "rate", None),
        time=getattr(model.schema, "time", None),
        window=getattr(model.schema, "window", None),
        horizon=getattr(model.schema, "horizon", None),
    )
    data = open_data(place, options)
    if data.schema.shape != model.schema.shape:
        shapes = ["×".join(map(str, schema.shape)) for schema in (data.schema, model.schema)]
        raise DataError("the inputs do not fit the model", where=place, got=shapes[0], expected=shapes[1])
    if model.task == "values" or data.classes == model.classes:
        return data
    strange = [name for name in data.classes if name not in model.classes]
    if strange:
        raise DataError(
            "the model does not know all classes of the data",
            where=place,
            got=", ".join(strange[:5]),
            expected=f"among the {len(model.classes):,} classes of the model, such as {', '.join(model.classes[:3])}",
        )
    import torch

    number = torch.tensor([model.classes.index(name) for name in data.classes])
    parts = {name: replace(part, targets=number[part.targets]) for name, part in data.parts.items()}
    return replace(data, classes=model.classes, parts=parts)
