"""Several runs on one page: results with their intervals, the settings in which they differ, and their curves on common axes."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from glassnet.plots import Drawing, compared_curve, small_curves, svg
from glassnet.plots.style import number
from glassnet.report import words
from glassnet.report.headline import Headline, headline
from glassnet.report.report_story import ReportStory

MOST_SMALL = 12
MOST_SETTINGS = 24
Named = tuple[str, ReportStory]
Judged = tuple[str, ReportStory, Headline]
HIDDEN = ("data.path", "data.test", "data.val")  # paths tell more of a machine than of a run


class Line(NamedTuple):
    """A run in the table of results; ``place``, ``low`` and ``high`` are on a scale of 0 to 100."""

    name: str
    net: str
    parameters: str
    figure: str
    interval: str
    place: float
    low: float
    high: float
    epochs: str
    time: str
    noticed: str


class Group(NamedTuple):
    """Runs whose figures may be compared: of the same metric on the same samples."""

    heading: str
    figure: str
    caution: str
    verdict: str
    lines: tuple[Line, ...]


def compare(runs: Sequence[Named]) -> str:
    """The page as HTML. Every text that comes from a run is escaped.

    Args:
        runs: names (such as paths) with what they tell.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    names = short_names([name for name, _ in runs])
    told = list(zip(names, (story for _, story in runs), strict=True))
    drawn = [each for place, members in enumerate(families(told)) for each in drawings(members, f"data{place}")]
    settings, rest = differing(told)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"svg": Markup}
    here = Path(__file__).parent
    return environment.from_string((here / "comparison.html.j2").read_text(encoding="utf-8")).render(
        style=(here / "style.css").read_text(encoding="utf-8"),
        count=len(runs),
        groups=groups(told),
        waiting=[name for name, story in told if story.figures is None],
        curves=[(svg(drawing, name), drawing.caption, name) for name, drawing in drawn],
        without_small=any(len(members) > MOST_SMALL for members in families(told)),
        settings=settings,
        rest=rest,
        rows=told,
        findings=[(name, story.findings) for name, story in told if story.findings],
        words=words,
    )


def families(runs: Sequence[Named]) -> list[list[Named]]:
    """Runs with epochs, those of the same data together: only their curves belong on common axes."""
    found: dict[tuple[str, str], list[Named]] = {}
    for name, story in runs:
        if story.epochs:
            found.setdefault((story.data.name, story.data.task), []).append((name, story))
    return list(found.values())


def drawings(runs: Sequence[Named], name: str) -> list[tuple[str, Drawing]]:
    """The curves of runs on the same data, in one picture for each figure, and each run in its own.

    Args:
        runs: names with what they tell, each with epochs.
        name: begins the name of every picture.
    """
    curves = [(each, story.epochs) for each, story in runs]
    made = []
    for key in ("loss", "accuracy", "r2"):
        those = [(each, epochs) for each, epochs in curves if key in epochs[-1].val]
        if those:
            made.append((f"{name}-{key}", compared_curve(those, key)))
    if 1 < len(curves) <= MOST_SMALL:
        made.append((f"{name}-small", small_curves(curves)))
    return made


def short_names(names: Sequence[str]) -> list[str]:
    """The last part of each path where that tells them apart, the paths else."""
    last = [Path(name).name or name for name in names]
    return last if len(set(last)) == len(last) else list(names)


def groups(runs: Sequence[Named]) -> list[Group]:
    """Runs with a result, those of the same data, part and metric together, the best first in each."""
    found: dict[tuple[str, str, str, int], list[Judged]] = {}
    for name, story in runs:
        if story.figures is not None:
            key = (story.data.name, type(story.figures).__name__, story.part, story.figures.samples)
            found.setdefault(key, []).append((name, story, headline(story.figures)))
    made = []
    for (data, _, part, _), members in found.items():
        members.sort(key=lambda run: run[2].value if run[2].falls else -run[2].value)
        _, story, best = members[0]
        assert story.figures is not None, "only runs with a result are compared"
        differ = len({story.data.fingerprint for _, story, _ in members}) > 1
        made.append(
            Group(
                f"{data}, {words.PARTS[part]} part of {words.judged(story, story.figures)}",
                best.name,
                "These runs divided the data differently, so each was judged on other samples: differences within the intervals mean nothing."
                if differ
                else "",
                verdict(members),
                tuple(lines(members)),
            )
        )
    return made


def verdict(runs: Sequence[Judged]) -> str:
    """Which run is best, and whether the next may be as good, fair to chance."""
    if len(runs) == 1:
        return ""
    (first, _, best), (second, _, next_best) = runs[0], runs[1]
    ties = [name for name, _, other in runs[1:] if not best.better(best.worst, other.value)]
    text = f"{first} is best with {best.told(best.value)}, before {second} with {best.told(next_best.value)}."
    if ties:
        return (
            f"{text} Within its interval lie also {words.listed(tuple(ties[:5]))}{' and more' if len(ties) > 5 else ''}: "
            "which of them is better, these samples cannot say."
        )
    return f"{text} It is ahead by more than its interval."


def lines(runs: Sequence[Judged]) -> list[Line]:
    """The rows of a group, on one scale, which begins a little below the lowest interval so that near figures can be told apart."""
    least = min(own.low for _, _, own in runs)
    start = max(0.0, math.floor(20 * least - 1) / 20) if least > 0 else max(-1.0, least)
    end = max(own.high for _, _, own in runs) if runs[0][2].falls else 1.0
    made = []
    for name, story, own in runs:
        seconds = sum(timing.seconds + timing.evaluation_seconds for timing in story.timings)
        warnings = sum(finding.severity != "info" for finding in story.findings)
        made.append(
            Line(
                name,
                story.net,
                "" if story.parameters is None else f"{story.parameters:,}",
                own.told(own.value),
                f"{own.told(own.low)} to {own.told(own.high)}",
                scaled(own.value, start, end),
                scaled(own.low, start, end),
                scaled(own.high, start, end),
                f"{len(story.epochs):,}" if story.epochs else "",
                words.duration(seconds) if seconds else "",
                f"{words.counted(warnings, 'warning')}" if warnings else "",
            )
        )
    return made


def differing(runs: Sequence[Named]) -> tuple[list[tuple[str, list[str]]], int]:
    """Settings of which two runs differ, each with its value in every run, and how many more there are."""
    recipes = [flat(story.recipe) for _, story in runs]
    keys = dict.fromkeys(key for recipe in recipes for key in recipe if key not in HIDDEN)
    differ = []
    for key in keys:
        values = [recipe.get(key, "\N{EN DASH}") for recipe in recipes]
        if len(set(values)) > 1:
            differ.append((key, values))
    return differ[:MOST_SETTINGS], max(0, len(differ) - MOST_SETTINGS)


def flat(recipe: str) -> dict[str, str]:
    """``section.key`` with its value as people write it; empty for a text that is no recipe."""
    try:
        sections: dict[str, Any] = tomllib.loads(recipe)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    return {
        f"{section}.{key}": worded(value)
        for section, content in sections.items()
        if isinstance(content, dict)
        for key, value in content.items()
    }


def worded(value: Any) -> str:
    """A setting's value as a recipe writes it, numbers short."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    return str(value)[:60]


def scaled(value: float, start: float, end: float) -> float:
    """A figure on the scale from ``start`` to ``end``, in 0 to 100."""
    share = (value - start) / (end - start) if start < end else 0.0
    return round(100 * min(max(share, 0.0), 1.0), 2) if math.isfinite(share) else 0.0
