"""What a network must beat: the trivial answer, and what scikit-learn reaches on the same parts in some seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glassnet.data.dataset import Data, Part
from glassnet.data.pair_schema import PairSchema
from glassnet.data.pairs import both_sides
from glassnet.data.stream_schema import StreamSchema
from glassnet.data.tree import as_texts
from glassnet.evaluate.forecast import rivals_of_series
from glassnet.evaluate.interval import Interval, wilson
from glassnet.evaluate.regression import regression_report
from glassnet.evaluate.rival import Rival
from glassnet.evaluate.rival_inputs import View, node_features, pixels, prepared, raw_columns, read_rows
from glassnet.evaluate.rival_models import (
    MOST_CATEGORIES,
    Fit,
    boosted_trees,
    fit_within,
    logistic,
    random_forest,
    ridge,
)
from glassnet.evaluate.rival_ngrams import counting_rivals
from glassnet.evaluate.rival_texts import bag_of_words
from glassnet.evaluate.tagging import tagging_rivals
from glassnet.evaluate.translation import nearest_translations

BUDGET_SECONDS = 10.0
READING_SHARE = 0.3
MOST_JUDGED = 20_000
MOST_IMAGES = 10_000
MOST_ROWS = 100_000


class Method(NamedTuple):
    """A way to fit, and what it is fitted to."""

    name: str
    fit: Fit
    view: View
    inputs: str
    most: int


def rivals_of(
    data: Data,
    preprocess: Callable[[Tensor], Tensor],
    part: str = "test",
    *,
    budget_seconds: float = BUDGET_SECONDS,
    seed: int = 0,
) -> list[Rival]:
    """The trivial baseline first, then :func:`rivals`; of a series the plain forecasts, of a text what counting reaches, of pairs the nearest known texts."""
    if isinstance(data.schema, StreamSchema):
        return counting_rivals(data, part)
    if isinstance(data.schema, PairSchema):
        read, wanted = zip(*both_sides(data.parts[part], data.schema.units), strict=True)
        return nearest_translations(both_sides(data.train, data.schema.units), read, wanted)
    if data.schema.kind == "series":
        return rivals_of_series(data, preprocess, part)
    baseline = trivial_baseline(data.train, data.parts[part], classes=data.classes)
    return [baseline, *rivals(data, preprocess, part, budget_seconds=budget_seconds, seed=seed)]


def trivial_baseline(train: Part, test: Part, *, classes: tuple[str, ...] = ()) -> Rival:
    """Always saying the training part's most frequent class (the first of equals), or its mean.

    Args:
        train: gives the answer.
        test: is judged.
        classes: names of the classes, to name the answer.
    """
    begin = time.monotonic()
    if train.targets.is_floating_point():
        mean = train.targets.double().reshape(len(train), -1).mean(dim=0)
        said = mean.expand(len(test), -1).numpy()
        name, note = "always the mean", "the mean target of the training part"
    else:
        most = int(np.bincount(train.answers.numpy()).argmax())
        said = np.full(len(test.answers), most)
        name = f"always “{classes[most]}”" if classes else "always the most frequent class"
        note = "the most frequent class of the training part"
    metric, figure, interval, more = _judge(said, test.answers)
    return Rival(name, figure, metric, time.monotonic() - begin, note + more, interval)


def rivals(
    data: Data,
    preprocess: Callable[[Tensor], Tensor],
    part: str = "test",
    *,
    budget_seconds: float = BUDGET_SECONDS,
    seed: int = 0,
) -> list[Rival]:
    """A linear model, and for tables boosted trees and a random forest, fitted on the training part and judged on another.

    The linear model gets what the network gets, except for images: their pixels divided by 255, shrunk to at most 32 a side. Trees get
    the raw columns. Each method has an equal share of what time is left and is fitted to a random sample of as many samples as that allows; the
    note says how many.

    Args:
        data: whose training part is fitted and whose ``part`` is judged.
        preprocess: from a raw batch to floats (batch, ...).
        part: ``test`` or ``val``.
        budget_seconds: for all methods together, kept roughly; the smallest sample is fitted in any case.
        seed: of the samples drawn and of the forest.

    Returns:
        One rival for each method; none for inputs that cannot be laid out as rows of numbers, or where training holds a single class.
    """
    train, judged = data.train, data.parts[part]
    classes, kind = data.task == "classes", data.schema.kind
    if not isinstance(train.inputs.take(torch.arange(1)), Tensor) or len(judged) == 0:
        return []
    if kind == "tags":
        return tagging_rivals(data, part, seed)
    if classes and bool((train.targets == train.targets[0]).all()):
        return []
    if kind in ("text", "tree"):
        return [bag_of_words(as_texts(data) if kind == "tree" else data, part, seed)]
    if kind == "graph":
        view = node_features(preprocess)
        methods = [Method("linear model on features alone", logistic, view, "the features", MOST_ROWS)]
    elif kind == "image":
        methods = [Method("linear model", logistic if classes else ridge, pixels, "the pixels", MOST_IMAGES)]
    else:
        view = prepared(preprocess)
        methods = [Method("linear model", logistic if classes else ridge, view, "the network's inputs", MOST_ROWS)]
    if kind == "table":
        trees = boosted_trees(classes=classes, categories=_categories(data), seed=seed)
        forest = random_forest(classes=classes, seed=seed)
        methods += [
            Method("gradient-boosted trees", trees, raw_columns, "the columns", MOST_ROWS),
            Method("random forest", forest, raw_columns, "the columns", MOST_ROWS),
        ]
    end = time.monotonic() + budget_seconds
    measured: list[Rival] = []
    for method in methods:
        share = (end - time.monotonic()) / (len(methods) - len(measured))
        measured.append(_measured(method, train, judged, share, seed))
    return measured


def _measured(method: Method, train: Part, judged: Part, seconds: float, seed: int) -> Rival:
    begin = time.monotonic()
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(train), generator=generator)[: method.most]
    asked = torch.randperm(len(judged), generator=generator)[:MOST_JUDGED]
    inputs = read_rows(train.inputs, order, method.view, READING_SHARE * seconds)
    questions = read_rows(judged.inputs, asked, method.view, READING_SHARE * seconds)
    targets = train.targets[order[: len(inputs)]].numpy()
    left = seconds - (time.monotonic() - begin)
    rows, model = fit_within(method.fit, inputs, targets.squeeze(1) if targets.shape[1:] == (1,) else targets, left)
    metric, figure, interval, more = _judge(model.predict(questions), judged.targets[asked[: len(questions)]])
    note = f"{method.inputs} of " + (f"all {rows:,}" if rows == len(train) else f"{rows:,} of the {len(train):,}")
    note += " training samples"
    if len(questions) < len(judged):
        note += f", judged on {len(questions):,} of {len(judged):,}"
    return Rival(method.name, figure, metric, time.monotonic() - begin, note + more, interval)


def _judge(said: npt.NDArray[Any], targets: Tensor) -> tuple[str, float, Interval, str]:
    """Metric, figure, interval, and for values the mean error as a further phrase."""
    if not targets.is_floating_point():
        right = int((said == targets.numpy()).sum())
        return "accuracy", right / len(targets), wilson(right, len(targets)), ""
    values = torch.as_tensor(said, dtype=torch.float64).reshape(len(targets), -1)
    figures = regression_report(values, targets, [str(k) for k in range(values.shape[1])])
    return "r2", figures.r2, figures.r2_interval, f"; MAE {figures.mae:.4g}"


def _categories(data: Data) -> list[int]:
    """Places of the columns that hold category numbers, few enough of them for trees to split as sets."""
    columns = getattr(data.schema, "columns", ())
    return [
        place
        for place, column in enumerate(columns)
        if getattr(column, "kind", None) == "category" and len(getattr(column, "levels", ())) <= MOST_CATEGORIES
    ]
