"""Sentences with a tag for each word: CoNLL columns, alone or as files for training, validation and test."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from glassnet.data.dataset import IGNORED, Data, Part
from glassnet.data.naming import name_of
from glassnet.data.options import ReadOptions
from glassnet.data.parts import SPELLINGS
from glassnet.data.tag_schema import TagSchema
from glassnet.data.tagged_files import TaggedFile, is_tagged, read_tagged
from glassnet.data.walk import files_in, shown
from glassnet.data.word_codes import ragged_words
from glassnet.errors import DataError, GlassnetError, all_at_once

# CoNLL-2003 calls the validation part testa and the test part testb.
PARTS = {"train": SPELLINGS["train"], "val": (*SPELLINGS["val"], "testa"), "test": (*SPELLINGS["test"], "testb")}
MOST_TAGS = 2_000
OUTSIDE = "O"
NAMED = 8


def recognises(path: Path) -> bool:
    """Whether this is a file with a word a line, or a folder whose training part is one."""
    if path.is_file():
        return is_tagged(path)
    return path.is_dir() and "train" in _within(path)


def read(path: Path, options: ReadOptions) -> Data:
    """Read tagged sentences.

    Of a folder the files called ``train``, ``dev`` (or ``valid``, ``testa``) and ``test`` (``testb``) are the parts; beside a file with ``train`` in its name those with the
    other word in its place.

    Args:
        path: a file, or a folder with a training file.
        options: ``target`` (the column of tags: its number, or ``upos`` and the like of CoNLL-U), ``val`` and ``test`` matter here.

    Raises:
        DataError: files that cannot be read, or with one tag only; all such files at once.
    """
    files = _within(path) if path.is_dir() else {"train": path} | _beside(path)
    files |= {part: Path(place) for part, place in (("val", options.val), ("test", options.test)) if place is not None}
    read_files: dict[str, TaggedFile] = {}
    wrong: list[GlassnetError] = []
    for part, file in files.items():
        try:
            if not file.is_file():
                raise DataError("no such file", where=shown(file), expected="a word a line")
            read_files[part] = read_tagged(file, options.target)
        except DataError as error:
            wrong.append(error)
    if wrong:
        raise all_at_once(wrong)
    train = read_files["train"]
    tags = _tags(train, path)
    extra = sorted({tag for part in read_files.values() for each in part.sentences for tag in each.tags} - set(tags))
    tags = (*tags, *extra)
    parts = {part: _part(file, files[part], tags) for part, file in read_files.items()}
    longest = max(len(sentence.words) for sentence in train.sentences)
    notes = [f"A word a line, its tag in column {train.column} of {train.columns}; --target names another column."]
    if len(files) > 1:
        notes.append("Parts: " + ", ".join(f"{shown(file.name)} ({part})" for part, file in files.items()) + ".")
    if extra:
        notes.append(f"{len(extra)} tags occur outside the training part alone, and cannot be learned: {_some(extra)}.")
    notes += [
        f"{shown(files[part].name)} is read as {file.encoding}."
        for part, file in read_files.items()
        if file.encoding != "utf-8"
    ]
    return Data(
        name=name_of(path),
        origin=str(path),
        task="classes",
        classes=tags,
        outputs=("tag",),
        schema=TagSchema(longest, train.column),
        parts={part: parts[part] for part in PARTS if part in parts},
        notes=tuple(notes),
    )


def _tags(train: TaggedFile, path: Path) -> tuple[str, ...]:
    tags = sorted({tag for sentence in train.sentences for tag in sentence.tags}, key=lambda tag: (tag != OUTSIDE, tag))
    if len(tags) < 2:
        raise DataError("there is one tag only", where=shown(path), got=tags[0], expected="two tags or more")
    if len(tags) > MOST_TAGS:
        raise DataError(
            "this column does not hold tags: too many are different",
            where=shown(path),
            got=f"{len(tags):,} in column {train.column}",
            expected=f"at most {MOST_TAGS:,}",
            fix="name another column with --target",
        )
    return tuple(tags)


def _part(file: TaggedFile, path: Path, tags: tuple[str, ...]) -> Part:
    places = {tag: place for place, tag in enumerate(tags)}
    source = ragged_words([sentence.words for sentence in file.sentences])
    targets = padded([[places[tag] for tag in sentence.tags] for sentence in file.sentences])
    return Part(source, targets, [f"{shown(path.name)}:{sentence.line}" for sentence in file.sentences])


def padded(rows: list[list[int]]) -> Tensor:
    """Rows of different lengths as int64 (rows, longest), filled with ``IGNORED``."""
    made = torch.full((len(rows), max(map(len, rows))), IGNORED, dtype=torch.int64)
    for number, row in enumerate(rows):
        made[number, : len(row)] = torch.tensor(row)
    return made


def _within(folder: Path) -> dict[str, Path]:
    """The files of a folder that are parts by a word of their names."""
    found: dict[str, Path] = {}
    try:
        files = files_in(folder)
    except OSError:
        return found
    for part, words in PARTS.items():
        own = [file for file in files if set(re.split(r"[-_. ]", file.name.lower())) & set(words) and is_tagged(file)]
        if len(own) == 1:
            found[part] = own[0]
    return found


def _beside(path: Path) -> dict[str, Path]:
    """The other parts of a file that is called ``train``."""
    found: dict[str, Path] = {}
    if not re.search(r"(?<![a-z])train(?![a-z])", path.name, re.IGNORECASE):
        return found
    for part in ("val", "test"):
        for word in PARTS[part]:
            other = path.with_name(re.sub(r"(?<![a-z])train(?![a-z])", word, path.name, flags=re.IGNORECASE))
            if part not in found and other != path and is_tagged(other):
                found[part] = other
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")
