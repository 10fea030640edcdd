"""Which array of a file holds the inputs, for files that come in several manners."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from glassnet.data.idx_file import read_idx
from glassnet.data.numpy_file import arrays_in
from glassnet.data.walk import shown
from glassnet.errors import DataError

# Inputs and targets are called so by Keras, scikit-learn, MedMNIST and np.savez; the first that exists is taken.
TRAIN_KEYS = (
    ("x_train", "y_train"),
    ("train_x", "train_y"),
    ("train_images", "train_labels"),
    ("train_data", "train_labels"),
    ("x", "y"),
    ("images", "labels"),
    ("data", "target"),
    ("data", "targets"),
    ("data", "labels"),
    ("features", "labels"),
    ("inputs", "targets"),
    ("arr_0", "arr_1"),
)
PREDICT_KEYS = ("x_test", "test_x", "test_images", "x", "images", "data", "features", "inputs", "arr_0", "x_train")


def is_idx(path: Path) -> bool:
    """Whether a file's name is that of an idx file."""
    name = path.name.lower().removesuffix(".gz")
    return ("idx" in name and name.endswith("ubyte")) or name.endswith(".idx")


def is_array_file(path: Path) -> bool:
    """Whether a file's name promises an array."""
    return path.suffix.lower() in (".npy", ".npz") or is_idx(path)


def array_source(path: Path) -> tuple[str, NDArray[Any]]:
    """The inputs in an idx, npy or npz file: the key (empty where the file has none) and the array.

    Raises:
        DataError: the file is damaged, or none of its arrays is known to be the inputs.
    """
    if is_idx(path):
        return "", read_idx(path)
    arrays = arrays_in(path)
    if path.suffix.lower() == ".npy":
        return "", next(iter(arrays.values())).read()
    key = pick(PREDICT_KEYS, arrays)
    if key is None and len(arrays) == 1:
        key = next(iter(arrays))
    if key is None:
        raise DataError(
            "none of the arrays is known to be the inputs",
            where=shown(path),
            got=", ".join(map(shown, arrays)) or "no array",
            expected="one of " + ", ".join(PREDICT_KEYS),
        )
    return key, arrays[key].read()


def pick(wanted: Iterable[str], present: Iterable[str]) -> str | None:
    """The first wanted name that is present, whatever its case, as it is spelled there."""
    by_lower = {name.lower(): name for name in present}
    return next((by_lower[name] for name in wanted if name in by_lower), None)
