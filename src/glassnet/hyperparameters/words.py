"""A search in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glassnet.hyperparameters.asked import Search
from glassnet.hyperparameters.side_by_side import Arrangement
from glassnet.recipe import Recipe
from glassnet.searching import Parameter
from glassnet.searching.space import written


def plan_told(search: Search, base: Recipe, samples: int, ways: Sequence[Arrangement]) -> list[str]:
    """What is about to be done.

    Args:
        search: nothing of it left open.
        base: what stays the same in all trials.
        samples: of the training part.
        ways: to use the cores, the chosen one first.
    """
    assert search.space is not None
    assert search.stages is not None
    lines = [
        f"search {samples:,} samples, {base.net.name}; " + ", ".join(_told(each) for each in search.space),
        f"       {search.method}, {ways[0]}; "
        + "; then ".join(
            f"{each.trials} trial{'' if each.trials == 1 else 's'} of {each.epochs} epoch{'' if each.epochs == 1 else 's'}"
            for each in search.stages
        ),
    ]
    if len(ways) > 1:
        rates = ", ".join(f"{each.epochs_per_second:.3g} epochs/s {each}" for each in ways)
        lines.append(f"       measured: {rates}")
    return lines


def _told(parameter: Parameter) -> str:
    only = parameter.only
    with_what = f" (with {short(only.key)} {' or '.join(map(written, only.values))})" if only else ""
    return f"{short(parameter.key)} {parameter}{with_what}"


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
