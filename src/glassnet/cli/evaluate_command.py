"""``glassnet evaluate RUN [DATA]``: the figures of requirement O3."""

from __future__ import annotations

import json
from typing import Any

import click

from glassnet.runs import Recorder, open_run


@click.command("evaluate")
@click.argument("run")
@click.argument("data", required=False)
@click.option(
    "--part", type=click.Choice(["test", "val", "train"]), help="part of the data (default: test, where there is one)"
)
@click.option("--json", "as_json", is_flag=True, help="print as JSON")
def command(run: str, data: str | None, part: str | None, as_json: bool) -> None:
    """Measure the model of RUN on a part of its own data, or on other DATA with the same classes or columns.

    Every look at the test part is written into the run, since figures lose their meaning when one chooses by them.
    """
    from glassnet.cli.result_lines import figure_lines
    from glassnet.data.dataset import Data
    from glassnet.errors import DataError
    from glassnet.evaluate import judge
    from glassnet.events import finite
    from glassnet.model import load
    from glassnet.recipe import Recipe
    from glassnet.story import now, read_data, read_other

    folder = open_run(run)
    model = load(run)
    recipe = Recipe.from_toml(folder.recipe)
    whole: Data = read_data(recipe) if data is None else read_other(data, recipe)
    chosen = part or ("test" if whole.test is not None else "val")
    if chosen not in whole.parts:
        raise DataError(
            f"the data have no {chosen} part", where=data or recipe.data.path, expected=", ".join(whole.parts)
        )
    samples = whole.parts[chosen]
    outputs = model.raw_outputs(samples.inputs)
    figures = judge(outputs, samples.targets, task=whole.task, classes=model.classes, outputs=model.outputs)
    record: dict[str, Any] = {
        "part": chosen,
        "samples": len(samples),
        "data": data or recipe.data.path,
        "figures": figures.to_json(),
    }
    uses = 0
    if chosen == "test" and data is None:
        with Recorder(folder) as recorder:
            recorder.use_test({"when": now(), "by": "evaluate", "samples": len(samples)})
        uses = len(folder.test_uses.read_text(encoding="utf-8").splitlines())
    if as_json:
        click.echo(json.dumps(finite(record | {"test_uses": uses}), ensure_ascii=False))
        return
    click.echo(f"{chosen} part of {record['data']}, {len(samples):,} samples")
    for line in figure_lines(record["figures"], full=True):
        click.echo(line)
    if uses > 1:
        click.echo(f"the test part has been looked at {uses} times by now; do not choose between models by it")
