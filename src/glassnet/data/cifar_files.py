"""The files of CIFAR-10 and CIFAR-100, in the binary version and in the Python version.

Format: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and the page of the data sets. A record of the
binary version is one label byte (CIFAR-100: a coarse and a fine one) and 3072 bytes of pixels: red, green, blue, each 32 rows of 32.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glassnet.data.image_set import ImageSet
from glassnet.data.pickle_values import RefusedPickle, read_values
from glassnet.data.walk import shown
from glassnet.errors import DataError, fix_to_read

PIXELS = 3 * 32 * 32
MAX_BYTES = 1 << 30
OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_INSIDE = (".", "cifar-10-batches-bin", "cifar-10-batches-py", "cifar-100-binary", "cifar-100-python")
_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))


def is_cifar(path: Path) -> bool:
    """Whether this is the folder of one of the four versions, or holds it."""
    return path.is_dir() and _layout(path) is not None


def read_cifar(path: Path) -> ImageSet:
    """Read the training and the test part. CIFAR-100 is read with its 100 fine classes.

    Raises:
        DataError: a file is missing or damaged, or a label is out of range.
    """
    found = _layout(path)
    if found is None:
        raise DataError("this is no folder of CIFAR files", where=shown(path), expected="data_batch_1.bin or train.bin")
    folder, hundred, binary = found
    ending = ".bin" if binary else ""
    present = ("train",) if hundred else tuple(name for name in _BATCHES if (folder / (name + ending)).is_file())
    notes = []
    if not hundred and len(present) < len(_BATCHES):
        missing = sorted(set(_BATCHES) - set(present))
        notes.append(f"{', '.join(missing)} of the training part are not there; the others were read.")
    names = _names(folder, hundred, binary)
    count = 100 if hundred else 10
    read_file = _read_binary if binary else _read_pickled
    parts = {}
    for part, files in (("train", present), ("test", ("test",) if hundred else ("test_batch",))):
        paths = [folder / (name + ending) for name in files]
        if part == "test" and not paths[0].is_file():
            notes.append("There is no test part.")
            continue
        pieces = [read_file(file, hundred) for file in paths]
        for file, (_, labels) in zip(paths, pieces, strict=True):
            _check(file, labels, count)
        images = np.concatenate([images for images, _ in pieces])  # the only copy, and one's own
        targets = np.concatenate([labels for _, labels in pieces]).astype(np.int64)
        parts[part] = images, targets
    return ImageSet(path.resolve().name, names, parts, tuple(notes))


def _layout(path: Path) -> tuple[Path, bool, bool] | None:
    """The folder with the files, whether it is CIFAR-100, and whether it is the binary version."""
    for inside in _INSIDE:
        folder = path / inside
        if any((folder / f"{name}.bin").is_file() for name in _BATCHES):
            return folder, False, True
        if any((folder / name).is_file() for name in _BATCHES):
            return folder, False, False
        if (folder / "train.bin").is_file():
            return folder, True, True
        if (folder / "train").is_file() and (folder / "meta").is_file():
            return folder, True, False
    return None


def _names(folder: Path, hundred: bool, binary: bool) -> tuple[str, ...]:
    count = 100 if hundred else 10
    names: list[str] = []
    if binary:
        file = folder / ("fine_label_names.txt" if hundred else "batches.meta.txt")
        if file.is_file():
            text = _content(file)[:100_000].decode("utf-8", errors="replace")
            names = [line.strip() for line in text.splitlines() if line.strip()]
    else:
        file = folder / ("meta" if hundred else "batches.meta")
        if file.is_file():
            told = _key(_values(file), "fine_label_names" if hundred else "label_names")
            names = [_text(name) for name in told] if isinstance(told, list) else []
    if not names:
        return OBJECTS if not hundred else tuple(str(label) for label in range(count))
    if len(names) != count or len(set(names)) != count:
        raise DataError(
            "the list of class names is not right",
            where=shown(file),
            got=f"{len(names)} names",
            expected=f"{count}, all different",
        )
    return tuple(names)


def _read_binary(file: Path, hundred: bool) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    content = _content(file)
    labels = 2 if hundred else 1
    record = labels + PIXELS
    if len(content) % record or not content:
        raise DataError(
            "the file does not consist of whole records",
            where=shown(file),
            got=f"{len(content):,} bytes, {len(content) // record:,} records and {len(content) % record} bytes more",
            expected=f"a multiple of {record} bytes",
            fix="download it again",
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, record)
    return records[:, labels:].reshape(-1, 3, 32, 32), records[:, labels - 1]


def _read_pickled(file: Path, hundred: bool) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    values = _values(file)
    images, labels = _key(values, "data"), _key(values, "fine_labels" if hundred else "labels")
    good = (
        isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 2 and images.shape[1] == PIXELS
    )
    listed = labels.tolist() if isinstance(labels, np.ndarray) else labels
    if not good or not isinstance(listed, list) or not all(type(label) is int for label in listed) or not listed:
        raise DataError(
            "this is no batch of CIFAR images",
            where=shown(file),
            expected=f"'data', bytes (images, {PIXELS}), and 'labels' or 'fine_labels', a list of integers",
        )
    if len(listed) != len(images):
        raise DataError(
            "images and labels do not agree",
            where=shown(file),
            got=f"{len(listed):,} labels",
            expected=f"{len(images):,}",
        )
    clipped = [label if 0 <= label < 1 << 31 else -1 for label in listed]
    return images.reshape(-1, 3, 32, 32), np.array(clipped)


def _check(file: Path, labels: NDArray[Any], count: int) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= count))
    if len(wrong):
        raise DataError(
            "a label is out of range",
            where=f"{shown(file)}, record {wrong[0]} (counted from 0)",
            got=f"{labels[wrong[0]]}; {len(wrong):,} of {len(labels):,} labels are out of range",
            expected=f"0 to {count - 1}",
        )


def _values(file: Path) -> Any:
    try:
        return read_values(_content(file))
    except RefusedPickle as error:
        raise DataError(
            "this file was not read, because it is no plain CIFAR batch",
            where=shown(file),
            got=str(error),
            expected="bytes, lists and arrays; a pickle is never run",
        ) from error


def _content(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise DataError(
                "this file is too large", where=shown(file), got=f"{size:,} bytes", expected=f"{MAX_BYTES:,}"
            )
        return file.read_bytes()
    except OSError as error:
        raise DataError(
            "the file cannot be read",
            where=shown(file),
            got=error.strerror or str(error),
            fix=fix_to_read(error, shown(file), "copy it again from where it came from"),
        ) from error


def _key(values: Any, key: str) -> Any:
    if not isinstance(values, Mapping):
        return None
    return values.get(key.encode(), values.get(key))


def _text(name: object) -> str:
    return name.decode("utf-8", errors="replace") if isinstance(name, bytes) else str(name)
