"""Files of weights, read so that nothing in them can run: names and tensors, or an error that says why not.

What a file is, is seen from its first bytes and not from its name. Formats that can carry a program (pickle, joblib, TorchScript,
Keras) are refused before anything of them is interpreted; there is no switch to read them all the same.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from glassnet.data.numpy_file import arrays_in
from glassnet.data.walk import shown
from glassnet.errors import DataError, ModelError, is_out_of_memory

READABLE = "safetensors, a PyTorch state dict (.pt, .pth, .th, .bin), or an npz of plain arrays"
CONVERT = "where you trust its maker, read it with the program that made it and save the weights alone as safetensors"

MAX_RATIO = 100  # an archive may unpack to so many times its size, or to FREE_OF_RATIO bytes
FREE_OF_RATIO = 256 << 20

ZIP = b"PK\x03\x04"
# The number 0x1950a86a20f9469cfc6c, pickled: how torch.save began a file before PyTorch 1.6.
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

_PROGRAM = "reading it could run a program that its maker put into it"
# (what the file begins with, what it is, why it is not read)
FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and others write", "it has no one layout of weights"),
    (b"\x93NUMPY", "a single NumPy array", "it has no names of weights"),
    (b"\x80\x02", "a pickle (joblib and scikit-learn write such too)", _PROGRAM),
    (b"\x80\x03", "a pickle (joblib and scikit-learn write such too)", _PROGRAM),
    (b"\x80\x04", "a pickle (joblib and scikit-learn write such too)", _PROGRAM),
    (b"\x80\x05", "a pickle (joblib and scikit-learn write such too)", _PROGRAM),
    (b"GGUF", "a GGUF file", "its weights are those of language models"),
)  # fmt: skip
# What is not yet the file that was meant.
NOT_YET: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "a gzip archive", "it must be unpacked first"),
    (b"\xfd7zXZ", "an xz archive", "it must be unpacked first"),
    (b"BZh", "a bzip2 archive", "it must be unpacked first"),
    (b"7z\xbc\xaf", "a 7z archive", "it must be unpacked first"),
    (b"version https://git-lfs", "a pointer of Git LFS", "the weights themselves have not been fetched ('git lfs pull')"),
    (b"<", "a web page or XML", "the download seems to have answered with a page instead of the file"),
)  # fmt: skip
FOREIGN_ENDINGS: Mapping[str, tuple[str, str]] = {
    ".onnx": ("an ONNX file", "it holds a graph of its own with names of its own"),
    ".pb": ("a TensorFlow graph", "it holds a graph of its own with names of its own"),
    ".tflite": ("a TensorFlow Lite file", "its weights are quantised in a graph of its own"),
    ".pkl": ("a pickle", _PROGRAM),
    ".pickle": ("a pickle", _PROGRAM),
    ".joblib": ("a file of joblib, which is a pickle", _PROGRAM),
}
# Under which a checkpoint keeps its weights beside other things; the first one that is there is taken.
WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "state_dict_ema")
DEEPEST = 3


@dataclass(frozen=True)
class Weights:
    """What a file holds.

    Attributes:
        tensors: by name, as in the file; on the CPU, of any number type.
        path: the file, for messages.
        form: ``safetensors``, ``PyTorch`` or ``npz``.
    """

    tensors: Mapping[str, Tensor]
    path: str
    form: str


def read_weights(path: str | Path) -> Weights:
    """Read a file of weights.

    Raises:
        ModelError: it is missing, unreadable, damaged, of a kind that is refused, or holds no weights.
    """
    place = Path(path)
    begin = _beginning(place)
    form, read = _reader(place, begin)
    tensors = read(place)
    if not tensors:
        raise ModelError("this file holds no weights", where=shown(place), expected=READABLE)
    strange = [name for name, tensor in tensors.items() if not _plain(tensor)]
    if strange:
        raise ModelError(
            "these weights are no plain tensors",
            where=shown(place),
            got=", ".join(
                f"{shown(name)[:100]} ({tensors[name].dtype}, {tensors[name].layout})" for name in strange[:5]
            ),
            expected="dense real numbers",
        )
    return Weights(tensors, shown(place), form)


def _beginning(path: Path) -> bytes:
    try:
        if path.is_dir():
            inside = next(
                (f for f in (path / "weights.safetensors", path / "model/weights.safetensors") if f.is_file()), None
            )
            raise ModelError(
                "this is a folder, not a file with weights",
                where=shown(path),
                fix=f"give the file in it: {shown(inside)}" if inside else "give the file in it",
            )
        if not path.is_file():
            there = path.exists()
            raise ModelError("this is no plain file" if there else "no such file", where=shown(path), expected=READABLE)
        with path.open("rb") as file:
            return file.read(64)
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise ModelError(
            "the file cannot be read",
            where=shown(path),
            got=told,
            fix="give yourself the right to read it (chmod u+r), or copy it again from where it came from",
        ) from error


def _reader(path: Path, begin: bytes) -> tuple[str, Callable[[Path], Mapping[str, Tensor]]]:
    if begin[8:9] == b"{":
        return "safetensors", _read_safetensors
    if begin.startswith(ZIP):
        return _reader_of_archive(path)
    if begin.startswith(OLD_TORCH):
        return "PyTorch", _read_torch
    if begin[4:8] == b"TFL3":
        raise _refused(path, *FOREIGN_ENDINGS[".tflite"])
    if not begin:
        raise ModelError("the file is empty", where=shown(path), expected=READABLE)
    for start, what, why in NOT_YET:
        if begin.startswith(start):
            raise ModelError(f"this is {what}: {why}", where=shown(path), expected=READABLE)
    for start, what, why in FOREIGN:
        if begin.startswith(start):
            raise _refused(path, what, why)
    if path.suffix.lower() in FOREIGN_ENDINGS:
        raise _refused(path, *FOREIGN_ENDINGS[path.suffix.lower()])
    raise ModelError(
        "this is no file of weights that can be read",
        where=shown(path),
        got=f"it begins with {begin[:8].hex(' ')}",
        expected=READABLE,
    )


def _reader_of_archive(path: Path) -> tuple[str, Callable[[Path], Mapping[str, Tensor]]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from error
    unpacked = sum(info.file_size for info in members)
    if unpacked > FREE_OF_RATIO and unpacked > MAX_RATIO * path.stat().st_size:
        raise ModelError(
            "this archive unpacks to suspiciously much (a zip bomb?)",
            where=shown(path),
            got=f"{unpacked:,} bytes from {path.stat().st_size:,}",
            expected=f"at most {MAX_RATIO} times as much",
        )
    names = {info.filename for info in members}
    last = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in last:
        raise _refused(path, "a TorchScript archive", "it holds a program besides the weights")
    if "data.pkl" in last:
        return "PyTorch", _read_torch
    if "config.json" in last and any(name.endswith(".h5") for name in names):
        raise _refused(path, "a Keras model", "its configuration can name code that is then run")
    if names and all(name.endswith(".npy") for name in names):
        return "npz", _read_npz
    raise ModelError(
        "this archive holds no weights",
        where=shown(path),
        got=", ".join(shown(name) for name in sorted(names)[:3])[:200] or "nothing",
        expected=READABLE,
    )


def _read_safetensors(path: Path) -> Mapping[str, Tensor]:
    try:
        return load_file(path, device="cpu")
    except (safetensors.SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise _damaged(path, error) from error


def _read_npz(path: Path) -> Mapping[str, Tensor]:
    tensors = {}
    try:
        for name, array in arrays_in(path).items():
            values = array.read()
            if values.dtype.kind not in "fiub" or values.dtype.itemsize > 8:
                raise ModelError(
                    "this array holds no numbers",
                    where=f"{shown(path)}, key '{shown(name)}'",
                    got=str(values.dtype),
                    expected="real numbers of at most 64 bits",
                    fix="leave this array out when the file is saved",
                )
            tensors[name] = torch.from_numpy(values)
    except DataError as error:
        raise ModelError(
            error.problem, where=error.where, got=error.got, expected=error.expected, fix=error.fix
        ) from error
    except (TypeError, ValueError, MemoryError) as error:
        raise _damaged(path, error) from error
    return tensors


def _read_torch(path: Path) -> Mapping[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        foreign = _foreign_object(error)
        if foreign is None:
            raise _damaged(path, error) from error
        raise ModelError(
            "this file holds more than weights, and reading that could run a program",
            where=shown(path),
            got=foreign,
            expected="tensors by name",
            fix=CONVERT,
        ) from error
    except Exception as error:
        # The restricted reader meets damage with whatever its steps raise: KeyError, EOFError, AssertionError, struct.error ...
        if isinstance(error, MemoryError) or is_out_of_memory(error):
            raise ModelError(
                "the file claims more weights than memory holds",
                where=shown(path),
                fix="copy it again from where it came from, or take a machine with more memory",
            ) from error
        raise _damaged(path, error) from error
    return _state_dict(content, path)


def _state_dict(content: object, path: Path) -> Mapping[str, Tensor]:
    """The mapping from names to tensors, out of the wrappings that checkpoints have."""
    for _ in range(DEEPEST):
        if not isinstance(content, Mapping):
            break
        tensors = {
            name: value for name, value in content.items() if isinstance(name, str) and isinstance(value, Tensor)
        }
        inner = next((content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is not None:
            content = inner
        elif tensors:
            return tensors
        else:
            break
    got = f"a {type(content).__name__}"
    if isinstance(content, Mapping):
        got = "a table of " + (", ".join(shown(str(key)) for key in list(content)[:8])[:200] or "nothing")
    raise ModelError(
        "this file holds no table of weights by name",
        where=shown(path),
        got=got,
        expected="what net.state_dict() gives, itself or under 'state_dict' or 'model'",
    )


def _plain(tensor: Tensor) -> bool:
    usual = type(tensor) in (Tensor, torch.nn.Parameter) and tensor.layout == torch.strided
    return usual and not tensor.is_quantized and not tensor.is_complex() and tensor.device.type == "cpu"


def _foreign_object(error: Exception) -> str | None:
    """The kind of object that the restricted reader refused, out of its message (which advises to read the file unsafely)."""
    found = re.search(r"(?:GLOBAL|class) (\S+?)[.,]?\s|(persistent_load|Can only build|Can only create)", f"{error} ")
    if found is None:
        return None
    return f"an object {shown(found[1])[:100]}" if found[1] else "an object that is no tensor"


def _refused(path: Path, what: str, why: str) -> ModelError:
    return ModelError(f"this is {what}, and it was not read: {why}", where=shown(path), expected=READABLE, fix=CONVERT)


def _damaged(path: Path, error: Exception) -> ModelError:
    told = " ".join(str(error).split())[:200]
    return ModelError(
        "the file is damaged",
        where=shown(path),
        got=f"{type(error).__name__}: {shown(told)}",
        fix="copy it again from where it came from",
    )
