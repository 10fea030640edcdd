"""``glassnet evaluate RUN [DATA]``: the figures of requirement O3."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
@click.option("--json", "as_json", is_flag=True, help="print as JSON")
def command(run: str, data: str | None, part: str | None, tta: bool, views: str | None, as_json: bool) -> None:
    """Measure the model of RUN on a part of its own data, or on other DATA with the same classes or columns.

    RUN may be a model folder that no run of ours has written; then DATA are needed.

    Every look at the test part is written into the run, since figures lose their meaning when one chooses by them.
    """
    from glassnet.cli.result_lines import entity_lines, figure_lines
    from glassnet.errors import DataError
    from glassnet.evaluate import judge
    from glassnet.events import finite
    from glassnet.model import load
    from glassnet.reading import read_data, read_other
    from glassnet.recipe import Recipe
    from glassnet.story import now

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
    if whole.task == "language" or model.task == "language":
        evaluate_text(model, whole, chosen, source, folder if data is None else None, as_json)
        return
    if whole.task == "translation" or model.task == "translation":
        evaluate_pairs(model, whole, chosen, source, folder if data is None else None, as_json)
        return
    begun = time.monotonic()
    outputs = model.raw_outputs(samples.inputs)
    seconds = time.monotonic() - begun
    looked: dict[str, Any] = {}
    if tta or views:
        from glassnet.cli.views import looked_again

        larger = None if folder is None else lambda side: reread(recipe, data, side)
        outputs, looked = looked_again(model, views, samples, outputs, seconds, larger, chosen)
    figures = judge(outputs, samples.answers, task=whole.task, classes=model.classes, outputs=model.outputs)
    record: dict[str, Any] = {
        "part": chosen,
        "samples": len(samples),
        "data": source,
        "figures": figures.to_json(),
    } | ({"views": looked} if looked else {})
    if whole.schema.kind == "series":
        from glassnet.evaluate import compared_forecasts

        record["forecast"] = compared_forecasts(outputs, whole, model.preprocess, chosen)
    if whole.schema.kind == "tags":
        from glassnet.evaluate import entity_figures

        record["entities"] = entity_figures(outputs.argmax(1), samples, model.classes)
    uses = 0
    if chosen == "test" and data is None and folder is not None:
        with Recorder(folder) as recorder:
            recorder.use_test({"when": now(), "by": "evaluate", "samples": len(samples)})
        uses = len(folder.test_uses.read_text(encoding="utf-8").splitlines())
    if as_json:
        click.echo(json.dumps(finite(record | {"test_uses": uses}), ensure_ascii=False))
        return
    click.echo(f"{chosen} part of {record['data']}, {len(samples):,} samples")
    if whole.schema.kind == "series":
        from glassnet.cli.forecast_lines import forecast_lines

        click.echo("\n".join(forecast_lines(record["forecast"])))
    else:
        click.echo("\n".join(figure_lines(record["figures"], full=True)))
        click.echo("".join(f"{line}\n" for line in entity_lines(record.get("entities"))), nl=False)
    if looked:
        from glassnet.cli.views import view_lines

        click.echo("\n".join(view_lines(looked)))
    if uses > 1:
        click.echo(f"the test part has been looked at {uses} times by now; do not choose between models by it")


def evaluate_text(model: Model, whole: Data, chosen: str, source: str, looked: RunFolder | None, as_json: bool) -> None:
    """The figures of a language model on a part of its text, or on another text; ``looked`` is the run whose test part it is."""
    from glassnet.cli.result_lines import figure_lines
    from glassnet.events import finite
    from glassnet.generating import measure_language
    from glassnet.story import now

    figures = measure_language(model, whole, chosen)
    if chosen == "test" and looked is not None:
        with Recorder(looked) as recorder:
            recorder.use_test({"when": now(), "by": "evaluate", "samples": figures.samples})
    record: dict[str, Any] = {"part": chosen, "samples": figures.samples, "data": source, "figures": figures.to_json()}
    if as_json:
        click.echo(json.dumps(finite(record), ensure_ascii=False))
        return
    click.echo(f"{chosen} part of {source}, {figures.samples:,} {figures.unit}")
    for line in figure_lines(record["figures"], full=True):
        click.echo(line)


def evaluate_pairs(
    model: Model, whole: Data, chosen: str, source: str, looked: RunFolder | None, as_json: bool
) -> None:
    """The figures of a translator on a part of its data, or on other pairs."""
    from glassnet.cli.translation_lines import translation_figures
    from glassnet.data.pair_schema import PairSchema
    from glassnet.errors import ModelError
    from glassnet.events import finite
    from glassnet.story import now
    from glassnet.translating import measure_translation

    if not isinstance(model.schema, PairSchema) or whole.schema.kind != "pairs":
        raise ModelError("the model reads other data", got=whole.schema.kind, expected=model.schema.kind)
    figures = measure_translation(model.net, model.preprocess, model.schema, whole.parts[chosen])[0]
    if chosen == "test" and looked is not None:
        with Recorder(looked) as recorder:
            recorder.use_test({"when": now(), "by": "evaluate", "samples": figures.samples})
    record: dict[str, Any] = {"part": chosen, "samples": figures.samples, "data": source, "figures": figures.to_json()}
    if as_json:
        click.echo(json.dumps(finite(record), ensure_ascii=False))
        return
    click.echo(f"{chosen} part of {source}, {figures.samples:,} pairs")
    click.echo("\n".join(translation_figures(record["figures"], full=True)))


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
