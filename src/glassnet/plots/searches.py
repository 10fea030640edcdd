"""What a search saw: the figure against each setting, all settings side by side, and what mattered; drawn from the folder's files alone."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from glassnet.plots.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    Drawing,
    label,
    legend,
    literal,
    logarithmic,
    new_axes,
    number,
    styled,
)

KNOWN = ("stage", "number", "end", "value", "epochs", "seconds", "why")
FEW = 6  # numbers that come again and again are choices, such as batch sizes, and stand side by side
ROOM = 24  # letters that fit under a panel
LOG = 30.0  # largest over smallest value from which an axis counts in decades


def draw_search(folder: Path) -> list[Path]:
    """Write ``plots/settings``, ``plots/parallel`` and ``plots/importances`` as PNG and SVG."""
    trials = read_trials(folder / "trials.csv")
    path = folder / "stages.json"
    stages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    drawings = {"settings": settings_plot(trials), "parallel": parallel_plot(trials)}
    if stages and stages[0]["importances"]:
        drawings["importances"] = importance_plot(stages[0]["importances"])
    place = folder / "plots"
    place.mkdir(exist_ok=True)
    written = []
    for name, drawing in drawings.items():
        for kind in ("png", "svg"):
            drawing.figure.savefig(place / f"{name}.{kind}", dpi=150, facecolor="white" if kind == "png" else "none")
            written.append(place / f"{name}.{kind}")
        (place / f"{name}.txt").write_text(drawing.caption + "\n", encoding="utf-8")
    return written


def read_trials(path: Path) -> list[dict[str, Any]]:
    """Rows of ``trials.csv``: ``stage``, ``number``, ``end``, ``value`` (NaN without one) and ``settings``."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {
                "stage": int(row["stage"]),
                "number": int(row["number"]),
                "end": row["end"],
                "value": float(row["value"]) if row["value"] else math.nan,
                "settings": {key: _value(text) for key, text in row.items() if key not in KNOWN and text},
            }
            for row in csv.DictReader(file)
        ]


def settings_plot(trials: Sequence[Mapping[str, Any]]) -> Drawing:
    """The figure against each setting, a panel each; the best is ringed, trials that were ended early are hollow, those below the panel are triangles."""
    from matplotlib.figure import Figure

    keys = _keys(trials)
    columns = min(3, len(keys)) or 1
    rows = math.ceil(len(keys) / columns) or 1
    figure = Figure(figsize=(3.1 * columns + 0.4, 2.5 * rows + 0.3), layout="constrained", facecolor="none")
    best = _best(trials)
    shown = [trial for trial in trials if math.isfinite(trial["value"])]
    bottom = _floor([trial["value"] for trial in shown])
    for place, key in enumerate(keys):
        axes = styled(figure.add_subplot(rows, columns, place + 1))
        scale = _Scale([trial["settings"][key] for trial in trials if key in trial["settings"]])
        for stage, colour in zip(sorted({trial["stage"] for trial in shown}), (BLUE, ORANGE, GREEN, INK), strict=False):
            for hollow, low in product((True, False), (True, False)):
                own = [
                    trial
                    for trial in shown
                    if trial["stage"] == stage
                    and (trial["end"] != "done") == hollow
                    and (trial["value"] < bottom) == low
                    and key in trial["settings"]
                ]
                if own:
                    axes.scatter(
                        [scale.at(trial["settings"][key]) for trial in own],
                        [max(trial["value"], bottom) for trial in own],
                        s=16,
                        marker="v" if low else "o",
                        facecolor="none" if hollow else colour,
                        edgecolor=colour,
                        linewidth=0.9,
                        alpha=0.85,
                        label=f"stage {stage}{', ended early' if hollow else ''}{', below' if low else ''}",
                    )
        if best and key in best["settings"]:
            axes.scatter(
                [scale.at(best["settings"][key])], [best["value"]], s=90, facecolor="none", edgecolor=INK, linewidth=1.4
            )
        scale.mark(axes)
        label(axes, _name(key), "validation" if place % columns == 0 else "")
        if place == 0:
            legend(axes, columns=2)
    return Drawing(figure, _settings_caption(trials, best))


def parallel_plot(trials: Sequence[Mapping[str, Any]]) -> Drawing:
    """Parallel coordinates (Inselberg 1985): a line a trial, the best quarter coloured."""
    keys = _keys(trials)
    shown = sorted(
        (trial for trial in trials if trial["end"] == "done" and math.isfinite(trial["value"])),
        key=lambda trial: trial["value"],
    )
    figure, axes = new_axes((max(4.5, 1.6 * (len(keys) + 1)), 3.4))
    scales = {key: _Scale([trial["settings"][key] for trial in trials if key in trial["settings"]]) for key in keys}
    values = [trial["value"] for trial in shown]
    low, high = (_floor(values), max(values)) if values else (0.0, 1.0)
    good = max(1, math.ceil(len(shown) / 4))
    for place, trial in enumerate(shown):
        heights = [scales[key].share(trial["settings"].get(key)) for key in keys]
        heights.append((max(trial["value"], low) - low) / (high - low) if high > low else 0.5)
        top = place >= len(shown) - good
        axes.plot(
            range(len(heights)),
            heights,
            color=ORANGE if top else MUTED,
            linewidth=1.4 if top else 0.7,
            alpha=0.9 if top else 0.35,
        )
    for place, key in enumerate(keys):
        scale = scales[key]
        for height, text in scale.ends():
            axes.annotate(text, (place, height), xytext=(3, 2), textcoords="offset points", fontsize=7, color=INK)
    for height, value in ((0.0, low), (1.0, high)):
        axes.annotate(
            ("≤ " if value == low and values and min(values) < low else "") + number(value),
            (len(keys), height),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=7,
            color=INK,
        )
    axes.set_xticks(
        range(len(keys) + 1), [*(literal(_name(key), 14) for key in keys), "validation"], fontsize=8, color=INK
    )
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlim(-0.15, len(keys) + 0.35)
    axes.set_ylim(-0.05, 1.08)
    return Drawing(figure, f"One line is one of {len(shown)} trials that came to their end; the best {good} in orange.")


def importance_plot(importances: Mapping[str, float]) -> Drawing:
    """How much of the figure's variation each setting explains (fANOVA)."""
    figure, axes = new_axes((4.8, 0.42 * len(importances) + 0.9))
    keys = sorted(importances, key=lambda key: importances[key])
    axes.barh([literal(_name(key), 20) for key in keys], [importances[key] for key in keys], color=BLUE, height=0.6)
    for place, key in enumerate(keys):
        axes.annotate(
            f"{importances[key]:.0%}",
            (importances[key], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    axes.set_xlim(0, max(importances.values()) * 1.18)
    axes.grid(visible=False, axis="y")
    label(axes, "share of the variation", "")
    return Drawing(
        figure,
        f"In the coarse stage {_name(keys[-1])} explains {importances[keys[-1]]:.0%} of how much the trials differ.",
    )


class _Scale:
    """Places on an axis for numbers, in decades where they span some; or for names, and for few numbers that come again, side by side."""

    def __init__(self, values: Sequence[Any]) -> None:
        listed = {json.dumps(value): value for value in values}
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        numbers = numbers and not (1 < len(listed) <= FEW and 2 * len(listed) <= len(values))
        self.names: list[str] = [] if numbers else sorted(listed, key=lambda name: _order(listed[name]))
        self.low = min(values, default=0.0) if numbers else 0.0
        self.high = max(values, default=1.0) if numbers else float(len(self.names) - 1)
        self.log = bool(numbers and self.low > 0 and self.high > LOG * self.low)

    def at(self, value: Any) -> float:
        return float(self.names.index(json.dumps(value))) if self.names else float(value)

    def share(self, value: Any) -> float:
        """From 0 to 1."""
        if value is None or self.high == self.low:
            return 0.5
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (self.at(value) - self.low) / (self.high - self.low)

    def ends(self) -> list[tuple[float, str]]:
        if self.names:
            last = max(len(self.names) - 1, 1)
            return [
                (place / last if len(self.names) > 1 else 0.5, literal(name.strip('"'), 12))
                for place, name in enumerate(self.names)
            ]
        return [(0.0, number(self.low)), (1.0, number(self.high))]

    def mark(self, axes: Any) -> None:
        if self.names:
            names = [literal(name.strip('"'), 12) for name in self.names]
            long = max(map(len, names)) * len(names) > ROOM
            axes.set_xticks(
                range(len(names)), names, rotation=20 if long else 0, ha="right" if long else "center", fontsize=7
            )
            axes.set_xlim(-0.5, len(self.names) - 0.5)
        elif self.log:
            axes.set_xscale("log")
            logarithmic(axes.xaxis, self.low, self.high)


def _order(value: Any) -> tuple[Any, ...]:
    """How values of a list stand side by side: numbers and lists of numbers by their size, then names by the alphabet."""
    parts = value if isinstance(value, list) else [value]
    if all(isinstance(part, int | float) for part in parts):
        return 0, sum(parts), len(parts), parts
    return 1, json.dumps(value)


def _keys(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    found = dict.fromkeys(key for trial in trials for key in trial["settings"])
    return [key for key in found if len({json.dumps(trial["settings"].get(key)) for trial in trials}) > 1]


def _best(trials: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    done = [trial for trial in trials if trial["end"] == "done" and math.isfinite(trial["value"])]
    return max(done, key=lambda trial: trial["value"], default=None)


def _floor(values: Sequence[float]) -> float:
    """A lower end that the worst few do not press the others flat with."""
    order = sorted(values)
    return max(order[0], order[-1] - 3 * (order[-1] - order[len(order) // 2])) if order else 0.0


def _settings_caption(trials: Sequence[Mapping[str, Any]], best: Mapping[str, Any] | None) -> str:
    early = sum(trial["end"] in ("pruned", "exploded") for trial in trials)
    if best is None:
        return f"None of {len(trials)} trials came to its end."
    values = [trial["value"] for trial in trials if math.isfinite(trial["value"])]
    bottom = _floor(values)
    below = sum(value < bottom for value in values)
    cut = f" {below} below {number(bottom)} are drawn at the lower end, as triangles." if below else ""
    return f"The best of {len(trials)} trials (ringed) has {number(best['value'])} on the validation part; {early} were ended early.{cut} Best of many: what it is worth, the finalists say."


def _name(key: str) -> str:
    return key.partition(".")[0] if key.endswith(".name") else key.rpartition(".")[2]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
