"""npz and npy files: what they mean, and files made to harm."""

from __future__ import annotations

import io
import pickle
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import InMemory, as_tensor
from glassnet.data.image_schema import ImageSchema
from glassnet.data.numpy_file import ArrayFile, arrays_in
from glassnet.data.options import ReadOptions
from glassnet.data.readers import arrays
from glassnet.data.readers.arrays import data_from_arrays
from glassnet.errors import DataError, GlassnetError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8)
LABELS = np.array([2, 0, 1, 1, 2, 0])


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def header(text: str, content: bytes = b"", version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + content


def test_keras_keys_with_test_and_validation(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "d.npz",
        x_train=GREY,
        y_train=LABELS,
        x_test=GREY[:2],
        y_test=LABELS[:2],
        x_val=GREY[2:],
        y_val=LABELS[2:],
    )
    data = arrays.read(tmp_path / "d.npz", ReadOptions())
    assert data.schema == ImageSchema(1, 5, 4)
    assert data.classes == ("0", "1", "2")
    assert data.name == "d"
    assert {part: own.targets.tolist() for part, own in data.parts.items()} == {
        "train": [2, 0, 1, 1, 2, 0],
        "val": [1, 1, 2, 0],
        "test": [2, 0],
    }
    np.testing.assert_array_equal(data.train.inputs.take(torch.arange(6))[:, 0].numpy(), GREY)


@pytest.mark.parametrize(
    "keys", [("X", "y"), ("images", "labels"), ("data", "target"), ("train_images", "train_labels"), ("arr_0", "arr_1")]
)
def test_other_keys(tmp_path: Path, keys: tuple[str, str]) -> None:
    np.savez_compressed(tmp_path / "d.npz", **{keys[0]: GREY, keys[1]: LABELS})
    data = arrays.read(tmp_path / "d.npz", ReadOptions())
    assert len(data.train) == 6
    assert data.outputs == (keys[1],)


def test_a_target_of_ones_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.ones((3, 2)), y=np.zeros(3), age=np.array([1.5, 2.5, 3.5]))
    data = arrays.read(tmp_path / "d.npz", ReadOptions(target="age"))
    assert data.train.targets.tolist() == [[1.5], [2.5], [3.5]]
    with pytest.raises(DataError, match="no array called 'size'"):
        arrays.read(tmp_path / "d.npz", ReadOptions(target="size"))


def test_a_folder_of_npy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asfortranarray(np.arange(12.0).reshape(4, 3)))
    np.save(tmp_path / "y.npy", np.array(["b", "a", "b", "c"]))
    assert arrays.recognises(tmp_path)
    data = arrays.read(tmp_path, ReadOptions())
    assert data.schema == ArraySchema((3,))
    assert data.classes == ("a", "b", "c")
    assert data.train.targets.tolist() == [1, 0, 1, 2]
    assert data.train.inputs.take(torch.tensor([1])).tolist() == [[3.0, 4.0, 5.0]]
    (tmp_path / "y.npy").unlink()
    with pytest.raises(DataError, match="inputs and targets were not found"):
        arrays.read(tmp_path, ReadOptions())


@pytest.mark.parametrize("order", ["last", "first"])
def test_channels_first_and_last(order: str) -> None:
    given_array = COLOUR if order == "last" else COLOUR.transpose(0, 3, 1, 2)
    data = data_from_arrays(given_array, LABELS)
    assert data.schema == ImageSchema(3, 5, 4)
    got = data.train.inputs.take(torch.arange(6)).numpy()
    for image in range(6):
        for channel in range(3):
            np.testing.assert_array_equal(got[image, channel], COLOUR[image, :, :, channel])


def test_alpha_lies_on_white() -> None:
    images = np.zeros((1, 2, 3, 4), np.uint8)
    images[0, 0, :, 0] = 200
    images[0, 0, :, 3] = [255, 0, 51]
    got = data_from_arrays(images, np.array([0])).train.inputs.take(torch.tensor([0]))
    assert got[0, 0, 0].tolist() == [200, 255, 244]


def test_other_types_become_float32_arrays() -> None:
    for values in (GREY.astype(np.float64), GREY.astype(np.int64), GREY.astype(">f8"), GREY.reshape(6, 20), GREY > 100):
        data = data_from_arrays(values, LABELS)
        assert data.schema == ArraySchema(values.shape[1:])
        got = data.train.inputs.take(torch.arange(6))
        assert got.dtype == torch.float32
        np.testing.assert_array_equal(got.numpy(), values.astype(np.float32))


@pytest.mark.parametrize(
    ("targets", "task", "expected_task", "expected"),
    [
        (np.array([5, 7, 5]), "auto", "classes", [0, 1, 0]),
        (np.array([[5], [7], [5]]), "auto", "classes", [0, 1, 0]),
        (np.array([-1, 1, -1], np.int8), "auto", "classes", [0, 1, 0]),
        (np.array([True, False, True]), "auto", "classes", [1, 0, 1]),
        (np.array([b"no", b"yes", b"no"]), "auto", "classes", [0, 1, 0]),
        (np.array(["x", "y", "x"], dtype=object), "auto", "classes", [0, 1, 0]),
        (np.array([[0, 1.0], [1, 0], [0, 1]]), "auto", "classes", [1, 0, 1]),
        (np.array([1.0, 3.0, 1.0]), "auto", "values", [[1.0], [3.0], [1.0]]),
        (np.array([1.0, 3.0, 1.0]), "classes", "classes", [0, 1, 0]),
        (np.array([5, 7, 5]), "values", "values", [[5.0], [7.0], [5.0]]),
        (np.array([[1.5, 2], [3, 4], [5, 6]]), "auto", "values", [[1.5, 2], [3, 4], [5, 6]]),
    ],
)
def test_classes_or_values(targets: np.ndarray, task: Any, expected_task: str, expected: list[Any]) -> None:
    data = data_from_arrays(np.ones((3, 2)), targets, task)
    assert data.task == expected_task
    assert data.train.targets.tolist() == expected
    assert data.train.targets.dtype == (torch.int64 if expected_task == "classes" else torch.float32)
    assert data_from_arrays(np.ones((3, 2)), np.array([b"no", b"yes", b"no"])).classes == ("no", "yes")


def test_many_whole_numbers_are_values() -> None:
    data = data_from_arrays(np.ones((200, 2)), np.arange(200) * 1000)
    assert data.task == "values"
    assert "200 different ones" in data.notes[0]


def test_tensors_are_welcome() -> None:
    data = data_from_arrays(torch.ones(4, 3, dtype=torch.bfloat16, requires_grad=True), torch.tensor([0, 1, 1, 0]))
    assert data.schema.shape == (3,)


def test_bad_numbers_are_located(tmp_path: Path) -> None:
    inputs = np.ones((5, 3))
    inputs[3, 1] = np.nan
    inputs[4, 0] = np.inf
    np.savez(tmp_path / "d.npz", x_train=inputs, y_train=np.zeros(5, int))
    with pytest.raises(DataError, match="key 'x_train', row 3") as caught:
        arrays.read(tmp_path / "d.npz", ReadOptions())
    assert "nan there; 2 of 5 rows" in str(caught.value)
    with pytest.raises(DataError, match="targets, row 1"):
        data_from_arrays(np.ones((2, 2)), np.array([0.5, -np.inf]))
    with pytest.raises(DataError, match="too large"):
        data_from_arrays(np.array([[1e300], [1.0]]), np.array([0, 1]))


DISAGREEING: dict[str, tuple[dict[str, np.ndarray], str]] = {
    "lengths": ({"x": np.ones((3, 2)), "y": np.zeros(4, int)}, "do not agree"),
    "no targets": ({"x": np.ones((3, 2))}, "not found"),
    "flat inputs": ({"x": np.ones(3), "y": np.zeros(3, int)}, "shape"),
    "no rows": ({"x": np.ones((0, 2)), "y": np.zeros(0, int)}, "shape"),
    "targets of three dimensions": ({"x": np.ones((3, 2)), "y": np.zeros((3, 2, 2))}, "shape"),
    "one number": ({"x": np.ones((3, 2)), "y": np.array(3)}, "do not agree"),
    "text inputs": ({"x": np.array([["a"], ["b"]]), "y": np.array([0, 1])}, "no numbers"),
    "complex": ({"x": np.ones((2, 2), complex), "y": np.array([0, 1])}, "type"),
    "dates": ({"x": np.ones((2, 2)), "y": np.array(["2020-01-01", "2021-01-01"], "M8[D]")}, "type"),
    "records": ({"x": np.zeros(3, [("a", "f4"), ("b", "i4")]), "y": np.zeros(3, int)}, "type"),
    "test class unknown": (
        {
            "x_train": np.ones((2, 2)),
            "y_train": np.array([0, 1]),
            "x_test": np.ones((2, 2)),
            "y_test": np.array([1, 9]),
        },
        "does not occur in the training part",
    ),
    "test of another shape": (
        {
            "x_train": np.ones((2, 2)),
            "y_train": np.array([0, 1]),
            "x_test": np.ones((2, 3)),
            "y_test": np.array([1, 0]),
        },
        "different shapes",
    ),
    "test images of another size": (
        {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:, :2], "y_test": LABELS},
        "do not fit",
    ),
    "test of another type": (
        {
            "x_train": np.ones((2, 2)),
            "y_train": np.array([0, 1]),
            "x_test": np.ones((2, 2)),
            "y_test": np.array(["0", "1"]),
        },
        "different types",
    ),
}


@pytest.mark.parametrize("name", DISAGREEING)
def test_arrays_that_do_not_agree(tmp_path: Path, name: str) -> None:
    given_arrays, problem = DISAGREEING[name]
    np.savez(tmp_path / "d.npz", **given_arrays)
    with pytest.raises(DataError) as caught:
        arrays.read(tmp_path / "d.npz", ReadOptions())
    assert problem in str(caught.value)


class Canary:
    """Raises the alarm when it is unpickled."""

    sung = False

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return (sing, ())


def sing() -> None:
    Canary.sung = True


def object_array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([Canary()], dtype=object), allow_pickle=True)
    return stream.getvalue()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "objects": (object_array(), "holds Python objects"),
    "a bare pickle": (pickle.dumps([1, 2]), "no npy file"),
    "nothing": (b"", "no npy file"),
    "text": (b"1,2,3\n", "no npy file"),
    "version 9": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", version=9), "no npy file"),
    "shape bomb": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"), "shorter"),
    "overflowing shape": (
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"),
        "shorter",
    ),
    "huge number": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 300 + ",)}"), "shape"),
    "negative shape": (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}"), "shape"),
    "boolean shape": (header("{'descr': '|u1', 'fortran_order': False, 'shape': (True,)}", b"x"), "shape"),
    "fractional shape": (header("{'descr': '|u1', 'fortran_order': False, 'shape': (1.0,)}", b"x"), "shape"),
    "many dimensions": (
        header("{'descr': '|u1', 'fortran_order': False, 'shape': (" + "1," * 40 + ")}", b"x"),
        "shape",
    ),
    "records": (header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", b"abcd"), "type"),
    "records in a string": (header("{'descr': 'i4,O', 'fortran_order': False, 'shape': (1,)}", b"abcd"), "type"),
    "raw bytes": (header("{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}", b"abcdefgh"), "type"),
    "a program": (header("__import__('os').system('true')"), "damaged"),
    "no dictionary": (header("[1, 2]"), "damaged"),
    "missing key": (header("{'descr': '<f8'}"), "damaged"),
    "deep": (header("(" * 9000), "damaged"),
    "long header": (header("{" + " " * 1_000_000 + "}", version=2), "too long"),
    "cut off": (npy(np.arange(10.0))[:-1], "shorter"),
    "too long": (npy(np.arange(10.0)) + b"x", "longer"),
    "header cut off": (npy(np.arange(10.0))[:40], "damaged"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_arrays(tmp_path: Path, name: str, packed: bool) -> None:
    content, problem = HOSTILE[name]
    path = tmp_path / ("x.npz" if packed else "x.npy")
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", content)
    else:
        path.write_bytes(content)
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        arrays_in(path)["x"].read()
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)
    assert time.monotonic() - start < 5
    assert not Canary.sung


def zipped(path: Path, *members: tuple[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as member,
    ):
        member.write(header("{'descr': '|u1', 'fortran_order': False, 'shape': (314572800,)}"))
        for _ in range(300):
            member.write(b"\0" * (1 << 20))
    start = time.monotonic()
    with pytest.raises(DataError, match="zip bomb"):
        arrays_in(path)["x"].read()
    assert time.monotonic() - start < 0.5


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path: Path) -> None:
    zipped(tmp_path / "d.npz", ("x.npy", npy(GREY)), ("x.npy", npy(LABELS)))
    with pytest.raises(DataError, match="a name twice"):
        arrays_in(tmp_path / "d.npz")


def test_names_that_lead_out_write_nothing(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    zipped(inner / "d.npz", ("../../escape.npy", npy(GREY)), ("x.npy", npy(GREY)), ("y.npy", npy(LABELS)))
    assert len(arrays.read(inner / "d.npz", ReadOptions()).train) == 6
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["d.npz", "inner"]


def test_broken_archives(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    np.savez(path, x=GREY, y=LABELS)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(GREY.tobytes()) + 5] ^= 255
    for content in (b"", b"PK", whole[: len(whole) // 2], bytes(flipped)):
        path.write_bytes(content)
        with pytest.raises(DataError, match="damaged"):
            arrays.read(path, ReadOptions())


@settings(max_examples=150, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from(["<f8", ">f4", "|u1", "<i2", ">i8", "|b1", "<U3", "|S4"]), hnp.array_shapes(min_dims=0)
    ),
    fortran=st.booleans(),
)
def test_good_arrays_come_back(array: np.ndarray, fortran: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "good.npy"
    array = np.asfortranarray(array) if fortran else array
    np.save(path, array)
    got = ArrayFile("good", path).read()
    assert got.shape == array.shape
    assert got.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(got, array)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_escapes_as_another_error(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    packed = data.draw(st.booleans())
    path = tmp_path_factory.getbasetemp() / ("fuzz.npz" if packed else "fuzz.npy")
    if packed:
        np.savez(path, x=np.arange(6.0).reshape(3, 2), y=np.array([0, 1, 0]))
    else:
        np.save(path, np.arange(6.0).reshape(3, 2))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        if packed:
            arrays.read(path, ReadOptions())
        else:
            arrays_in(path)["fuzz"].read()
    except GlassnetError:
        return


def test_array_schema_reads_new_inputs(tmp_path: Path) -> None:
    schema = ArraySchema((3,))
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "b.npz", x_test=np.ones((1, 3)))
    names, source = schema.read([str(tmp_path / "a.npy"), str(tmp_path / "b.npz")])
    assert names == ["a.npy[0]", "a.npy[1]", "b.npz:x_test[0]"]
    assert source.take(torch.tensor([1, 2])).tolist() == [[3, 4, 5], [1, 1, 1]]
    np.save(tmp_path / "c.npy", np.ones((2, 4)))
    with pytest.raises(DataError) as caught:
        schema.read([str(tmp_path / "c.npy"), str(tmp_path / "none.npy"), str(tmp_path)])
    assert "3 mistakes" in str(caught.value)
    assert ArraySchema.from_json(schema.to_json()) == schema


def on_disk(folder: Path, inputs: np.ndarray) -> tuple[Path, Any, Any]:
    """A folder of npy files, read as a whole and row by row."""
    folder.mkdir()
    np.save(folder / "x.npy", inputs)
    np.save(folder / "y.npy", np.arange(len(inputs)) % 3)
    return folder, arrays.read(folder, ReadOptions()), arrays.read(folder, ReadOptions(in_memory_limit=10))


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("u1", (9, 5, 4, 3)), ("u1", (9, 6, 7)), (">u2", (9, 4)), ("<f8", (9, 2, 3)), (">f4", (9, 1)), ("?", (9, 3))],
)
def test_an_array_beyond_memory_gives_the_rows_that_one_in_memory_would(
    tmp_path: Path, dtype: str, shape: tuple[int, ...]
) -> None:
    values = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    _, held, streamed = on_disk(tmp_path / "set", values)
    assert streamed.schema == held.schema
    assert not isinstance(streamed.train.inputs, InMemory)
    assert any("rows are read from the file" in note for note in streamed.notes)
    for index in (torch.tensor([8, 0, 3, 3]), torch.tensor([], dtype=torch.int64), torch.arange(9)):
        mine, other = streamed.train.inputs.take(index), held.train.inputs.take(index)
        assert mine.dtype == other.dtype
        assert torch.equal(mine, other)


def test_a_bad_number_beyond_memory_is_located_when_it_is_met(tmp_path: Path) -> None:
    values = np.ones((9, 4), dtype=np.float32)
    values[7, 2] = np.nan
    folder = tmp_path / "set"
    folder.mkdir()
    np.save(folder / "x.npy", values)
    np.save(folder / "y.npy", np.arange(9) % 3)
    source = arrays.read(folder, ReadOptions(in_memory_limit=10)).train.inputs
    assert source.take(torch.tensor([6])).isfinite().all()
    with pytest.raises(DataError, match=r"row 7 \(counted from 0\)"):
        source.take(torch.tensor([2, 7]))


def test_a_file_that_is_cut_off_while_it_is_read_is_an_error_and_no_crash(tmp_path: Path) -> None:
    folder, _, streamed = on_disk(tmp_path / "set", np.ones((9, 4), dtype=np.float32))
    with (folder / "x.npy").open("r+b") as file:
        file.truncate(128 + 5 * 16 + 3)
    assert streamed.train.inputs.take(torch.tensor([4])).sum() == 4
    with pytest.raises(DataError, match=r"cut off.*\n?.*row 5"):
        streamed.train.inputs.take(torch.tensor([4, 5]))


def test_an_array_beyond_memory_in_the_other_order_is_read_as_a_whole(tmp_path: Path) -> None:
    _, _, data = on_disk(tmp_path / "set", np.asfortranarray(np.arange(36, dtype=np.float32).reshape(9, 4)))
    assert isinstance(data.train.inputs, InMemory)
    assert data.train.inputs.take(torch.tensor([1])).tolist() == [[4.0, 5.0, 6.0, 7.0]]


def test_rows_backwards_and_bytes_the_other_way_round_are_numbers_all_the_same() -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    for array in (values[::-1][::-1], values.astype(">f4"), values[:, ::-1][:, ::-1]):
        assert torch.equal(as_tensor(array), torch.from_numpy(values))
    assert torch.equal(as_tensor(values[::-1]), torch.from_numpy(values).flip(0))
    assert as_tensor(3.0).shape == ()
