"""idx files: worked by hand, the real MNIST, and every way to break one."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data.idx_file import read_idx
from glassnet.data.idx_set import CLOTHES
from glassnet.data.image_schema import ImageSchema
from glassnet.data.options import ReadOptions
from glassnet.data.readers import idx
from glassnet.errors import DataError, GlassnetError


def idx_bytes(array: np.ndarray) -> bytes:
    array = np.asarray(array, np.uint8)
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def put(folder: Path, part: str, images: np.ndarray, labels: np.ndarray, zipped: bool = True) -> None:
    folder.mkdir(exist_ok=True)
    for name, array in (("images-idx3", images), ("labels-idx1", labels)):
        content = idx_bytes(array)
        path = folder / f"{part}-{name}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)


IMAGES = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2)


@pytest.mark.parametrize("zipped", [True, False])
def test_parts_classes_and_pixels(tmp_path: Path, zipped: bool) -> None:
    put(tmp_path, "train", IMAGES, np.array([7, 3, 3, 5]), zipped)
    put(tmp_path, "t10k", IMAGES[:2] + 100, np.array([5, 7]), zipped)
    assert idx.recognises(tmp_path)
    data = idx.read(tmp_path, ReadOptions())
    assert data.classes == ("3", "5", "7")
    assert data.schema == ImageSchema(1, 3, 2)
    assert data.train.targets.tolist() == [2, 0, 0, 1]
    assert data.test is not None
    assert data.test.targets.tolist() == [1, 2]
    assert data.train.inputs.take(torch.tensor([3]))[0, 0].tolist() == [[18, 19], [20, 21], [22, 23]]
    assert data.train.names[2] == "train[2]"
    assert "only 3 different ones occur" in data.notes[0]


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("mnist", tuple("0123456789")),
        ("notMNIST", tuple("ABCDEFGHIJ")),
        ("fashion-mnist", CLOTHES),
    ],
)
def test_class_names_of_known_sets(tmp_path: Path, name: str, classes: tuple[str, ...]) -> None:
    put(tmp_path / name, "train", IMAGES, np.array([0, 9, 1, 1]))
    data = idx.read(tmp_path / name, ReadOptions())
    assert data.classes == classes
    assert data.train.targets.tolist() == [0, 9, 1, 1]


def test_dots_in_the_names_and_one_folder_deeper(tmp_path: Path) -> None:
    inner = tmp_path / "MNIST" / "raw"
    inner.mkdir(parents=True)
    (inner / "train-images.idx3-ubyte").write_bytes(idx_bytes(IMAGES))
    (inner / "train-labels.idx1-ubyte").write_bytes(idx_bytes(np.array([0, 1, 0, 1])))
    assert idx.recognises(tmp_path)
    assert len(idx.read(tmp_path, ReadOptions()).train) == 4
    assert idx.recognises(inner / "train-images.idx3-ubyte")
    assert len(idx.read(inner / "train-images.idx3-ubyte", ReadOptions()).train) == 4


HEADER = bytes([0, 0, 8, 1])
BROKEN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no idx file"),
    "bad magic": (b"\x01\x02\x08\x01" + b"\0" * 8, "no idx file"),
    "html": (b"<!DOCTYPE html>", "no idx file"),
    "floats": (bytes([0, 0, 0x0D, 1]) + struct.pack(">I", 1) + b"\0" * 4, "does not hold bytes"),
    "header cut off": (HEADER + b"\0\0", "header"),
    "too many dimensions": (bytes([0, 0, 8, 200]) + b"\0" * 800, "header"),
    "longer than declared": (HEADER + struct.pack(">I", 2) + b"abc", "longer than it says"),
    "shorter than declared": (HEADER + struct.pack(">I", 4) + b"abc", "shorter than it says"),
    "overflow": (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**31, 4) + b"abc", "shorter than it says"),
    "bomb": (gzip.compress(bytes([0, 0, 8, 2]) + struct.pack(">2I", 2**31, 2**31)), "more than the file can hold"),
    "bomb of a gigabyte": (
        gzip.compress(bytes([0, 0, 8, 2]) + struct.pack(">2I", 2**15, 2**15)),
        "more than the file can hold",
    ),
    "gzip shorter": (gzip.compress(HEADER + struct.pack(">I", 400) + b"abc"), "shorter than it says"),
    "gzip longer": (gzip.compress(HEADER + struct.pack(">I", 2) + b"abc"), "longer than it says"),
    "gzip cut off": (
        gzip.compress(HEADER + struct.pack(">I", 5000) + np.random.default_rng(0).bytes(5000))[:3000],
        "cut off",
    ),
    "gzip damaged": (gzip.compress(HEADER + struct.pack(">I", 3) + b"abc")[:-6] + b"xxxxxx", "cannot be read"),
    "gzip of nothing": (b"\x1f\x8b", "damaged or cut off"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(tmp_path: Path, name: str) -> None:
    content, problem = BROKEN[name]
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=problem) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def test_a_gzip_that_unpacks_to_gigabytes_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(HEADER + struct.pack(">I", 10))
        for _ in range(64):
            file.write(b"\0" * (1 << 20))
    with pytest.raises(DataError, match="longer than it says"):
        read_idx(path)


DISAGREEING: dict[str, tuple[Callable[[Path], None], str]] = {
    "labels missing": (lambda f: (f / "train-labels-idx1-ubyte.gz").unlink(), "labels of these images are missing"),
    "fewer labels": (lambda f: put(f, "train", IMAGES, np.zeros(3)), "3 labels"),
    "labels are images": (lambda f: put(f, "train", IMAGES, IMAGES), "holds no labels"),
    "images are labels": (lambda f: put(f, "train", np.zeros(4), np.zeros(4)), "holds no images"),
    "no images": (lambda f: put(f, "train", np.zeros((0, 3, 2)), np.zeros(0)), "holds no images"),
    "label 255": (lambda f: put(f, "train", IMAGES, np.array([0, 1, 255, 2])), "label 2 (counted from 0)"),
    "test of another size": (lambda f: put(f, "t10k", np.zeros((1, 9, 9)), np.zeros(1)), "different sizes"),
    "test label unknown": (lambda f: put(f, "t10k", IMAGES, np.array([0, 0, 0, 77])), "label is out of range"),
    "train missing": (
        lambda f: [put(f, "t10k", IMAGES, np.zeros(4))] + [p.unlink() for p in f.glob("train*")],
        "no training images",
    ),
    "two sets": (lambda f: put(f, "letters-train", IMAGES, np.zeros(4)), "several data sets"),
}


@pytest.mark.parametrize("name", DISAGREEING)
def test_files_that_do_not_agree(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mnist"
    put(folder, "train", IMAGES, np.array([0, 1, 0, 1]))
    spoil, told = DISAGREEING[name]
    spoil(folder)
    with pytest.raises(DataError) as caught:
        idx.read(folder, ReadOptions())
    assert told in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(
    content=st.binary(max_size=60), magic=st.sampled_from([b"", b"\0\0\x08\x01", b"\0\0\x08\x03", b"\x1f\x8b\x08\0"])
)
def test_no_bytes_escape_as_another_error(
    content: bytes, magic: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz-idx"
    path.write_bytes(magic + content)
    try:
        array = read_idx(path)
    except GlassnetError:
        return
    else:
        assert idx_bytes(array) == magic + content


def test_the_real_mnist(shared_data: Path) -> None:
    if not (shared_data / "mnist").is_dir():
        pytest.skip("mnist is not there")
    data = idx.read(shared_data / "mnist", ReadOptions())
    assert data.test is not None
    assert (len(data.train), len(data.test)) == (60_000, 10_000)
    # The published opening of the training part, and the mean pixel that everyone normalises by.
    assert data.train.targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.train.inputs.values.numpy().mean() / 255 == pytest.approx(0.1307, abs=5e-5)  # type: ignore[attr-defined]
