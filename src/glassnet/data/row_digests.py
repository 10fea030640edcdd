"""A digest of each row of numbers, and which rows have the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from numpy.typing import NDArray

DIGEST_BYTES = 16


def row_digests(rows: NDArray[Any]) -> list[bytes]:
    """A digest of the bytes of each row of a C-contiguous array; see :func:`glassnet.data.duplicates.digests`."""
    if len(rows) == 0:
        return []
    view = rows.data.cast("B")
    width = len(view) // len(rows)
    return [
        blake2b(view[start : start + width], digest_size=DIGEST_BYTES).digest() for start in range(0, len(view), width)
    ]


def groups(keys: Sequence[bytes]) -> Iterator[list[int]]:
    """Positions that share a key, in order of their first; only groups of two or more."""
    by_key: dict[bytes, list[int]] = defaultdict(list)
    if len(set(keys)) == len(keys):  # the usual case, told far faster
        return iter(())
    for position, key in enumerate(keys):
        by_key[key].append(position)
    return (positions for positions in by_key.values() if len(positions) > 1)
