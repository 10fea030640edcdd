"""Data that are given and not named: arrays, datasets of PyTorch, or parts of either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from glassnet.data.array_pairs import Pair
from glassnet.data.dataset import PART_NAMES, Data
from glassnet.data.options import GIB
from glassnet.data.readers.arrays import as_array, data_from_pairs
from glassnet.errors import DataError, GlassnetError, UsageError, all_at_once

Array: TypeAlias = "NDArray[Any] | Tensor"
Given: TypeAlias = "Data | tuple[Array, Array] | Dataset[Any] | Mapping[str, tuple[Array, Array] | Dataset[Any]]"
EXPECTED = "a path, a name such as digits, an opened data set, a pair (inputs, targets) of arrays, a Dataset of pairs, or parts {'train': …, 'val': …, 'test': …} of these"
LARGEST = 4 * GIB  # bytes of a Dataset that are held in memory


def data_given(data: object) -> Data:
    """What somebody gives from Python as a data set.

    Args:
        data: a data set that was opened; a pair of arrays or tensors; a map-style ``torch.utils.data.Dataset`` of pairs (input, target), each of which is read once and held
            in memory; or a dict with such parts.

    Raises:
        UsageError: nothing of these.
        DataError: the arrays do not agree, or hold what is no number; of several parts all at once.
    """
    if isinstance(data, Data):
        return data
    if isinstance(data, Mapping) and "train" in data and set(data) <= set(PART_NAMES):
        pairs, wrong, notes = dict[str, Pair](), list[GlassnetError](), list[str]()
        for name in (name for name in PART_NAMES if name in data):
            try:
                pairs[name] = _pair(data[name], f"{name} ", notes)
            except GlassnetError as error:
                wrong.append(error)
        if wrong:
            raise all_at_once(wrong)
        return data_from_pairs(pairs, notes)
    told: list[str] = []
    return data_from_pairs({"train": _pair(data, "", told)}, told)


def _pair(data: object, part: str, notes: list[str]) -> Pair:
    given = data.tensors if isinstance(data, TensorDataset) else data
    names = f"{part}inputs", f"{part}targets"
    if isinstance(given, tuple | list) and len(given) == 2:
        inputs, targets = given
    elif isinstance(given, Dataset) and not isinstance(given, IterableDataset) and hasattr(given, "__len__"):
        inputs, targets = _read(given, f"the {part}dataset", notes)
    else:
        raise UsageError(
            "data cannot be read from this", where=f"{part}data", got=_told(given), expected=EXPECTED, fix=_fix(given)
        )
    return Pair(names[0], as_array(inputs, names[0]), names[1], as_array(targets, names[1]))


def _told(given: object) -> str:
    kind = f"a {type(given).__name__}"
    if isinstance(given, Mapping):
        return f"{kind} with {', '.join(map(repr, list(given)[:5])) or 'nothing'}"
    return f"{kind} of {len(given)}" if isinstance(given, tuple | list) else kind


def _fix(given: object) -> str | None:
    if isinstance(given, DataLoader):
        return "give its dataset; batches of your own are what glassnet.training.train takes"
    if isinstance(given, IterableDataset):
        return "give a dataset with a length, or batches of your own to glassnet.training.train"
    return "give one pair, or parts: {'train': (x, y), 'val': (x, y)}" if isinstance(given, tuple | list) else None


def _read(dataset: Dataset[Any], what: str, notes: list[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    """All samples of a dataset.

    Raises:
        DataError: it is empty, too large to be held, or a sample is no pair or of another shape than the first.
    """
    count = len(dataset)  # type: ignore[arg-type]
    if not count:
        raise DataError("there is no sample", where=what, expected="at least some")
    first, label = _sample(dataset, 0, what)
    again, _ = _sample(dataset, 0, what)
    if not np.array_equal(first, again, equal_nan=first.dtype.kind == "f"):
        notes.append(
            f"{what.capitalize()} gives sample 0 otherwise each time, as augmentation does: every sample is read once and stays so. Leave the chance out of it, and augment by the recipe (augment.…)."
        )
    if first.nbytes * count > LARGEST:
        raise DataError(
            "the samples are too many to be held in memory",
            where=what,
            got=f"{count:,} of {first.nbytes:,} bytes",
            expected=f"{LARGEST / GIB:.0f} GiB at most",
            fix="write them to x_train.npy and y_train.npy in a folder (numpy.lib.format.open_memmap) and give its path: such files may be larger than memory",
        )
    inputs = np.empty((count, *first.shape), dtype=first.dtype)
    targets = np.empty((count, *label.shape), dtype=label.dtype)
    for number in range(count):
        one, wanted = (first, label) if number == 0 else _sample(dataset, number, what)
        if one.shape != first.shape or wanted.shape != label.shape:
            raise DataError(
                "the samples differ in shape",
                where=f"{what}, sample {number}",
                got=f"{one.shape} and {wanted.shape}",
                expected=f"{first.shape} and {label.shape}, as sample 0",
                fix="bring them to one size in the dataset",
            )
        inputs[number], targets[number] = one, wanted
    return inputs, targets


def _sample(dataset: Dataset[Any], number: int, what: str) -> tuple[NDArray[Any], NDArray[Any]]:
    sample = dataset[number]
    if not isinstance(sample, tuple | list) or len(sample) != 2:
        raise DataError(
            "a sample is no pair",
            where=f"{what}, sample {number}",
            got=_told(sample),
            expected="(input, target)",
        )
    one, wanted = (as_array(each, f"{what}, sample {number}") for each in sample)
    return one, wanted
