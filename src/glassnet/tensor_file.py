"""Files of tensors in the safetensors format, written tensor by tensor: of a large network no copy is made in memory.

The bytes are those that ``safetensors.torch.save`` returns, which holds all of them, twice, before the first is on the disk. Reading is the library's.
The format: eight bytes with the length n of the header (little-endian), n bytes of JSON with type, shape and place of each tensor, then the tensors.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, chain
from pathlib import Path

import torch
from torch import Tensor

from glassnet.errors import ModelError
from glassnet.files import write_pieces

# In the order in which the library sorts them, backwards: a tensor then begins where a number of its type may begin.
TYPES = {
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float64: "F64",
    torch.complex64: "C64",
    torch.float32: "F32",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ORDER = {kind: place for place, kind in enumerate(TYPES)}


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> tuple[int, str]:
    """Replace a file's content as a whole, as :func:`glassnet.files.write_file` does.

    Args:
        path: of the file.
        tensors: by name, on any device, in any layout.

    Returns:
        Its size in bytes, and the SHA-256 of what was handed to the disk.

    Raises:
        ModelError: tensors of types that the format does not know.
        SpaceError: the disk is full, or the folder must not be written to.
    """
    strange = {name: str(tensor.dtype) for name, tensor in tensors.items() if tensor.dtype not in TYPES}
    if strange:
        raise ModelError(
            "numbers of this type cannot be saved",
            where=path,
            got=", ".join(f"{name}: {kind}" for name, kind in strange.items()),
            expected=", ".join(str(kind).removeprefix("torch.") for kind in TYPES),
            fix="hold them in one of these, or in a buffer that is not saved: register_buffer(..., persistent=False)",
        )
    some = dict(sorted(tensors.items(), key=lambda each: (_ORDER[each[1].dtype], each[0])))
    ends = list(accumulate((tensor.numel() * tensor.element_size() for tensor in some.values()), initial=0))
    about = {
        name: {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
        for (name, tensor), begin, end in zip(some.items(), ends, ends[1:], strict=False)
    }
    header = json.dumps(about, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % 8)
    head = struct.pack("<Q", len(header)) + header
    size, seen = len(head) + ends[-1], hashlib.sha256()
    write_pieces(path, _passed_by(seen, chain((head,), _numbers(some))), size)
    return size, seen.hexdigest()


def _passed_by(seen: hashlib._Hash, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    for piece in pieces:
        seen.update(piece)
        yield piece


def _numbers(tensors: Mapping[str, Tensor]) -> Iterator[memoryview]:
    for tensor in tensors.values():
        whole = tensor.detach().cpu().contiguous()
        yield whole.reshape(-1).view(torch.uint8).numpy().data
