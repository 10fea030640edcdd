"""The one door: names, paths, downloads, separate test files."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from glassnet.data import download, named
from glassnet.data.download import Address, fetch, unpack
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.errors import DataError, SpaceError


def idx_bytes(array: np.ndarray) -> bytes:
    array = np.asarray(array, np.uint8)
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


FILES = {
    f"{part}-{kind}-ubyte.gz": gzip.compress(idx_bytes(array), mtime=0)
    for part in ("train", "t10k")
    for kind, array in (("images-idx3", np.ones((4, 3, 2))), ("labels-idx1", np.array([0, 1, 9, 1])))
}


class Response(io.BytesIO):
    """What urlopen answers."""

    def __init__(self, content: bytes, url: str) -> None:
        super().__init__(content)
        self.url = url
        self.headers = {"Content-Length": str(len(content))}


def serve(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], bytes]) -> list[str]:
    """Answer downloads from memory; returns the list of addresses that were asked for."""
    asked: list[str] = []

    def urlopen(request: urllib.request.Request, timeout: float) -> Response:
        asked.append(request.full_url)
        assert timeout > 0
        return Response(answer(request.full_url), request.full_url)

    monkeypatch.setattr(download.urllib.request, "urlopen", urlopen)
    return asked


def no_network(url: str) -> bytes:
    raise urllib.error.URLError("Name or service not known")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of one's own, and no other data sets."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tiny_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    files = tuple(
        Address("https://example.org/" + name, "sha256", hashlib.sha256(content).hexdigest())
        for name, content in FILES.items()
    )
    monkeypatch.setitem(named.NAMED, "mnist", named.NamedSet("tiny", files))


def images(folder: Path, *classes: str, value: int = 0) -> Path:
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (6, 5), (value, number, 0)).save(folder / name / f"{number}.png")
    return folder


def test_built_in_names(home: Path) -> None:
    data = open_data("digits")
    assert (data.name, data.origin, len(data.train)) == ("digits", "digits", 1797)
    assert "keep their own size of 8 x 8" in open_data("digits", ReadOptions(image_size=32)).notes[-1]


def test_a_path_wins_over_a_name(home: Path) -> None:
    images(home / "digits", "a", "b")
    assert open_data("digits").classes == ("a", "b")


def test_every_format_finds_its_reader(home: Path) -> None:
    images(home / "photos", "a", "b")
    np.savez(home / "d.npz", x=np.ones((4, 2)), y=np.array([0, 1, 0, 1]))
    (home / "t.csv").write_text("a,b,kind\n" + "1,2,x\n3,4,y\n" * 10)
    (home / "idx").mkdir()
    for name, content in FILES.items():
        (home / "idx" / name).write_bytes(content)
    kinds = {place: open_data(place).schema.kind for place in ("photos", "d.npz", "t.csv", "idx")}
    assert kinds == {"photos": "image", "d.npz": "array", "t.csv": "table", "idx": "image"}
    assert open_data("photos").origin == "photos"


def test_download_check_and_keep(home: Path, monkeypatch: pytest.MonkeyPatch, tiny_mnist: None) -> None:
    asked = serve(monkeypatch, lambda url: FILES[url.rsplit("/", 1)[-1]])
    told: list[tuple[str, int, int | None]] = []
    data = open_data("MNIST", progress=lambda *args: told.append(args))
    assert (data.name, data.classes, len(data.train)) == ("mnist", tuple("0123456789"), 4)
    assert len(asked) == 4
    assert told[-1][1] == told[-1][2]
    assert sorted(path.name for path in (home / "cache" / "glassnet" / "mnist").iterdir()) == sorted(FILES)
    open_data("mnist")
    assert len(asked) == 4, "the second time nothing is downloaded"
    next((home / "cache" / "glassnet" / "mnist").iterdir()).unlink()
    open_data("mnist")
    assert len(asked) == 5, "only what is missing is downloaded"


def test_the_data_folder_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "sets" / "mnist").mkdir(parents=True)
    for name, content in FILES.items():
        (home / "sets" / "mnist" / name).write_bytes(content)
    monkeypatch.setenv("GLASSNET_DATA", str(home / "sets"))
    asked = serve(monkeypatch, no_network)
    assert len(open_data("mnist").train) == 4
    assert not asked


def test_without_a_network(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, no_network)
    with pytest.raises(DataError, match="'cifar10' is not on this machine and could not be downloaded") as caught:
        open_data("cifar10")
    text = str(caught.value)
    assert "Name or service not known" in text
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" in text
    assert str(home / "cache" / "glassnet" / "cifar10") in text
    with pytest.raises(DataError, match="'notmnist' is not on this machine"):
        open_data("notmnist")


def test_a_damaged_archive_is_to_be_deleted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, no_network)
    archive = home / "cache" / "glassnet" / "cifar10" / "cifar-10-binary.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"cut off")
    with pytest.raises(DataError, match="the archive is damaged") as caught:
        open_data("cifar10")
    assert caught.value.where == str(archive)
    assert caught.value.fix == "delete it and try again"
    archive.unlink()
    with pytest.raises(DataError, match="could not be downloaded"):
        open_data("cifar10")


def test_a_forged_download_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, tiny_mnist: None) -> None:
    serve(monkeypatch, lambda url: b"something else")
    with pytest.raises(DataError, match="not the file that was expected"):
        open_data("mnist")
    assert list((home / "cache" / "glassnet" / "mnist").iterdir()) == []


def test_only_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="only https"):
        fetch(Address("http://example.org/x", "md5", "0"), tmp_path)
    monkeypatch.setattr(
        download.urllib.request, "urlopen", lambda request, timeout: Response(b"x", "http://elsewhere.org/x")
    )
    with pytest.raises(DataError, match="away from https"):
        fetch(Address("https://example.org/x", "md5", "0"), tmp_path)
    assert all(address.url.startswith("https://") for one in named.NAMED.values() for address in one.files)


def test_a_cut_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut(Response):
        def read(self, size: int | None = -1) -> bytes:
            raise TimeoutError("timed out")

    monkeypatch.setattr(download.urllib.request, "urlopen", lambda request, timeout: Cut(b"x", request.full_url))
    with pytest.raises(DataError, match="the download failed") as caught:
        fetch(Address("https://example.org/x", "md5", "0"), tmp_path)
    assert "timed out" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_unpacking_takes_the_wanted_files_only(tmp_path: Path) -> None:
    archive = tmp_path / "set.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in (
            ("../evil.bin", b"evil"),
            ("set/train.bin", b"good"),
            ("set/other.bin", b"other"),
            ("/abs/test.bin", b"test"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("set/names.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    folder = tmp_path / "out"
    folder.mkdir()
    unpack(archive, folder, ("train.bin", "test.bin"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"train.bin": b"good", "test.bin": b"test"}
    with pytest.raises(DataError, match="missing in the archive"):
        unpack(archive, folder, ("names.txt",))
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(DataError, match="archive is damaged"):
        unpack(archive, folder, ("more.bin",))


def test_a_cache_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch, tiny_mnist: None) -> None:
    (home / "cache" / "glassnet").mkdir(parents=True)
    (home / "cache" / "glassnet" / "mnist").write_text("a file stands in the way")
    with pytest.raises(SpaceError):
        open_data("mnist")


def test_a_missing_path_and_the_nearest(home: Path) -> None:
    images(home / "my-photos", "a", "b")
    for place, near in (
        ("my-fotos", "my-photos"),
        ("mnits", "mnist"),
        (str(home / "my-photo"), str(home / "my-photos")),
    ):
        with pytest.raises(DataError, match="no such file") as caught:
            open_data(place)
        assert f"did you mean '{near}'?" in str(caught.value)
    with pytest.raises(DataError, match="folder nowhere does not exist either"):
        open_data("nowhere/data")
    with pytest.raises(DataError, match="or one of digits, letters, mnist"):
        open_data("qqqqqqqq")
    for odd in ("a\0b", "x" * 5000):
        with pytest.raises(DataError, match="no such file"):
            open_data(odd)


def test_what_lies_in_a_folder_that_is_not_understood(home: Path) -> None:
    (home / "odd").mkdir()
    for name in ("a.wav", "b.wav", "c.pdf", ".hidden"):
        (home / "odd" / name).write_bytes(b"x")
    with pytest.raises(DataError, match="nothing in this folder is understood") as caught:
        open_data("odd")
    assert "2 .wav, 1 .pdf" in str(caught.value)
    assert "cats/, dogs/" in str(caught.value)
    (home / "empty").mkdir()
    with pytest.raises(DataError, match="an empty folder"):
        open_data("empty")
    with pytest.raises(DataError, match="this file is not understood"):
        open_data("odd/c.pdf")


def test_a_separate_test_folder(home: Path) -> None:
    images(home / "mine", "ants", "bees", "cows")
    images(home / "exam", "bees", "cows", value=9)
    data = open_data("mine", ReadOptions(test="exam"))
    assert data.test is not None
    assert data.test.targets.tolist() == [1, 1, 2, 2]
    assert data.test.inputs.take(torch.tensor([0]))[0, 0, 0, 0] == 9
    Image.new("L", (50, 80)).save(home / "exam" / "bees" / "tall.png")
    resized = open_data("mine", ReadOptions(test="exam", val="exam"))
    assert resized.test is not None
    assert resized.test.inputs.take(torch.tensor([2])).shape == (1, 3, 5, 6)
    assert set(resized.parts) == {"train", "val", "test"}


def test_a_separate_test_folder_that_does_not_fit(home: Path) -> None:
    images(home / "mine", "ants", "bees")
    images(home / "exam", "bees", "wasps")
    with pytest.raises(DataError, match="classes in the test data that do not occur") as caught:
        open_data("mine", ReadOptions(test="exam"))
    assert "wasps" in str(caught.value)
    np.savez(home / "d.npz", x=np.ones((2, 2)), y=np.zeros(2))
    with pytest.raises(DataError, match="not of the same format"):
        open_data("mine", ReadOptions(test="d.npz"))
    with pytest.raises(DataError, match="did you mean 'exam'"):
        open_data("mine", ReadOptions(test="exma"))


@pytest.mark.parametrize(
    ("exam", "problem"),
    [
        ({"x_test": np.ones((3, 2)), "y_test": np.array([3, 1, 3])}, None),
        ({"x": np.ones((3, 2)), "y": np.array([3, 1, 3])}, None),
        ({"x": np.ones((3, 5)), "y": np.array([3, 1, 3])}, "do not fit"),
        ({"x": np.ones((3, 2)), "y": np.array([3, 1, 4])}, "do not occur"),
    ],
)
def test_a_separate_test_archive(home: Path, exam: dict[str, Any], problem: str | None) -> None:
    np.savez(home / "d.npz", x=np.ones((3, 2)), y=np.array([1, 2, 3]))
    np.savez(home / "exam.npz", **exam)
    if problem is None:
        data = open_data("d.npz", ReadOptions(test="exam.npz"))
        assert data.test is not None
        assert data.test.targets.tolist() == [2, 0, 2]
    else:
        with pytest.raises(DataError, match=problem):
            open_data("d.npz", ReadOptions(test="exam.npz"))


def test_real_sets(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSNET_DATA", str(shared_data))
    if not (shared_data / "notmnist").is_dir():
        pytest.skip("notmnist is not there")
    data = open_data("notmnist")
    assert data.classes == tuple("ABCDEFGHIJ")
    assert {part: len(own) for part, own in data.parts.items()} == {"train": 8000, "test": 2000}
