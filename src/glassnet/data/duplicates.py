"""Which samples have exactly the same input, told by a digest of each raw input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from glassnet.data.dataset import InMemory, Source, Subset
from glassnet.data.graph import Graphs, Nodes
from glassnet.data.pairs import Pairs
from glassnet.data.ragged import Ragged
from glassnet.data.row_digests import DIGEST_BYTES, row_digests
from glassnet.data.tree import Trees

MAX_FILES = 50_000


@runtime_checkable
class FromFiles(Protocol):
    """A source that decodes one file a sample, and says which."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    @property
    def paths(self) -> Sequence[str | Path]:
        """The file of each sample."""
        ...


def digests(source: Source) -> list[bytes] | None:
    """A digest of each raw input: equal digests mean equal inputs (two others agree with probability 2⁻¹²⁸).

    Inputs in memory are compared number by number. Of inputs that are decoded from files the files are compared byte by byte, up to
    50,000 of them; only files of equal size are read.

    Returns:
        One digest a sample, or None where comparing would cost too much.
    """
    if isinstance(source, InMemory):
        return _of_rows(source.values)
    if isinstance(source, Ragged):
        row = source.unlabelled if isinstance(source, Trees) else source.row
        return [blake2b(row(i).numpy().tobytes(), digest_size=DIGEST_BYTES).digest() for i in range(len(source))]
    if isinstance(source, Graphs):
        return [blake2b(source.row(i), digest_size=DIGEST_BYTES).digest() for i in range(len(source))]
    if isinstance(source, Pairs):
        return digests(source.read)
    if isinstance(source, Nodes):  # no node is another, even where both are described alike
        return [f"node {number}".encode() for number in range(len(source))]
    if isinstance(source, Subset):
        small = len(source.of) <= MAX_FILES or isinstance(source.of, Ragged | Nodes | Graphs | Pairs)
        whole = digests(source.of) if small else None
        return None if whole is None else [whole[i] for i in source.index.tolist()]
    if isinstance(source, FromFiles) and len(source) <= MAX_FILES:
        return _of_files([Path(path) for path in source.paths])
    return None


def _of_rows(values: Tensor) -> list[bytes]:
    if len(values) == 0:
        return []
    rows = values.reshape(len(values), -1)
    if rows.is_floating_point():
        rows = torch.nan_to_num(rows, nan=torch.finfo(rows.dtype).min) + 0.0  # one NaN, and −0 becomes 0
    return row_digests(rows.contiguous().numpy())


def _of_files(paths: list[Path]) -> list[bytes]:
    by_size: dict[int, list[int]] = defaultdict(list)
    found = [str(path).encode() for path in paths]
    for position, path in enumerate(paths):
        try:
            by_size[path.stat().st_size].append(position)
        except OSError:  # a file that has vanished since it was listed equals no other; reading it will say so
            continue
    for positions in by_size.values():
        if len(positions) > 1:
            for position in positions:
                found[position] = blake2b(paths[position].read_bytes(), digest_size=DIGEST_BYTES).digest()
    return found
