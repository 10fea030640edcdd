"""Arrays in npz archives, or in a folder of npy files: inputs and targets by their usual names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassnet.data.array_pairs import Pair, check_lengths, named_pairs
from glassnet.data.array_schema import ArraySchema, as_floats
from glassnet.data.array_targets import Targets, class_numbers, column, decide
from glassnet.data.dataset import Data, InMemory, Part, Source
from glassnet.data.image_schema import ImageSchema, images_as_batch
from glassnet.data.naming import RowNames
from glassnet.data.numpy_file import ArrayRows, arrays_in
from glassnet.data.options import ReadOptions
from glassnet.data.rounding import refuse_merged
from glassnet.data.walk import shown
from glassnet.errors import DataError

FROM_ARRAYS = "arrays"  # the name and origin of data that were given and not read


def recognises(path: Path) -> bool:
    """Whether this is an npz or npy file, or a folder of npy files."""
    if path.is_dir():
        return any(file.suffix.lower() == ".npy" for file in path.iterdir())
    return path.is_file() and path.suffix.lower() in (".npz", ".npy")


def read(path: Path, options: ReadOptions) -> Data:
    """Read ``x_train, y_train`` (and ``x_test``, ``x_val``), ``X, y``, ``images, labels``, ``data, target`` or ``arr_0, arr_1``.

    Arrays of bytes shaped like images become images; all others become float32 arrays of their own shape. Targets that are
    integers, booleans or text are classes, floating-point targets are values; ``options.task`` overrides that.

    Raises:
        DataError: the file is damaged or hostile, the arrays do not agree, or a number is undefined or infinite.
    """
    arrays = arrays_in(path)
    pairs = named_pairs(path, arrays, options)
    loaded = {
        part: Pair(
            f"{shown(path)}, key '{shown(x)}'",
            arrays[x].rows(options.in_memory_limit),
            f"{shown(path)}, key '{shown(y)}'",
            arrays[y].read(),
        )
        for part, (x, y) in pairs.items()
    }
    name = path.resolve().name.removesuffix(path.suffix)
    return assemble(name, str(path), loaded, options.task, pairs["train"][1])


def data_from_arrays(
    inputs: NDArray[Any] | Tensor, targets: NDArray[Any] | Tensor, task: Literal["auto", "classes", "values"] = "auto"
) -> Data:
    """Arrays or tensors in memory as a data set, by the same rules as arrays in files.

    Args:
        inputs: (n, ...); uint8 arrays of 3 or 4 dimensions are images.
        targets: (n,) or (n, outputs).
        task: ``classes``, ``values``, or ``auto`` to decide by the type of the targets.

    Raises:
        DataError: they do not agree in length, or a number is undefined or infinite.
    """
    pair = Pair("inputs", as_array(inputs, "inputs"), "targets", as_array(targets, "targets"))
    return assemble(FROM_ARRAYS, FROM_ARRAYS, {"train": pair}, task, "target")


def data_from_pairs(pairs: Mapping[str, Pair], notes: Sequence[str] = ()) -> Data:
    """The same of several parts, with notes on how they were come by."""
    data = assemble(FROM_ARRAYS, FROM_ARRAYS, pairs, "auto", "target")
    return replace(data, notes=(*notes, *data.notes))


def assemble(
    name: str, origin: str, pairs: Mapping[str, Pair], task: Literal["auto", "classes", "values"], output: str
) -> Data:
    """A data set of inputs and targets whose training part decides what they mean."""
    for pair in pairs.values():
        check_lengths(pair)
    train = pairs["train"]
    decided = decide(column(train.targets, train.targets_name), task, train.targets_name)
    batch = images_as_batch(_first(train.inputs)) if train.inputs.dtype == np.uint8 else None
    if batch is not None:
        schema: ImageSchema | ArraySchema = ImageSchema(*batch.shape[1:])
    else:
        schema = ArraySchema(tuple(train.inputs.shape[1:]))
    parts = {}
    notes = [
        f"{pair.inputs_name}: {pair.inputs.header.needed / 1e9:.1f} GB are not held in memory; rows are read from the file as they are needed."
        for pair in pairs.values()
        if isinstance(pair.inputs, ArrayRows)
    ]
    for part, pair in pairs.items():
        source = _source(pair.inputs, schema, pair.inputs_name)
        wanted = _encoded(column(pair.targets, pair.targets_name), decided, pair.targets_name)
        parts[part] = Part(source, wanted, RowNames(part, len(wanted)))
    return Data(
        name=name,
        origin=origin,
        task=decided.task,
        classes=tuple(str(value) for value in decided.values),
        outputs=(shown(output),)
        if decided.outputs == 1
        else tuple(f"{shown(output)}[{i}]" for i in range(decided.outputs)),
        schema=schema,
        parts=parts,
        notes=(*decided.notes, *notes),
    )


def _encoded(targets: NDArray[Any], decided: Targets, where: str) -> Tensor:
    """Targets of any part as class indices, int64 (n,), or values, float32 (n, outputs).

    Raises:
        DataError: a class that the training part has not, or an undefined or infinite number; names the first row.
    """
    if decided.task == "classes":
        return torch.from_numpy(class_numbers(targets, decided, where))
    values = as_floats(targets, where).reshape(len(targets), -1)
    refuse_merged(targets, where)
    if values.shape[1] != decided.outputs:
        raise DataError(
            "the parts have different numbers of outputs",
            where=where,
            got=values.shape[1],
            expected=decided.outputs,
        )
    return values


def as_array(values: NDArray[Any] | Tensor, where: str) -> NDArray[Any]:
    """Numbers or texts as an array.

    Raises:
        DataError: they are sparse, or some are masked.
    """
    if isinstance(values, Tensor):
        if values.layout != torch.strided:
            raise DataError(
                "sparse tensors are not read", where=where, got=str(values.layout), fix=f"{where}.to_dense()"
            )
        values = values.detach().cpu()
        return (values.float() if values.dtype in (torch.bfloat16, torch.float16) else values).numpy()
    if np.ma.is_masked(values):  # NumPy forgets the mask where it makes an array of it
        raise DataError(
            "values are masked",
            where=where,
            got=f"{int(np.ma.getmaskarray(values).sum()):,} of {np.size(values):,}",
            expected="a number everywhere",
            fix="leave these rows out, or fill them in: array.filled(...)",
        )
    array = np.asarray(values)
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.ravel()):
        return array.astype(str)
    return array


@dataclass(frozen=True)
class RowsOnDisk:
    """Rows of an array on the disk as a source.

    Attributes:
        rows: the array.
        schema: what a row is.
        where: what to call the array in a message.
    """

    rows: ArrayRows
    schema: ImageSchema | ArraySchema
    where: str

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in the file."""
        return self.rows.row_bytes

    def expect(self, index: Tensor) -> None:
        """Let the system read these rows meanwhile."""
        self.rows.expect(index.numpy())

    def take(self, index: Tensor) -> Tensor:
        """The rows at ``index``, as they would be had they been in memory.

        Raises:
            DataError: the file has become shorter, or a number is undefined, infinite or too large.
        """
        return _inputs(self.rows[index.tolist()], self.schema, self.where, index.tolist())


def _first(inputs: NDArray[Any] | ArrayRows) -> NDArray[Any]:
    """The first row, which tells the shape of all."""
    return inputs[:1] if isinstance(inputs, np.ndarray) else inputs[range(1)]


def _source(inputs: NDArray[Any] | ArrayRows, schema: ImageSchema | ArraySchema, where: str) -> Source:
    if isinstance(inputs, np.ndarray):
        return InMemory(_inputs(inputs, schema, where))
    _inputs(_first(inputs), schema, where)
    return RowsOnDisk(inputs, schema, where)


def _inputs(
    inputs: NDArray[Any], schema: ImageSchema | ArraySchema, where: str, numbers: Sequence[int] | None = None
) -> Tensor:
    if isinstance(schema, ImageSchema):
        return schema.images(inputs, where)
    if tuple(inputs.shape[1:]) != schema.size:
        raise DataError(
            "the parts have inputs of different shapes",
            where=where,
            got=tuple(inputs.shape[1:]),
            expected=f"{schema.size}, as in the training part",
        )
    floats = as_floats(inputs, where, numbers)
    if numbers is None:
        refuse_merged(inputs, where)
    return floats
