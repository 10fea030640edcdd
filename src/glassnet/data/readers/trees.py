"""Labelled trees in brackets, one a line: ``train.txt``, ``dev.txt`` and ``test.txt`` as the Stanford Sentiment Treebank has them, or one file."""

from __future__ import annotations

from pathlib import Path

import torch

from glassnet.data.dataset import Data, Part
from glassnet.data.naming import in_order, name_of
from glassnet.data.options import ReadOptions
from glassnet.data.parts import SPELLINGS
from glassnet.data.text_files import lines_of, require_text
from glassnet.data.tree import Node, NoTree, Trees, encode_tree, parse_tree
from glassnet.data.tree_schema import TreeSchema
from glassnet.data.unreadable import Unreadable
from glassnet.data.walk import files_in, shown
from glassnet.errors import DataError, UsageError

SUFFIXES = (".txt", ".tree", ".trees", ".ptb", ".mrg")
LOOKED_AT = 4096
BINARY = {"0": "negative", "1": "negative", "3": "positive", "4": "positive"}
FINE = {"0", "1", "2", "3", "4"}

Named = list[tuple[str, list[Node]]]


def recognises(path: Path) -> bool:
    """Whether a file, or the file with the training part in a folder, begins with a bracket and a label."""
    try:
        return _begins_as_tree(path) if path.is_file() else path.is_dir() and "train" in _files(path)
    except OSError:
        return False


def read(path: Path, options: ReadOptions) -> Data:
    """Read trees with a class at the root, and at other nodes where they have one.

    Of trees with the labels 0 to 4, ``options.target = "binary"`` learns what lies below the middle against what lies above: trees whose
    root is neutral are left out, and neutral nodes within others have no class.

    Raises:
        DataError: no tree can be read, or fewer than two classes.
        UsageError: trees are to be learnt as values, or ``target`` is something else.
    """
    if options.task == "values":
        raise UsageError("trees are learnt as classes", where="data.task", got="values", expected="classes")
    if options.target not in (None, "binary"):
        raise UsageError(
            "trees have no columns", where="data.target", got=options.target, expected="binary, or nothing at all"
        )
    binary = options.target == "binary"
    files = {"train": path} if path.is_file() else _files(path)
    left_out: list[Unreadable] = []
    found = {part: _read(file, left_out) for part, file in files.items()}
    names = BINARY if binary else None
    if binary and (
        extra := {node.label for trees in found.values() for _, tree in trees for node in tree} - FINE - {None}
    ):
        raise DataError(
            "these labels have no middle",
            where=shown(path),
            got=", ".join(sorted(map(str, extra))[:10]),
            expected="0 to 4",
            fix="leave out --target binary",
        )
    kept = {part: _labelled(trees, names, left_out) for part, trees in found.items()}
    of_roots = {label for label, _, _ in kept["train"]}
    if len(of_roots) < (2 if options.like is None else 1):
        raise DataError(
            "there is only one class of trees" if of_roots else "no tree can be read",
            where=shown(path),
            got=", ".join(of_roots)
            or "; ".join(f"{item.name}: {item.reason}" for item in left_out[:3])
            or "an empty file",
            expected="trees of two classes or more, such as (3 (2 a) (3 lovely))",
        )
    extra_roots = sorted({label for trees in kept.values() for label, _, _ in trees} - of_roots)
    if extra_roots:
        raise DataError(
            "classes of trees that do not occur in the training part",
            where=shown(path),
            got=", ".join(extra_roots),
            fix="put a tree of each of these classes into the training part, or take those trees out of the others",
        )
    classes = tuple(sorted(of_roots, key=in_order))
    place = {name: number for number, name in enumerate(classes)}
    places = {
        label: place[name] for label, name in (names or {name: name for name in classes}).items() if name in place
    }
    lexicon: dict[int, str] = {}
    parts = {}
    for part, trees in kept.items():
        source = Trees.of([encode_tree(tree, places, lexicon) for _, _, tree in trees], lexicon)
        targets = torch.tensor([place[label] for label, _, _ in trees], dtype=torch.int64)
        parts[part] = Part(source, targets, [name for _, name, _ in trees])
    empty = [part for part, trees in kept.items() if not trees]
    if empty:
        raise DataError(
            "a part without a tree",
            where=shown(files[empty[0]]),
            got="no tree whose root has a class",
            fix="write trees into the file, or take it away: its part is then drawn from the training trees",
        )
    longest = max(len(tree) for _, _, tree in kept["train"])
    return Data(
        name=name_of(path),
        origin=str(path),
        task="classes",
        classes=classes,
        outputs=("class",),
        schema=TreeSchema(options.like[0] // 4 if options.like else longest, options.target),
        parts=parts,
        notes=tuple(_notes(kept["train"], places, binary)),
        unreadable=tuple(left_out),
    )


def _files(folder: Path) -> dict[str, Path]:
    """The file of each part, by its name; the training part's must begin as a tree."""
    files = files_in(folder)
    able = [file for file in files if file.suffix.lower() in SUFFIXES]
    found = {part: file for part, words in SPELLINGS.items() for file in able if file.stem.lower() in words}
    return found if "train" in found and _begins_as_tree(found["train"]) else {}


def _begins_as_tree(file: Path) -> bool:
    if file.suffix.lower() not in SUFFIXES:
        return False
    with file.open("rb") as opened:
        begin = opened.read(LOOKED_AT).decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    line = begin.partition("\n")[0]
    return line.startswith("(") and line.count("(") > 1 and " " in line


def _read(file: Path, left_out: list[Unreadable]) -> Named:
    lines = lines_of(require_text(file, "one tree a line").text)
    trees: Named = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name = f"{shown(file.name)}:{number}"
        try:
            trees.append((name, parse_tree(line)))
        except NoTree as error:
            left_out.append(Unreadable(name, str(error)))
    return trees


def _labelled(
    trees: Named, names: dict[str, str] | None, left_out: list[Unreadable]
) -> list[tuple[str, str, list[Node]]]:
    """(class, name, tree) of each tree whose root has a class; those without a label are told, neutral ones are not wanted."""
    kept = []
    for name, tree in trees:
        label = tree[0].label
        if label is None:
            left_out.append(Unreadable(name, "the root has no label"))
        elif names is None:
            kept.append((label, name, tree))
        elif label in names:
            kept.append((names[label], name, tree))
    return kept


def _notes(kept: list[tuple[str, str, list[Node]]], places: dict[str, int], binary: bool) -> list[str]:
    nodes = sum(len(tree) for _, _, tree in kept)
    labelled = sum((node.label or "") in places for _, _, tree in kept for node in tree)
    notes = [
        f"{nodes:,} nodes in the training trees, {labelled:,} of them with a class, which is learnt as the root's is."
    ]
    if binary:
        notes.append("Labels 0 and 1 are negative, 3 and 4 positive; trees with a neutral root are left out.")
    return notes
