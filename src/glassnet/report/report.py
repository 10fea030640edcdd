"""A run as one HTML file that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any, NamedTuple

from glassnet.evaluate import ClassificationFigures, LanguageFigures, RegressionFigures, TranslationFigures
from glassnet.files import write_file
from glassnet.plots import (
    Drawing,
    activation_histograms,
    confusion_plot,
    figure_curve,
    gradient_depth_plot,
    loss_curve,
    lr_range_plot,
    prediction_plot,
    rate_curve,
    reliability_diagram,
    silent_units_curve,
    step_reach_curve,
    svg,
    update_ratio_curve,
)
from glassnet.plots.style import number
from glassnet.report import folds, language_words, members, words
from glassnet.report.headline import headline, percent
from glassnet.report.report_story import ReportStory

FEWEST_LOOKS = 3
MOST_CLASS_ROWS = 60
MOST_OUTPUT_PLOTS = 6
MOST_THUMBNAILS = 24
MOST_NAMES = 20
MOST_ROWS = 12
MOST_TEXT = 200_000


class Picture(NamedTuple):
    """An ``<svg>`` element that was written by us, and its caption, which is text."""

    svg: str
    caption: str


class Bar(NamedTuple):
    """A row of the comparison: a name, a figure, and where it stands on a scale of 0 to 100."""

    name: str
    figure: str
    note: str
    own: bool
    place: float
    low: float | None
    high: float | None


def write_report(story: ReportStory, path: Path) -> None:
    """Write the page, replacing an older one as a whole.

    Raises:
        SpaceError: it cannot be written.
    """
    write_file(path, render(story))


def render(story: ReportStory) -> str:
    """The page as HTML. Every text that comes from data is escaped."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent,
        "number": number,
        "capital": words.capital,
        "svg": Markup,
        "base64": encoded,
    }
    here = Path(__file__).parent
    source = (here / "template.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        style=(here / "style.css").read_text(encoding="utf-8"),
        story=story,
        data=story.data,
        figures=story.figures,
        classification=story.figures if isinstance(story.figures, ClassificationFigures) else None,
        language=story.figures if isinstance(story.figures, LanguageFigures) else None,
        language_words=language_words,
        translation=story.figures if isinstance(story.figures, TranslationFigures) else None,
        regression=story.figures if isinstance(story.figures, RegressionFigures) else None,
        words=words,
        members=members,
        folds=folds,
        summary=words.capital(words.summary(story)),
        result=words.result(story),
        verdict=words.verdict(story),
        caution=words.caution(story),
        ending=words.ending(story),
        bars=comparison(story),
        curves=training_pictures(story),
        pictures=result_pictures(story),
        inside=inside_pictures(story),
        classes=class_rows(story),
        counts=count_rows(story),
        findings=sorted(story.findings, key=lambda each: ("stop", "warning", "info").index(each.severity)),
        mistakes=story.mistakes[:MOST_THUMBNAILS],
        looks=[(look, svg(look.drawing, look.name)) for look in story.looks],
        most_names=MOST_NAMES,
        most_rows=MOST_ROWS,
        layer_table=story.layer_table[:MOST_TEXT],
        recipe=story.recipe[:MOST_TEXT],
    )


def encoded(content: bytes) -> str:
    """Bytes as a data URL holds them."""
    return base64.b64encode(content).decode()


def comparison(story: ReportStory) -> list[Bar]:
    """The network beside the baseline and the rivals, the best first, on one scale: from 0 (or the lowest R², but −1) to 1, or to the highest cost."""
    if story.figures is None:
        return []
    own = headline(story.figures)
    rows: list[tuple[str, float, tuple[float, float] | None, str, bool]] = [
        (story.net, own.value, (own.low, own.high), "this network", True)
    ]
    rows += [(each.name, each.figure, each.interval, each.note, False) for each in story.rivals]
    rows.sort(key=lambda row: row[1] if own.falls else -row[1])
    values = [row[1] for row in rows]
    least, most = min(0.0, max(-1.0, min(values))), max(values) if own.falls else 1.0

    def place(value: float) -> float:
        share = (value - least) / (most - least) if most > least else 0.0
        return round(100 * min(max(share, 0.0), 1.0), 2) if math.isfinite(share) else 0.0

    before = "R² " if own.name == "R²" else ""
    return [
        Bar(
            name,
            before + own.told(figure),
            note,
            is_own,
            place(figure),
            None if interval is None else place(interval[0]),
            None if interval is None else place(interval[1]),
        )
        for name, figure, interval, note, is_own in rows
    ]


def training_pictures(story: ReportStory) -> list[Picture]:
    """Curves over the epochs, and the range test where one was made."""
    drawn: list[tuple[str, Drawing]] = []
    if story.epochs:
        keys = story.epochs[-1].train | story.epochs[-1].val
        drawn.append(("loss", loss_curve(story.epochs)))
        drawn += [(key, figure_curve(story.epochs, key)) for key in ("accuracy", "r2") if key in keys]
        drawn.append(("loss-log", loss_curve(story.epochs, "log")))
        drawn.append(("rate", rate_curve(story.epochs)))
    test = story.range_test
    if test is not None:
        plot = lr_range_plot(
            test.lrs, test.losses, suggestion=test.suggestion, too_low=test.too_low, too_high=test.too_high
        )
        drawn.append(("range", plot))
    return [Picture(svg(drawing, name), drawing.caption) for name, drawing in drawn]


def inside_pictures(story: ReportStory) -> list[Picture]:
    """What the steps that were looked at were like inside."""
    if len(story.measured) < FEWEST_LOOKS:
        return []
    drawn = [
        ("reach", step_reach_curve(story.measured)),
        ("ratio", update_ratio_curve(story.measured)),
        ("depth", gradient_depth_plot(story.measured)),
        ("silent", silent_units_curve(story.measured)),
        ("histograms", activation_histograms(story.measured)),
    ]
    return [
        Picture(svg(drawing, name), drawing.caption)
        for name, drawing in drawn
        if drawing.figure.axes[0].lines or name == "histograms"
    ]


def result_pictures(story: ReportStory) -> list[Picture]:
    """Where the network is right and wrong."""
    drawn: list[tuple[str, Drawing]] = []
    if isinstance(story.figures, ClassificationFigures):
        drawn = [
            ("confusion", confusion_plot(story.figures)),
            ("calibration", reliability_diagram(story.figures)),
        ]
    elif isinstance(story.figures, RegressionFigures):
        outputs = range(min(len(story.figures.outputs), MOST_OUTPUT_PLOTS))
        drawn = [(f"values-{output}", prediction_plot(story.figures, output)) for output in outputs]
    return [Picture(svg(drawing, name), drawing.caption) for name, drawing in drawn]


def class_rows(story: ReportStory) -> list[Any]:
    """Figures of each class in their order; of many classes, those with the lowest F1."""
    if not isinstance(story.figures, ClassificationFigures):
        return []
    rows = story.figures.per_class
    if len(rows) <= MOST_CLASS_ROWS:
        return list(rows)
    return sorted(rows, key=lambda row: row.f1)[:MOST_CLASS_ROWS]


def count_rows(story: ReportStory) -> list[tuple[str, list[int]]]:
    """For each class its samples in each part; of many classes, those with the fewest in training."""
    counts = story.data.class_counts
    if not story.data.classes or not any(counts.values()):
        return []
    parts = [counts[part] for part in story.data.samples]
    rows = [(name, [int(part[index]) for part in parts]) for index, name in enumerate(story.data.classes)]
    return rows if len(rows) <= MOST_CLASS_ROWS else sorted(rows, key=lambda row: row[1][0])[:MOST_CLASS_ROWS]
