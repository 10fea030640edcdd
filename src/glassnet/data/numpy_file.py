"""npy and npz files, read without NumPy's loader, so that nothing in them can run and nothing is allocated on a header's word.

Format: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays", versions 1.0 to 3.0.
"""

from __future__ import annotations

import ast
import lzma
import math
import os
import re
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from glassnet.data.read_soon import read_soon
from glassnet.data.walk import shown
from glassnet.errors import DataError, fix_to_read

MAX_HEADER = 10_000
MAX_RATIO = 100
FREE_OF_RATIO = 256 << 20
PIECE = 4 << 20
MAX_BYTES = 16 << 30
_PLAIN_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|[SU]\d{1,6})")


class Header(NamedTuple):
    """What the first bytes of an npy file say.

    Attributes:
        dtype: of its numbers, in the file's byte order.
        fortran: whether the first dimension is the one that lies closest together.
        shape: of the array.
        length: bytes before the first number.
    """

    dtype: np.dtype[Any]
    fortran: bool
    shape: tuple[int, ...]
    length: int

    @property
    def needed(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def told(self) -> str:
        """The same in words."""
        return (
            f"{' x '.join(str(n) for n in self.shape) or 'one'} of {self.dtype.itemsize} bytes = {self.needed:,} bytes"
        )


class ArrayRows:
    """An array that stays in its file, and may be larger than memory.

    Args:
        path: an npy file in C order.
        header: what its first bytes say.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path, self.header = path, header
        self.dtype, self.shape, self.ndim = header.dtype, header.shape, len(header.shape)
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def expect(self, index: NDArray[np.int64]) -> None:
        """Let the system read the rows with these numbers before they are asked for, those that lie together at once; nothing happens where it cannot."""
        read_soon(self._file, index, self.row_bytes, self.header.length)

    def __getitem__(self, index: Iterable[int]) -> NDArray[Any]:
        """The rows with these numbers, in this machine's byte order.

        Raises:
            DataError: the file has become shorter, or the disk fails.
        """
        numbers = list(index)
        rows = np.empty((len(numbers), *self.shape[1:]), dtype=self.dtype)
        flat = rows.reshape(len(numbers), math.prod(self.shape[1:])).view(np.uint8)
        # A read that comes back short can be told; a memory map of a file that another program cuts off would end the process.
        for place, number in enumerate(numbers):
            try:
                got = os.preadv(self._file, [flat[place].data], self.header.length + number * flat.shape[1])
            except OSError as error:
                raise _damaged(shown(self.path), error, self.path) from error
            if got != flat.shape[1]:
                raise DataError(
                    "the file is cut off",
                    where=f"{shown(self.path)}, row {number} (counted from 0)",
                    fix="copy it again from where it came from, and let no program write to it while it is read",
                )
        return rows.astype(self.dtype.newbyteorder("="), copy=False)


@dataclass(frozen=True)
class ArrayFile:
    """One array in a file, read when asked for.

    Attributes:
        key: its name in an archive, or the stem of a file.
        path: the file or archive.
        member: its name inside the archive; None for a file of its own.
    """

    key: str
    path: Path
    member: str | None = None

    def read(self) -> NDArray[Any]:
        """The array, C-contiguous and in this machine's byte order.

        Raises:
            DataError: damaged, hostile, or of Python objects or records.
        """
        whole = self.rows(most=math.inf)
        assert isinstance(whole, np.ndarray)
        return whole

    def rows(self, most: float) -> NDArray[Any] | ArrayRows:
        """The array, or where it takes more than ``most`` bytes and is a file of its own in C order, its rows as they are asked for.

        Raises:
            DataError: damaged, hostile, or of Python objects or records.
        """
        with self._opened() as (file, header, where):
            if self.member is None and header.needed > most and header.shape and not header.fortran:
                return ArrayRows(self.path, header)
            return _read(file, header, where)

    def header(self) -> Header:
        """What the array's first bytes say of it.

        Raises:
            DataError: damaged, hostile, or of Python objects or records.
        """
        with self._opened() as (_, header, _):
            return header

    @contextmanager
    def _opened(self) -> Iterator[tuple[BufferedIOBase, Header, str]]:
        """The file behind its header, the header, and what to call the array in a message."""
        where = shown(self.path) + (f", key '{shown(self.key)}'" if self.member else "")
        try:
            if self.member is None:
                with self.path.open("rb") as file:
                    yield file, _header(file, self.path.stat().st_size, where), where
                return
            with zipfile.ZipFile(self.path) as archive:
                info = archive.getinfo(self.member)
                if info.file_size > FREE_OF_RATIO and info.file_size > MAX_RATIO * max(1, info.compress_size):
                    raise DataError(
                        "this archive unpacks to suspiciously much (a zip bomb?)",
                        where=where,
                        got=f"{info.file_size:,} bytes from {info.compress_size:,}",
                        expected=f"at most {MAX_RATIO} times as much",
                        fix="if you made it yourself, save it with np.savez instead of np.savez_compressed",
                    )
                with archive.open(info) as member:
                    content: BufferedIOBase = member  # type: ignore[assignment]
                    yield content, _header(content, info.file_size, where), where
        except (OSError, EOFError, KeyError, RuntimeError, NotImplementedError) as error:
            raise _damaged(where, error, self.path) from error
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, ValueError) as error:
            raise _damaged(where, error, self.path) from error


def arrays_in(path: Path) -> Mapping[str, ArrayFile]:
    """The arrays of an npz archive, of an npy file, or of a folder of npy files, by name.

    Raises:
        DataError: the archive is damaged, or holds a name twice.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".npy" and file.is_file())
        return {file.stem: ArrayFile(file.stem, file) for file in files if not file.name.startswith(".")}
    if path.suffix.lower() == ".npy":
        return {path.stem: ArrayFile(path.stem, path)}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info.filename for info in archive.infolist() if info.filename.endswith(".npy")]
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError) as error:
        raise _damaged(shown(path), error, path) from error
    found: dict[str, ArrayFile] = {}
    for member in members:
        key = str(PurePosixPath(member).with_suffix(""))
        if key in found:
            raise DataError(
                "the archive holds a name twice",
                where=shown(path),
                got=shown(key),
                fix="write it anew with numpy.savez, which takes each name once",
            )
        found[key] = ArrayFile(key, path, member)
    return found


def _read(file: BufferedIOBase, header: Header, where: str) -> NDArray[Any]:
    """The numbers behind a header that has just been read."""
    if header.needed > MAX_BYTES:
        raise DataError(
            "this array is too large to be read as a whole",
            where=where,
            got=header.told,
            expected=f"at most {MAX_BYTES:,} bytes",
            fix="save the inputs with np.save, in C order, as a file of their own in a folder with the targets: that may be larger than memory",
        )
    values: NDArray[Any] = np.empty(math.prod(header.shape), dtype=header.dtype)
    content, at = values.view(np.uint8).data if header.needed else memoryview(bytearray()), 0
    # In pieces, since an archive hands over a copy of each.
    while got := file.readinto(content[at : at + PIECE]):
        at += got
    if at != header.needed:
        raise DataError("the file is cut off", where=where, got=f"{at:,} bytes", expected=header.told)
    values = values.reshape(header.shape, order="F" if header.fortran else "C")
    return np.ascontiguousarray(values, dtype=header.dtype.newbyteorder("=")).reshape(header.shape)


def _header(file: BufferedIOBase, size: int, where: str) -> Header:
    """What a file of so many bytes says of itself; refused where it has another number of them than it says."""
    start = file.read(8)
    if len(start) < 8 or start[:6] != b"\x93NUMPY" or start[6] not in (1, 2, 3):
        raise DataError(
            "this is no npy file",
            where=where,
            got=f"it begins with {start.hex(' ') or 'nothing'}",
            expected="93 4e 55 4d 50 59",
        )
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > MAX_HEADER:
        raise DataError(
            "the header of this npy file is too long", where=where, got=f"{length:,} bytes", expected=f"{MAX_HEADER:,}"
        )
    text = file.read(length)
    try:
        told = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin-1"))
        descr, fortran, shape = told["descr"], told["fortran_order"], told["shape"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise DataError(
            "the header of this npy file is damaged",
            where=where,
            got=repr(text[:60]),
            fix="copy it again from where it came from, or write it anew with numpy.save",
        ) from error
    if isinstance(descr, str) and descr.lstrip("<>|=") == "O":
        raise DataError(
            "this array holds Python objects, which could run a program when they are read",
            where=where,
            expected="numbers or text",
            fix="convert it before saving, such as with x.astype(np.float32)",
        )
    if not isinstance(descr, str) or not _PLAIN_DTYPE.fullmatch(descr):
        raise DataError(
            "this array's type is not one that can be learned from",
            where=where,
            got=str(descr)[:80],
            expected="booleans, integers, floats or text, one per element",
        )
    sizes = isinstance(shape, tuple) and all(type(n) is int and 0 <= n < 1 << 48 for n in shape)
    if not sizes or len(shape) > 8 or not isinstance(fortran, bool):
        raise DataError(
            "the shape of this array is impossible",
            where=where,
            got=str(shape)[:80],
            fix="copy it again from where it came from, or write it anew with numpy.save",
        )
    header = Header(np.dtype(descr), fortran, shape, 8 + width + length)
    if header.needed != size - header.length:
        raise DataError(
            f"the file is {'shorter' if size - header.length < header.needed else 'longer'} than it says",
            where=where,
            got=f"{size - header.length:,} bytes after the header",
            expected=header.told,
        )
    return header


def _damaged(where: str, error: Exception, path: Path) -> DataError:
    return DataError(
        "the file cannot be read" if isinstance(error, OSError) else "the file is damaged or is no npy or npz file",
        where=where,
        got=str(error)[:200] or type(error).__name__,
        fix=fix_to_read(
            error, shown(path), "copy it again from where it came from, or write it anew with numpy.save or numpy.savez"
        ),
    )
