"""How a tree looks to a network, and how to read new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassnet.data.dataset import Source
from glassnet.data.text_files import NoText, lines_of, read_text
from glassnet.data.tree import FIELDS, NoTree, Trees, encode_tree, parse_tree
from glassnet.data.walk import files_below, shown
from glassnet.errors import DataError, GlassnetError, all_at_once

SHOWN = 60  # characters of a tree that stand for its name


@dataclass(frozen=True)
class TreeSchema:
    """Trees over words.

    A raw input is int64 (4 · nodes,): see :mod:`glassnet.data.tree`.

    Attributes:
        longest: nodes of the largest tree of the training file.
        target: ``binary`` where labels 0 to 4 are learnt as below or above the middle; None where each label is a class.
    """

    longest: int
    target: str | None = None

    @property
    def kind(self) -> str:
        """``tree``."""
        return "tree"

    @property
    def shape(self) -> tuple[int, ...]:
        """(4 · nodes of the largest tree,); others are smaller."""
        return (FIELDS * self.longest,)

    def read(self, paths: Sequence[str]) -> tuple[list[str], Source]:
        """Trees for prediction; their labels are not looked at.

        Args:
            paths: files with a tree a line, folders of them, or trees themselves, in brackets.

        Raises:
            DataError: a file is absent or no text, or a tree is none; all such at once.
        """
        names: list[str] = []
        trees: list[list[int]] = []
        wrong: list[GlassnetError] = []
        for name, text in self._lines(paths, wrong):
            try:
                trees.append(encode_tree(parse_tree(text)))
                names.append(name)
            except NoTree as error:
                wrong.append(DataError("this is no tree", where=name, got=error, expected="(3 (2 a) (3 lovely))"))
        if wrong:
            raise all_at_once(wrong)
        if not trees:
            raise DataError("no tree was given", expected="a tree in brackets, or files with a tree a line")
        return names, Trees.of(trees)

    def _lines(self, paths: Sequence[str], wrong: list[GlassnetError]) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for given in map(str, paths):
            if given.lstrip().startswith("("):
                found.append((given if len(given) <= SHOWN else given[: SHOWN - 1] + "…", given))
                continue
            path = Path(given)
            for file in files_below(path) if path.is_dir() else [path]:
                try:
                    lines = lines_of(read_text(file).text)
                except NoText as error:
                    wrong.append(
                        DataError(
                            "this file cannot be read",
                            where=shown(file),
                            got=error,
                            expected="a tree in brackets, such as '(3 (2 a) (3 lovely))', or a file with a tree a line",
                        )
                    )
                    continue
                found += [
                    (f"{shown(file.name)}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()
                ]
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"kind": "tree", "longest": self.longest, "target": self.target}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TreeSchema:
        """The schema that :meth:`to_json` described."""
        return cls(int(values["longest"]), values["target"])
