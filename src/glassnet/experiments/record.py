"""An outcome as lines of text and as files: the data first, then the picture."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

from glassnet.experiments.outcome import Outcome, Row
from glassnet.files import make_folder, write_file
from glassnet.plots.style import number, png, svg

# what an SVG file says where no page around it does: a font, and the colours of a dark theme
_ALONE = (
    "<style>svg{font-family:DejaVu Sans,Verdana,sans-serif;color:#1f2933}"
    "@media(prefers-color-scheme:dark){svg{color:#e4e7eb;--plot-blue:#56b4e9;--plot-orange:#f0894a;--plot-green:#2fc79a;"
    "--plot-muted:#9aa5b1;--plot-grid:#3e4c59;--plot-paper:#1f2933}}</style>"
)


def write_outcome(name: str, outcome: Outcome, module: ModuleType, folder: Path) -> list[Path]:
    """Write ``figures.csv``, ``outcome.json``, ``figure.png``, ``figure.svg`` and, where something moves, ``animation.gif``.

    Args:
        name: of the experiment.
        outcome: what its ``run`` found.
        module: that it stands in, for ``draw`` and ``animate``.
        folder: where to; made if it is not there.

    Returns:
        The files, in the order in which they were written.

    Raises:
        SpaceError: the folder cannot be written to.
    """
    make_folder(folder)
    paths = {
        kind: folder / kind for kind in ("figures.csv", "outcome.json", "figure.png", "figure.svg", "animation.gif")
    }
    write_file(paths["figures.csv"], _csv(outcome))
    write_file(paths["outcome.json"], json.dumps(as_plain(name, outcome), ensure_ascii=False, allow_nan=False))
    drawing = module.draw(outcome)
    write_file(paths["figure.png"], png(drawing))
    element = svg(drawing, name)
    opening_end = element.index(">") + 1
    write_file(paths["figure.svg"], element[:opening_end] + _ALONE + element[opening_end:])
    if hasattr(module, "animate"):
        write_file(paths["animation.gif"], module.animate(outcome))
    else:
        del paths["animation.gif"]
    return list(paths.values())


def as_plain(name: str, outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON can hold it; what is not finite becomes null."""
    rows = [
        {"what": row.what, "ours": row.ours, "reference": row.reference, "agrees": row.agrees} for row in outcome.rows
    ]
    plain: dict[str, Any] = _plain(
        {
            "experiment": name,
            "data": outcome.data,
            "rows": rows,
            "conclusion": outcome.conclusion,
            "caption": outcome.caption,
            "series": dict(outcome.series),
        }
    )
    return plain


def table_lines(rows: list[Row] | tuple[Row, ...]) -> list[str]:
    """What, ours, reference and whether they agree, in columns."""
    cells = [("", "ours", "reference", "agrees")]
    cells += [(row.what, _told(row.ours), _told(row.reference), _verdict(row)) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    return [
        f"  {what:<{widths[0]}}  {ours:>{widths[1]}}  {reference:>{widths[2]}}  {agrees}".rstrip()
        for what, ours, reference, agrees in cells
    ]


def _verdict(row: Row) -> str:
    return "" if row.agrees is None else "yes" if row.agrees else "NO"


def _told(value: float | str | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    return f"{value:.4f}".rstrip("0").rstrip(".") if 1e-3 <= abs(value) < 1000 else number(value)


def _csv(outcome: Outcome) -> str:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(("what", "ours", "reference", "agrees"))
    for row in outcome.rows:
        agrees = "" if row.agrees is None else str(row.agrees).lower()
        writer.writerow((row.what, row.ours, "" if row.reference is None else row.reference, agrees))
    return written.getvalue()


def _plain(value: Any) -> Any:
    """Arrays and tensors as lists, tuples as lists, numbers to eight digits, what is not finite as None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else None
    return value
