"""``glassnet nets``: what there is, and one network layer by layer."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from glassnet.cli.terminal import say
from glassnet.errors import OutOfMemoryError, UsageError

if TYPE_CHECKING:
    from torch import nn


@click.command("nets")
@click.argument("name", required=False)
@click.option("--input", "shape", metavar="SHAPE", help="shape of one input, such as 3x32x32 or 14")
@click.option("--classes", default=10, show_default=True, help="classes or values put out")
@click.option(
    "--set", "options", multiple=True, metavar="OPTION=VALUE", help="an option of the net, such as hidden=256,128"
)
@click.option("--json", "as_json", is_flag=True, help="print as JSON")
def command(name: str | None, shape: str | None, classes: int, options: tuple[str, ...], as_json: bool) -> None:
    """List the networks; with NAME, show its options and its layers."""
    import torch

    from glassnet import zoo
    from glassnet.layer_table import layer_table

    if name is None:
        rows = [
            {"name": entry.name, "kinds": list(entry.kinds), "title": entry.title, "paper": entry.paper}
            for entry in zoo.ZOO.values()
        ]
        if as_json:
            click.echo(json.dumps(rows))
            return
        width = max(map(len, zoo.ZOO))
        for entry in zoo.ZOO.values():
            say(f"{entry.name:<{width}}  {entry.title} ({', '.join(entry.kinds)})")
            if entry.paper != "-":
                say(f"{'':<{width}}  {entry.paper}")
        say("\n'glassnet nets NAME' shows one layer by layer; --net NAME trains it.")
        return
    if name not in zoo.ZOO:
        from glassnet.errors import unknown

        raise unknown("net", name, zoo.ZOO)
    entry = zoo.ZOO[name]
    usual = entry.references[0].shape if entry.references else (3, 32, 32)
    size = _shape(shape) if shape else usual
    given = {key: str(value) for key, value in entry.usual.items()} | dict(map(_option, options))
    # shapes without values: the weights of a VGG would take half a gigabyte and seconds to draw; edges and trees need values
    with torch.device("cpu" if {"graph", "graphs", "tree"} & set(entry.kinds) else "meta"):
        net = _built(name, size, classes, given)
    table = layer_table(net, size, torch.int64 if entry.reads_tokens else torch.float32)
    if as_json:
        click.echo(json.dumps(asdict(table)))
        return
    say(f"{entry.name}: {entry.title}\n{entry.paper}\n")
    shown = [
        (f"--set net.{option}={_typed(about.default)}", about.description) for option, about in entry.options.items()
    ]
    width = max((len(setting) for setting, _ in shown), default=0)
    for setting, description in shown:
        say(f"  {setting:<{width}}  {description}")
    click.echo(f"\ninput {'×'.join(map(str, size))}, {classes} outputs\n")
    click.echo(table.text(min(shutil.get_terminal_size((110, 24)).columns, 140)))


def _built(name: str, shape: tuple[int, ...], classes: int, options: dict[str, str]) -> nn.Module:
    from glassnet import zoo

    try:
        return zoo.build(name, shape, classes, options, seed=0)
    except (RuntimeError, TypeError, OverflowError) as error:  # what PyTorch says of tensors beyond 2^63 numbers
        raise OutOfMemoryError(
            "a net of this size would be out of memory on any machine",
            where=name,
            got=f"inputs of {'×'.join(map(str, shape))}, {classes:,} outputs",
            fix="take a smaller --input, or fewer units",
        ) from error


def _option(text: str) -> tuple[str, str]:
    """Name and value of a ``--set``; as in ``train``, the name may begin with ``net.``."""
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError("--set takes OPTION=VALUE", got=text, fix=f"--set {text}=...")
    return name.strip().removeprefix("net."), value.strip()


def _typed(value: object) -> str:
    """A default as one would type it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _shape(text: str) -> tuple[int, ...]:
    parts = text.lower().replace("×", "x").replace(",", "x").split("x")
    if not all(part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError("not a shape", where="--input", got=text, expected="such as 3x32x32, 1x28x28 or 14")
    return tuple(int(part) for part in parts)
