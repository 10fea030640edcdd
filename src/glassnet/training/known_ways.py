"""What earlier runs have found out about the fastest way to run a network on this machine: one small file in the user's cache folder.

The file is only ever a saving of time. Where it is missing, damaged, locked away or full of other things, everything is measured anew. It is written as a
whole, so that two runs at once at most lose one of two entries, and never spoil the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.errors import GlassnetError
from glassnet.files import cache_folder, make_folder, write_file
from glassnet.training.execution import machine
from glassnet.training.losses import Loss

VERSION = 4  # of the file, and of the way in which ways are measured
# gains: how many times as fast bfloat16 was in each run so far, while that is too close to the least gain to be settled; else empty.
MOST = 200  # entries; the oldest go first
_TYPES = {"precision": str, "channels_last": bool, "weight_gradients": str, "why": str, "gains": list}


class KnownWays:
    """The file of what is known.

    Args:
        path: where it is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, key: str) -> dict[str, Any] | None:
        """What was found under this key, or None."""
        entry = self._read().get(key)
        return dict(entry) if entry is not None else None

    def keep(self, key: str, found: Mapping[str, Any]) -> None:
        """Keep what was found; where that cannot be written, the next run measures again."""
        entries = self._read()
        entries.pop(key, None)
        entries[key] = dict(found)
        newest = dict(list(entries.items())[-MOST:])
        with suppress(GlassnetError, OSError):
            make_folder(self.path.parent)
            write_file(self.path, json.dumps({"version": VERSION, "ways": newest}, indent=1))

    def _read(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(content, dict) or content.get("version") != VERSION:
            return {}
        ways = content.get("ways")
        if not isinstance(ways, dict):
            return {}
        return {key: entry for key, entry in ways.items() if _whole(entry)}


def _whole(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) == set(_TYPES)
        and all(isinstance(entry[name], kind) for name, kind in _TYPES.items())
        and entry["precision"] in ("float32", "bfloat16")
        and entry["weight_gradients"] in ("library", "products")
        and all(isinstance(gain, float) for gain in entry["gains"])
    )


def usual_place() -> Path:
    """``ways.json`` in the user's cache folder."""
    return cache_folder() / "ways.json"


def fingerprint_of_way(
    net: nn.Module, example: tuple[Tensor, Tensor], loss: Loss, device: torch.device, asked: tuple[str, ...]
) -> str:
    """A hash of everything that the fastest way depends on: machine, versions, the network's layers and sizes, the batch, and what was asked."""
    about = {name: value for name, value in machine().items() if name != "threads"}
    layers = [(name, type(module).__qualname__, module.extra_repr()) for name, module in net.named_modules()]
    parameters = [(name, list(p.shape), str(p.dtype), p.requires_grad) for name, p in net.named_parameters()]
    batch = [(list(tensor.shape), str(tensor.dtype)) for tensor in example]
    named = getattr(loss, "__qualname__", None) or repr(getattr(loss, "func", type(loss)))
    told = [VERSION, about, str(device), layers, parameters, batch, str(named).partition(" at 0x")[0], list(asked)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
