"""What a run tells people of its data, its choices and its end, and what of the data it keeps in ``data.json``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from glassnet.data.audit import Audit
from glassnet.data.dataset import Data, Part, class_counts
from glassnet.data.kinds import KINDS
from glassnet.errors import DivergedError, OutOfMemoryError
from glassnet.events import Finding
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder

MOST_NAMED = 8


def summary(data: Data, found: Audit, fingerprint: str) -> dict[str, Any]:
    """What ``data.json`` holds."""
    return {
        "name": data.name,
        "origin": data.origin,
        "kind": data.schema.kind,
        "shape": list(data.schema.shape),
        "task": data.task,
        "classes": list(data.classes),
        "outputs": list(data.outputs),
        "samples": {name: len(part) for name, part in data.parts.items()},
        "class_counts": {name: counts_of(data, part) for name, part in data.parts.items()},
        "notes": list(data.notes),
        "unreadable": [asdict(item) for item in data.unreadable],
        "troubles": [asdict(trouble) for trouble in found.troubles],
        "fingerprint": fingerprint,
    }


def counts_of(data: Data, part: Part) -> list[int]:
    """Samples of each class; empty for values."""
    return class_counts(part, len(data.classes)) if data.task == "classes" else []


def introduction(data: Data, found: Audit) -> list[str]:
    """What the data are, for people: a line of counts, the reader's notes, and the audit's warnings."""
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in data.parts.items())
    what = {
        "classes": f"{len(data.classes)} classes",
        "language": ", ".join(data.outputs),
        "translation": f"translations into '{data.outputs[0]}'",
    }.get(data.task, "values of " + named(data.outputs))
    lines = [f"data   {data.name}: {what}, {KINDS[data.schema.kind].told(data.schema.shape)}; {sizes}"]
    lines += [f"       {note}" for note in data.notes]
    if data.unreadable:
        lines.append(
            f"       {len(data.unreadable)} left out, such as {data.unreadable[0].name}: {data.unreadable[0].reason}"
        )
    lines += [f"       {trouble.severity}: {trouble.what}" for trouble in found.troubles if trouble.severity != "info"]
    return lines


def named(outputs: tuple[str, ...]) -> str:
    """Names in a row; of many the first and the last."""
    return ", ".join(outputs if len(outputs) <= MOST_NAMED else (*outputs[:2], "…", outputs[-1]))


def choices(recipe: Recipe, reasons: dict[str, str]) -> list[str]:
    """The choices worth a line of their own, each with its reason."""
    settings, optimizer = recipe.train, recipe.optimizer
    epochs = "epoch" if settings.epochs == 1 else "epochs"
    precision = reasons.get("train.precision", "as asked").removeprefix(f"{settings.precision}: ")
    told = [
        ("net", recipe.net.name, reasons.get("net.name", "as asked")),
        ("rate", f"{optimizer.name}, lr {optimizer.lr:.3g}", reasons.get("optimizer.lr", "as asked")),
        (
            "time",
            f"{settings.epochs} {epochs} of {settings.batch_size} a step",
            reasons.get("train.epochs", "as asked"),
        ),
        ("speed", settings.precision, precision),
    ]
    if recipe.net.pretrained:
        told.insert(1, ("start", Path(recipe.net.pretrained).name, reasons.get("net.pretrained", "as asked")))
    augment = ", ".join(f"{key} {value}" for key, value in recipe.augment.given().items() if value)
    if augment:
        told.append(
            (
                "change",
                augment,
                next((r for k, r in reasons.items() if k.startswith("augment.") and k != "augment.auto"), "as asked"),
            )
        )
    return [f"{label:<7}{value} ({reason})" for label, value, reason in told]


def diverged(finding: Finding, folder: RunFolder) -> DivergedError:
    """The error that ends a run whose loss exploded."""
    return DivergedError(
        "training was stopped: " + finding.what,
        where=folder.path,
        got=finding.why,
        fix=finding.advice,
    )


def out_of_memory(recipe: Recipe) -> OutOfMemoryError:
    """The error for a batch or data set that does not fit."""
    return OutOfMemoryError(
        "out of memory",
        where=recipe.data.path,
        got=None if recipe.train.batch_size == "auto" else f"batches of {recipe.train.batch_size}",
        fix="take a smaller net, cut each batch into pieces (--set train.micro_batches=4), or use a smaller --batch-size or --image-size",
    )
