"""What the tests of whole runs share: settings under which a training takes a second, and stopping one to go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import glassnet
from glassnet.events import Event, Step

BARE: dict[str, Any] = {
    "train.check": False,
    "train.measure": "never",
    "train.threads": 1,
    "train.precision": "float32",
}


def goes_on_bit_for_bit(
    data: str | Path, net: str, folder: Path, settings: Mapping[str, Any], *, after: int = 11
) -> None:
    """Train into ``folder / "whole"``, and into ``folder / "cut"`` with a break after some steps: metrics and weights must be the same bytes."""
    settings = {**settings, "train.checkpoint_seconds": 0}
    glassnet.train(str(data), net, out=folder / "whole", settings=settings)
    steps = 0

    def leave(event: Event) -> None:
        nonlocal steps
        steps += isinstance(event, Step)
        if steps == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        glassnet.train(str(data), net, out=folder / "cut", settings=settings, listen=leave)
    glassnet.resume(folder / "cut")
    for name in ("metrics.jsonl", "model/weights.safetensors"):
        assert (folder / "cut" / name).read_bytes() == (folder / "whole" / name).read_bytes(), name
