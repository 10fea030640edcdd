"""``glassnet generate RUN``: text that a language model writes."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from glassnet.cli.terminal import say

MOST_UNKNOWN = 8


@click.command("generate")
@click.argument("run")
@click.option("--prompt", metavar="TEXT", default="", help="the beginning; without one the model begins by itself")
@click.option("--prompt-file", metavar="FILE", help="a file with the beginning")
@click.option("--length", type=int, default=500, show_default=True, help="characters or words to write")
@click.option(
    "--temperature",
    type=float,
    default=0.8,
    show_default=True,
    help="below 1 the likely become likelier; 0 takes the likeliest",
)
@click.option("--seed", type=int, default=0, show_default=True, help="the same seed writes the same")
@click.option("--out", metavar="FILE", help="write here instead")
def command(
    run: str, prompt: str, prompt_file: str | None, length: int, temperature: float, seed: int, out: str | None
) -> None:
    """Let the model of RUN, trained on a text, write on from a beginning.

    The text goes to standard output as it is written, beginning included.
    """
    from glassnet.data.stream import joined, pieces
    from glassnet.data.stream_schema import text_at
    from glassnet.errors import DataError, UsageError
    from glassnet.files import write_file
    from glassnet.generating import schema_of, unknown_of, write
    from glassnet.model import load

    if prompt_file is not None:
        if prompt:
            raise UsageError("two beginnings", got="--prompt and --prompt-file", fix="give one of them")
        if not Path(prompt_file).is_file():
            raise DataError(
                "no such file",
                where=prompt_file,
                expected="the path of a text file",
                fix="--prompt TEXT takes the beginning itself",
            )
        prompt = text_at(prompt_file)
    if not 0 <= seed < 2**63:
        raise UsageError("this is no seed", where="--seed", got=seed, expected="0 or more")
    model = load(run)
    unit = schema_of(model).unit
    strange = unknown_of(model, prompt)
    if strange:
        told = ", ".join(repr(token) for token in strange[:MOST_UNKNOWN]) + (
            " …" if len(strange) > MOST_UNKNOWN else ""
        )
        say(f"note: the model never met {told}; it reads each as one unknown {unit.removesuffix('s')}", err=True)
    tokens = write(model, prompt, length=length, temperature=temperature, seed=seed)
    if out:
        text = joined([*pieces(prompt, unit), *tokens], unit)
        write_file(Path(out), text + "\n")
        click.echo(f"{length:,} {unit} in {out}")
        return
    if unit == "words":
        click.echo(joined([*pieces(prompt, unit), *tokens], unit))
        return
    click.echo(prompt, nl=False)
    for token in tokens:
        sys.stdout.write(token)
        sys.stdout.flush()
    click.echo()
