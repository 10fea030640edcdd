"""MNIST and its relatives: which idx files belong together, and the images in them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glassnet.data.idx_file import read_idx
from glassnet.data.image_layout import images_as_array
from glassnet.data.image_set import ImageSet
from glassnet.data.parts import SPELLINGS
from glassnet.data.walk import shown
from glassnet.errors import DataError

_IMAGES = re.compile(
    r"(?P<set>.*?)(?P<part>train|t10k|testing|test|valid|validation|val)[-_.]images?[-_.]idx(?P<d>[34])[-_.]ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)
_PARTS = {"t10k": "test", "testing": "test", "valid": "val", "validation": "val"}
_INSIDE = (".", "raw", "MNIST/raw", "FashionMNIST/raw")  # where other programs put them

LETTERS = tuple("ABCDEFGHIJ")
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def is_idx_set(path: Path) -> bool:
    """Whether this is an idx file of images under its usual name, or a folder that holds one."""
    if path.is_file():
        return _IMAGES.fullmatch(path.name) is not None
    return _folder(path) is not None


def read_idx_set(path: Path) -> ImageSet:
    """Read the parts that are there: ``train-images-idx3-ubyte`` with its labels, and ``t10k-`` (or ``test-``, ``val-``) likewise.

    Raises:
        DataError: a file is missing or damaged, or images and labels do not agree.
    """
    given = path.resolve()
    pairs = idx_pairs(path)
    if "train" not in pairs:
        raise DataError(
            "there are no training images",
            where=shown(path),
            got=", ".join(sorted(images.name for images, _ in pairs.values())),
            expected="train-images-idx3-ubyte or train-images-idx3-ubyte.gz",
        )
    read_parts = {name: _read_pair(*pairs[name]) for name in SPELLINGS if name in pairs}
    classes, first, notes = _classes(given, read_parts["train"][1])
    shape = tuple(read_parts["train"][0].shape[1:])
    parts = {}
    for name, (images, labels) in read_parts.items():
        files = pairs[name]
        if tuple(images.shape[1:]) != shape:
            raise DataError(
                "images of different sizes", where=shown(files[0]), got=tuple(images.shape[1:]), expected=shape
            )
        index = np.searchsorted(first, labels).clip(max=len(first) - 1)
        unknown = np.flatnonzero(first[index] != labels)
        if len(unknown):
            row = int(unknown[0])
            raise DataError(
                "a label is out of range",
                where=f"{shown(files[1])}, label {row} (counted from 0)",
                got=f"{labels[row]}; {len(unknown):,} of {len(labels):,} labels are out of range",
                expected=f"{first[0]} to {first[-1]}"
                + ("" if name == "train" else ", the labels of the training part"),
            )
        parts[name] = images, index.astype(np.int64)
    return ImageSet(given.name, classes, parts, tuple(notes))


def idx_pairs(path: Path) -> dict[str, tuple[Path, Path]]:
    """For each part the file of its images and that of its labels.

    Raises:
        DataError: labels are missing, or the files of several data sets lie in one folder.
    """
    return {"train": (path, _labels_of(path))} if path.is_file() else _pairs(_folder(path) or path)


def _folder(path: Path) -> Path | None:
    for inside in _INSIDE:
        folder = path / inside
        if folder.is_dir() and any(_IMAGES.fullmatch(file.name) for file in folder.iterdir()):
            return folder
    return None


def _pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    found: dict[str, tuple[Path, Path]] = {}
    sets = set()
    for file in sorted(folder.iterdir()):  # a plain file comes before its gzipped twin, and is taken
        match = _IMAGES.fullmatch(file.name)
        if match is None or not file.is_file():
            continue
        sets.add(match["set"])
        part = match["part"].lower()
        found.setdefault(_PARTS.get(part, part), (file, _labels_of(file)))
    if len(sets) > 1:
        raise DataError(
            "several data sets lie in one folder",
            where=shown(folder),
            got=", ".join(sorted(sets)),
            fix="move each to a folder of its own",
        )
    return found


def _labels_of(images: Path) -> Path:
    stem = re.sub(r"images?([-_.])idx[34]", r"labels\1idx1", images.name, flags=re.IGNORECASE)
    plain = images.with_name(re.sub(r"\.gz$", "", stem, flags=re.IGNORECASE))
    zipped = plain.with_name(plain.name + ".gz")
    for labels in (plain, zipped):
        if labels.is_file():
            return labels
    raise DataError(
        "the labels of these images are missing", where=shown(images), expected=f"{plain.name} or {zipped.name}"
    )


def _read_pair(images_file: Path, labels_file: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images = images_as_array(read_idx(images_file))
    if images is None or 0 in images.shape:
        raise DataError(
            "this idx file holds no images",
            where=shown(images_file),
            expected="(images, height, width), none of them 0",
        )
    labels = read_idx(labels_file)
    if labels.ndim != 1:
        raise DataError(
            "this idx file holds no labels", where=shown(labels_file), got=f"{labels.ndim} dimensions", expected="1"
        )
    if len(labels) != len(images):
        raise DataError(
            "images and labels do not agree",
            where=shown(labels_file),
            got=f"{len(labels):,} labels",
            expected=f"{len(images):,}, one for each image of {shown(images_file.name)}",
        )
    return images, labels


def _classes(path: Path, labels: NDArray[np.uint8]) -> tuple[tuple[str, ...], NDArray[np.uint8], list[str]]:
    """Class names, the label of each, and what to tell about them."""
    name = (path.name if path.is_dir() else path.parent.name).lower()
    ten = np.arange(10, dtype=np.uint8)
    if "fashion" in name:
        return CLOTHES, ten, []
    if "notmnist" in name.replace("-", "").replace("_", ""):
        return LETTERS, ten, []
    if "mnist" in name and "emnist" not in name:
        return tuple("0123456789"), ten, []
    present = np.unique(labels)
    notes = []
    if len(present) < int(present[-1]) - int(present[0]) + 1:
        notes.append(f"Labels run from {present[0]} to {present[-1]}, but only {len(present)} different ones occur.")
    return tuple(str(label) for label in present), present, notes
