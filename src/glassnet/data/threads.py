"""Doing the same with many items, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from glassnet.cores import cores

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def in_threads(function: Callable[[_In], _Out], items: Iterable[_In], chunk: int = 16) -> list[_Out]:
    """``[function(item) for item in items]`` with as many threads as this process has cores.

    Items are handed out in chunks, because a small image decodes as fast as a thread can be told about it.
    """
    items = list(items)
    threads = min(cores(), 16)
    if threads == 1 or len(items) <= 1:
        return [function(item) for item in items]
    chunk = max(1, min(chunk, -(-len(items) // threads)))
    pieces = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    with ThreadPoolExecutor(threads, thread_name_prefix="glassnet-images") as pool:
        return [
            result for piece in pool.map(lambda piece: [function(item) for item in piece], pieces) for result in piece
        ]
