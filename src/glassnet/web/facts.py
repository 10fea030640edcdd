"""What a run is, in a few sentences and tables, from files that are not trusted and without loading torch."""

from __future__ import annotations

import json
from typing import Any

from glassnet.captions import number
from glassnet.runs import RunFolder
from glassnet.web.index import Entry
from glassnet.web.reading import read_object, read_text

SAMPLES = {"image": "images", "table": "rows", "text": "texts", "sound": "sounds"}
SEVERITIES = {"error": "stop", "warning": "warning"}  # of the audit, as findings are coloured
PARTS = {"train": "training", "val": "validation", "test": "test"}
MOST_CLASSES = 100
MOST_NOTES = 50
LONGEST = 400


def summary(entry: Entry, about: dict[str, Any]) -> str:
    """What is trained on what."""
    samples = about.get("samples")
    counts = [
        f"{count:,} {PARTS.get(part, part)}"
        for part, count in (samples.items() if isinstance(samples, dict) else ())
        if isinstance(count, int) and isinstance(part, str)
    ][:5]
    kind = SAMPLES.get(str(about.get("kind")), "samples")
    net = entry.settings.get("net.name") or "A network"
    name = text(about.get("name")) or text(entry.settings.get("data.path")) or "unknown data"
    classes = about.get("classes")
    goal = ""
    if isinstance(classes, list) and classes and about.get("task", "classes") == "classes":
        goal = f", to tell {len(classes)} classes apart"
    return f"{net} learns from {name}{goal}" + (f": {', '.join(counts)} {kind}." if counts else ".")


NAMES = {"accuracy": "Accuracy", "r2": "R²", "exact": "Exactly right", "nats": "Nats a token (the fewer the better)"}


def result(entry: Entry, outcome: dict[str, Any]) -> str:
    """How good it is, with its interval; empty without a result."""
    facts = entry.facts
    if "figure" not in facts:
        return ""
    samples = outcome.get("samples")
    on = f" on {samples:,} samples" if isinstance(samples, int) else ""
    part = PARTS.get(facts["part"], facts["part"])
    interval = f" (95 % interval {told(facts['low'], facts)} to {told(facts['high'], facts)})" if "low" in facts else ""
    name = NAMES[facts["metric"]]
    return f"{name} {told(facts['figure'], facts)}{interval}{on} of the {part} part."


def told(value: float, facts: dict[str, Any]) -> str:
    """A figure as people write it: shares in percent, others with three digits."""
    return f"{100 * value:.2f} %" if facts["metric"] in ("accuracy", "exact") else f"{value:.3f}".replace("-", "−")


def rivals(outcome: dict[str, Any], facts: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, figure, note) of the methods that the network is compared with, itself first."""
    if "figure" not in facts:
        return []
    rows = [("this network", told(facts["figure"], facts), "")]
    given = outcome.get("rivals")
    rows += [
        (text(each.get("name")), told(each["figure"], facts), text(each.get("note")))
        for each in (given[:20] if isinstance(given, list) else ())
        if isinstance(each, dict) and isinstance(each.get("figure"), int | float)
    ]
    return rows


def classes(outcome: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """(class, [precision, recall, F1, samples]) of each class; of many, those with the lowest F1."""
    figures = outcome.get("figures")
    given = figures.get("per_class") if isinstance(figures, dict) else None
    rows = [
        each
        for each in (given if isinstance(given, list) else ())
        if isinstance(each, dict)
        and all(isinstance(each.get(key), int | float) for key in ("precision", "recall", "f1", "support"))
    ]
    if len(rows) > MOST_CLASSES:
        rows = sorted(rows, key=lambda each: each["f1"])[:MOST_CLASSES]
    return [
        (
            text(each.get("name")),
            [*(f"{100 * each[key]:.1f} %" for key in ("precision", "recall", "f1")), f"{each['support']:,}"],
        )
        for each in rows
    ]


def recipe_text(folder: RunFolder) -> str:
    """The resolved recipe with its reasons; before it is there, the recipe as it was asked for."""
    return read_text(folder.recipe, 1 << 20) or read_text(folder.asked, 1 << 20)


def layers(folder: RunFolder) -> str:
    """The layer table with the shapes, as text."""
    table = read_object(folder.path / "net.json").get("table")
    return table[:200_000] if isinstance(table, str) else ""


def environment(folder: RunFolder) -> list[tuple[str, str]]:
    """Machine and versions."""
    found = read_object(folder.path / "environment.json")
    return [
        (text(key), text(value if isinstance(value, str) else json.dumps(value)))
        for key, value in list(found.items())[:40]
    ]


def notes(about: dict[str, Any]) -> list[tuple[str, str]]:
    """(severity, words) of what the reader and the audit of the data noted."""
    found = [("info", text(each)) for each in _list(about.get("notes"))]
    for each in _list(about.get("troubles")):
        if isinstance(each, dict):
            severity = SEVERITIES.get(str(each.get("severity")), "info")
            found.append((severity, f"{text(each.get('what'))} {text(each.get('advice'))}".strip()))
    return [each for each in found if each[1]]


def text(value: object) -> str:
    """Text of at most 400 characters; anything else is empty."""
    return value[:LONGEST] if isinstance(value, str) else ""


def figure(value: object) -> str:
    """A number for people; anything else is empty."""
    return number(value) if isinstance(value, int | float) else ""


def _list(value: object) -> list[Any]:
    return value[:MOST_NOTES] if isinstance(value, list) else []
