"""Images in a folder for each class: ``root/<class>/*`` or ``root/{train,val,test}/<class>/*``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from glassnet.data.class_folders import find_layout
from glassnet.data.class_images import (
    Gathered,
    check_filled,
    check_layout,
    common_shape,
    find_class_images,
    gather,
    name_within,
)
from glassnet.data.dataset import Data, InMemory, Part, Source, divided
from glassnet.data.decode import EXTENSIONS
from glassnet.data.decoded_once import DecodedOnce, decoded_once
from glassnet.data.image_files import ImageFiles, decode_all, looks_whole
from glassnet.data.image_schema import ImageSchema
from glassnet.data.options import ReadOptions
from glassnet.data.threads import in_threads
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import Found, find_images, shown
from glassnet.files import cache_folder


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
    images = find_class_images(path)
    notes = list(images.notes)
    left_out = images.left_out
    alone = options.like is None
    check_layout(images, alone=alone)
    gathered = gather(images)
    if alone or not gathered.paths:  # a test part of its own may lack a class
        check_filled(gathered, images)
    shape, decision = common_shape(gathered.headers, options)
    schema = ImageSchema(*shape)
    notes += decision
    source, kept = _source(gathered, schema, options, images.root, left_out)
    gathered = _chosen(gathered, kept)
    if alone or not gathered.paths:
        check_filled(gathered, images)
    notes += _remarks(gathered, images.found, images.root)
    if told := _from_disk(source):
        notes.append(told)
    parts = _parts(source, gathered, images.root)
    return Data(
        name=path.resolve().name,
        origin=str(path),
        task="classes",
        classes=images.classes,
        outputs=("class",),
        schema=schema,
        parts=parts,
        notes=tuple(notes),
        unreadable=tuple(left_out),
    )


def _source(
    gathered: Gathered, schema: ImageSchema, options: ReadOptions, root: Path, left_out: list[Unreadable]
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
    left_out += [Unreadable(name_within(paths[position], root), reason) for position, reason in bad.items()]
    return source, kept


def _from_disk(source: Source) -> str | None:
    """What to say of images that do not fit into memory together."""
    place = shown(cache_folder())
    if isinstance(source, DecodedOnce):
        return f"The images do not fit into memory together: each is decoded once, and then read from a scratch file in {place}, which is gone when this run ends."
    if isinstance(source, ImageFiles):
        return f"The images do not fit into memory together and are decoded anew for every batch, since {place} has no room to keep them decoded."
    return None


def _chosen(gathered: Gathered, kept: Sequence[int]) -> Gathered:
    return Gathered(
        [gathered.paths[position] for position in kept],
        [gathered.headers[position] for position in kept],
        [gathered.parts[position] for position in kept],
        [gathered.labels[position] for position in kept],
    )


def _parts(source: Source, gathered: Gathered, root: Path) -> dict[str, Part]:
    targets = torch.tensor(gathered.labels, dtype=torch.int64)
    return divided(Part(source, targets, [name_within(path, root) for path in gathered.paths]), gathered.parts)


def _remarks(gathered: Gathered, found: Mapping[str, Mapping[str, Found]], root: Path) -> list[str]:
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
            f"{name_within(path, root)} is a {kind} file."
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
