"""CIFAR's four versions, and pickles that must never run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data.cifar_files import OBJECTS
from glassnet.data.options import ReadOptions
from glassnet.data.pickle_values import RefusedPickle, read_values
from glassnet.data.readers import cifar
from glassnet.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 3072), dtype=np.uint8)
LABELS = [0, 9, 3, 3, 1, 2]


def binary(folder: Path, name: str, *labels: list[int]) -> None:
    columns = [np.array(own, np.uint8)[:, None] for own in labels]
    (folder / f"{name}.bin").write_bytes(np.hstack([*columns, PIXELS[: len(columns[0])]]).tobytes())


def check_pixels(images: torch.Tensor) -> None:
    """Red, green, blue planes of 32 rows of 32, as the format's page says."""
    naive = np.zeros((6, 3, 32, 32), np.uint8)
    for image in range(6):
        for channel in range(3):
            for row in range(32):
                start = channel * 1024 + row * 32
                naive[image, channel, row] = PIXELS[image, start : start + 32]
    np.testing.assert_array_equal(images.numpy(), naive)


def test_cifar10_binary(tmp_path: Path) -> None:
    for number in range(1, 6):
        binary(tmp_path, f"data_batch_{number}", LABELS)
    binary(tmp_path, "test_batch", LABELS)
    (tmp_path / "batches.meta.txt").write_text("\n".join(OBJECTS) + "\n\n")
    assert cifar.recognises(tmp_path)
    data = cifar.read(tmp_path, ReadOptions())
    assert data.classes == OBJECTS
    assert len(data.train) == 30
    assert data.train.targets.tolist() == LABELS * 5
    assert data.test is not None
    check_pixels(data.test.inputs.take(torch.arange(6)))
    assert data.notes == ()


def test_cifar100_binary_has_fine_labels(tmp_path: Path) -> None:
    fine = [10, 99, 0, 5, 6, 7]
    binary(tmp_path, "train", LABELS, fine)
    binary(tmp_path, "test", LABELS, fine)
    (tmp_path / "fine_label_names.txt").write_text("\n".join(f"thing {n}" for n in range(100)))
    data = cifar.read(tmp_path, ReadOptions())
    assert data.train.targets.tolist() == fine
    assert data.classes[99] == "thing 99"
    check_pixels(data.train.inputs.take(torch.arange(6)))


def python2_text(text: str) -> bytes:
    """Opcode of a short byte string, which Python 2 wrote for text and Python 3's pickle no longer writes."""
    return b"U" + bytes([len(text)]) + text.encode()


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_cifar10_python_version(tmp_path: Path, protocol: int) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    batch = {b"data": PIXELS, b"labels": LABELS, b"filenames": [b"x.png"] * 6}
    content = pickle.dumps(batch, protocol)
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        (folder / name).write_bytes(content)
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(OBJECTS)}, protocol))
    data = cifar.read(tmp_path, ReadOptions())
    assert data.train.targets.tolist() == LABELS * 5
    assert data.classes == OBJECTS
    check_pixels(data.test.inputs.take(torch.arange(6)))  # type: ignore[union-attr]


def test_cifar100_python_version(tmp_path: Path) -> None:
    batch = {"data": PIXELS, "fine_labels": LABELS, "coarse_labels": [0] * 6}
    (tmp_path / "train").write_bytes(pickle.dumps(batch, 2))
    (tmp_path / "test").write_bytes(pickle.dumps(batch, 2))
    (tmp_path / "meta").write_bytes(pickle.dumps({"fine_label_names": [f"n{i}" for i in range(100)]}, 2))
    data = cifar.read(tmp_path, ReadOptions())
    assert data.classes[:2] == ("n0", "n1")
    check_pixels(data.train.inputs.take(torch.arange(6)))


def test_python_2_strings() -> None:
    assert read_values(b"}" + python2_text("a") + b"K\x07s.") == {b"a": 7}
    assert read_values(
        b"\x80\x02}q\x00(" + python2_text("a") + b"]q\x01(K\x01K\x02e" + python2_text("b") + b"h\x01u."
    ) == {
        b"a": [1, 2],
        b"b": [1, 2],
    }


class Canary:
    """Writes a file when a pickle is run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.system, (f"touch '{self.path}'",))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["alone", "in data", "as label", "as key"])
def test_a_pickle_is_never_run(tmp_path: Path, protocol: int, place: str) -> None:
    canary = Canary(tmp_path / "sung")
    batch: object = {
        "alone": canary,
        "in data": {b"data": canary, b"labels": LABELS},
        "as label": {b"data": PIXELS, b"labels": [canary]},
        "as key": {b"data": PIXELS, b"labels": LABELS, canary: 1},
    }[place]
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(batch, protocol))
    with pytest.raises(DataError, match="was not read") as caught:
        cifar.read(tmp_path, ReadOptions())
    assert "system" in str(caught.value) or "opcode" in str(caught.value)
    assert not (tmp_path / "sung").exists()


@pytest.mark.parametrize(
    "pickled",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cos\nsystem\n.",
        b"(S'touch x'\nios\nsystem\n.",
        b"\x80\x02c__builtin__\ngetattr\n.",
        pickle.dumps(np.array([1.5 + 2j])),
        pickle.dumps(np.array([object()], dtype=object)),
        pickle.dumps({1, 2}),
        pickle.dumps(Path("/")),
        b"",
        b".",
        b"N",
        b"]" * 1000,
        b"(" * 1000 + b".",
        b"h\x05.",
        b"\x80\x02]q\x00h\x00a" + b"e.",
        b"X\xff\xff\xff\x7fabc.",
        b"L" + b"9" * 5000 + b"L\n.",
    ],
)
def test_refused_pickles(pickled: bytes) -> None:
    try:
        value = read_values(pickled)
    except RefusedPickle:
        return
    assert value is None or not callable(value)
    assert not isinstance(value, np.ndarray)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damaged_pickles_are_refused_or_plain(data: st.DataObject) -> None:
    content = bytearray(
        pickle.dumps(
            {b"data": PIXELS[:1, :9], b"labels": [1, 2], "n": ("x", None, True, 2.5)}, data.draw(st.integers(0, 5))
        )
    )
    for _ in range(data.draw(st.integers(0, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_values(bytes(content) + data.draw(st.binary(max_size=5)))
    except RefusedPickle:
        return


def test_a_cut_off_record(tmp_path: Path) -> None:
    binary(tmp_path, "data_batch_1", LABELS)
    whole = (tmp_path / "data_batch_1.bin").read_bytes()
    (tmp_path / "data_batch_1.bin").write_bytes(whole[:-1])
    with pytest.raises(DataError, match="whole records") as caught:
        cifar.read(tmp_path, ReadOptions())
    assert "5 records and 3072 bytes more" in str(caught.value)
    (tmp_path / "data_batch_1.bin").write_bytes(b"")
    with pytest.raises(DataError, match="whole records"):
        cifar.read(tmp_path, ReadOptions())


def test_a_label_out_of_range(tmp_path: Path) -> None:
    binary(tmp_path, "data_batch_1", [0, 1, 255, 3, 10, 5])
    with pytest.raises(DataError, match="out of range") as caught:
        cifar.read(tmp_path, ReadOptions())
    assert "record 2" in str(caught.value)
    assert "2 of 6" in str(caught.value)


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    binary(tmp_path, "data_batch_2", LABELS)
    data = cifar.read(tmp_path, ReadOptions())
    assert "data_batch_1" in data.notes[0]
    assert data.notes[1] == "There is no test part."
    (tmp_path / "batches.meta.txt").write_text("cat\ndog\n")
    with pytest.raises(DataError, match="class names"):
        cifar.read(tmp_path, ReadOptions())


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=200), size=st.integers(0, 2))
def test_no_bytes_escape_as_another_error(content: bytes, size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz-cifar"
    folder.mkdir(exist_ok=True)
    (folder / "data_batch_1.bin").write_bytes(content + b"\x05" * (3073 * size - len(content)))
    try:
        assert len(cifar.read(folder, ReadOptions()).train) == size
    except DataError:
        return
