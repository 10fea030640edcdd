"""A result in a few lines of words."""

from __future__ import annotations

from typing import Any

from glassnet.cli.forecast_lines import forecast_lines
from glassnet.cli.gain_lines import gain_lines
from glassnet.cli.language_lines import figures_told, language_lines
from glassnet.cli.translation_lines import translation_figures, translation_lines

MOST_KINDS = 20


def result_lines(result: dict[str, Any]) -> list[str]:
    """What ``result.json`` says: the figures with their interval, then baseline and rivals beside them."""
    part = {"test": "test", "val": "validation"}[result["part"]]
    if result["task"] == "language":
        return language_lines(result, part)
    if result["task"] == "translation":
        return translation_lines(result, part)
    lines = [f"{part} part, {result['samples']:,} samples"]
    if result["part"] == "val" and result["rivals"]:
        lines.append(
            "  there is no untouched test part: the epoch was chosen by these figures, so they are a little too good"
        )
    if "forecast" in result:
        lines += forecast_lines(result["forecast"])
        return lines + (gain_lines(result["ensemble"]) if "ensemble" in result else [])
    lines += figure_lines(result["figures"], full=False)
    lines += entity_lines(result.get("entities"))
    name = "accuracy" if result["task"] == "classes" else "R²"
    own = result["figures"]["accuracy"] if result["task"] == "classes" else result["figures"]["r2"]
    better = [rival for rival in result["rivals"] if rival["figure"] > own]
    for rival in result["rivals"]:
        note = f"  ({rival['note']})" if rival.get("note") else ""
        lines.append(f"  beside it: {rival['name']}: {name} {_figure(rival['figure'], result['task'])}{note}")
    if "ensemble" in result:
        lines += gain_lines(result["ensemble"])
    if better:
        best = max(better, key=lambda rival: float(rival["figure"]))
        lines.append(f"  better than the network on these data: {best['name']}; use that, or search further")
    return lines


def entity_lines(entities: dict[str, Any] | None) -> list[str]:
    """How well whole stretches of tags such as B-PER I-PER are found; nothing where tags are single."""
    if not entities:
        return []
    whole = entities["all"]
    lines = [
        f"  entities: F1 {whole['f1']:.4f}  (precision {whole['precision']:.4f}, recall {whole['recall']:.4f}; {whole['support']:,} in these sentences)"
    ]
    kinds = [f"{name} {each['f1']:.4f}" for name, each in entities["each"].items()]
    return lines + ([f"    {', '.join(kinds[:MOST_KINDS])}"] if len(kinds) > 1 else [])


def figure_lines(figures: dict[str, Any], *, full: bool) -> list[str]:
    """The figures of a classifier or of predicted values; with ``full``, class by class."""
    if figures["kind"] == "language":
        return figures_told(figures)
    if figures["kind"] == "translation":
        return translation_figures(figures, full=full)
    return _classes(figures, full) if figures["kind"] == "classification" else _values(figures)


def _classes(figures: dict[str, Any], full: bool) -> list[str]:
    low, high = _interval(figures["accuracy_interval"])
    lines = [
        f"  accuracy {figures['accuracy']:.2%}  (95 % interval {low:.2%} to {high:.2%}), loss {figures['loss']:.4f}"
    ]
    if figures["error_top5"] is not None:
        lines.append(f"  error top-1 {figures['error_top1']:.2%}, top-5 {figures['error_top5']:.2%}")
    lines.append(
        f"  macro F1 {figures['macro_f1']:.4f}, calibration error {figures['calibration_error']:.2%}"
        + _most_confused(figures)
    )
    if full:
        width = max(len("class"), *(len(row["name"]) for row in figures["per_class"]))
        lines.append(f"  {'class':<{width}}  precision  recall      F1  samples")
        lines += [
            f"  {row['name']:<{width}}  {row['precision']:9.4f}  {row['recall']:6.4f}  {row['f1']:6.4f}  {row['support']:7,}"
            for row in figures["per_class"]
        ]
        lines += _confusion(figures)
    return lines


def _most_confused(figures: dict[str, Any]) -> str:
    if not figures["confused"]:
        return ""
    pair, names = figures["confused"][0], figures["classes"]
    times = "once" if pair["count"] == 1 else f"{pair['count']} times"
    return f"; most confused: {names[pair['true']]} taken for {names[pair['said']]}, {times}"


def _confusion(figures: dict[str, Any]) -> list[str]:
    names = figures["classes"]
    if len(names) > 20:
        return [f"  ({len(names)} classes: the confusion matrix is in the report and in --json)"]
    short = [name[:7] for name in names]
    lines = [
        "  confusion: rows are the true classes, columns what was said",
        " " * 10 + "".join(f"{n:>8}" for n in short),
    ]
    for name, row in zip(short, figures["confusion"], strict=True):
        lines.append(f"  {name:<8}" + "".join(f"{count or '·':>8}" for count in row))
    return lines


def _values(figures: dict[str, Any]) -> list[str]:
    lines = []
    for output in figures["per_output"]:
        low, high = _interval(output["r2_interval"])
        lines.append(
            f"  {output['name']}: R² {output['r2']:.4f} (95 % interval {low:.4f} to {high:.4f}), "
            f"MAE {output['mae']:.4g}, RMSE {output['rmse']:.4g}, MSE {output['mse']:.4g}"
        )
    return lines


def _interval(value: Any) -> tuple[float, float]:
    return (value["low"], value["high"]) if isinstance(value, dict) else (value[0], value[1])


def _figure(value: float, task: str) -> str:
    return f"{value:.2%}" if task == "classes" else f"{value:.4f}"
