"""``glassnet explain RUN [FILE…]``: pictures of what happens inside a trained network."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassnet.cli.terminal import say

if TYPE_CHECKING:
    from glassnet.explain import Attribution
    from glassnet.explain.methods import Case
    from glassnet.model import Model

BLOCKS = " ░▒▓█"
BAR = 30
WIDEST = 32

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
figure {{ margin: 1.5rem 0 2.5rem }} img {{ max-width: 100%; background: white; padding: 6px; border-radius: 4px }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""


@click.command("explain")
@click.argument("run", required=False)
@click.argument("files", nargs=-1)
@click.option(
    "--method", "name", default="page", metavar="NAME", help="one method, or all; without: a page of the fast ones"
)
@click.option("--target", metavar="CLASS", help="class to explain (default: what the network says)")
@click.option("--out", metavar="FOLDER", help="where to write (default: explain/ in the run)")
@click.option("--svg", "as_svg", is_flag=True, help="write SVG instead of PNG")
@click.option("--methods", "show_methods", is_flag=True, help="list the methods")
def command(
    run: str | None,
    files: tuple[str, ...],
    name: str,
    target: str | None,
    out: str | None,
    as_svg: bool,
    show_methods: bool,
) -> None:
    """Show what the network of RUN looks at in FILES, or in samples of its own validation part.

    Writes pictures, each with a sentence, and index.html, which shows them on one page.
    """
    from glassnet.errors import UsageError, unknown
    from glassnet.explain.methods import METHODS, method
    from glassnet.files import make_folder, write_file
    from glassnet.plots import png, svg

    if show_methods:
        for key, row in METHODS.items():
            say(f"{key:<21}  {row.title} ({', '.join(row.kinds)}{'; takes longer' if row.slow else ''})")
        return
    if run is None:
        raise UsageError("no run was given", expected="glassnet explain RUN [FILE…]", fix="glassnet explain --methods")
    if name not in ("page", "all"):
        method(name)  # a misspelt name is told before anything is loaded
    case = case_of(run, files, target)
    names = case.model.classes or case.model.outputs
    if target is not None and names and target not in names:
        raise unknown("class" if case.model.classes else "output", target, names, where="--target")
    folder = Path(out) if out else Path(run) / "explain"
    asked = [key for key, row in METHODS.items() if not row.slow] if name == "page" else list(METHODS)
    figures, left_out = [], []
    click.echo(terminal(case.model, case), nl=False)
    for key in [name] if name in METHODS else asked:
        obstacle = METHODS[key].obstacle(case)
        if name == key and obstacle:
            raise UsageError(f"{key} does not apply", where=run, got=obstacle, fix="glassnet explain --methods")
        try:
            if obstacle:
                raise UsageError(obstacle)
            drawing = METHODS[key].draw(case)
        except UsageError as error:
            if name == key:
                raise
            left_out.append(f"{key}: {error.problem}{f' ({error.fix})' if error.fix else ''}")
            continue
        make_folder(folder)
        file = folder / f"{key}.{'svg' if as_svg else 'png'}"
        write_file(file, svg(drawing, key) if as_svg else png(drawing))
        say(f"{file}\n    {drawing.caption}")
        figures.append((key, METHODS[key].title, file.name, drawing.caption))
    if left_out:
        say("left out:\n" + "\n".join(f"    {line}" for line in left_out))
    if name not in METHODS:
        make_folder(folder)
        write_file(folder / "index.html", page(f"Inside {Path(run).name}", figures, left_out))
        click.echo(str(folder / "index.html"))


def case_of(run: str, files: tuple[str, ...], target: str | None) -> Case:
    """The model of a run with its data and what was measured; of a model folder the model alone.

    Raises:
        UsageError: a model folder without files, or an unknown class.
    """
    from glassnet.errors import GlassnetError, UsageError
    from glassnet.events import Measured
    from glassnet.explain.methods import Case, few
    from glassnet.model import load
    from glassnet.reading import read_data
    from glassnet.recipe import Recipe
    from glassnet.runs import open_run

    if (Path(run) / "model.json").is_file():
        if not files:
            raise UsageError("a model folder has no data of its own", where=run, fix=f"glassnet explain {run} FILE")
        return Case(load(run), list(files), target=target)
    folder = open_run(run)
    model = load(run)
    measured = tuple(event for event in folder.events() if isinstance(event, Measured))
    try:
        data = read_data(Recipe.from_toml(folder.recipe))
    except GlassnetError:
        if not files:
            raise  # nothing to show; with files given the run's own data may have moved away
        return Case(model, list(files), measured=measured, target=target)
    inputs = list(files) if files else few(data.val)
    return Case(model, inputs, data.val, data.train, measured, target)


def terminal(model: Model, case: Case) -> str:
    """The first input's answer as bars of characters and, for images, where it looks, as a coarse map; for texts the words that count most."""
    from glassnet.explain import integrated_gradients, saliency, top_classes
    from glassnet.explain.subject import subject

    if model.task != "classes":
        return ""
    about = subject(model, case.inputs, 1)
    told = top_classes(model, case.inputs)
    width = max(len(label) for label in told.labels[0])
    lines = [about.names[0]]
    for label, share in zip(told.labels[0], told.probabilities[0].tolist(), strict=True):
        lines.append(f"  {label:<{width}}  {'█' * round(BAR * share):<{BAR}}  {share:6.1%}")
    if about.tokens:
        lines += counting(integrated_gradients(model, case.inputs, case.target))
    elif about.is_image and not about.seconds:
        lines += [
            "  where a pixel moves the answer most:",
            *block_map(saliency(model, about.raw, case.target).values[0]),
        ]
    return "\n".join(lines) + "\n"


def counting(told: Attribution) -> list[str]:
    """The words of the first text that speak most strongly for and against its class."""
    shares = sorted(zip(told.values[0].tolist(), told.tokens[0], strict=False))  # behind the tokens values are 0
    lines = []
    for side, chosen in (("for", shares[::-1][:5]), ("against", shares[:5])):
        words = [f"{word} {value:+.2g}" for value, word in chosen if (value > 0) == (side == "for") and value]
        if words:
            lines.append(f"  {side} {told.targets[0]}: {', '.join(words)}")
    return lines


def block_map(values: object) -> list[str]:
    """A map as lines of block characters, each pixel two characters wide, of at most 32 columns."""
    import numpy as np

    table = np.asarray(values, dtype=np.float64)
    step = -(-table.shape[1] // WIDEST)
    rows, columns = table.shape[0] // step * step, table.shape[1] // step * step
    small = table[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    top = small.max() or 1.0
    shades = np.minimum((small / top * len(BLOCKS)).astype(int), len(BLOCKS) - 1)
    return ["  " + "".join(2 * BLOCKS[shade] for shade in row) for row in shades.tolist()]


def page(title: str, figures: list[tuple[str, str, str, str]], left_out: list[str]) -> str:
    """All pictures under each other; names from data are escaped."""
    e = html.escape
    body = "\n".join(
        f'<figure id="{e(key)}"><h2>{e(words[0].upper() + words[1:])}</h2><img src="{e(file)}" alt="{e(caption)}"><figcaption>{e(caption)}</figcaption></figure>'
        for key, words, file, caption in figures
    )
    if left_out:
        body += "<h2>Left out</h2><ul>" + "".join(f"<li>{e(line)}</li>" for line in left_out) + "</ul>"
    return PAGE.format(title=e(title), body=body)
