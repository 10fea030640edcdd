"""Layouts of class folders, and what is said about those that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glassnet.data.dataset import InMemory
from glassnet.data.decode import decode
from glassnet.data.image_files import ImageFiles
from glassnet.data.image_schema import ImageSchema
from glassnet.data.options import ReadOptions
from glassnet.data.readers import folders
from glassnet.data.threads import in_threads
from glassnet.errors import DataError


def put(path: Path, value: int = 0, size: tuple[int, int] = (6, 5), mode: str = "RGB") -> Path:
    """An image file of one colour; size is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, value // 2, 0)).save(path)
    return path


def fill(root: Path, *classes: str, each: int = 2, mode: str = "RGB") -> None:
    for label, name in enumerate(classes):
        for number in range(each):
            put(root / name / f"{number}.png", 10 * label + number, mode=mode)


def test_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, "cats", "Zebras", "ants")
    assert folders.recognises(tmp_path)
    data = folders.read(tmp_path, ReadOptions())
    assert data.classes == ("Zebras", "ants", "cats")  # by code point, as every folder loader sorts
    assert data.schema == ImageSchema(3, 5, 6)
    assert list(data.parts) == ["train"]
    assert data.train.names[:3] == ["Zebras/0.png", "Zebras/1.png", "ants/0.png"]
    assert data.train.targets.tolist() == [0, 0, 1, 1, 2, 2]
    pixels = data.train.inputs.take(torch.arange(6))
    assert pixels.dtype == torch.uint8
    assert pixels[:, 0, 0, 0].tolist() == [10, 11, 20, 21, 0, 1]
    assert (data.notes, data.unreadable) == ((), ())


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [("train", "val", "test"), ("Train", "valid", "Testing"), ("training", "validation", "test")],
)
def test_parts_in_their_spellings(tmp_path: Path, train: str, val: str, test: str) -> None:
    for part, each in ((train, 3), (val, 1), (test, 2)):
        fill(tmp_path / part, "a", "b", each=each)
    data = folders.read(tmp_path, ReadOptions())
    assert {part: len(own) for part, own in data.parts.items()} == {"train": 6, "val": 2, "test": 4}
    assert data.parts["test"].names[0] == f"{test}/a/0.png"
    assert data.parts["test"].targets.tolist() == [0, 0, 1, 1]


def test_one_folder_deeper_and_nested_in_itself(tmp_path: Path) -> None:
    fill(tmp_path / "photos" / "train" / "train", "a", "b")
    fill(tmp_path / "photos" / "val", "a", "b")
    (tmp_path / "__MACOSX" / "photos").mkdir(parents=True)
    data = folders.read(tmp_path, ReadOptions())
    assert data.classes == ("a", "b")
    assert data.train.names[0] == "photos/train/train/a/0.png"
    assert "one folder deeper, in photos" in data.notes[0]
    assert "nested in itself; photos/train/train" in data.notes[1]


def test_images_deep_inside_a_class(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    put(tmp_path / "a" / "monday" / "9.png")
    assert "a/monday/9.png" in folders.read(tmp_path, ReadOptions()).train.names


def test_a_test_folder_without_classes_is_mentioned(tmp_path: Path) -> None:
    fill(tmp_path / "train", "a", "b")
    put(tmp_path / "test" / "1.png")
    data = folders.read(tmp_path, ReadOptions())
    assert list(data.parts) == ["train"]
    assert "test has no class folders" in data.notes[0]


def test_grey_only_where_all_are_grey(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b", mode="L")
    assert folders.read(tmp_path, ReadOptions()).schema.shape == (1, 5, 6)
    assert folders.read(tmp_path, ReadOptions(channels=3)).schema.shape == (3, 5, 6)
    put(tmp_path / "b" / "c.png")
    assert folders.read(tmp_path, ReadOptions()).schema.shape == (3, 5, 6)


def test_sizes(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    assert folders.read(tmp_path, ReadOptions(image_size=32)).schema.shape == (3, 32, 32)
    put(tmp_path / "b" / "c.png", size=(50, 70))
    data = folders.read(tmp_path, ReadOptions())
    assert data.schema.shape == (3, 96, 96)
    assert "96 x 96" in data.notes[0]
    assert "2 sizes occur, sides from 5 to 70" in data.notes[0]


def test_large_images_of_one_size_are_shrunk(tmp_path: Path) -> None:
    for name in ("a", "b"):
        put(tmp_path / name / "0.png", size=(257, 100))
    assert folders.read(tmp_path, ReadOptions()).schema.shape == (3, 96, 96)


def test_streamed_and_held_images_are_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in ("a", "b"):
            for number in range(20):
                path = put(tmp_path / part / name / f"{number}.png")
                Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)).save(path)
    held = folders.read(tmp_path, ReadOptions())
    streamed = folders.read(tmp_path, ReadOptions(in_memory_limit=100))
    assert isinstance(held.train.inputs, InMemory)
    assert any("decoded once, and then read from a scratch file" in note for note in streamed.notes)
    index = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    for part in ("train", "test"):
        assert list(held.parts[part].names) == list(streamed.parts[part].names)
        assert torch.equal(held.parts[part].inputs.take(index), streamed.parts[part].inputs.take(index))
        paths = [tmp_path / name for name in held.parts[part].names]
        expected = np.stack([decode(paths[i], 3) for i in index.tolist()])
        for _ in range(2):  # decoded, and from the scratch file
            np.testing.assert_array_equal(streamed.parts[part].inputs.take(index).numpy(), expected)


def test_streaming_from_several_threads_at_once(tmp_path: Path) -> None:
    paths = [put(tmp_path / f"{number}.png", number) for number in range(40)]
    source = ImageFiles(paths, 3, 5, 6)

    def reds(start: int) -> list[int]:
        return source.take(torch.arange(start, start + 20))[:, 0, 0, 0].tolist()

    starts = [number % 20 for number in range(30)]
    assert in_threads(reds, starts, chunk=1) == [list(range(start, start + 20)) for start in starts]


def test_threads_keep_the_order() -> None:
    assert in_threads(lambda n: n * n, range(1000)) == [n * n for n in range(1000)]


def test_an_empty_folder_is_not_recognised(tmp_path: Path) -> None:
    assert not folders.recognises(tmp_path)
    put(tmp_path / "loose.png")
    assert not folders.recognises(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("hello")
    assert not folders.recognises(tmp_path)


def test_one_class_only(tmp_path: Path) -> None:
    fill(tmp_path, "cats")
    assert folders.recognises(tmp_path)
    with pytest.raises(DataError, match="only one class") as caught:
        folders.read(tmp_path, ReadOptions())
    assert "cats" in str(caught.value)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    fill(tmp_path / "train", "cats")
    fill(tmp_path / "test", "cats", "dogs")
    fill(tmp_path / "val", "birds")
    with pytest.raises(DataError) as caught:
        folders.read(tmp_path, ReadOptions())
    text = str(caught.value)
    assert "3 mistakes" in text
    assert "only one class" in text
    assert "'test'" in text
    assert "dogs" in text
    assert "birds" in text


def test_classes_without_a_readable_image_are_named(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.png").write_bytes(b"no image")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "labels.txt").write_text("1")
    with pytest.raises(DataError) as caught:
        folders.read(tmp_path, ReadOptions())
    text = str(caught.value)
    assert "class 'c' has no readable image" in text
    assert "an empty folder" in text
    assert "d/x.png: no image of a known format" in text
    assert "1 .txt files" in text
    assert "class 'a'" not in text


def test_a_class_that_only_fails_when_decoded(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    content = put(tmp_path / "c" / "x.png").read_bytes()
    (tmp_path / "c" / "x.png").write_bytes(content[:-30])
    with pytest.raises(DataError, match="class 'c' has no readable image"):
        folders.read(tmp_path, ReadOptions())


def test_a_class_missing_in_test_is_mentioned(tmp_path: Path) -> None:
    fill(tmp_path / "train", "a", "b")
    fill(tmp_path / "test", "b")
    data = folders.read(tmp_path, ReadOptions())
    assert data.test is not None
    assert data.test.targets.tolist() == [1, 1]
    assert data.notes == ("The 'test' part has no images of: a.",)


def test_other_files_are_counted(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    (tmp_path / "a" / "notes.txt").write_text("hello")
    (tmp_path / "b" / "1.xml").write_text("<x/>")
    assert "1 .txt, 1 .xml" in folders.read(tmp_path, ReadOptions()).notes[0]


def test_prediction_decodes_as_training_did(tmp_path: Path) -> None:
    fill(tmp_path, "a", "b")
    put(tmp_path / "b" / "tall.png", 77, size=(30, 80))
    data = folders.read(tmp_path, ReadOptions(image_size=16))
    names, source = data.schema.read([str(tmp_path / "b"), str(tmp_path / "a" / "1.png")])
    assert [Path(name).name for name in names] == ["0.png", "1.png", "tall.png", "1.png"]
    rows = [list(data.train.names).index(name) for name in ("b/0.png", "b/1.png", "b/tall.png", "a/1.png")]
    assert torch.equal(source.take(torch.arange(4)), data.train.inputs.take(torch.tensor(rows)))


def test_prediction_from_arrays(tmp_path: Path) -> None:
    schema = ImageSchema(1, 4, 5)
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    np.savez(tmp_path / "set.npz", x_test=images, y_test=np.zeros(3))
    names, source = schema.read([str(tmp_path / "x.npy"), str(tmp_path / "set.npz")])
    assert names == ["x.npy[0]", "x.npy[1]", "x.npy[2]", "set.npz:x_test[0]", "set.npz:x_test[1]", "set.npz:x_test[2]"]
    np.testing.assert_array_equal(source.take(torch.arange(6)).numpy(), np.concatenate([images, images])[:, None])
    np.save(tmp_path / "wrong.npy", images[:, :3])
    with pytest.raises(DataError, match="do not fit the network"):
        schema.read([str(tmp_path / "wrong.npy")])


def test_schema_round_trip() -> None:
    schema = ImageSchema(3, 20, 30)
    assert ImageSchema.from_json(schema.to_json()) == schema
    assert (schema.kind, schema.shape) == ("image", (3, 20, 30))


def test_real_photos(shared_data: Path) -> None:
    if not (shared_data / "small-photos").is_dir():
        pytest.skip("small-photos is not there")
    data = folders.read(shared_data / "small-photos", ReadOptions(image_size=32))
    assert data.classes == ("ants", "bees")
    assert {part: len(own) for part, own in data.parts.items()} == {"train": 244, "val": 153}
    assert not data.unreadable
