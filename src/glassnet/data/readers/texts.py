"""Texts with a class each: folders of text files, two files of lines (``NAME.pos``, ``NAME.neg``), lines beside a file of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch

from glassnet.data.class_folders import find_layout
from glassnet.data.dataset import Data, Part, divided
from glassnet.data.naming import in_order, name_of
from glassnet.data.options import ReadOptions
from glassnet.data.parts import SPELLINGS
from glassnet.data.ragged import Ragged
from glassnet.data.text_files import (
    LABEL_STEMS,
    TEXT_EXTENSIONS,
    NoText,
    files_seen,
    labels_beside,
    lines_of,
    read_text,
    require_text,
)
from glassnet.data.text_schema import TextSchema
from glassnet.data.tokens import Unit, encode
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import files_below, is_litter, shown
from glassnet.errors import DataError

POLES = {"pos": "pos", "positive": "pos", "neg": "neg", "negative": "neg", "neutral": "neutral", "neu": "neutral"}
FEW_BLANKS = 0.05  # share of blanks below which a writing does not divide its words by them
PEEKED = 20


@dataclass
class Gathered:
    """Texts with their labels, names and parts, side by side."""

    texts: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    left_out: list[Unreadable] = field(default_factory=list)
    encodings: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, label: str, name: str, part: str) -> None:
        """One text; one without a sign in it is left out."""
        if not text.strip():
            self.left_out.append(Unreadable(name, "the text is empty"))
            return
        self.texts.append(text)
        self.labels.append(label)
        self.names.append(name)
        self.parts.append(part)


def recognises(path: Path) -> bool:
    """Whether text files stand in class folders, or lines in files that say their class."""
    if path.is_file():
        return bool(_poles(path.parent, path.stem, of=path)) or labels_beside(path) is not None
    if not path.is_dir():
        return False
    try:
        return bool(_poles(path, None)) or bool(_pairs(path)) or _in_folders(path)
    except OSError:
        return False


def read(path: Path, options: ReadOptions) -> Data:
    """Read texts with a class each.

    Taken, in this order: the files ``NAME.pos`` and ``NAME.neg`` (or ``pos.txt`` and ``neg.txt``) with a text a line; a file of texts, one a line, beside
    a file of labels with as many lines (``sentences.txt`` and ``labels.txt``, or ``NAME.txt`` and ``NAME.labels``); folders of text files, one
    for each class, below ``train``, ``val`` and ``test`` where there are such.

    Raises:
        DataError: fewer than two classes, a class without a text, or files that do not fit together.
    """
    gathered, each, notes = Gathered(), "line", []
    if path.is_file():
        poles = _poles(path.parent, path.stem, of=path)
        pairs = {} if poles else {"train": (path, labels_beside(path) or path)}
    else:
        poles = _poles(path, None)
        pairs = {} if poles else _pairs(path)
    if poles:
        _gather_poles(gathered, poles)
        notes.append(f"One text a line of {' and '.join(shown(file.name) for file in poles.values())}.")
    elif pairs:
        for part, (texts, labels) in pairs.items():
            _gather_pair(gathered, texts, labels, part)
        notes.append(
            "One text a line; its class stands in the same line of " + shown(next(iter(pairs.values()))[1].name) + "."
        )
    else:
        each = "file"
        notes += _gather_folders(gathered, path)
    return data_of(
        gathered, options, name=name_of(path), origin=str(path), each="file" if each == "file" else "line", notes=notes
    )


def data_of(
    gathered: Gathered,
    options: ReadOptions,
    *,
    name: str,
    origin: str,
    each: Literal["file", "line"],
    column: str | None = None,
    target: str = "class",
    notes: Sequence[str] = (),
) -> Data:
    """Texts with labels as a data set.

    Raises:
        DataError: fewer than two classes in the training part, or labels elsewhere that do not occur in it.
    """
    classes = _classes(gathered, origin, alone=options.like is None)
    unit, why = _unit(gathered, options)
    lexicon: dict[int, str] = {}
    source = Ragged.of([encode(text, unit, lexicon) for text in gathered.texts], lexicon)
    targets = torch.tensor([classes.index(label) for label in gathered.labels], dtype=torch.int64)
    whole = Part(source, targets, gathered.names)
    parts = divided(whole, gathered.parts)
    told = [*notes, why]
    odd = {encoding: count for encoding, count in gathered.encodings.items() if encoding != "utf-8"}
    told += [
        f"{count} {'file is' if count == 1 else 'files are'} read as {encoding}." for encoding, count in odd.items()
    ]
    in_train = torch.tensor([own == "train" for own in gathered.parts])
    longest = options.like[0] if options.like else int(source.lengths[in_train].max())
    return Data(
        name=name,
        origin=origin,
        task="classes",
        classes=classes,
        outputs=(target,),
        schema=TextSchema(unit, each, column, longest),
        parts=parts,
        notes=tuple(told),
        unreadable=tuple(gathered.left_out),
    )


def _classes(gathered: Gathered, origin: str, *, alone: bool) -> tuple[str, ...]:
    train = {label for label, part in zip(gathered.labels, gathered.parts, strict=True) if part == "train"}
    if len(train) < (2 if alone else 1):
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in gathered.left_out[:3])
        raise DataError(
            "there is only one class of texts" if train else "no text can be read",
            where=shown(origin),
            got=", ".join(map(shown, train)) or reasons or None,
            expected="texts of two classes or more",
        )
    extra = sorted(set(gathered.labels) - train)
    if extra:
        raise DataError(
            "classes of texts that do not occur in the training part",
            where=shown(origin),
            got=", ".join(map(shown, extra[:20])),
            expected="only " + ", ".join(map(shown, sorted(train)[:20])),
        )
    return tuple(sorted(train, key=in_order))


def _unit(gathered: Gathered, options: ReadOptions) -> tuple[Unit, str]:
    if options.tokens != "auto":
        return options.tokens, f"Texts are cut into {options.tokens}, as asked."
    some = "".join(gathered.texts[:: max(1, len(gathered.texts) // 500)])[:200_000]
    blanks = sum(letter.isspace() for letter in some) / max(len(some), 1)
    if blanks < FEW_BLANKS:
        return (
            "characters",
            f'Texts are cut into characters: {blanks:.1%} of them are blanks; data.tokens = "words" decides otherwise.',
        )
    return "words", "Texts are cut into words and signs, in lower case; --tokens characters decides otherwise."


def _gather_poles(gathered: Gathered, poles: Mapping[str, Path]) -> None:
    for label, file in poles.items():
        for number, line in enumerate(_lines(gathered, file), start=1):
            gathered.add(line, label, f"{shown(file.name)}:{number}", "train")


def _gather_pair(gathered: Gathered, texts: Path, labels: Path, part: str) -> None:
    lines, said = _lines(gathered, texts), [line.strip() for line in _lines(gathered, labels)]
    if len(lines) != len(said):
        raise DataError(
            "the file of labels has another number of lines than the file of texts",
            where=shown(labels),
            got=f"{len(said):,} lines",
            expected=f"{len(lines):,}, as in {shown(texts.name)}",
        )
    for number, (line, label) in enumerate(zip(lines, said, strict=True), start=1):
        if label:
            gathered.add(line, label, f"{shown(texts.name)}:{number}", part)
        else:
            gathered.left_out.append(Unreadable(f"{shown(labels.name)}:{number}", "the label is empty"))


def _lines(gathered: Gathered, file: Path) -> list[str]:
    found = require_text(file, "one text a line")
    gathered.encodings[found.encoding] += 1
    return lines_of(found.text)


def _gather_folders(gathered: Gathered, path: Path) -> list[str]:
    layout = find_layout(path)
    for part, folders in layout.parts.items():
        for label, folder in sorted(folders.items()):
            before = len(gathered.texts)
            for file in files_below(folder):
                name = shown(file.relative_to(layout.root) if file.is_relative_to(layout.root) else file)
                if file.suffix.lower() not in TEXT_EXTENSIONS:
                    gathered.left_out.append(Unreadable(name, f"{file.suffix.lower()} files are no texts"))
                    continue
                try:
                    found = read_text(file)
                except NoText as error:
                    gathered.left_out.append(Unreadable(name, str(error)))
                    continue
                gathered.encodings[found.encoding] += 1
                gathered.add(found.text, label, name, part)
            if part == "train" and len(gathered.texts) == before:
                raise DataError(
                    f"class '{shown(label)}' has no readable text",
                    where=shown(folder),
                    got="; ".join(f"{item.name}: {item.reason}" for item in gathered.left_out[-3:])
                    or "an empty folder",
                    fix="add texts to it, or remove the folder",
                )
    return list(layout.notes)


def _poles(folder: Path, stem: str | None, of: Path | None = None) -> dict[str, Path]:
    """The files of lines that say their class by their name: ``NAME.pos`` and ``NAME.neg``, or ``pos.txt`` and ``neg.txt``."""
    by_stem: dict[str, dict[str, Path]] = {}
    for file in files_seen(folder):
        ending, own = file.suffix[1:].lower(), file.stem.lower()
        if ending in POLES and (stem is None or file.stem == stem):
            by_stem.setdefault(file.stem, {})[POLES[ending]] = file
        elif own in POLES and ending in ("txt", "text") and (of is None or of.stem.lower() in POLES):
            by_stem.setdefault("", {})[POLES[own]] = file
    found = [
        poles for poles in by_stem.values() if {"pos", "neg"} <= set(poles) and (of is None or of in poles.values())
    ]
    return dict(sorted(found[0].items())) if len(found) == 1 else {}


def _pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """For each part a file of texts and one of labels, the first called as the part or for what it holds."""
    files = files_seen(folder)
    found: dict[str, tuple[Path, Path]] = {}
    for part, words in SPELLINGS.items():
        for file in files:
            if file.stem.lower() in words and (labels := labels_beside(file)) is not None:
                found[part] = (file, labels)
    if "train" in found:
        return found
    plain = [
        (file, labels)
        for file in files
        if file.stem.lower() not in LABEL_STEMS and (labels := labels_beside(file)) is not None
    ]
    return {"train": plain[0]} if len(plain) == 1 else {}


def _in_folders(path: Path) -> bool:
    """Whether most files in the class folders are texts; images with a text beside each are images."""
    files = [file for folder in find_layout(path).parts.get("train", {}).values() for file in _some_files(folder)]
    return sum(file.suffix.lower() in TEXT_EXTENSIONS[:-1] for file in files) > len(files) / 2


def _some_files(folder: Path) -> Iterator[Path]:
    """The first files below a folder."""
    count = 0
    for file in folder.rglob("*"):
        if file.is_file() and not is_litter(file.name):
            yield file
            count += 1
            if count >= PEEKED:
                return
