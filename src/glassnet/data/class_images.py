"""The image files of class folders: which there are, which cannot be read, and the size that suits them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from glassnet.data.class_folders import find_layout
from glassnet.data.decode import BadImage, Header, header
from glassnet.data.options import ReadOptions
from glassnet.data.threads import in_threads
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import Found, find_images, shown
from glassnet.errors import DataError, GlassnetError, all_at_once

DEFAULT_SIDE = 96
KEPT_SIDE = 256


class ImageFile(NamedTuple):
    """An image file with its part and the number of its class."""

    path: Path
    part: str
    label: int


@dataclass(frozen=True)
class ClassImages:
    """What was found in class folders, before any file was opened.

    Attributes:
        path: the folder as it was given.
        root: the folder to which names are relative.
        found: the files of each part and class.
        classes: the names of the classes of the training part.
        files: all image files, in the order of parts, classes and names; of classes that the training part has not, none.
        left_out: what looks like an image and cannot be read, with the reason.
        notes: what was stepped over.
    """

    path: Path
    root: Path
    found: Mapping[str, Mapping[str, Found]]
    classes: tuple[str, ...]
    files: Sequence[ImageFile]
    left_out: list[Unreadable]
    notes: tuple[str, ...]


@dataclass
class Gathered:
    """Image files with what their headers say, in the order of parts, classes and names."""

    paths: list[Path] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


def find_class_images(path: Path) -> ClassImages:
    """List the images in the class folders at ``path``, for layouts see :func:`glassnet.data.class_folders.find_layout`."""
    layout = find_layout(path)
    found = {
        part: {name: find_images(folder, layout.root) for name, folder in classes.items()}
        for part, classes in layout.parts.items()
    }
    classes = tuple(sorted(found.get("train", {})))
    label_of = {name: label for label, name in enumerate(classes)}
    files = [
        ImageFile(image, part, label_of[name])
        for part, by_class in found.items()
        for name in sorted(by_class)
        if name in label_of
        for image in by_class[name].images
    ]
    left_out = [bad for by_class in found.values() for one in by_class.values() for bad in one.left_out]
    return ClassImages(path, layout.root, found, classes, files, left_out, layout.notes)


def check_layout(images: ClassImages, *, alone: bool) -> None:
    """Refuse folders that are not those of a data set.

    Args:
        images: what was found.
        alone: whether they have to be one by themselves, and are not a part of another.

    Raises:
        DataError: fewer than two classes, or classes that only occur outside of training; all at once.
    """
    path, found, classes = images.path, images.found, images.classes
    errors: list[GlassnetError] = []
    if len(classes) < (2 if alone else 1):
        errors.append(
            DataError(
                "there is only one class" if classes else "there are no class folders",
                where=shown(path),
                got=", ".join(map(shown, classes)) or None,
                expected="two or more folders, one for each class, with its images",
                fix="put the images of each class into a folder named after the class",
            )
        )
    for part, by_class in found.items():
        extra = sorted(set(by_class) - set(classes))
        if extra:
            errors.append(
                DataError(
                    f"classes in '{part}' that do not occur in 'train'",
                    where=shown(path),
                    got=", ".join(map(shown, extra)),
                    expected="only " + ", ".join(map(shown, classes[:20])),
                    fix="rename or remove these folders",
                )
            )
    if errors:
        raise all_at_once(errors)


def gather(images: ClassImages) -> Gathered:
    """The images whose headers can be read; the others are left out by name."""

    def look(path: Path) -> Header | str:
        try:
            return header(path)
        except BadImage as error:
            return str(error)

    gathered = Gathered()
    for (path, part, label), told in zip(
        images.files, in_threads(look, [file.path for file in images.files]), strict=True
    ):
        if isinstance(told, str):
            images.left_out.append(Unreadable(name_within(path, images.root), told))
            continue
        gathered.paths.append(path)
        gathered.headers.append(told)
        gathered.parts.append(part)
        gathered.labels.append(label)
    return gathered


def check_filled(gathered: Gathered, images: ClassImages) -> None:
    """Refuse a class without a readable training image.

    Raises:
        DataError: there are such classes; all at once.
    """
    filled = Counter(label for label, part in zip(gathered.labels, gathered.parts, strict=True) if part == "train")
    errors: list[GlassnetError] = []
    for label, name in enumerate(images.classes):
        if filled[label]:
            continue
        one = images.found["train"][name]
        seen = ", ".join(f"{count} {extension}" for extension, count in one.others.most_common(5))
        bad = [told for told in images.left_out if f"/{shown(name)}/" in f"/{told.name}"]
        reasons = "; ".join(f"{told.name}: {told.reason}" for told in bad[:3]) + (" ..." if len(bad) > 3 else "")
        errors.append(
            DataError(
                f"class '{shown(name)}' has no readable image",
                where=shown(images.root),
                got=reasons or (f"{seen} files" if seen else "an empty folder"),
                fix="add images to it, or remove the folder",
            )
        )
    if errors:
        raise all_at_once(errors)


def common_shape(headers: Sequence[Header], options: ReadOptions) -> tuple[tuple[int, int, int], list[str]]:
    """(channels, height, width) to which images are brought, and what to tell about it; see :func:`glassnet.data.readers.folders.read`.

    By the default options, once some of the headers give (3, 96, 96), no others can give anything else.
    """
    if options.like is not None and len(options.like) == 3:
        channels, height, width = options.like
        return (channels, height, width), []
    grey_or_colour = options.channels or (1 if all(one.grey for one in headers) else 3)
    sizes = Counter((one.height, one.width) for one in headers)
    (height, width), _ = sizes.most_common(1)[0]
    if options.image_size is not None:
        side = options.image_size
        if set(sizes) == {(side, side)}:
            return (grey_or_colour, side, side), []
        return (grey_or_colour, side, side), [f"Images were brought to {side} x {side} pixels, as asked."]
    if len(sizes) == 1 and max(height, width) <= KEPT_SIDE:
        return (grey_or_colour, height, width), []
    smallest = min(min(size) for size in sizes)
    largest = max(max(size) for size in sizes)
    why = f"{len(sizes)} sizes occur" if len(sizes) > 1 else f"all are {width} x {height}"
    note = (
        f"Images were shrunk or enlarged to {DEFAULT_SIDE} x {DEFAULT_SIDE} pixels and cropped at the centre "
        f"({why}, sides from {smallest} to {largest}); choose another side with --image-size."
    )
    return (grey_or_colour, DEFAULT_SIDE, DEFAULT_SIDE), [note]


def name_within(path: Path, root: Path) -> str:
    """A path as it is told: from the root on, where it lies below."""
    return shown(path.relative_to(root) if path.is_relative_to(root) else path)
