"""A run folder, read for its report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from glassnet.data.dataset import Data
from glassnet.evaluate import ClassificationFigures, Figures, Interval, RegressionFigures, Rival, figures_from_json
from glassnet.events import Checked, Epoch, Finding, Finished, Measured, Started, Timing, Tried
from glassnet.model import Model
from glassnet.plots.style import number
from glassnet.report.looks import Looks, looks, subject_words
from glassnet.report.report_story import DataSummary, Pair, RangeTrace, ReportStory, Wrong
from glassnet.report.samples import samples_of
from glassnet.runs import RunFolder

MOST_PAIRS = 6
MOST_SOUNDS = 4  # of a pair; a sound takes more room than a picture


def story_of_run(
    folder: RunFolder,
    data: Data | None = None,
    model: Model | None = None,
    *,
    title: str | None = None,
    left_out: tuple[str, ...] = (),
) -> ReportStory:
    """All that a report tells of a run, from the files in its folder.

    Args:
        folder: of a run, finished or not.
        data: as they were divided for the run; where given, mistakes are shown.
        model: the finished one; where given beside the data, pictures of its inside are drawn.
        title: heading; by default the data's name and the network's.
        left_out: sentences on what is missing, such as the data.
    """
    about, net, result = folder.read_json("data"), folder.read_json("net"), folder.read_json("result")
    events = list(folder.events())
    epochs = tuple(event for event in events if isinstance(event, Epoch))
    started = next((event for event in events if isinstance(event, Started)), None)
    figures = figures_from_json(result["figures"]) if result else None
    part = result.get("part", "test")
    name = net_name(net)
    uses = test_uses(folder)
    measured = tuple(event for event in events if isinstance(event, Measured))
    inside = Looks() if data is None or model is None else looks(model, data, figures, part, measured)
    return ReportStory(
        title=title or f"{about.get('name', folder.path.name)}, learned by {name}",
        when=when(folder, uses),
        command=f"glassnet train --recipe {folder.path.name}/recipe.toml" if folder.recipe.exists() else "",
        data=data_summary(about),
        net=name,
        parameters=None if started is None else started.parameters,
        layer_table=str(net.get("table", "")),
        recipe=folder.recipe.read_text(encoding="utf-8") if folder.recipe.exists() else "",
        epochs=epochs,
        part=part,
        figures=figures,
        rivals=tuple(rival_from_json(each) for each in result.get("rivals", ())),
        findings=tuple(event for event in events if isinstance(event, Finding)),
        finished=next((event for event in reversed(events) if isinstance(event, Finished)), None),
        timings=tuple(event for event in events if isinstance(event, Timing)),
        environment=folder.read_json("environment"),
        mistakes=() if data is None or figures is None else mistakes(figures, data, part),
        confused=() if data is None or figures is None else confused(figures, data, part),
        looks=inside.pictures,
        looks_words=subject_words(figures) if inside.pictures else "",
        left_out=left_out + inside.left_out,
        range_test=range_trace(folder.read_json("range_test")),
        test_uses=max(len(uses), 1),
        measured=measured,
        checked=tuple(event for event in events if isinstance(event, Checked)),
        tried=tuple(event for event in events if isinstance(event, Tried)),
        folds=result.get("folds", {}),
        ensemble=result.get("ensemble", {}),
        forecast=result.get("forecast", {}),
        entities=result.get("entities", {}),
    )


def range_trace(about: dict[str, Any]) -> RangeTrace | None:
    """What ``range_test.json`` says."""
    if not about:
        return None
    lrs, losses = tuple(about["lrs"]), tuple(about["losses"])
    return RangeTrace(lrs, losses, about["suggestion"], about["too_low"], about["too_high"])


def data_summary(about: dict[str, Any]) -> DataSummary:
    """What ``data.json`` says."""
    return DataSummary(
        name=about.get("name", "unknown data"),
        origin=about.get("origin", "unknown"),
        kind=about.get("kind", "array"),
        shape=tuple(about.get("shape", ())),
        task=about.get("task", "classes"),
        classes=tuple(about.get("classes", ())),
        outputs=tuple(about.get("outputs", ())),
        samples=about.get("samples", {}),
        class_counts={part: tuple(counts) for part, counts in about.get("class_counts", {}).items()},
        notes=tuple(about.get("notes", ())),
        troubles=tuple((each["severity"], each["what"], each["advice"]) for each in about.get("troubles", ())),
        unreadable=tuple((each["name"], each["reason"]) for each in about.get("unreadable", ())),
        fingerprint=about.get("fingerprint", ""),
    )


def rival_from_json(fields: dict[str, Any]) -> Rival:
    """A rival as ``result.json`` holds it."""
    interval = fields.get("interval")
    return Rival(**fields | {"interval": None if interval is None else Interval(*interval)})


def mistakes(figures: Figures, data: Data, part: str) -> tuple[Wrong, ...]:
    """The worst mistakes, with what there is to show of each; none where the data are no longer those that were judged."""
    judged = data.parts.get(part)
    if not isinstance(figures, ClassificationFigures | RegressionFigures):
        return ()
    if judged is None or len(judged) != figures.samples:
        return ()
    shown = samples_of(judged, data.schema, [mistake.index for mistake in figures.worst])
    if isinstance(figures, ClassificationFigures):
        return tuple(
            Wrong(sample, figures.classes[each.true], figures.classes[each.said], each.probability)
            for sample, each in zip(shown, figures.worst, strict=True)
        )
    several = len(figures.outputs) > 1
    return tuple(
        Wrong(
            sample,
            (f"{figures.outputs[miss.output]} " if several else "") + number(miss.true),
            number(miss.predicted),
            None,
        )
        for sample, miss in zip(shown, figures.worst, strict=True)
    )


def confused(figures: Figures, data: Data, part: str) -> tuple[Pair, ...]:
    """The most confused pairs with the samples behind them; none for values, and none where a sample has only a name."""
    judged = data.parts.get(part)
    if not isinstance(figures, ClassificationFigures) or judged is None or len(judged) != figures.samples:
        return ()
    pairs = []
    for pair in figures.confused[:MOST_PAIRS]:
        most = MOST_SOUNDS if data.schema.kind == "sound" else len(pair.samples)
        shown = tuple(samples_of(judged, data.schema, list(pair.samples[:most])))
        if shown and shown[0].shown:
            pairs.append(Pair(figures.classes[pair.true], figures.classes[pair.said], pair.count, shown))
    return tuple(pairs)


def net_name(net: dict[str, Any]) -> str:
    """What ``net.json`` calls the network."""
    if "ensemble" in net:
        names = list(dict.fromkeys(net_name(each["net"]) for each in net["ensemble"]))
        return f"an ensemble of {len(net['ensemble'])} networks ({', '.join(names)})"
    return next((str(net[key]).rpartition(":")[2] for key in ("zoo", "class") if net.get(key)), "a network")


def test_uses(folder: RunFolder) -> list[dict[str, Any]]:
    """The records of ``test_uses.jsonl``; a torn line is left out."""
    if not folder.test_uses.exists():
        return []
    uses: list[dict[str, Any]] = []
    for line in folder.test_uses.read_text(encoding="utf-8").splitlines():
        try:
            uses.append(json.loads(line))
        except ValueError:
            continue
    return uses


def when(folder: RunFolder, uses: list[dict[str, Any]]) -> str:
    """When the run, or the last of its folds, came to its result, in UTC; empty where it has not."""
    trained = next((str(use["when"]) for use in uses if use.get("by") == "train" and "when" in use), "")
    cards = [folder.model / "model.json", *folder.path.glob("folds/*/model/model.json")]
    trained = trained or max(map(_trained, cards), default="")
    return trained.replace("T", " ").replace("+00:00", " UTC")


def _trained(card: Path) -> str:
    try:
        return str(json.loads(card.read_text(encoding="utf-8"))["card"]["trained"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
