"""The trials of a search, from the files of its folder: rows of ``trials.csv``, those that are under way, and how each figure grew.

Nothing that the files hold is trusted: whoever copied the search here may have written them.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import threading
from pathlib import Path
from typing import Any

from glassnet.web.facts import text
from glassnet.web.index import Index, key_of
from glassnet.web.reading import read_text
from glassnet.web.tail import Tail

KNOWN = ("stage", "number", "end", "value", "epochs", "seconds", "why")
FIGURES = (
    "accuracy",
    "r2",
)  # what a search makes as large as possible: the first one that an epoch's validation part has
MOST_TRIALS = 5000
MOST_KEYS = 30
MOST_EPOCHS = 500  # of one trial
MOST_CURVES = 400  # trials whose epochs are read: those with the best figures, and those under way
PLACE = re.compile(r"(\d{1,4})-(\d{1,7})")  # the folder of a trial: stage-number


class Curves:
    """The validation figure of each trial after each of its epochs; of a file that has grown only what is new is read."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Tail, list[float]]] = {}
        self._lock = threading.Lock()

    def of(self, run: Path) -> list[float]:
        """The figures of a run folder, epoch by epoch."""
        with self._lock:
            tail, figures = self._known.setdefault(run, (Tail(run / "metrics.jsonl"), []))
            while True:
                before = tail.offset
                anew, lines = tail.new_lines()
                if anew:
                    figures.clear()
                figures += [figure for figure in map(_figure, lines) if figure is not None]
                if tail.offset == before or len(figures) >= MOST_EPOCHS:
                    return figures[:MOST_EPOCHS]


def trials(folder: Path, root: Path) -> list[dict[str, Any]]:
    """Rows of ``trials.csv``: ``stage``, ``number``, ``end``, ``value`` (None without one), ``epochs``, ``seconds``, ``why``, ``settings``, and ``run``, the id of its run folder."""
    found: list[dict[str, Any]] = []
    content = read_text(folder / "trials.csv", 32 << 20).replace("\0", "")
    try:
        for row in csv.DictReader(io.StringIO(content)):
            stage, place = row.get("stage") or "", row.get("number") or ""
            if not (stage.isdecimal() and place.isdecimal() and len(stage + place) < 12):
                continue
            keys = [key for key in row if isinstance(key, str) and key not in KNOWN][:MOST_KEYS]
            found.append(
                {
                    "stage": int(stage),
                    "number": int(place),
                    "end": text(row.get("end")),
                    "value": _number(row.get("value")),
                    "epochs": _number(row.get("epochs")),
                    "seconds": _number(row.get("seconds")),
                    "why": text(row.get("why")),
                    "run": key_of(folder / "trials" / f"{int(stage)}-{int(place):04d}", root),
                    "settings": {key: _setting(row[key]) for key in keys if row[key]},
                }
            )
            if len(found) >= MOST_TRIALS:
                break
    except csv.Error:
        return found
    return found


def under_way(folder: Path, index: Index, keys: set[str], ended: set[tuple[int, int]]) -> list[dict[str, Any]]:
    """The trials that have a folder and no row yet, as :func:`trials` gives them; ``end`` is ``running`` or ``stopped``.

    Args:
        folder: of the search.
        index: which knows the state of each run.
        keys: of the recipe, that are searched.
        ended: (stage, number) of the trials that have a row.
    """
    found: list[dict[str, Any]] = []
    try:
        names = sorted(path.name for path in (folder / "trials").iterdir())
    except OSError:
        return found
    for name in names[:MOST_TRIALS]:
        place = PLACE.fullmatch(name)
        if place is None or (int(place[1]), int(place[2])) in ended:
            continue
        key = key_of(folder / "trials" / name, index.root)
        entry = index.entry(key)
        if entry is None:
            continue
        settings = {each: entry.settings[each] for each in sorted(keys) if each in entry.settings}
        found.append(
            {
                "stage": int(place[1]),
                "number": int(place[2]),
                "end": "running" if entry.state == "running" else "stopped",
                "value": None,
                "epochs": entry.facts.get("epochs"),
                "seconds": None,
                "why": "",
                "run": key,
                "settings": {
                    each: float(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
                    for each, value in settings.items()
                },
            }
        )
    return found


def searched(folder: Path, given: Any) -> set[str]:
    """Keys of the recipe that are searched, as ``search.json`` names them."""
    space = given.get("space") if isinstance(given, dict) else None
    keys = [each.get("key") for each in space[:MOST_KEYS] if isinstance(each, dict)] if isinstance(space, list) else []
    return {key for key in keys if isinstance(key, str)}


def with_curves(found: list[dict[str, Any]], index: Index, curves: Curves) -> None:
    """Add ``curve`` to the trials under way and to the best ones: the validation figure after each epoch."""
    best = sorted(
        found, key=lambda each: (each["end"] != "running", -(-math.inf if each["value"] is None else each["value"]))
    )
    for each in best[:MOST_CURVES]:
        path = index.path(each["run"])
        if path is not None:
            each["curve"] = curves.of(path)


def _figure(line: str) -> float | None:
    """The validation figure of an epoch's event; None of all other lines."""
    if '"epoch"' not in line[:24]:
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    val = event.get("val") if isinstance(event, dict) and event.get("event") == "epoch" else None
    if not isinstance(val, dict):
        return None
    value = next((val[name] for name in FIGURES if name in val), None)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else None


def _number(given: object) -> float | None:
    try:
        value = float(str(given)[:40])
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _setting(given: str) -> float | str:
    value = _number(given)
    return given[:100] if value is None else value
