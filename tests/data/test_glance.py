"""A glance shows the sheet that reading everything shows, opens little, and says nothing of what it does not understand."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet
from glassnet.data import class_images, decode
from glassnet.data import glance as module
from glassnet.data.contact_sheet import class_rows, contact_sheet
from glassnet.data.glance import glance
from glassnet.reading import read_data
from glassnet.recipe import Recipe

Make = Callable[[Path], Path]


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def put(path: Path, pixels: np.ndarray, **how: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **how)


def folders(root: Path, *classes: str, each: int = 20, size: tuple[int, ...] = (9, 7, 3), suffix: str = ".png") -> Path:
    for label, name in enumerate(classes or ("ants", "bees")):
        for number in range(each):
            put(root / name / f"{number}{suffix}", noise(*size, seed=1000 * label + number))
    return root


def mixed(root: Path) -> Path:
    for label, name in enumerate(("a", "b")):
        for number in range(20):
            put(root / name / f"{number}.jpg", noise(40 + number, 150 + 9 * label, 3, seed=100 * label + number))
    return root


def grey_but_one(root: Path) -> Path:
    folders(root, "a", "b", size=(30, 20))
    put(root / "b" / "7.png", noise(30, 20, 3))
    return root


def parts(root: Path, *names: str, **how: Any) -> Path:
    for name in names:
        folders(root / name, **how)
    return root


def turned(root: Path) -> Path:
    """Photos held upright, which are wider than high as they lie in the file."""
    notes = Image.Exif()
    notes[0x0112] = 6
    for label, name in enumerate(("a", "b")):
        for number in range(12):
            put(root / name / f"{number}.jpg", noise(20, 30, 3, seed=100 * label + number), exif=notes)
    return root


def many_classes(root: Path) -> Path:
    return folders(root, *(f"class {number} of a long name and yet longer" for number in range(53)), each=4)


def with_litter(root: Path) -> Path:
    folders(root, "ants", "bées ☃", "line\nbreak", "b'%s\"")
    (root / "ants" / ".hidden.png").write_bytes(b"no image")
    (root / "ants" / "Thumbs.db").write_bytes(b"\0")
    (root / ".DS_Store").write_bytes(b"\0")
    (root / "README.md").write_text("about")
    (root / "ants" / "boxes.xml").write_text("<a/>")
    put(root / "ants" / "deeper" / "z.png", noise(9, 7, 3, seed=9000))
    put(root / "ants" / "without extension", noise(9, 7, 3, seed=9001), format="png")
    return root


def with_links(root: Path) -> Path:
    folders(root)
    put(root / "spare.png", noise(9, 7, 3, seed=9000))
    (root / "ants" / "spare.png").symlink_to(root / "spare.png")
    (root / "ants" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "ants" / "out.png").symlink_to(Path(__file__))
    (root / "ants" / "round").symlink_to(root / "ants")
    return root


def spoilt(root: Path) -> Path:
    """Images that cannot be read: one that begins as none, and two that are shown as long as nobody knows that they are cut off."""
    folders(root)
    text(root / "ants" / "0.png", "no image")
    shown = read_data(Recipe().changed({"data.path": str(root)})).train.names
    cut_off(root / shown[0])
    cut_off(root / next(name for name in shown if name.startswith("bees")))  # the first of a class is always shown
    return root


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def cut_off(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def two_classes(count: int = 60) -> np.ndarray:
    return np.arange(count) % 2


def twins(at: Path) -> Path:
    images = noise(60, 8, 8)
    images[20:40:2] = images[0]
    return npz(at / "twins.npz", x=images, y=two_classes())


def white(at: Path) -> Path:
    """Images that are different in the file and alike on white."""
    images = noise(60, 8, 8, 4)
    images[20:50:2, :, :, 3] = 0
    return npz(at / "white.npz", x=images, y=two_classes())


def npy_folder(at: Path) -> Path:
    (at / "arrays").mkdir()
    np.save(at / "arrays" / "x_train.npy", noise(60, 3, 8, 9))
    np.save(at / "arrays" / "y_train.npy", np.array(["no", "yes"])[two_classes()])
    return at / "arrays"


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx(folder: Path, zipped: bool, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        for kind, array in (("images-idx3", noise(100, 9, 8)), ("labels-idx1", (np.arange(100) % 10).astype(np.uint8))):
            path = folder / f"{name}-{kind}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array))
    return folder


def cifar(folder: Path, labels: int, *names: str) -> Path:
    """Binary batches: one label byte, or a coarse and a fine one, before the pixels."""
    folder.mkdir()
    for seed, name in enumerate(names):
        count = 300 if labels == 2 else 40
        own = (np.arange(count) % (100 if labels == 2 else 10)).astype(np.uint8)[:, None]
        (folder / name).write_bytes(np.hstack([*[own] * labels, noise(count, 3072, seed=seed)]).tobytes())
    return folder


SEEN: dict[str, Make] = {
    "class folders": lambda at: folders(at / "data"),
    "grey": lambda at: folders(at / "data", size=(9, 7)),
    "a folder deeper": lambda at: folders(at / "data" / "inside").parent,
    "sizes that differ": lambda at: mixed(at / "data"),
    "one size that is large": lambda at: folders(at / "data", each=8, size=(20, 300, 3)),
    "grey but for one": lambda at: grey_but_one(at / "data"),
    "turned photos": lambda at: turned(at / "data"),
    "more classes than rows": lambda at: many_classes(at / "data"),
    "few images": lambda at: folders(at / "data", "a", "b", "c", each=4),
    "with a test part": lambda at: parts(at / "data", "train", "test"),
    "with all parts": lambda at: parts(at / "data", "Training", "valid", "test", each=3),
    "a part nested in itself": lambda at: parts(at / "data" / "train", "train").parent,
    "a test part of another size": lambda at: folders(
        parts(at / "data", "train") / "test", size=(30, 30, 3)
    ).parent,
    "litter and strange names": lambda at: with_litter(at / "data"),
    "links": lambda at: with_links(at / "data"),
    "unreadable images": lambda at: spoilt(at / "data"),
    "npz, grey": lambda at: npz(at / "grey.npz", x=noise(60, 8, 9), y=two_classes()),
    "npz, channels at the end": lambda at: npz(at / "colour.npz", x=noise(60, 8, 9, 3), y=two_classes()),
    "npz, one-hot": lambda at: npz(at / "hot.npz", images=noise(60, 3, 8, 9), labels=np.eye(2)[two_classes()]),
    "npz, with a test part": lambda at: npz(
        at / "parts.npz", x_train=noise(60, 8, 9), y_train=two_classes(), x_test=noise(9, 8, 9), y_test=two_classes(9)
    ),
    "npz, twins": twins,
    "npz, alike on white": white,
    "npz, packed, bytes as text": lambda at: packed(at / "packed.npz"),
    "a folder of npy": npy_folder,
    "idx": lambda at: idx(at / "mnist", False, "train"),
    "idx, zipped, with a test part": lambda at: idx(at / "fashion", True, "train", "t10k"),
    "an idx file": lambda at: idx(at / "plain", False, "train") / "train-images-idx3-ubyte",
    "CIFAR-10": lambda at: cifar(at / "cifar", 1, *(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"),
    "CIFAR-10, pieces": lambda at: cifar(at / "cifar", 1, "data_batch_2.bin"),
    "CIFAR-100": lambda at: cifar(at / "cifar", 2, "train.bin", "test.bin"),
}  # fmt: skip


def packed(path: Path) -> Path:
    np.savez_compressed(path, x=np.asfortranarray(noise(60, 8, 9)), y=np.array([b"no", b"yes"])[two_classes()])
    return path


def check_same(path: Path) -> None:
    """The glance's sheet is the one that is drawn of the data that were read in full."""
    data = read_data(Recipe().changed({"data.path": str(path)}))
    whole, seen = contact_sheet(data), glance(str(path))
    assert seen is not None
    assert (seen.name, seen.sheet.mode, seen.sheet.size) == (data.name, "RGB", whole.size)
    np.testing.assert_array_equal(np.asarray(seen.sheet), np.asarray(whole))


@pytest.mark.parametrize("made", SEEN)
def test_the_sheet_is_that_of_the_data_read_in_full(made: str, tmp_path: Path) -> None:
    check_same(SEEN[made](tmp_path))


def test_images_are_spread_evenly_over_each_class() -> None:
    rows = class_rows(("a", "b", "c"), np.array([0, 1] * 10 + [1]), 4)
    assert [label for label, _ in rows] == ["a\n10", "b\n11", "c\n0"]
    assert [places.tolist() for _, places in rows] == [[0, 4, 10, 14], [1, 5, 11, 17], []]


def test_arrays_too_large_to_be_read_twice_are_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 5000)
    check_same(npy_folder(tmp_path))
    np.save(tmp_path / "arrays" / "x_train.npy", np.asfortranarray(noise(60, 3, 8, 9)))
    assert glance(str(tmp_path / "arrays")) is None
    assert glance(str(npz(tmp_path / "large.npz", x=noise(60, 8, 9, 3), y=two_classes()))) is None
    assert glance(str(idx(tmp_path / "mnist", True, "train", "t10k"))) is None


def test_of_many_files_few_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HEADERS", 50)
    monkeypatch.setattr(module, "HEADERS_AT_ONCE", 10)
    opened: list[Path] = []
    honest = decode.quick_header
    monkeypatch.setattr(module, "quick_header", lambda path: opened.append(path) or honest(path))  # type: ignore[func-returns-value]
    decoded: list[int] = []
    into = module.decode_into
    monkeypatch.setattr(module, "decode_into", lambda pixels, paths: decoded.append(len(paths)) or into(pixels, paths))  # type: ignore[func-returns-value]
    monkeypatch.setattr(class_images, "header", lambda path: pytest.fail("a glance asked for all headers"))
    assert glance(str(folders(tmp_path / "same", each=100))) is not None
    assert (len(set(opened)), decoded) == (50, [16])
    opened.clear()
    assert glance(str(mixed(tmp_path / "mixed"))) is not None
    assert len(opened) == 10, "nothing more is to be learnt once two sizes and a colour were seen"


def sounds(root: Path) -> Path:
    for name in ("a", "b"):
        for number in range(12):
            (root / name).mkdir(parents=True, exist_ok=True)
            with wave.open(str(root / name / f"{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(noise(800).tobytes())
    return root


def beside(path: Path, *others: tuple[str, str]) -> Path:
    for name, content in others:
        text(path / name, content)
    return path


def broken(path: Path) -> Path:
    npz(path, x=noise(60, 8, 9), y=two_classes())
    return cut_off(path)


def named(root: Path, *names: str) -> Path:
    for name in names:
        put(root / name, noise(9, 7, 3))
    return root


def one_empty(root: Path) -> Path:
    folders(root)
    (root / "nothing").mkdir()
    return root


def only_bad(root: Path) -> Path:
    folders(root)
    text(root / "bad" / "1.png", "no image")
    return root


def labels_and_data(at: Path) -> Path:
    np.save(at / "data.npy", noise(60, 8, 9))
    np.save(at / "labels.npy", two_classes())
    return at


def archive_beside_labels(at: Path) -> Path:
    npz(at / "labels.npz", y=two_classes())
    return npz(at / "data.npz", x=noise(60, 8, 9), y=two_classes())


def class_only_in_test(root: Path) -> Path:
    folders(root / "train")
    folders(root / "test", "ants", "wasps")
    return root


UNSEEN: dict[str, Make] = {
    "nothing there": lambda at: at / "nosuch",
    "a built-in name": lambda at: Path("digits"),
    "a name that no file has": lambda at: Path("x" * 5000),
    "a zero byte": lambda at: Path("a\0b"),
    "an empty folder": lambda at: at,
    "images in one heap": lambda at: folders(at / "data" / "one") / "ants",
    "one class": lambda at: folders(at / "data", "ants"),
    "a class without images": lambda at: one_empty(at / "data"),
    "a class without a readable image": lambda at: only_bad(at / "data"),
    "too few of a class": lambda at: folders(at / "data", each=2),
    "a class that only the test part has": lambda at: class_only_in_test(at / "data"),
    "sounds": lambda at: sounds(at / "data"),
    "texts": lambda at: beside(at / "data", *((f"{c}/{n}.txt", f"words {n}") for c in "ab" for n in range(12))),
    "sounds beside images": lambda at: sounds(folders(at / "data", "a", "b", each=5)),
    "graphs": lambda at: beside(folders(at / "data"), ("ants/a.gml", "graph []"), ("bees/b.gml", "graph []")),
    "images and a table": lambda at: beside(folders(at / "data"), ("train.csv", "a,b\n1,2\n")),
    "plots called data and labels": lambda at: named(folders(at / "data"), "data.png", "labels.png"),
    "a table": lambda at: text(at / "t.csv", "a,b\n" + "1,2\n3,4\n" * 20),
    "an image": lambda at: folders(at / "data") / "ants" / "1.png",
    "values": lambda at: npz(at / "values.npz", x=noise(60, 8, 9), y=np.linspace(0, 1, 60)),
    "whole numbers that are values": lambda at: npz(at / "many.npz", x=noise(60, 8, 9), y=np.arange(60)),
    "no bytes": lambda at: npz(at / "floats.npz", x=noise(60, 8, 9).astype(np.float32), y=two_classes()),
    "bytes of another shape": lambda at: npz(at / "flat.npz", x=noise(60, 8), y=two_classes()),
    "lengths that differ": lambda at: npz(at / "differ.npz", x=noise(60, 8, 9), y=two_classes(59)),
    "names that are not known": lambda at: npz(at / "names.npz", q=noise(60, 8, 9), r=two_classes()),
    "objects": lambda at: npz(at / "objects.npz", x=noise(60, 8, 9), y=np.array([{}] * 60)),
    "a damaged archive": lambda at: broken(at / "broken.npz"),
    "arrays beside labels": archive_beside_labels,
    "a folder of data and labels": labels_and_data,
    "idx without labels": lambda at: text(at / "train-images-idx3-ubyte", "no"),
    "CIFAR cut off": lambda at: text(at / "data_batch_1.bin", "no").parent,
}  # fmt: skip


@pytest.mark.parametrize("made", UNSEEN)
def test_of_other_data_there_is_no_glance(made: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert glance(str(UNSEEN[made](tmp_path))) is None
    assert capfd.readouterr() == ("", "")


def test_a_blank_place_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folders(tmp_path / "data"))
    assert glance(".") is not None
    assert glance("") is None
    assert glance(" ") is None


def test_whatever_goes_wrong_a_glance_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "find_class_images", fail)
    assert glance(str(folders(tmp_path / "data"))) is None


def test_the_data_are_divided_by_the_seed_of_a_recipe(tmp_path: Path) -> None:
    path = str(folders(tmp_path / "data"))
    plain, other = glance(path, seed=Recipe().train.seed), glance(path, seed=1)
    assert plain is not None
    assert other is not None
    assert plain.sheet.tobytes() == glance(path).sheet.tobytes() != other.sheet.tobytes()  # type: ignore[union-attr]


WATCH = """
import os, sys
from pathlib import Path

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("sheet" if Path("s.png").stat().st_size else "none", flush=True)
            os._exit(0)

sys.meta_path.insert(0, Watch())
from glassnet import cli
cli.run(["data", sys.argv[1], "--sheet", "s.png"])
"""


@pytest.mark.parametrize("made", ["class folders", "npz, grey", "idx", "CIFAR-10"])
def test_the_sheet_is_there_before_torch_is_asked_for(made: str, tmp_path: Path) -> None:
    path = SEEN[made](tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(glassnet.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["contact sheet: s.png", "sheet"], done.stderr
