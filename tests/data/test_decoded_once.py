"""Images beyond memory: the same pixels from the scratch file as from their own files, whatever happens to the disk meanwhile."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glassnet.data import decoded_once as room
from glassnet.data.decoded_once import DecodedOnce, decoded_once
from glassnet.data.image_files import ImageFiles
from glassnet.data.options import ReadOptions
from glassnet.data.readers import folders
from glassnet.data.rows_ahead import run_of


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    """Twelve pictures of noise."""
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(12)]
    for path in paths:
        Image.fromarray(generator.integers(0, 256, (5, 4, 3), dtype=np.uint8)).save(path)
    return ImageFiles(paths, 3, 5, 4)


def kept(files: ImageFiles, folder: Path) -> DecodedOnce:
    made = decoded_once(files, folder)
    assert made is not None
    return made


def test_a_picture_is_decoded_once_and_its_pixels_stay_the_same(files: ImageFiles, tmp_path: Path) -> None:
    whole = files.take(torch.arange(12))
    images = kept(files, tmp_path / "cache")
    assert torch.equal(images.take(torch.tensor([3, 8, 3])), whole[[3, 8, 3]])
    for path in (files.paths[3], files.paths[8]):
        path.unlink()  # whoever asks for them again gets what was decoded
    assert torch.equal(images.take(torch.tensor([8, 0, 3])), whole[[8, 0, 3]])
    assert len(images) == 12


def test_small_pictures_come_in_runs_that_are_announced_once_they_are_decoded(
    files: ImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    images = kept(files, tmp_path / "cache")
    assert run_of(images) == 2**18 // 60
    monkeypatch.setattr(os, "posix_fadvise", lambda file, begin, size, how: told.append((begin, size)))
    images.expect(torch.arange(12))
    assert told == [], "nothing is there to be read yet"
    images.take(torch.tensor([2, 3, 4, 9]))
    images.expect(torch.tensor([4, 9, 3, 11]))
    assert told == [(3 * 60, 7 * 60)], "what lies between them comes with them"


def test_the_scratch_file_has_no_name(files: ImageFiles, tmp_path: Path) -> None:
    images = kept(files, tmp_path / "cache")
    images.take(torch.arange(12))
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_costs_only_time(
    files: ImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    whole = files.take(torch.arange(12))
    images = kept(files, tmp_path)

    def fails(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    images.take(torch.arange(6))
    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", fails)
        broken.setattr(os, "preadv", fails)
        assert torch.equal(images.take(torch.arange(12)), whole)
    assert torch.equal(images.take(torch.arange(12)), whole)


def test_half_a_picture_on_the_disk_is_as_none(files: ImageFiles, tmp_path: Path) -> None:
    whole = files.take(torch.arange(12))
    images = kept(files, tmp_path)
    images.take(torch.arange(12))
    os.ftruncate(images.scratch, 5 * 60 + 7)
    assert torch.equal(images.take(torch.arange(12)), whole)


def test_threads_may_ask_at_once(files: ImageFiles, tmp_path: Path) -> None:
    whole = files.take(torch.arange(12))
    images = kept(files, tmp_path)
    orders = [torch.randperm(12, generator=torch.Generator().manual_seed(seed)) for seed in range(40)]
    with ThreadPoolExecutor(4) as pool:
        for order, taken in zip(orders, pool.map(images.take, orders), strict=True):
            assert torch.equal(taken, whole[order])


def test_where_there_is_no_room_every_batch_is_decoded_anew(
    files: ImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda folder: 12 * 60)
    assert decoded_once(files, tmp_path) is None
    monkeypatch.undo()
    occupied = tmp_path / "file"
    occupied.touch()
    assert decoded_once(files, occupied / "cache") is None
    for number, path in enumerate(files.paths):
        folder = tmp_path / "data" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)
    monkeypatch.setattr(folders, "decoded_once", lambda files, folder: None)
    data = folders.read(tmp_path / "data", ReadOptions(in_memory_limit=0))
    assert any("decoded anew for every batch" in note for note in data.notes)
