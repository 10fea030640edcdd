"""Finding the image files below a folder, with everything strange named rather than met."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from glassnet.data.decode import FOREIGN_EXTENSIONS, IMAGE_EXTENSIONS, signature
from glassnet.data.unreadable import Unreadable

# What file managers, archives and notebooks leave behind.
LITTER = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "__pycache__", "@eadir", "lost+found"}
MAX_DEPTH = 16


@dataclass
class Found:
    """Image files below a folder.

    Attributes:
        images: paths in the order of their names.
        left_out: files and folders that look like images but cannot be, with the reason.
        others: how many files of each extension are no images at all.
    """

    images: list[Path] = field(default_factory=list)
    left_out: list[Unreadable] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def is_litter(name: str) -> bool:
    """Whether a name is hidden or left behind by a program."""
    return name.startswith(".") or name.lower() in LITTER


def shown(name: str | Path) -> str:
    """A path that can be printed, whatever bytes its name holds: what does not print is escaped."""
    text = name.as_posix() if isinstance(name, Path) else name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def subfolders(folder: Path) -> list[Path]:
    """The folders inside a folder that may mean something, in the order of their names."""
    return [path for path in _listed(folder) if not is_litter(path.name) and path.is_dir()]


def files_in(folder: Path) -> list[Path]:
    """The files right inside a folder, in the order of their names, without what programs leave behind."""
    return [path for path in sorted(folder.iterdir()) if path.is_file() and not is_litter(path.name)]


def files_below(folder: Path) -> list[Path]:
    """The files at any depth below a folder, in the order of their paths, without what programs leave behind and what lies in its folders."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in found if not any(is_litter(part) for part in path.relative_to(folder).parts)]


def find_images(folder: Path, root: Path | None = None) -> Found:
    """All image files below ``folder``, at any depth.

    Links are followed only inside ``root`` (default ``folder``) and never in a circle. Files without an image's extension are looked
    into and taken where they begin as an image does.
    """
    found = Found()
    root = (root or folder).resolve()
    _walk(folder, root, found, (), 0)
    return found


def _walk(folder: Path, root: Path, found: Found, above: tuple[Path, ...], depth: int) -> None:
    name = shown(_within(folder, root))
    if folder.resolve() in above:
        found.left_out.append(Unreadable(name, "a link that leads back to a folder above it"))
        return
    if depth > MAX_DEPTH:
        found.left_out.append(Unreadable(name, f"more than {MAX_DEPTH} folders deep"))
        return
    try:
        names = _names(folder)
    except OSError as error:
        found.left_out.append(Unreadable(name, f"the folder cannot be read: {(error.strerror or 'error').lower()}"))
        return
    entered = os.access(folder, os.X_OK)
    for entry, plain in names:
        if is_litter(entry):
            continue
        path = folder / entry
        if plain and entered:  # most are, and asking each of them anew costs more than listing them
            _sort(path, root, found)
            continue
        reason = _strange(path, root)
        if reason is not None:
            found.left_out.append(Unreadable(shown(_within(path, root)), reason))
        elif path.is_dir():
            _walk(path, root, found, (*above, folder.resolve()), depth + 1)
        else:
            _sort(path, root, found)


def _sort(path: Path, root: Path, found: Found) -> None:
    extension = path.suffix.lower()
    if extension in IMAGE_EXTENSIONS:
        found.images.append(path)
        return
    try:
        with path.open("rb") as file:
            known = signature(file.read(16))
    except OSError:
        known = None
    if known is not None and known != "PPM":  # two letters are too little to go by
        found.images.append(path)
    elif extension in FOREIGN_EXTENSIONS:
        reason = f"{extension} files are not read; save it as PNG or JPEG"
        found.left_out.append(Unreadable(shown(_within(path, root)), reason))
    else:
        found.others[extension or "no extension"] += 1


def _strange(path: Path, root: Path) -> str | None:
    """Why a path is neither a plain file nor a plain folder inside the root, or None."""
    try:
        mode = path.stat().st_mode
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            return "a link that leads out of the data folder"
    except OSError as error:
        if path.is_symlink():
            return "a link that leads nowhere or to itself"
        return (error.strerror or "cannot be read").lower()
    except RuntimeError:  # what resolve() says of a circle before Python 3.13
        return "a link that leads to itself"
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "no plain file (a pipe, socket or device)"
    return None


def _listed(folder: Path) -> Iterator[Path]:
    return (folder / name for name, _ in _names(folder))


def _names(folder: Path) -> list[tuple[str, bool]]:
    """The names in a folder in order, and whether each is that of a plain file, and of no link to one."""
    with os.scandir(folder) as entries:
        return sorted((entry.name, entry.is_file(follow_symlinks=False)) for entry in entries)


def _within(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
