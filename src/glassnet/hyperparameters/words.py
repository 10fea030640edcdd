"""A search in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glassnet.searching.space import written


def told_of(record: Mapping[str, Any], *, last: bool) -> list[str]:
    """A stage in words."""
    best = record["best"]
    lines = [
        f"stage {record['stage']}: the best of {record['trials']} trials has {best['value']:.4f} with {settings_told(best['settings'])}"
    ]
    if record["importances"]:
        lines.append(
            "  what mattered: " + ", ".join(f"{short(key)} {value:.0%}" for key, value in record["importances"].items())
        )
    lines += [f"  warning: {edge}" for edge in record["edges"]]
    if not last:
        lines += [
            f"  {short(each['key'])}: {each['from']} -> {each['to']} ({each['why']})" for each in record["narrowed"]
        ]
    return lines


def settings_told(settings: Mapping[str, Any]) -> str:
    """``lr 9.5e-4, dropout 0.2``; of none, that nothing is changed."""
    return ", ".join(f"{short(key)} {written(value)}" for key, value in settings.items()) or "nothing changed"


def short(key: str) -> str:
    """``optimizer.lr`` -> ``lr``, ``optimizer.name`` -> ``optimizer``."""
    return key.rpartition(".")[2] if not key.endswith(".name") else key.partition(".")[0]
