"""PyTorch's library read in the background while Python imports what lies around it."""

from __future__ import annotations

import importlib.util
import threading
from contextlib import suppress
from pathlib import Path

LIBRARY = "lib/libtorch_cpu.so"


def load_ahead() -> None:
    """Begin to load the largest part of PyTorch, which takes a fifth of its import; others go on meanwhile, since the loader needs no Python.

    Where the library is called otherwise or cannot be loaded nothing happens: the import that follows says what is wrong.
    """
    found = importlib.util.find_spec("torch")
    if found is not None and found.origin is not None:
        place = Path(found.origin).parent / LIBRARY
        threading.Thread(target=_load, args=(str(place),)).start()


def _load(place: str) -> None:
    import ctypes

    with suppress(OSError):
        ctypes.CDLL(place)
