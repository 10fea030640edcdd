"""``glassnet predict RUN FILES…``: what new files or rows are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from glassnet.cli.csv_text import csv_text
from glassnet.cli.forecast_lines import next_steps
from glassnet.cli.tagged_lines import tagged
from glassnet.cli.terminal import say
from glassnet.errors import UsageError
from glassnet.events import finite

if TYPE_CHECKING:
    from glassnet.data.dataset import Source
    from glassnet.data.series_schema import SeriesSchema
    from glassnet.model import Model, Prediction

COMPARED = 500  # inputs that are also answered in float32 where lower precision is asked for


@click.command("predict")
@click.argument("run")
@click.argument("files", nargs=-1)
@click.option(
    "--format", "form", type=click.Choice(["auto", "text", "csv", "json"]), default="auto", help="how to print"
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="classes to show for each input, best first (text)",
)
@click.option("--tta", is_flag=True, help="look at several views of each image and average what is said")
@click.option("--views", metavar="VIEWS", help="which views, such as flip,shift=2 or d4 (default: by the training)")
@click.option("--beam", type=click.IntRange(1, 100), default=1, help="beginnings a translator follows at once")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16", "int8"]),
    default="float32",
    help="the lower ones are several times as fast on many machines; how many answers differ is told",
)
@click.option("--out", metavar="FILE", help="write here instead; .csv and .json choose the format")
def command(
    run: str,
    files: tuple[str, ...],
    form: str,
    top: int,
    tta: bool,
    views: str | None,
    beam: int,
    precision: str,
    out: str | None,
) -> None:
    """Let the model of RUN (a run or model folder) say what FILES are: images, folders of images, tables, arrays, sounds or texts.

    Of a series the next steps are forecast, those behind the end of its own data where no FILES are given.
    """
    from glassnet.data.dataset import notes_of
    from glassnet.files import write_file
    from glassnet.model import load

    model = load(run)
    if beam > 1 and model.task != "translation":
        raise UsageError(
            "only translators follow several beginnings",
            where="--beam",
            got=f"a model for {model.schema.kind} data, task {model.task}",
            fix="leave out --beam",
        )
    files = files or own_files(run, model)
    if tta or views:
        from glassnet.test_time import many_views, told

        model = many_views(model, views)
        say(told(model), err=True)
    if precision != "float32":
        source = model.source(list(files))[1]
        exact, model = model, model.answering_in(precision, source)
        say(f"{precision}: {differing(exact, model, source)}", err=True)
    if model.task == "language":
        click.echo(likelihoods(model, files), nl=False)
        return
    names, read = model.source(list(files))
    for note in notes_of(read):
        say(note, err=True)
    predictions = model.answers(names, read, beam=beam)
    if form == "auto":
        form = {".csv": "csv", ".json": "json"}.get(Path(out).suffix, "text") if out else "text"
    if model.schema.kind == "series":
        text = next_steps(cast("SeriesSchema", model.schema), predictions, form)
    elif model.schema.kind == "tags":
        text = tagged(predictions, form)
    else:
        text = {"text": as_text, "csv": as_csv, "json": as_json}[form](model, predictions, top)
    if out:
        write_file(Path(out), text)
        click.echo(f"{len(predictions)} predictions in {out}")
    else:
        click.echo(text, nl=False)


def differing(exact: Model, fast: Model, source: Source) -> str:
    """How far a model in lower precision answers otherwise than in float32, by the first inputs, in words."""
    import torch

    some = source.take(torch.arange(min(len(source), COMPARED)))
    ours, theirs = exact.raw_outputs(some), fast.raw_outputs(some)
    if exact.task == "classes":
        share = float((ours.argmax(1) != theirs.argmax(1)).float().mean()) if len(some) else 0.0
        return f"of the first {len(some):,} answers {share:.1%} differ from float32's"
    apart = float((ours - theirs).abs().mean() / ours.std().clamp_min(1e-12)) if len(some) > 1 else 0.0
    return f"the first {len(some):,} values differ from float32's by {apart:.2%} of their spread on average"


def own_files(run: str, model: Model) -> tuple[str, ...]:
    """The file that a run forecasts the end of.

    Raises:
        UsageError: the model is not of a series, or of no run whose data are known.
    """
    from glassnet.recipe import Recipe
    from glassnet.runs import open_run

    if model.schema.kind != "series" or (Path(run) / "model.json").is_file():
        raise UsageError("no file was given", fix=f"glassnet predict {run} FILE")
    data = Recipe.from_toml(open_run(run).recipe).data
    place = Path(data.test or data.path)
    if place.is_dir():
        raise UsageError("which of the files is to be gone on from?", where=place, fix=f"glassnet predict {run} FILE")
    return (str(place),)


def likelihoods(model: Model, files: tuple[str, ...]) -> str:
    """How well a language model expected each text."""
    from glassnet.cli.language_lines import figures_told
    from glassnet.data.stream import below
    from glassnet.evaluate import language_report
    from glassnet.generating import losses_of, schema_of

    unit, lines = schema_of(model).unit, []
    for file in files:
        stream = below(model.schema.read([file])[1])
        assert stream is not None, "a language model reads streams"
        losses, right = losses_of(model, stream)
        lines += [f"{file}: {len(losses):,} {unit}", figures_told(language_report(losses, right, unit, 1).to_json())[0]]
    return "\n".join(lines) + "\n"


def as_text(model: Model, predictions: list[Prediction], top: int) -> str:
    """One line an input."""
    width = max((len(p.name) for p in predictions), default=0)
    lines = []
    for p in predictions:
        if model.task == "translation":
            said = f"{p.label}"
        elif model.task == "values":
            said = "  ".join(f"{name} {value:.6g}" for name, value in zip(model.outputs, p.values, strict=True))
        else:
            said = "  ".join(f"{label} {share:.1%}" for label, share in p.top(model.classes, top))
        lines.append(f"{p.name:<{width}}  {said}\n")
    return "".join(lines)


def as_csv(model: Model, predictions: list[Prediction], top: int) -> str:
    """A header and one row an input: the class with every probability, or the values."""
    if model.task == "values":
        return csv_text(["input", *model.outputs], ([p.name, *p.values] for p in predictions))
    if model.task == "translation":
        return csv_text(
            ["input", model.outputs[0], "probability"], ([p.name, str(p.label), p.probability] for p in predictions)
        )
    return csv_text(
        ["input", "predicted", "probability", *(f"p({name})" for name in model.classes)],
        ([p.name, str(p.label), p.probability, *p.probabilities] for p in predictions),
    )


def as_json(model: Model, predictions: list[Prediction], top: int) -> str:
    """A list of objects."""
    rows: list[dict[str, object]] = []
    for p in predictions:
        if model.task == "values":
            rows.append({"input": p.name, "values": dict(zip(model.outputs, p.values, strict=True))})
        elif model.task == "translation":
            rows.append({"input": p.name, "translation": p.label, "probability": p.probability})
        else:
            shares = dict(zip(model.classes, p.probabilities, strict=True))
            rows.append({"input": p.name, "predicted": p.label, "probability": p.probability, "probabilities": shares})
    return json.dumps(finite(rows), indent=1, ensure_ascii=False) + "\n"
