"""Checkpoints: folders of plain files that are either whole or not counted.

``step-00001234-epoch-00002/`` holds ``tensors.safetensors``, ``state.json`` and, written last, ``manifest.json`` with the size and SHA-256 of the
other two. A checkpoint whose manifest is missing or disagrees does not exist as far as reading goes; the newest intact one is used.
Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors.torch import load_file
from torch import Tensor

from glassnet.errors import ModelError, SpaceError
from glassnet.files import free_bytes, fsync_folder, make_folder, write_file
from glassnet.tensor_file import write_tensors

Newest: TypeAlias = (
    "tuple[dict[str, Any], Path, list[Path]]"  # the tree, where it is, and damaged ones that were passed over
)

KEPT = 2
_CONTENT = ("tensors.safetensors", "state.json")


def save(folder: Path, step: int, tree: Mapping[str, Any], *, epoch: int = 0) -> Path:
    """Write a tree of dicts, lists, tensors and plain values as the checkpoint of a step, then drop the oldest.

    Args:
        folder: of the checkpoints.
        step: optimiser steps made.
        tree: what ``load_newest`` gives back.
        epoch: epochs finished; at the last step of an epoch there is a moment before and one after the end of the epoch.

    Raises:
        SpaceError: the disk is full; older checkpoints are untouched.
    """
    tensors: dict[str, Tensor] = {}
    body = json.dumps(_pack(tree, tensors, ""), ensure_ascii=False).encode()
    target = folder / f"step-{step:08d}-epoch-{epoch:05d}"
    if target.exists():  # left by a run that was killed while writing it, or written at this very step before
        if intact(target):
            return target
        shutil.rmtree(target)
    make_folder(target)
    try:
        size, digest = write_tensors(target / "tensors.safetensors", tensors)
        write_file(target / "state.json", body)
        prints = (_print(size, digest), _print(len(body), hashlib.sha256(body).hexdigest()))
        manifest = {"step": step, "torch": torch.__version__, "files": dict(zip(_CONTENT, prints, strict=True))}
        write_file(target / "manifest.json", json.dumps(manifest, indent=1))
        fsync_folder(folder)
    except SpaceError as error:
        shutil.rmtree(target, ignore_errors=True)
        needed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values()) + len(body)
        full = "no room" in error.problem
        raise SpaceError(
            ("no room for a checkpoint" if full else "a checkpoint cannot be written") + "; the one before it is whole",
            where=folder,
            got=f"{free_bytes(folder):,} bytes free" if full else error.got,
            expected=f"{needed:,} bytes",
            fix="free some space and go on with 'glassnet resume RUN'",
        ) from error
    whole = [path for path in checkpoints(folder) if intact(path)]
    if target not in whole:
        raise SpaceError("a checkpoint did not read back as it was written", where=target, fix="check the disk")
    for old in checkpoints(folder):  # what a crash left torn goes too, and never in place of a whole one
        if old not in whole[-KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
    return target


def load_newest(folder: Path) -> Newest | None:
    """The newest intact checkpoint: its tree, where it is, and the damaged ones that were passed over; None without any."""
    damaged: list[Path] = []
    for candidate in reversed(checkpoints(folder)):
        if not intact(candidate):
            damaged.append(candidate)
            continue
        return load(candidate), candidate, damaged
    if any(path for path in damaged if (path / "manifest.json").exists()):
        raise ModelError(
            "no intact checkpoint",
            where=folder,
            got=", ".join(path.name + " is damaged" for path in damaged),
            fix="start the run again with 'glassnet train --recipe RUN/recipe.toml'",
        )
    return None


def load(checkpoint: Path) -> dict[str, Any]:
    """The tree that ``save`` wrote; tensors on the CPU."""
    body = json.loads((checkpoint / "state.json").read_bytes())
    # Copied to where PyTorch puts tensors of its own: in the file they lie anywhere, and sums of numbers that lie otherwise are rounded otherwise.
    tensors = {name: tensor.clone() for name, tensor in load_file(checkpoint / "tensors.safetensors").items()}
    tree: dict[str, Any] = _unpack(body, tensors)
    return tree


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoint folders, oldest first, intact or not."""
    return sorted(path for path in folder.glob("step-*") if path.is_dir())


def intact(checkpoint: Path) -> bool:
    """Whether the manifest is there and every file agrees with it."""
    try:
        files = json.loads((checkpoint / "manifest.json").read_bytes())["files"]
        return set(files) == set(_CONTENT) and all(
            _print_of(checkpoint / name) == expected for name, expected in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _print_of(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return _print(file.tell(), digest)


def _print(size: int, digest: str) -> dict[str, Any]:
    return {"bytes": size, "sha256": digest}


# JSON has no tensors, and its keys are strings only. A tensor becomes {"$tensor": name}, a dict with other keys {"$pairs": [...]},
# a tuple {"$tuple": [...]}: enough for every optimiser's state dict, L-BFGS's lists of tensors included.


def _pack(value: Any, tensors: dict[str, Tensor], name: str) -> Any:
    if isinstance(value, Tensor):
        key = name.lstrip(".") or "value"
        while key in tensors:  # {"a.b": …} beside {"a": {"b": …}}
            key += "'"
        tensors[key] = value.detach()  # no copy: it is on the disk before the training goes on
        return {"$tensor": key}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: _pack(item, tensors, f"{name}.{key}") for key, item in value.items()}
        return {"$pairs": [[key, _pack(item, tensors, f"{name}.{key}")] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [_pack(item, tensors, f"{name}.{place}") for place, item in enumerate(value)]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a checkpoint cannot hold a {type(value).__name__} ({name})")


def _unpack(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        return tensors[value["$tensor"]]
    if "$pairs" in value:
        return {key: _unpack(item, tensors) for key, item in value["$pairs"]}
    if "$tuple" in value:
        return tuple(_unpack(item, tensors) for item in value["$tuple"])
    return {key: _unpack(item, tensors) for key, item in value.items()}
