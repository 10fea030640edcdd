"""The formats that are understood, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glassnet.data.dataset import Data
from glassnet.data.options import ReadOptions
from glassnet.data.readers import (
    arrays,
    cifar,
    folders,
    graph_collections,
    graphs,
    idx,
    sounds,
    streams,
    tables,
    tags,
    texts,
    trees,
)


@dataclass(frozen=True)
class Reader:
    """A format.

    Attributes:
        name: for messages.
        recognises: whether an existing file or folder looks like this format, without reading all of it.
        read: the data set in it; raises ``DataError`` where it is damaged or cannot be learned from.
        joins_parts: whether ``read`` itself sees to ``options.test`` and ``options.val``, because the training part decides how
            they are read.
    """

    name: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], Data]
    joins_parts: bool = False


LANGUAGE = Reader("plain texts", streams.recognises, streams.read)
TABLES = Reader("tables", tables.recognises, tables.read, joins_parts=True)
SEQUENCES = {"language": LANGUAGE, "translation": TABLES}  # what reads data of which the task is said outright
READERS = (
    Reader("idx files", idx.recognises, idx.read),
    Reader("CIFAR batches", cifar.recognises, cifar.read),
    Reader("graphs", graphs.recognises, graphs.read),
    Reader("graph collections", graph_collections.recognises, graph_collections.read, joins_parts=True),
    Reader("trees", trees.recognises, trees.read),
    Reader("sounds", sounds.recognises, sounds.read),
    Reader("tagged sentences", tags.recognises, tags.read, joins_parts=True),
    Reader("texts", texts.recognises, texts.read),
    Reader("image folders", folders.recognises, folders.read),
    Reader("arrays", arrays.recognises, arrays.read),
    LANGUAGE,
    TABLES,
)
