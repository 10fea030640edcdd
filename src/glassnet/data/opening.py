"""One door to all data sets: a built-in name, a well-known name, a file or a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from glassnet.data.dataset import Data, Part
from glassnet.data.decode import IMAGE_EXTENSIONS
from glassnet.data.download import Progress
from glassnet.data.named import NAMED, locate
from glassnet.data.options import ReadOptions
from glassnet.data.readers import READERS, SEQUENCES, TABLES, Reader, digits, letters
from glassnet.data.text_files import TEXT_EXTENSIONS, NoText, read_text
from glassnet.data.walk import is_litter, shown
from glassnet.errors import DataError, UsageError, fix_to_read, nearest

BUILT_IN: dict[str, Callable[[ReadOptions], Data]] = {"digits": digits.read, "letters": letters.read}
LAYOUTS = """a folder with a folder of images for each class (cats/, dogs/), or train/, val/ and test/ with such folders;
            idx files (train-images-idx3-ubyte.gz and its labels); CIFAR batches; .npz or .npy arrays; .csv, .tsv, .parquet, .jsonl or .xlsx tables;
            sentences with a word and its tag a line (.conll, .conllu);
            a folder of text files, or of WAV files, for each class; NAME.pos and NAME.neg, or sentences.txt and labels.txt, with a text a line;
            a graph: NAME.content and NAME.cites, Planetoid's ind.NAME.*, or NAME.gml;
            many graphs: NAME_A.txt with NAME_graph_indicator.txt and NAME_graph_labels.txt, or a folder of GML files for each class;
            trees in brackets, one a line: train.txt, dev.txt and test.txt, or one file;
            one plain text such as NAME.txt, to learn to write like it"""
INSTEAD: tuple[tuple[Collection[str], str], ...] = (  # what to do with files that are often tried
    ((".xml", ".db", ".sqlite"), "export it as CSV"),
    ((".json",), 'write its records as a list or a line each, such as {"text": "a fine film", "label": "good"}'),
    ((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"), "unpack it, and name the folder with its files"),
    (
        (".pkl", ".pickle", ".pt", ".pth", ".mat", ".h5", ".hdf5"),
        "save its arrays with numpy.savez(file, x=..., y=...)",
    ),
    (
        IMAGE_EXTENSIONS,
        "to train, name a folder with a folder of images for each class; what one image is: glassnet predict RUN FILE",
    ),
    ((".pdf", ".doc", ".docx"), "save its words as plain text, such as NAME.txt"),
)
MAX_COUNTED = 20_000


def open_data(place: str, options: ReadOptions | None = None, progress: Progress | None = None) -> Data:
    """Read a data set.

    Args:
        place: ``digits`` or ``letters`` (built in), ``mnist``, ``fashion-mnist``, ``notmnist``, ``cifar10`` or ``cifar100`` (found in
            ``$GLASSNET_DATA`` or the cache, else downloaded), or a path. A file or folder of that name wins over a name.
        options: what the files do not say; ``options.test`` and ``options.val`` are read in the same format.
        progress: told of downloads.

    Raises:
        DataError: nothing is there, it is of no known layout, or it is damaged.
    """
    options = options or ReadOptions()
    if not place.strip():
        raise UsageError("which data?", got=repr(place), expected="a path, or one of " + ", ".join([*BUILT_IN, *NAMED]))
    path = Path(place).expanduser()
    if not is_there(path) and place in BUILT_IN:
        return _told(_with_others(BUILT_IN[place](options), None, options), options)
    if not is_there(path) and place.lower() in NAMED:
        name = place.lower()
        path = locate(name, lambda folder: _reader(folder) is not None, progress)
        reader = _recognised(path)
        data = _with_others(reader.read(path, options), reader, options)
        return _told(replace(data, name=name, origin=place), options)
    if not is_there(path):
        raise _missing(place, path)
    reader = _recognised(path, options)
    data = _with_others(reader.read(path, options), reader, options)
    return _told(replace(data, origin=place), options)


def _told(data: Data, options: ReadOptions) -> Data:
    """With a note where images that come as arrays were asked for in another size; only image files are resized."""
    size = data.schema.shape[1:]
    if options.image_size is None or data.schema.kind != "image" or size == (options.image_size, options.image_size):
        return data
    note = f"The images keep their own size of {size[1]} x {size[0]} pixels; only image files are brought to another."
    return replace(data, notes=(*data.notes, note))


def is_there(path: Path) -> bool:
    """Whether the path exists; a name that no file can have does not."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long or with a zero byte
        return False


def _reader(path: Path, options: ReadOptions | None = None) -> Reader | None:
    if options is not None and options.sequence is not None:
        return SEQUENCES[options.sequence]
    try:
        found = next((reader for reader in READERS if reader.recognises(path)), None)
        asked = options is not None and options.task != "auto"
        return TABLES if asked and found is SEQUENCES["language"] else found
    except OSError as error:
        raise DataError(
            "the data cannot be read",
            where=shown(path),
            got=error.strerror or str(error),
            fix=fix_to_read(error, shown(path), "copy it again from where it came from"),
        ) from error


def _recognised(path: Path, options: ReadOptions | None = None) -> Reader:
    reader = _reader(path, options)
    if reader is not None:
        return reader
    if path.is_dir():
        raise DataError(
            "nothing in this folder is understood as a data set",
            where=shown(path),
            got=_contents(path),
            expected=LAYOUTS,
            fix=_sorted_first(path),
        )
    raise DataError(
        "this file is not understood as a data set",
        where=shown(path),
        got=_no_text(path),
        expected=LAYOUTS,
        fix=next((fix for endings, fix in INSTEAD if path.suffix.lower() in endings), None),
    )


def _no_text(path: Path) -> str | None:
    """Why a file that is called a text is none."""
    if path.suffix.lower() not in TEXT_EXTENSIONS:
        return None
    try:
        read_text(path)
    except NoText as error:
        return str(error)
    return None


def _sorted_first(folder: Path) -> str | None:
    """What to do about images that lie in one folder all together."""
    some = islice((each for each in folder.iterdir() if not is_litter(each.name)), MAX_COUNTED)
    if not any(each.suffix.lower() in IMAGE_EXTENSIONS for each in some):
        return None
    above = folder.resolve().parent
    return f"move the images of each class into a folder named after it; if this folder is one class, name the folder above: {shown(above)}"


def _missing(place: str, path: Path) -> DataError:
    siblings: list[str] = []
    if path.parent.is_dir():
        siblings = [file.name for file in path.parent.iterdir() if not is_litter(file.name)]
    names = [*BUILT_IN, *NAMED] if path.parent == Path() else []
    near = nearest(path.name, [*siblings, *names])
    fix = (
        f"did you mean '{near if near in names and near not in siblings else path.with_name(near)}'?" if near else None
    )
    if not near and not path.parent.is_dir():
        fix = f"the folder {shown(path.parent)} does not exist either"
    return DataError(
        "no such file, folder or data set",
        where=shown(place),
        expected=None if near else "a path, or one of " + ", ".join([*BUILT_IN, *NAMED]),
        fix=fix,
    )


def _contents(folder: Path) -> str:
    """What lies in a folder, counted by extension."""
    counts: Counter[str] = Counter()
    for number, path in enumerate(folder.rglob("*")):
        if number >= MAX_COUNTED:
            break
        if not any(is_litter(part) for part in path.relative_to(folder).parts):
            counts["folders" if path.is_dir() else path.suffix.lower() or "without extension"] += 1
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(8)) or "an empty folder"


def _with_others(data: Data, reader: Reader | None, options: ReadOptions) -> Data:
    """The data with ``options.test`` and ``options.val`` read in the same format as parts of their own."""
    if (reader is not None and reader.joins_parts) or (options.test is None and options.val is None):
        return data
    parts = dict(data.parts)
    notes = []
    for name, place in (("val", options.val), ("test", options.test)):
        if place is None:
            continue
        path = Path(place).expanduser()
        if not is_there(path):
            raise _missing(place, path)
        other_reader = reader or _recognised(path)
        if other_reader.joins_parts or not (other_reader.recognises(path) or data.task == "language"):
            raise DataError(
                f"the {name} data are not of the same format as the training data",
                where=shown(place),
                expected=reader.name if reader else f"data of kind {data.schema.kind}",
            )
        other = other_reader.read(path, _like(data, options))
        parts[name] = _fitting(data, other, name, place)
        notes += [f"{name}: {note}" for note in other.notes]
        data = replace(data, unreadable=(*data.unreadable, *other.unreadable))
    return data.with_parts(parts, *notes)


def _like(data: Data, options: ReadOptions) -> ReadOptions:
    return replace(
        options,
        test=None,
        val=None,
        task=data.task if data.task in ("classes", "values") else "auto",
        like=data.schema.shape,
        tokens=getattr(data.schema, "unit", options.tokens),
        rate=getattr(data.schema, "rate", None),
    )


def _fitting(data: Data, other: Data, name: str, place: str) -> Part:
    if other.schema != data.schema or other.task != data.task:
        raise DataError(
            f"the {name} data do not fit the training data",
            where=shown(place),
            got=f"{other.schema.kind} {other.schema.shape}, {other.task}",
            expected=f"{data.schema.kind} {data.schema.shape}, {data.task}",
        )
    part = other.parts.get(name, other.train)
    if data.task == "values":
        if part.targets.shape[1:] != data.train.targets.shape[1:]:
            raise DataError(
                f"the {name} data have another number of outputs",
                where=shown(place),
                got=part.targets.shape[1],
                expected=data.train.targets.shape[1],
            )
        return part
    extra = sorted(set(other.classes) - set(data.classes))
    if extra:
        raise DataError(
            f"classes in the {name} data that do not occur in the training data",
            where=shown(place),
            got=", ".join(map(shown, extra[:20])),
            expected="only " + ", ".join(map(shown, data.classes[:20])),
        )
    index = torch.tensor([data.classes.index(own) for own in other.classes], dtype=torch.int64)
    return Part(part.inputs, index[part.targets], part.names)
