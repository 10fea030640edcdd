"""``glassnet data PATH``: what is there, before any training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassnet.cli.terminal import say
from glassnet.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

    from glassnet.data.audit import Audit

MOST_ROWS = 40
SHEETS = (".png", ".jpg", ".webp")


@click.command("data")
@click.argument("path")
@click.option("--target", metavar="COLUMN", help="column or key to learn")
@click.option("--task", type=click.Choice(["auto", "classes", "values"]), default="auto", help="classes or values")
@click.option("--tokens", type=click.Choice(["words", "characters"]), help="what texts are cut into")
@click.option("--text", metavar="COLUMN", help="column of a table that holds texts, or none")
@click.option("--time", metavar="COLUMN", help="column with the times of a series; none reads the file as a table")
@click.option("--window", type=click.IntRange(1), metavar="STEPS", help="steps of a series that a network sees")
@click.option("--horizon", type=click.IntRange(1), metavar="STEPS", help="steps of a series that are forecast")
@click.option("--val", metavar="PATH", help="a separate validation file or folder")
@click.option("--test", metavar="PATH", help="a separate test file or folder")
@click.option("--image-size", type=click.IntRange(1), metavar="PIXELS", help="side to which images are brought")
@click.option("--sheet", metavar="FILE", help="where to write the contact sheet (default: NAME-sheet.png for images)")
@click.option("--json", "as_json", is_flag=True, help="print as JSON")
def command(path: str, sheet: str | None, as_json: bool, **settings: Any) -> None:
    """Show what is in the data set PATH: counts, sizes, ranges, unreadable files, duplicates, imbalance, leaking columns."""
    _check_sheet(sheet)
    # Before PyTorch is loaded and all images are read, which may take minutes.
    early = None if as_json or _changed(settings) else _early_sheet(path, sheet)
    from glassnet.data.audit import audit
    from glassnet.data.contact_sheet import contact_sheet
    from glassnet.events import finite
    from glassnet.reading import read_data
    from glassnet.recipe import Recipe

    changes = {f"data.{name}": value for name, value in settings.items() if value is not None}
    data = read_data(Recipe().changed({"data.path": path} | changes))
    found = audit(data)
    if as_json:
        click.echo(json.dumps(finite(asdict(found)), ensure_ascii=False, default=str))
        return
    for line in audit_lines(found):
        say(line)
    if data.schema.kind == "image":
        drawn = contact_sheet(data)
        if early is None:
            say(f"contact sheet: {_saved(drawn, data.name, sheet)}")
        elif drawn.size != early.size or drawn.tobytes() != early.tobytes():
            say(f"contact sheet drawn again, now that all images have been read: {_saved(drawn, data.name, sheet)}")


def _changed(settings: Mapping[str, Any]) -> bool:
    """Whether the data are to be read in another way than by default."""
    return any(value not in (None, "auto") for value in settings.values())


def _early_sheet(path: str, sheet: str | None) -> Image | None:
    """The contact sheet, saved and told of, where a glance at the data is enough to draw it."""
    if _among_the_data(Path(sheet or "sheet.png"), Path(path)):
        return None
    from glassnet.data.glance import glance

    seen = glance(path)
    if seen is None:
        return None
    say(f"contact sheet: {_saved(seen.sheet, seen.name, sheet)}")
    return seen.sheet


def _among_the_data(file: Path, folder: Path) -> bool:
    """Whether a file would lie in a folder of the data, where it could be taken for one of the images; right in the data's own it is none."""
    try:
        place, root = file.resolve(), folder.expanduser().resolve()
        return place.parent != root and place.is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # names that no file can have, links in a circle
        return True


def _saved(drawn: Image, name: str, sheet: str | None) -> Path:
    place = Path(sheet or f"{name}-sheet.png")
    try:
        drawn.save(place)
    except OSError as error:
        from glassnet.files import translated

        raise translated(error, place) from error
    return place


def _check_sheet(sheet: str | None) -> None:
    if sheet is not None and Path(sheet).suffix.lower() not in SHEETS:
        raise UsageError(
            "a contact sheet is a picture",
            where="--sheet",
            got=sheet,
            expected="a name that ends in " + " or ".join(SHEETS),
        )


def audit_lines(found: Audit) -> list[str]:
    """The audit in words and small tables."""
    from glassnet.data.kinds import KINDS

    lines = [f"{found.name}: {KINDS[found.kind].told(found.shape)}, {found.task}, from {found.origin}"]
    lines += [f"  {note}" for note in found.notes]
    lines.append("samples: " + ", ".join(f"{count:,} {part}" for part, count in found.sizes.items()))
    if found.classes:
        width = max(len(name) for name in found.classes)
        parts = list(found.counts)
        lines.append(f"  {'class':<{width}}" + "".join(f"{part:>10}" for part in parts))
        for number, name in enumerate(found.classes[:MOST_ROWS]):
            lines.append(f"  {name:<{width}}" + "".join(f"{found.counts[part][number]:>10,}" for part in parts))
        if len(found.classes) > MOST_ROWS:
            lines.append(f"  ... and {len(found.classes) - MOST_ROWS} more classes")
    ranges = (*found.ranges, *found.targets)
    width = max((len(row.name) for row in ranges), default=0)
    lines.append(f"ranges of {found.looked_at:,} training samples:")
    lines.append(f"  {'':<{width}}{'least':>12}{'mean':>12}{'greatest':>12}{'missing':>9}")
    for row in ranges[:MOST_ROWS]:
        if row.levels:
            lines.append(f"  {row.name:<{width}}{f'{row.levels} categories':>36}{row.missing:>9,}")
        else:
            lines.append(
                f"  {row.name:<{width}}{row.least:>12.4g}{row.mean:>12.4g}{row.greatest:>12.4g}{row.missing:>9,}"
            )
    if len(ranges) > MOST_ROWS:
        lines.append(f"  ... and {len(ranges) - MOST_ROWS} more columns")
    for item in found.unreadable:
        lines.append(f"left out: {item.name}: {item.reason}")
    if not found.troubles:
        lines.append("no trouble found")
    for trouble in found.troubles:
        lines.append(f"{trouble.severity}: {trouble.what} [{trouble.rule}]")
        lines.append(f"    {trouble.advice}")
    return lines
