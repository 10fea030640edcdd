"""The idx format of the MNIST files: a magic number, the sizes of the dimensions, the numbers.

Layout (Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits"): two zero bytes, a byte for the type, a byte
for the number of dimensions, a big-endian 32-bit size for each dimension, then the data, last dimension fastest.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from glassnet.data.walk import shown
from glassnet.errors import DataError

UNSIGNED_BYTE = 0x08
_TYPES = {0x09: "signed bytes", 0x0B: "16-bit integers", 0x0C: "32-bit integers", 0x0D: "floats", 0x0E: "doubles"}
MAX_BYTES = 8 << 30
_MOST_GZIP = 1032  # no deflate stream can grow by more (zlib's technical notes, "maximum compression factor")
_CHUNK = 1 << 24


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of unsigned bytes, gzipped or not.

    Returns:
        uint8, of the shape that the file declares.

    Raises:
        DataError: it is no such file, damaged, or longer or shorter than it declares.
    """
    name = shown(path)
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            stored = path.stat().st_size
            if not zipped:
                return _read(plain, name, stored, stored)
            with gzip.GzipFile(fileobj=plain) as unzipped:
                return _read(unzipped, name, stored, None)  # type: ignore[arg-type]
    except (EOFError, zlib.error) as error:
        raise DataError(
            "the gzip file is damaged or cut off", where=name, got=str(error), fix="download it again"
        ) from error
    except OSError as error:
        raise DataError(
            "the file cannot be read", where=name, got=error.strerror or str(error), fix="download it again"
        ) from error


def _read(file: BinaryIO, name: str, stored: int, exact: int | None) -> NDArray[np.uint8]:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[3] == 0:
        raise DataError(
            "this is no idx file",
            where=name,
            got=f"it begins with {start.hex(' ') or 'nothing'}",
            expected="00 00 08 03 for images or 00 00 08 01 for labels",
        )
    kind, dimensions = start[2], start[3]
    if kind != UNSIGNED_BYTE:
        raise DataError(
            "this idx file does not hold bytes",
            where=name,
            got=_TYPES.get(kind, f"type 0x{kind:02x}"),
            expected="type 0x08, unsigned bytes",
        )
    sizes = file.read(4 * dimensions)
    if dimensions > 4 or len(sizes) < 4 * dimensions:
        raise DataError(
            "the header of this idx file is damaged", where=name, got=f"{dimensions} dimensions", expected="1 to 4"
        )
    shape = struct.unpack(f">{dimensions}I", sizes)
    declared = math.prod(shape)
    header = 4 + 4 * dimensions
    told = f"{' x '.join(str(size) for size in shape)} = {declared:,} bytes"
    if exact is not None and exact != header + declared:
        raise DataError(
            f"the file is {'shorter' if exact < header + declared else 'longer'} than it says",
            where=name,
            got=f"{exact - header:,} bytes after the header",
            expected=told,
            fix="download it again",
        )
    if declared > MAX_BYTES or declared > _MOST_GZIP * stored:
        raise DataError(
            "the header declares more than the file can hold",
            where=name,
            got=told,
            expected=f"at most {min(MAX_BYTES, _MOST_GZIP * stored):,} bytes",
        )
    content = bytearray()
    while len(content) < declared and (piece := file.read(min(_CHUNK, declared - len(content)))):
        content += piece
    if len(content) < declared or file.read(1):
        raise DataError(
            f"the file is {'shorter' if len(content) < declared else 'longer'} than it says",
            where=name,
            got=f"{len(content):,} bytes after the header" + ("" if len(content) < declared else " and more"),
            expected=told,
            fix="download it again",
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
