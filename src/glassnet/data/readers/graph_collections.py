"""Many graphs that have a class each."""

from __future__ import annotations

from pathlib import Path

import torch

from glassnet.data.dataset import Data, Part, Subset
from glassnet.data.graph import Graphs
from glassnet.data.graph_collection import graphs_from, side_by_side
from glassnet.data.graph_files import check_size
from glassnet.data.graphs_schema import GraphsSchema, is_collection, read_collection
from glassnet.data.naming import in_order
from glassnet.data.options import ReadOptions
from glassnet.data.walk import shown
from glassnet.errors import DataError, UsageError


def recognises(path: Path) -> bool:
    """Whether there are graphs with a class each here: the TU collection's files, or a folder of GML files for each class."""
    try:
        return is_collection(path)
    except OSError:
        return False


def read(path: Path, options: ReadOptions) -> Data:
    """Read graphs, each of which is a sample; ``options.val`` and ``options.test`` are read with them, so that all are described alike.

    Raises:
        DataError: they are damaged, have fewer than two classes, or another part has classes or descriptions of its own.
        UsageError: they are to be learnt as values.
    """
    if options.task == "values":
        raise UsageError("graphs are learnt as classes", where="data.task", got="values", expected="classes")
    named = {"train": path} | {
        name: Path(given).expanduser() for name, given in (("val", options.val), ("test", options.test)) if given
    }
    found = {name: read_collection(place) for name, place in named.items()}
    made = {"train": graphs_from(found["train"], shown(path))}
    for name in named.keys() - {"train"}:
        made[name] = graphs_from(found[name], shown(named[name]), made["train"].columns)
    source = Graphs(side_by_side([made[name].graph for name in named]))
    check_size(len(source.graph), path)
    train = found["train"]
    classes = _ordered({label for label in train.labels if label is not None})
    if len(classes) < 2:
        raise DataError(
            "there is only one class of graphs" if classes else "no graph has a class",
            where=shown(path),
            got=", ".join(classes) or None,
            expected="graphs of two classes or more",
        )
    parts: dict[str, Part] = {}
    begin = 0
    for name in named:
        labels = [label for label in found[name].labels if label is not None]
        extra = sorted(set(labels) - set(classes))
        if extra:
            raise DataError(
                f"classes in the {name} data that do not occur in the training data",
                where=shown(named[name]),
                got=", ".join(map(shown, extra[:20])),
                expected="only " + ", ".join(map(shown, classes[:20])),
            )
        targets = torch.tensor([classes.index(label) for label in labels])
        index = torch.arange(begin, begin + len(labels))
        parts[name] = Part(Subset(source, index), targets, found[name].names)
        begin += len(labels)
    notes = [
        f"{name}: {note}" if name != "train" else note
        for name in named
        for note in (*made[name].notes, *found[name].notes)
    ]
    return Data(
        name=path.name.removesuffix("_A.txt") if path.is_file() else path.resolve().name,
        origin=str(path),
        task="classes",
        classes=classes,
        outputs=("class",),
        schema=GraphsSchema(made["train"].columns),
        parts=parts,
        notes=tuple(notes),
        unreadable=tuple(item for name in named for item in found[name].left_out),
    )


def _ordered(labels: set[str]) -> tuple[str, ...]:
    """Whole numbers by size, -1 before 1; else names with their numbers by size."""
    whole = all(label.removeprefix("-").isdecimal() for label in labels)
    return tuple(sorted(labels, key=int) if whole else sorted(labels, key=in_order))
