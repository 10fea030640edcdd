"""A result in a few lines of words."""

from __future__ import annotations

from typing import Any, NamedTuple

from glassnet.cli.forecast_lines import forecast_lines
from glassnet.cli.gain_lines import gain_lines
from glassnet.cli.language_lines import figures_told, sample_lines
from glassnet.cli.translation_lines import translation_figures

MOST_KINDS = 20
SPOKEN = {"test": "test", "val": "validation"}


class Beside(NamedTuple):
    """How the rivals of a task are told beside the network.

    Attributes:
        key: of the network's own figure that theirs are compared with.
        told: a figure of theirs in words; ``UNIT`` stands for what a language model reads.
        falls: whether the lowest is the best.
        where: what the rival is better on, where it is.
        advice: what to do then.
    """

    key: str
    told: str
    falls: bool = False
    where: str = "these data"
    advice: str = "use that, or search further"


BESIDE = {
    "classes": Beside("accuracy", "accuracy {:.2%}"),
    "values": Beside("r2", "R² {:.4f}"),
    "language": Beside("loss", "{:.4f} nats a UNIT", True, "this text", "give it more text, or more epochs"),
    "translation": Beside("exact", "exact {:.2%}", advice="more pairs or epochs may help"),
}


def result_lines(result: dict[str, Any]) -> list[str]:
    """What ``result.json`` says: the figures with their interval, then baseline and rivals beside them."""
    figures, rivals, beside = result["figures"], result["rivals"], BESIDE[result["task"]]
    folds = result.get("folds")
    if folds:
        lines = [
            f"all {folds['count']} folds, {counted(result['samples'], figures)}, each judged by the network that had not seen it",
            "  the epoch was chosen by the same samples, so these figures are a little too good",
            fold_line(folds),
        ]
    else:
        lines = [f"{SPOKEN[result['part']]} part, {counted(result['samples'], figures)}"]
        if result["part"] == "val" and rivals:
            lines.append(
                "  there is no untouched test part: the epoch was chosen by these figures, so they are a little too good"
            )
    gained = gain_lines(result["ensemble"]) if "ensemble" in result else []
    if "forecast" in result:
        return lines + forecast_lines(result["forecast"]) + gained
    lines += figure_lines(figures, full=False) + entity_lines(result.get("entities"))
    for rival, about in zip(rivals, notes_of(rivals, folds), strict=True):
        told = beside.told.replace("UNIT", figures.get("unit", "").removesuffix("s")).format(rival["figure"])
        note = f"  ({about})" if about else ""
        lines.append(f"  beside it: {rival['name']}: {told}{note}")
    lines += gained
    if rivals:
        best = (min if beside.falls else max)(rivals, key=lambda rival: float(rival["figure"]))
        own, other = figures[beside.key], best["figure"]
        if other < own if beside.falls else other > own:
            lines.append(f"  better than the network on {beside.where}: {best['name']}; {beside.advice}")
    return lines + sample_lines(figures.get("sample", ""))


def fold_line(folds: dict[str, Any]) -> str:
    """Mean and spread over the folds, and each of them."""
    name, each = folds["figure"], folds["each"]
    shown = "{:.2%}" if name == "accuracy" else "{:.4f}"
    told = ", ".join(shown.format(fold[name]) for fold in each)
    mean, std = shown.format(folds["mean"]), shown.format(folds["std"])
    return f"  {'accuracy' if name == 'accuracy' else 'R²'} of a fold {mean} ± {std}  ({told})"


def notes_of(rivals: list[dict[str, Any]], folds: dict[str, Any] | None) -> list[str]:
    """What is said behind each rival: its note, of a cross-validation in how many folds the network is ahead of it."""
    if folds is None:
        return [rival.get("note", "") for rival in rivals]
    key = folds["figure"]
    ahead = [
        sum(fold[key] > other for fold, other in zip(folds["each"], rival["each"], strict=True))
        for rival in folds["rivals"]
    ]
    return [f"the network is ahead in {count} of {folds['count']} folds" for count in ahead]


def counted(samples: int, figures: dict[str, Any]) -> str:
    """How much was judged, in the unit of the task."""
    if figures["kind"] == "language":
        return f"{figures['samples']:,} {figures['unit']}"
    return f"{samples:,} {'pairs' if figures['kind'] == 'translation' else 'samples'}"


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
    """The figures of whatever task; with ``full``, class by class, with all mistakes or with what the model wrote."""
    if figures["kind"] == "language":
        return figures_told(figures) + (sample_lines(figures.get("sample", "")) if full else [])
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
    first = max(map(len, short))
    widths = [2 + max(len(name), *(len(str(row[at])) for row in figures["confusion"])) for at, name in enumerate(short)]
    lines = [
        "  confusion: rows are the true classes, columns what was said",
        "  " + " " * first + "".join(f"{name:>{width}}" for name, width in zip(short, widths, strict=True)),
    ]
    for name, row in zip(short, figures["confusion"], strict=True):
        told = (f"{count or '·':>{width}}" for count, width in zip(row, widths, strict=True))
        lines.append(f"  {name:<{first}}" + "".join(told))
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
