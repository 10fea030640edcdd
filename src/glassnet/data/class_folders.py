"""Finding the folders that stand for classes, in the layouts that people and other programs make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.parts import SPELLINGS
from glassnet.data.walk import shown, subfolders

MAX_DESCENT = 3


@dataclass(frozen=True)
class Layout:
    """Where the class folders are.

    Attributes:
        root: the folder to which names are relative.
        parts: for each part the folders of its classes, by class name.
        notes: what was stepped over to get there.
    """

    root: Path
    parts: Mapping[str, Mapping[str, Path]]
    notes: tuple[str, ...] = ()


def find_layout(path: Path) -> Layout:
    """Find the class folders, stepping into folders that hold nothing but the data set."""
    notes: list[str] = []
    folder = path
    for _ in range(MAX_DESCENT):
        inside = subfolders(folder)
        splits = _splits(inside)
        if "train" in splits:
            parts, more = _split_parts(splits, path)
            return Layout(path.resolve(), parts, (*notes, *more))
        if len(inside) != 1 or not subfolders(inside[0]):
            break
        folder = inside[0]
        notes.append(f"The data set was found one folder deeper, in {shown(folder.relative_to(path))}.")
    return Layout(path.resolve(), {"train": {sub.name: sub.resolve() for sub in subfolders(folder)}}, tuple(notes))


def _splits(inside: Sequence[Path]) -> dict[str, Path]:
    by_lower = {folder.name.lower(): folder for folder in inside}
    return {
        part: by_lower[spelling]
        for part, spellings in SPELLINGS.items()
        for spelling in reversed(spellings)
        if spelling in by_lower
    }


def _split_parts(splits: Mapping[str, Path], path: Path) -> tuple[dict[str, dict[str, Path]], list[str]]:
    parts: dict[str, dict[str, Path]] = {}
    notes: list[str] = []
    for part, folder in splits.items():
        inside = subfolders(folder)
        if (
            len(inside) == 1 and inside[0].name.lower() in SPELLINGS[part] and subfolders(inside[0])
        ):  # train/train/<class>
            folder = inside[0]
            notes.append(f"A folder is nested in itself; {shown(folder.relative_to(path))} was read.")
            inside = subfolders(folder)
        if inside:
            parts[part] = {sub.name: sub.resolve() for sub in inside}
        else:
            notes.append(
                f"{shown(folder.relative_to(path))} has no class folders and was passed over; use 'predict' on it."
            )
    return parts, notes
