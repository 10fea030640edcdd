"""Dividing a series in order of time: what is learned comes before what is judged, and no step that is judged was ever a target before.

Windows of a later part may begin within an earlier one: when a forecast is made, the past is known. Only the steps that are forecast must not be shared, so
windows whose targets lie across a border belong to no part.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from glassnet.data.dataset import Data, Part, Subset
from glassnet.data.parts import SPOKEN, checked_share
from glassnet.data.windows import Windows, windows_of
from glassnet.errors import DataError, UsageError

TEST_SHARE, TEST_SHARE_LARGE, MAX_TEST = 0.2, 0.15, 10_000
SMALL = 5_000
VAL_SHARE, VAL_STEPS, VAL_MOST_SHARE = 0.1, 100, 0.2
LEAST_TRAIN = 8


def split_in_time(data: Data, *, val: float | None = None, test: float | None = None) -> Data:
    """The data with all three parts, in order of time; what the files gave is kept.

    By default the last 20 % of the steps (of 5,000 and more 15 %, at most 10,000) are the test part, and of the others the last 10 %, but 100 steps
    where they are no more than a fifth, the validation part.

    Args:
        data: whose inputs are windows of a series.
        val: share of the steps before the test part to validate on, strictly between 0 and 1; None for the default.
        test: share of all steps to test on, likewise.

    Raises:
        DataError: a part would be empty.
        UsageError: a share is not strictly between 0 and 1.
    """
    for name, share in (("val", val), ("test", test)):
        if share is not None:
            checked_share(share, name)
    parts, notes = dict(data.parts), list[str]()
    train, horizon = parts["train"], _windows(data).horizon
    ahead = _ahead(train)
    if "test" in parts and (own := _same_series(train, parts["test"])) is not None:
        border = int(own.min())
        parts["train"] = train = train.subset(torch.nonzero(ahead + horizon <= border).flatten())
        notes.append("Of the training part is left what comes before the test part.")
        ahead = _ahead(train) if len(train) else ahead
    if len(train) == 0:
        raise _empty(data, {"train"})
    first, end = int(ahead.min()) - _windows(data).window, int(ahead.max()) + horizon
    length = end - first
    if "test" not in parts and ("val" not in parts or test is not None):
        share = test or (TEST_SHARE if length < SMALL else min(TEST_SHARE_LARGE, MAX_TEST / length))
        border = end - max(round(share * length), 1)
        parts["test"] = train.subset(torch.nonzero(ahead >= border).flatten())
        parts["train"] = train = train.subset(torch.nonzero(ahead + horizon <= border).flatten())
        ahead, end = _ahead(train), border
    if "val" not in parts:
        length = end - first
        usual = max(VAL_SHARE * length, min(VAL_STEPS, VAL_MOST_SHARE * length), min(horizon, VAL_MOST_SHARE * length))
        border = end - max(round(usual if val is None else val * length), 1)
        parts["val"] = train.subset(torch.nonzero(ahead >= border).flatten())
        parts["train"] = train.subset(torch.nonzero(ahead + horizon <= border).flatten())
    empty = {name for name, part in parts.items() if len(part) < (LEAST_TRAIN if name == "train" else 1)}
    if empty:
        raise _empty(data, empty)
    ordered: dict[str, Part] = {name: parts[name] for name in ("train", "val", "test") if name in parts}
    told = ", ".join(f"{len(part):,} {SPOKEN[name]} from {part.names[0]}" for name, part in ordered.items())
    notes.append(f"The parts follow each other in time, by the first step that is forecast: {told}.")
    if "test" not in ordered:
        notes.append(
            "There is no test part: figures on the validation part are not from untouched data, because training chooses its best weights by them."
        )
    return data.with_parts(ordered, *notes)


def folds_in_time(data: Data, k: int) -> Iterator[Data]:
    """Cross-validation with a rolling origin.

    What is not the test part is cut into k + 1 stretches; each but the first is validated on once, after a training on all that came before it.

    Raises:
        DataError: there are too few windows.
    """
    pool, horizon = data.parts["train"], _windows(data).horizon
    if "val" in data.parts:
        own = _same_series(pool, data.parts["val"])
        if own is None:
            raise UsageError(
                "a series in several files cannot be cut into folds",
                where="data.folds",
                got=k,
                fix="leave out --folds, or join the training and the validation file into one",
            )
        pool = _rejoined(pool, data.parts["val"])
    ahead = _ahead(pool)
    first, end = int(ahead.min()), int(ahead.max()) + horizon
    rest = {"test": data.parts["test"]} if "test" in data.parts else {}
    for fold in range(k):
        border, behind = (first + (end - first) * number // (k + 1) for number in (fold + 1, fold + 2))
        train = pool.subset(torch.nonzero(ahead + horizon <= border).flatten())
        val = pool.subset(torch.nonzero((ahead >= border) & (ahead + horizon <= behind)).flatten())
        if len(train) < LEAST_TRAIN or not len(val):
            raise _empty(data, {"train"} if len(train) < LEAST_TRAIN else {"val"})
        yield data.with_parts(
            {"train": train, "val": val} | rest,
            f"Fold {fold + 1} of {k}: trained on what comes before {val.names[0]}, validated on what follows.",
        )


def _rejoined(train: Part, val: Part) -> Part:
    """Two parts of one series as one, in order of time."""
    found = windows_of(train.inputs)
    assert found is not None, "a series is made of windows"
    both = torch.cat([_ahead(train), _ahead(val)])
    order = both.argsort()
    index = torch.searchsorted(found[0].starts + found[0].window, both[order])
    names = [*train.names, *val.names]
    targets = torch.cat([train.targets, val.targets])[order]
    return Part(Subset(found[0], index), targets, [names[row] for row in order.tolist()])


def _ahead(part: Part) -> Tensor:
    """The first step to forecast of each sample."""
    found = windows_of(part.inputs)
    assert found is not None, "a series is made of windows"
    return found[1]


def _same_series(part: Part, other: Part) -> Tensor | None:
    """The first steps of the other part's samples, where both are windows of one series."""
    own, its = windows_of(part.inputs), windows_of(other.inputs)
    return its[1] if own is not None and its is not None and own[0] is its[0] else None


def _windows(data: Data) -> Windows:
    found = windows_of(data.train.inputs)
    assert found is not None, "a series is made of windows"
    return found[0]


def _empty(data: Data, empty: set[str]) -> DataError:
    names = " and the ".join(SPOKEN[name] for name in sorted(empty))
    windows = _windows(data)
    return DataError(
        f"the series is too short: too little is left for the {names} part",
        where=data.origin,
        got=f"{len(data.train):,} windows of {windows.window:,} steps, with {windows.horizon:,} ahead",
        expected="a longer series",
        fix="a smaller --window or --horizon, or other shares (--set data.test_fraction=, data.val_fraction=)",
    )
