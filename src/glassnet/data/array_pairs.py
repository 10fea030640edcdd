"""Which arrays of a file are inputs and which their targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from glassnet.data.array_files import TRAIN_KEYS, pick
from glassnet.data.numpy_file import ArrayFile, ArrayRows
from glassnet.data.options import ReadOptions
from glassnet.data.parts import OTHERS
from glassnet.data.walk import shown
from glassnet.errors import DataError


@dataclass(frozen=True)
class Pair:
    """Inputs and their targets, with what to call each in a message."""

    inputs_name: str
    inputs: NDArray[Any] | ArrayRows
    targets_name: str
    targets: NDArray[Any]


def named_pairs(path: Path, arrays: Mapping[str, ArrayFile], options: ReadOptions) -> dict[str, tuple[str, str]]:
    """For each part the names of its inputs and of its targets, chosen by what they are usually called.

    Raises:
        DataError: there are none.
    """
    present = {name.lower(): name for name in arrays}
    target = options.target
    if options.like is not None:  # a file of its own for the test or validation part
        for x, y in TRAIN_KEYS:
            for word in (spelling for spellings in OTHERS.values() for spelling in spellings):
                pair = x.replace("train", word), y.replace("train", word)
                if "train" in x and pair[0] in present and pair[1] in present:
                    return {"train": (present[pair[0]], present[pair[1]])}
    for x, y in TRAIN_KEYS:
        labels = target.lower() if target else y
        if x not in present or labels not in present:
            continue
        pairs = {"train": (present[x], present[labels])}
        if "train" in x:
            for part, spellings in OTHERS.items():
                found_x = pick((x.replace("train", spelling) for spelling in spellings), arrays)
                found_y = pick((labels.replace("train", spelling) for spelling in spellings), arrays)
                if found_x and found_y:
                    pairs[part] = (found_x, found_y)
        return pairs
    raise DataError(
        f"there is no array called '{target}', or none for its inputs"
        if target
        else "inputs and targets were not found",
        where=shown(path),
        got=", ".join(map(shown, list(arrays)[:20])) or "no array",
        expected="one of the pairs " + "; ".join(f"{x}, {y}" for x, y in TRAIN_KEYS),
        fix="save with np.savez(file, x_train=..., y_train=..., x_test=..., y_test=...)",
    )


def check_lengths(pair: Pair) -> None:
    """Refuse inputs that cannot be learned from, and targets that are not as many.

    Raises:
        DataError: so it is.
    """
    if pair.inputs.ndim < 2 or 0 in pair.inputs.shape:
        raise DataError(
            "inputs of this shape cannot be learned from",
            where=pair.inputs_name,
            got=tuple(pair.inputs.shape),
            expected="(n, ...) with two or more dimensions, none of them 0",
        )
    if pair.targets.ndim == 0 or len(pair.inputs) != len(pair.targets):
        raise DataError(
            "inputs and targets do not agree",
            where=pair.targets_name,
            got=f"{len(pair.targets) if pair.targets.ndim else 0:,} rows",
            expected=f"{len(pair.inputs):,}, as in {pair.inputs_name}",
        )
