"""A first look at images: their contact sheet, before PyTorch is loaded and before all of them are read.

A glance opens only what it needs: the names of the files and what their headers say, or the targets of an array, and then the few images that the
sheet shows. It says nothing of what is wrong: of data that it does not understand at once, or cannot read, there is no glance, and whoever reads them
in full tells why.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glassnet.data.array_pairs import Pair, check_lengths, named_pairs
from glassnet.data.array_targets import class_numbers, column, decide
from glassnet.data.cifar_files import is_cifar, read_cifar
from glassnet.data.class_images import (
    DEFAULT_SIDE,
    ClassImages,
    ImageFile,
    check_layout,
    common_shape,
    find_class_images,
)
from glassnet.data.contact_sheet import class_rows, draw_sheet
from glassnet.data.decode import IMAGE_EXTENSIONS, BadImage, Header, quick_header
from glassnet.data.decode_many import decode_into
from glassnet.data.division import check_classes, check_filled, check_samples, divide, shares_of, units_of
from glassnet.data.evenly import evenly
from glassnet.data.idx_set import idx_pairs, is_idx_set, read_idx_set
from glassnet.data.image_layout import images_as_array
from glassnet.data.image_set import ImageSet
from glassnet.data.numpy_file import arrays_in
from glassnet.data.options import ReadOptions
from glassnet.data.row_digests import row_digests
from glassnet.data.sound_file import OTHER_SOUNDS, SOUND_EXTENSIONS
from glassnet.data.text_files import TEXT_EXTENSIONS, labels_beside
from glassnet.data.threads import in_threads
from glassnet.data.walk import files_in, subfolders

MOST_BYTES = 256 << 20  # of arrays that are read as a whole; they are read once more afterwards
UNZIPPED = 5  # times as large as they are stored, about, are images of digits and letters
MOST_HEADERS = 10_000
HEADERS_AT_ONCE = 500
TRIES = 5  # with other images, where those that would be shown cannot be decoded
MOST_BESIDE = 100
_ARRAYS = (".npy", ".npz")
# What lies beside data and is none.
_BESIDE = {"readme", "readme.md", "readme.txt", "license", "license.md", "license.txt"}
# What the readers that are asked before that of image folders look for in folders.
_OTHER_KINDS = {*SOUND_EXTENSIONS, *OTHER_SOUNDS, *filter(None, TEXT_EXTENSIONS), ".gml"}


@dataclass(frozen=True)
class Glance:
    """What was seen at once.

    Attributes:
        name: of the data set.
        sheet: its contact sheet.
    """

    name: str
    sheet: Image.Image


def glance(place: str, seed: int = 0) -> Glance | None:
    """The contact sheet of the images at a path, or None where only reading all of them can tell.

    It is the sheet that :func:`glassnet.data.contact_sheet.contact_sheet` draws of the same data divided with ``seed``, except where reading all of them
    finds images that cannot be read, or that are identical (in arrays of up to 256 MiB these are looked for here too). Of more than 10,000 image files
    the headers of 10,000, evenly spread, decide to which size they are brought.

    Args:
        place: a folder of class folders with images, or with ``train``, ``val`` and ``test``; idx files; CIFAR batches; npz or npy arrays of images with classes.
        seed: of the division into parts.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _glance(Path(place).expanduser(), seed) if place.strip() else None
    except Exception:  # whatever is wrong with these files, reading them in full meets it again and tells it
        return None


def _glance(path: Path, seed: int) -> Glance | None:
    """The formats in the order in which :data:`glassnet.data.readers.READERS` asks for them."""
    if is_idx_set(path):
        files = [file for pair in idx_pairs(path).values() for file in pair]
        stored = sum(file.stat().st_size * (UNZIPPED if file.suffix.lower() == ".gz" else 1) for file in files)
        return _of_set(read_idx_set(path), seed) if stored <= MOST_BYTES else None
    if is_cifar(path):
        return _of_set(read_cifar(path), seed)
    if path.is_dir() and not any(file.suffix.lower() == ".npy" for file in path.iterdir()):
        return _of_folders(path, seed)
    return _of_arrays(path, seed) if _is_arrays(path) else None


def _rows(
    labels: NDArray[np.int64], classes: Sequence[str], given: Collection[str], keys: Sequence[bytes] | None, seed: int
) -> list[tuple[str, NDArray[np.int64]]]:
    """The rows of the sheet, as :func:`class_rows` gives them, for the samples that stay to be trained on.

    Args:
        labels: of the samples that came for training.
        classes: names.
        given: the parts that there are.
        keys: equal where two samples are the same; None where that is not known.
        seed: of the division.

    Raises:
        DataError: they cannot be divided.
    """
    carved = shares_of(len(labels), len(classes), given)
    check_classes(classes, np.bincount(labels, minlength=len(classes)).tolist(), len(carved) + 1, "")
    check_samples(len(labels), len(carved) + 1, "")
    if not carved:
        return class_rows(classes, labels)
    divided = divide(labels, units_of(keys, len(labels)), carved, seed)
    check_filled(divided, "")
    train = divided["train"]
    return [(label, train[places]) for label, places in class_rows(classes, labels[train])]


def _of_set(found: ImageSet, seed: int) -> Glance:
    images, labels = found.parts["train"]
    rows = _rows(labels, found.classes, found.parts, row_digests(images), seed)
    return Glance(found.name, draw_sheet([(label, images[places]) for label, places in rows], found.shape))


def _is_arrays(path: Path) -> bool:
    """Whether these are arrays for certain: nothing beside them that makes them something else."""
    if path.is_dir():
        return not subfolders(path) and _holds_only(path, _ARRAYS)
    return path.suffix.lower() in _ARRAYS and not path.name.startswith("ind.") and labels_beside(path) is None


def _holds_only(folder: Path, suffixes: Collection[str]) -> bool:
    """Whether the files right in a folder are few and of these kinds, and none is a file of labels."""
    files = files_in(folder)
    plain = all(file.suffix.lower() in suffixes or file.name.lower() in _BESIDE for file in files)
    return plain and len(files) <= MOST_BESIDE and not any(map(labels_beside, files))


def _of_arrays(path: Path, seed: int) -> Glance | None:
    arrays = arrays_in(path)
    pairs = named_pairs(path, arrays, ReadOptions())
    x, y = (arrays[key] for key in pairs["train"])
    told = x.header()
    if told.dtype != np.uint8 or len(told.shape) not in (3, 4):
        return None
    on_disk = x.member is None and not told.fortran  # read row by row, however many there are
    if y.header().needed > MOST_BYTES or (told.needed > MOST_BYTES and not on_disk):
        return None
    inputs, targets = x.rows(MOST_BYTES), y.read()
    check_lengths(Pair("", inputs, "", targets))
    decided = decide(column(targets, ""), "auto", "")
    first = images_as_array(inputs[[0]])
    if first is None or decided.task != "classes":
        return None
    _, channels, height, width = first.shape
    keys = None
    if isinstance(inputs, np.ndarray):
        # twins are alike in any order of their numbers, but may differ in what is laid on white
        as_they_lie = math.prod(inputs.shape[1:]) == first.size
        comparable = inputs if as_they_lie else images_as_array(inputs)
        assert comparable is not None
        keys = row_digests(comparable)
    labels = class_numbers(column(targets, ""), decided, "")
    rows = _rows(labels, [str(value) for value in decided.values], pairs, keys, seed)
    taken = [(label, images_as_array(inputs[places])) for label, places in rows]
    sheet = draw_sheet([(label, images) for label, images in taken if images is not None], (channels, height, width))
    return Glance(path.resolve().name.removesuffix(path.suffix), sheet)


def _of_folders(path: Path, seed: int) -> Glance | None:
    found = find_class_images(path)
    if not found.files or _may_be_another_kind(path, found):
        return None
    check_layout(found, alone=True)
    headers = _headers([file.path for file in found.files])
    shape, _ = common_shape([told for told in headers.values() if told is not None], ReadOptions())
    files = _without(found.files, {path for path, told in headers.items() if told is None})
    for _ in range(TRIES):
        given = {file.part for file in files}
        train = [file for file in files if file.part == "train"]
        rows = _rows(np.array([file.label for file in train], dtype=np.int64), found.classes, given, None, seed)
        shown = [train[place] for _, places in rows for place in places.tolist()]
        pixels = np.zeros((len(shown), *shape), dtype=np.uint8)
        bad = decode_into(pixels, [file.path for file in shown])
        if not bad:
            pieces = np.split(pixels, np.cumsum([len(places) for _, places in rows])[:-1])
            labels = [label for label, _ in rows]
            return Glance(path.resolve().name, draw_sheet(list(zip(labels, pieces, strict=True)), shape))
        files = _without(files, {shown[position].path for position in bad})
    return None


def _without(files: Sequence[ImageFile], paths: Collection[Path]) -> Sequence[ImageFile]:
    return [file for file in files if file.path not in paths] if paths else files


def _headers(paths: Sequence[Path]) -> dict[Path, Header | None]:
    """What some files' headers say, None of those that cannot be read: as many as decide the common size."""

    def look(path: Path) -> Header | None:
        try:
            return quick_header(path)
        except BadImage:
            return None

    some = [paths[place] for place in evenly(len(paths), MOST_HEADERS)]
    rounds = -(-len(some) // HEADERS_AT_ONCE)
    told: dict[Path, Header | None] = {}
    for first in range(rounds):  # each round looks at all classes
        chosen = some[first::rounds]
        told |= dict(zip(chosen, in_threads(look, chosen), strict=True))
        readable = [one for one in told.values() if one is not None]
        if readable and common_shape(readable, ReadOptions())[0] == (3, DEFAULT_SIDE, DEFAULT_SIDE):
            break
    return told


def _may_be_another_kind(path: Path, found: ClassImages) -> bool:
    """Whether something lies here by which a reader that is asked before that of image folders may take the data for its own."""
    every = [one for by_class in found.found.values() for one in by_class.values()]
    suffixes = {suffix for one in every for suffix in one.others}
    suffixes |= {file.path.suffix.lower() for file in found.files}
    graphs = any(any(folder.glob("*.gml")) for folder in subfolders(path))
    return graphs or not _holds_only(path, IMAGE_EXTENSIONS) or not suffixes.isdisjoint(_OTHER_KINDS)
