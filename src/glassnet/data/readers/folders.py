"""Images in a folder for each class: ``root/<class>/*`` or ``root/{train,val,test}/<class>/*``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from glassnet.data.class_folders import find_layout
from glassnet.data.dataset import Data, InMemory, Part, Source, divided
from glassnet.data.decode import EXTENSIONS, BadImage, Header, header
from glassnet.data.decoded_once import DecodedOnce, decoded_once
from glassnet.data.image_files import ImageFiles, decode_all, looks_whole
from glassnet.data.image_schema import ImageSchema
from glassnet.data.options import ReadOptions
from glassnet.data.threads import in_threads
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import Found, find_images, shown
from glassnet.errors import DataError, GlassnetError, all_at_once
from glassnet.files import cache_folder

DEFAULT_SIDE = 96
KEPT_SIDE = 256


@dataclass
class _Gathered:
    """Image files with what their headers say, in the order of parts, classes and names."""

    paths: list[Path] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)


def recognises(path: Path) -> bool:
    """Whether class folders with at least one image are found."""
    if not path.is_dir():
        return False
    try:
        layout = find_layout(path)
        folders = [folder for classes in layout.parts.values() for folder in classes.values()]
        return any(find_images(folder, path).images for folder in folders)
    except OSError:
        return False


def read(path: Path, options: ReadOptions) -> Data:
    """Read images from class folders.

    Images that all have one size of at most 256 pixels a side are kept as they are. Others are brought to a square of
    ``options.image_size`` (96 without one); see :func:`glassnet.data.decode.decode` for how. Where all files are grey, so are the
    images. Images that fit into ``options.in_memory_limit`` are decoded at once, others as they are needed.

    Raises:
        DataError: fewer than two classes, a class without a readable image, classes that only occur outside of training; all at once.
    """
    layout = find_layout(path)
    notes = list(layout.notes)
    found = {
        part: {name: find_images(folder, layout.root) for name, folder in classes.items()}
        for part, classes in layout.parts.items()
    }
    classes = tuple(sorted(found.get("train", {})))
    left_out = [bad for by_class in found.values() for one in by_class.values() for bad in one.left_out]
    errors = _layout_errors(path, found, classes, alone=options.like is None)
    if errors:
        raise all_at_once(errors)
    gathered = _gather(found, classes, layout.root, left_out)
    if options.like is None or not gathered.paths:  # a test part of its own may lack a class
        _check_filled(gathered, found, classes, layout.root, left_out)
    schema, decision = _schema(gathered.headers, options)
    notes += decision
    source, kept = _source(gathered, schema, options, layout.root, left_out)
    gathered = _chosen(gathered, kept)
    if options.like is None or not gathered.paths:
        _check_filled(gathered, found, classes, layout.root, left_out)
    notes += _remarks(gathered, found, layout.root)
    if told := _from_disk(source):
        notes.append(told)
    parts = _parts(source, gathered, layout.root)
    return Data(
        name=path.resolve().name,
        origin=str(path),
        task="classes",
        classes=classes,
        outputs=("class",),
        schema=schema,
        parts=parts,
        notes=tuple(notes),
        unreadable=tuple(left_out),
    )


def _layout_errors(
    path: Path, found: Mapping[str, Mapping[str, Found]], classes: Sequence[str], *, alone: bool
) -> list[GlassnetError]:
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
    return errors


def _gather(
    found: Mapping[str, Mapping[str, Found]], classes: Sequence[str], root: Path, left_out: list[Unreadable]
) -> _Gathered:
    rows = [
        (path, part, classes.index(name))
        for part, by_class in found.items()
        for name in sorted(by_class)
        for path in by_class[name].images
    ]

    def look(path: Path) -> Header | str:
        try:
            return header(path)
        except BadImage as error:
            return str(error)

    gathered = _Gathered()
    for (path, part, label), told in zip(rows, in_threads(look, [row[0] for row in rows]), strict=True):
        if isinstance(told, str):
            left_out.append(Unreadable(_name(path, root), told))
            continue
        gathered.paths.append(path)
        gathered.headers.append(told)
        gathered.parts.append(part)
        gathered.labels.append(label)
    return gathered


def _check_filled(
    gathered: _Gathered,
    found: Mapping[str, Mapping[str, Found]],
    classes: Sequence[str],
    root: Path,
    left_out: Sequence[Unreadable],
) -> None:
    """Refuse a class without a readable training image, and a part without any."""
    filled = Counter(label for label, part in zip(gathered.labels, gathered.parts, strict=True) if part == "train")
    errors: list[GlassnetError] = []
    for label, name in enumerate(classes):
        if filled[label]:
            continue
        one = found["train"][name]
        seen = ", ".join(f"{count} {extension}" for extension, count in one.others.most_common(5))
        bad = [told for told in left_out if f"/{shown(name)}/" in f"/{told.name}"]
        reasons = "; ".join(f"{told.name}: {told.reason}" for told in bad[:3]) + (" ..." if len(bad) > 3 else "")
        errors.append(
            DataError(
                f"class '{shown(name)}' has no readable image",
                where=shown(root),
                got=reasons or (f"{seen} files" if seen else "an empty folder"),
                fix="add images to it, or remove the folder",
            )
        )
    if errors:
        raise all_at_once(errors)


def _schema(headers: Sequence[Header], options: ReadOptions) -> tuple[ImageSchema, list[str]]:
    if options.like is not None and len(options.like) == 3:
        return ImageSchema(*options.like), []
    channels = options.channels or (1 if all(one.grey for one in headers) else 3)
    sizes = Counter((one.height, one.width) for one in headers)
    (height, width), _ = sizes.most_common(1)[0]
    if options.image_size is not None:
        side = options.image_size
        if set(sizes) == {(side, side)}:
            return ImageSchema(channels, side, side), []
        return ImageSchema(channels, side, side), [f"Images were brought to {side} x {side} pixels, as asked."]
    if len(sizes) == 1 and max(height, width) <= KEPT_SIDE:
        return ImageSchema(channels, height, width), []
    smallest = min(min(size) for size in sizes)
    largest = max(max(size) for size in sizes)
    why = f"{len(sizes)} sizes occur" if len(sizes) > 1 else f"all are {width} x {height}"
    note = (
        f"Images were shrunk or enlarged to {DEFAULT_SIDE} x {DEFAULT_SIDE} pixels and cropped at the centre "
        f"({why}, sides from {smallest} to {largest}); choose another side with --image-size."
    )
    return ImageSchema(channels, DEFAULT_SIDE, DEFAULT_SIDE), [note]


def _source(
    gathered: _Gathered, schema: ImageSchema, options: ReadOptions, root: Path, left_out: list[Unreadable]
) -> tuple[Source, list[int]]:
    """The images, and the positions in ``gathered`` that could be read."""
    paths = gathered.paths
    size = (schema.height, schema.width)
    if len(paths) * schema.channels * schema.height * schema.width <= options.in_memory_limit:
        images, bad = decode_all(paths, schema.channels, size)
        kept = [position for position in range(len(paths)) if position not in bad]
        source: Source = InMemory(images[kept] if bad else images)
    else:
        # Decoding all of them once only to see whether they can be decoded would take as long as an epoch.
        whole = in_threads(looks_whole, list(zip(paths, (one.format for one in gathered.headers), strict=True)))
        bad = {position: "the file is cut off" for position, is_whole in enumerate(whole) if not is_whole}
        kept = [position for position in range(len(paths)) if position not in bad]
        files = ImageFiles([paths[position] for position in kept], *schema.shape)
        source = decoded_once(files, cache_folder()) or files
    left_out += [Unreadable(_name(paths[position], root), reason) for position, reason in bad.items()]
    return source, kept


def _from_disk(source: Source) -> str | None:
    """What to say of images that do not fit into memory together."""
    place = shown(cache_folder())
    if isinstance(source, DecodedOnce):
        return f"The images do not fit into memory together: each is decoded once, and then read from a scratch file in {place}, which is gone when this run ends."
    if isinstance(source, ImageFiles):
        return f"The images do not fit into memory together and are decoded anew for every batch, since {place} has no room to keep them decoded."
    return None


def _chosen(gathered: _Gathered, kept: Sequence[int]) -> _Gathered:
    return _Gathered(
        [gathered.paths[position] for position in kept],
        [gathered.headers[position] for position in kept],
        [gathered.parts[position] for position in kept],
        [gathered.labels[position] for position in kept],
    )


def _parts(source: Source, gathered: _Gathered, root: Path) -> dict[str, Part]:
    targets = torch.tensor(gathered.labels, dtype=torch.int64)
    return divided(Part(source, targets, [_name(path, root) for path in gathered.paths]), gathered.parts)


def _remarks(gathered: _Gathered, found: Mapping[str, Mapping[str, Found]], root: Path) -> list[str]:
    notes = []
    misnamed = [
        (path, one.format)
        for path, one in zip(gathered.paths, gathered.headers, strict=True)
        if path.suffix.lower() not in EXTENSIONS[one.format]
    ]
    if misnamed:
        path, kind = misnamed[0]
        notes.append(
            f"{len(misnamed)} {'file is' if len(misnamed) == 1 else 'files are'} of another format than the name says and read all the same; "
            f"{_name(path, root)} is a {kind} file."
        )
    others: Counter[str] = Counter()
    for by_class in found.values():
        for one in by_class.values():
            others.update(one.others)
    if others:
        told = ", ".join(f"{count} {extension}" for extension, count in others.most_common(5))
        notes.append(f"Files in class folders that are no images were passed over: {told}.")
    for part, by_class in found.items():
        missing = sorted(set(found["train"]) - set(by_class))
        if missing:
            notes.append(f"The '{part}' part has no images of: {', '.join(map(shown, missing))}.")
    return notes


def _name(path: Path, root: Path) -> str:
    return shown(path.relative_to(root) if path.is_relative_to(root) else path)
