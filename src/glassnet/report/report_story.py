"""All that a report tells, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from glassnet.evaluate import Figures, Rival
from glassnet.events import Checked, Epoch, Finding, Finished, Measured, Timing, Tried
from glassnet.report.looks import Look
from glassnet.report.samples import Sample


@dataclass(frozen=True, slots=True)
class Wrong:
    """A sample that the network got wrong.

    Attributes:
        sample: what there is to show of it.
        true: name of its class, or its value.
        said: name of the class that was said, or the value that was predicted.
        probability: of the class that was said; None for values.
    """

    sample: Sample
    true: str
    said: str
    probability: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A cell of the confusion with the samples behind it.

    Attributes:
        true: name of the true class.
        said: name of the class that was said.
        count: how often.
        samples: some of them, those that the network was surest of first.
    """

    true: str
    said: str
    count: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class RangeTrace:
    """What a learning-rate range test saw; the fields are those of ``training.range_test.RangeTest``."""

    lrs: tuple[float, ...]
    losses: tuple[float | None, ...]
    suggestion: float | None = None
    too_low: float | None = None
    too_high: float | None = None


@dataclass(frozen=True, slots=True)
class DataSummary:
    """What the network learned from.

    Attributes:
        name: of the data set.
        origin: path or name as the user gave it.
        kind: of data, such as ``image``.
        shape: of one raw input.
        task: what it has learned: ``classes``, ``values``, ``language`` or ``translation``.
        classes: names; empty for values.
        outputs: names of the target columns.
        samples: number of samples of each part.
        class_counts: samples of each class, in each part; empty for values.
        notes: decisions of the reader, as sentences.
        troubles: (severity, what, advice) of each trouble that the audit found.
        unreadable: (name, reason) of what was left out.
        fingerprint: of the data as they were divided; empty where unknown.
    """

    name: str
    origin: str
    kind: str
    shape: tuple[int, ...]
    task: str
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    samples: Mapping[str, int]
    class_counts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    troubles: tuple[tuple[str, str, str], ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True)
class ReportStory:
    """A run, told.

    Attributes:
        title: heading of the page.
        when: when it was trained, as text.
        command: what to type to repeat it; empty where there is no such command.
        data: what it learned from.
        net: name of the network.
        parameters: its trainable numbers; None where unknown.
        layer_table: its layers as fixed-width text; may be empty.
        recipe: the resolved recipe as TOML; may be empty.
        epochs: in their order.
        part: the part that ``figures`` are of, ``test`` or ``val``.
        figures: of merit; None for a run without a result.
        rivals: on the same part, the trivial baseline first.
        findings: what the diagnosis noticed.
        finished: how training ended; None where it has not.
        timings: of the epochs.
        environment: machine and versions.
        mistakes: the worst ones, the worst first.
        confused: the most confused pairs of classes with samples.
        looks: pictures of what happens inside the network.
        looks_words: what samples those pictures are of.
        left_out: what those pictures and samples lack and why, as sentences.
        range_test: of the learning rate, where one was made.
        test_uses: how often the test part has been looked at so far.
        measured: steps that were looked at from inside.
        checked: what was checked before the first step.
        tried: what the findings' advice did where it was tried.
        forecast: of a series, as :func:`glassnet.evaluate.compared_forecasts` tells it; empty for others.
        entities: of tags that mark stretches, as :func:`glassnet.evaluate.entity_figures` tells them; empty for others.
        folds: of a cross-validation, as :func:`glassnet.evaluate.over_folds` tells them; empty for others.
        ensemble: members and gain, as :func:`glassnet.gain.gains` tells them; empty for a single network.
    """

    title: str
    when: str
    command: str
    data: DataSummary
    net: str
    parameters: int | None = None
    layer_table: str = ""
    recipe: str = ""
    epochs: tuple[Epoch, ...] = ()
    part: str = "test"
    figures: Figures | None = None
    rivals: tuple[Rival, ...] = ()
    findings: tuple[Finding, ...] = ()
    finished: Finished | None = None
    timings: tuple[Timing, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    mistakes: tuple[Wrong, ...] = ()
    confused: tuple[Pair, ...] = ()
    looks: tuple[Look, ...] = ()
    looks_words: str = ""
    left_out: tuple[str, ...] = ()
    range_test: RangeTrace | None = None
    test_uses: int = 1
    measured: tuple[Measured, ...] = ()
    checked: tuple[Checked, ...] = ()
    tried: tuple[Tried, ...] = ()
    folds: Mapping[str, Any] = field(default_factory=dict)
    ensemble: Mapping[str, Any] = field(default_factory=dict)
    forecast: Mapping[str, Any] = field(default_factory=dict)
    entities: Mapping[str, Any] = field(default_factory=dict)
