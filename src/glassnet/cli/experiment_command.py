"""``glassnet experiment``: the experiments of the course, with their figures beside the reference."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import click

from glassnet.cli.garbage import look_as_usual
from glassnet.cli.terminal import say
from glassnet.experiments import EXPERIMENTS, module_of


@click.command("experiment")
@click.argument("name", required=False)
@click.option("--full", is_flag=True, help="the long form; without it two minutes are enough")
@click.option("--seed", default=0, show_default=True, help="of all random numbers")
@click.option("--out", metavar="FOLDER", help="for data and picture  [default: experiments/NAME]")
@click.option("--data", metavar="PATH", help="data of your own, for the experiments that take some")
@click.option("--json", "as_json", is_flag=True, help="print the outcome as JSON")
def command(name: str | None, full: bool, seed: int, out: str | None, data: str | None, as_json: bool) -> None:
    """List the experiments of the course; with NAME, run one.

    Prints its figures beside the reference, and writes its data and its picture into a folder.
    """
    if name is None:
        if as_json:
            click.echo(json.dumps(dict(EXPERIMENTS), ensure_ascii=False))
            return
        width = max(map(len, EXPERIMENTS))
        for each, question in EXPERIMENTS.items():
            say(f"{each:<{width}}  {question}")
        say("\n'glassnet experiment NAME' runs one and writes its data and its picture.")
        return
    module_name = module_of(name)  # an unknown name is told before anything heavy is loaded

    from glassnet.experiments.outcome import Setting
    from glassnet.experiments.record import as_plain, table_lines, write_outcome

    module = importlib.import_module(module_name)
    # their nets are small: two threads lose more in waiting than they win, above all beside a neighbour
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    folder = Path(out) if out else Path("experiments") / name
    setting = Setting(full, seed, data, say=lambda line: say(line, err=True))
    look_as_usual()
    outcome = module.run(setting)
    written = write_outcome(name, outcome, module, folder)
    if as_json:
        click.echo(json.dumps(as_plain(name, outcome), ensure_ascii=False))
        return
    say(f"{name}: {EXPERIMENTS[name]}")
    if outcome.data:
        say(f"data: {outcome.data}")
    click.echo("\n" + "\n".join(table_lines(tuple(outcome.rows))) + "\n")
    say(f"{outcome.conclusion}\n")
    say(f"{folder}: {', '.join(path.name for path in written)}")
