"""Files that lie, break or bite: each is named with a reason, nothing crashes, and training data remain."""

from __future__ import annotations

import io
import os
import resource
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from glassnet.data.dataset import notes_of
from glassnet.data.decode import BadImage, decode
from glassnet.data.image_schema import ImageSchema
from glassnet.data.options import ReadOptions
from glassnet.data.readers import folders
from glassnet.errors import DataError


def picture(seed: int = 0, side: int = 16) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, data: bytes = b"\0" * 100) -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", zlib.compress(data)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body


GOOD_PNG, GOOD_JPEG = saved(picture()), saved(picture(1, 64), "JPEG")


def bmp(width: int, height: int) -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 154, 0, 0, 54, 40, width, height, 1, 24, 0, 100, 0, 0, 0, 0)
        + b"\0" * 100
    )


def flipped_crc() -> bytes:
    broken = bytearray(GOOD_PNG)
    broken[broken.index(b"IDAT") + 8] ^= 0xFF
    return bytes(broken)


# name -> content, part of the reason it must be left out with
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty.png": (b"", "empty"),
    "one-byte.jpg": (b"\xff", "no image"),
    "text.png": (b"these are my notes\n", "no image"),
    "page.jpg": (b"<!DOCTYPE html><html>404 not found</html>", "page of markup"),
    "drawing.svg.png": (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "page of markup"),
    "postscript.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "never opened"),
    "windows-eps.png": (b"\xc5\xd0\xd3\xc6" + b"\0" * 40, "never opened"),
    "document.jpg": (b"%PDF-1.7\n", "never opened"),
    "phone.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    "sound.webp": (b"RIFF\x24\0\0\0WAVEfmt ", "no image"),
    "zip.png": (b"PK\x03\x04" + b"\0" * 60, "no image"),
    "png-1-percent.png": (GOOD_PNG[: max(9, len(GOOD_PNG) // 100)], ""),
    "png-25-percent.png": (GOOD_PNG[: len(GOOD_PNG) // 4], "cut off"),
    "png-50-percent.png": (GOOD_PNG[: len(GOOD_PNG) // 2], "cut off"),
    "jpeg-1-percent.jpg": (GOOD_JPEG[:20], ""),
    "jpeg-25-percent.jpg": (GOOD_JPEG[: len(GOOD_JPEG) // 4], ""),
    "jpeg-50-percent.jpg": (GOOD_JPEG[: len(GOOD_JPEG) // 2], "cut off"),
    "jpeg-99-percent.jpg": (GOOD_JPEG[: len(GOOD_JPEG) * 99 // 100], "cut off"),
    "bad-checksum.png": (flipped_crc(), "damaged"),
    "header-bomb.png": (png(65_535, 65_535), "decompression bomb"),
    "just-over.png": (png(89_478_486, 1), "decompression bomb"),
    "twice-over.png": (png(178_956_971, 1), "decompression bomb"),
    "billions.png": (png(2**31 - 1, 2**31 - 1), "decompression bomb"),
    "header-bomb.bmp": (bmp(60_000, 60_000), "decompression bomb"),
    "header-bomb.gif": (
        b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\0;",
        "bomb",
    ),
    "header-bomb.ppm": (b"P6 60000 60000 255\n" + b"\0" * 100, "bomb"),
    "no-size.png": (png(0, 0), ""),
    "text-bomb.png": (png(4, 4, png_chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * (1 << 26)))), ""),
    "no-data.gif": (b"GIF89a\x10\0\x10\0\0\0\0;", ""),
    "negative.bmp": (bmp(-5, 5), ""),
    "loop.tiff": (b"II*\0\x08\0\0\0\0\0\x08\0\0\0", ""),
    "crazy.tif": (b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 200, ""),
    "plain.pgm": (b"P2 3 3 255\nnot numbers at all\n", ""),
    "line\nbreak.png": (b"x", "no image"),
    "<img src=x onerror=alert(1)>.png": (b"x", "no image"),
    "%2e%2e%2Fescape.png": (b"x", "no image"),
    "n" * 251 + ".png": (b"x", "no image"),
    "vector.svg": (b"<svg/>", "not read"),
    "old.eps": (b"%!PS", "not read"),
    "new.heic": (b"\0\0\0\x18ftypheic", "not read"),
}
# name -> content that must be read in spite of everything
READ: dict[str, bytes] = {
    "really-a-png.jpg": GOOD_PNG,
    "really-a-jpeg.png": GOOD_JPEG,
    "no-extension": GOOD_PNG,
    "CON.png": GOOD_PNG,
    "Ünïcode-é.png": GOOD_PNG,
    "cmyk.jpg": saved(picture().convert("CMYK"), "JPEG"),
    "animated.png": saved(picture(), "PNG", save_all=True, append_images=[picture(i) for i in range(3)]),
    "many-frames.gif": saved(picture(), "GIF", save_all=True, append_images=[picture(i) for i in range(200)]),
    "animated.webp": saved(picture(), "WEBP", save_all=True, append_images=[picture(2)]),
    "palette-alpha.png": saved(picture().quantize(8), transparency=0),
    "bad-exif.jpg": GOOD_JPEG[:2] + b"\xff\xe1\x00\x10Exif\0\0" + b"\xff" * 8 + GOOD_JPEG[2:],
    "rubbish-after.jpg": GOOD_JPEG + b"appended" * 10,
    "profile.jpg": saved(picture(), "JPEG", icc_profile=b"\0" * 500_000),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes: one good, the other good, odd and hostile."""
    for name in ("good", "odd"):
        (tmp_path / name).mkdir()
        for number in range(3):
            (tmp_path / name / f"{number}.png").write_bytes(saved(picture(number)))
    return tmp_path


def test_the_corpus_is_large_enough() -> None:
    assert len(REFUSED) + len(READ) >= 50


def test_hostile_files_are_named_and_the_rest_is_read(folder: Path) -> None:
    for name, (content, _) in REFUSED.items():
        (folder / "odd" / name).write_bytes(content)
    for name, content in READ.items():
        (folder / "odd" / name).write_bytes(content)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    data = folders.read(folder, ReadOptions())
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
    assert time.monotonic() - start < 10
    assert grown < 512 << 20
    reasons = {told.name: told.reason for told in data.unreadable}
    for name, (_, part) in REFUSED.items():
        shown = "odd/" + name.replace("\n", "\\n")
        assert shown in reasons, f"{name!r} was not refused"
        assert part in reasons[shown], (name, reasons[shown])
    assert len(reasons) == len(REFUSED)
    assert {f"odd/{name}" for name in READ} <= set(data.train.names)
    assert len(data.train) == 6 + len(READ)
    assert "\n" not in "".join([*reasons, *reasons.values(), *data.train.names])
    assert any("of another format than the name says" in note for note in data.notes)


def test_links_pipes_folders_and_litter(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(GOOD_PNG)
    odd = folder / "odd"
    (odd / "leaves.png").symlink_to(outside)
    (odd / "passwd.png").symlink_to("/etc/passwd")
    (odd / "broken.png").symlink_to("nowhere.png")
    (odd / "circle.png").symlink_to("circle.png")
    (odd / "up").symlink_to("..")
    (odd / "inside.png").symlink_to("0.png")
    os.mkfifo(odd / "pipe.png")
    (odd / "folder.png").mkdir()
    (odd / "folder.png" / "within.png").write_bytes(GOOD_PNG)
    for litter in (".DS_Store", "Thumbs.db", "._0.png"):
        (odd / litter).write_bytes(b"litter")
    for litter in ("__MACOSX", ".ipynb_checkpoints"):
        (folder / litter).mkdir()
        (folder / litter / "0.png").write_bytes(GOOD_PNG)
        (odd / litter).mkdir()
        (odd / litter / "0.png").write_bytes(GOOD_PNG)
    data = folders.read(folder, ReadOptions())
    assert data.classes == ("good", "odd")
    reasons = {told.name: told.reason for told in data.unreadable}
    assert reasons == {
        "odd/leaves.png": "a link that leads out of the data folder",
        "odd/passwd.png": "a link that leads out of the data folder",
        "odd/broken.png": "a link that leads nowhere or to itself",
        "odd/circle.png": "a link that leads nowhere or to itself",
        "odd/up/odd": "a link that leads back to a folder above it",
        "odd/pipe.png": "no plain file (a pipe, socket or device)",
    }
    assert "odd/folder.png/within.png" in data.train.names
    assert "odd/inside.png" in data.train.names


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_named(folder: Path) -> None:
    (folder / "odd" / "0.png").chmod(0)
    (told,) = folders.read(folder, ReadOptions()).unreadable
    assert told.name == "odd/0.png"
    assert "permission" in told.reason


def test_names_that_are_no_text(folder: Path) -> None:
    name = os.fsencode(folder / "odd") + b"/caf\xe9.png"
    Path(os.fsdecode(name)).write_bytes(GOOD_PNG)
    names = folders.read(folder, ReadOptions()).train.names
    assert "odd/caf\\udce9.png" in names
    "".join(names).encode("utf-8")


def test_streamed_images_name_the_broken_file_when_they_meet_it(folder: Path) -> None:
    data = folders.read(folder, ReadOptions(in_memory_limit=0))
    (folder / "odd" / "1.png").write_bytes(flipped_crc())
    position = list(data.train.names).index("odd/1.png")
    with pytest.raises(DataError, match=r"odd/1\.png") as caught:
        data.train.inputs.take(torch.tensor([0, position]))
    assert "damaged" in str(caught.value)


def test_streamed_images_leave_out_what_is_cut_off(folder: Path) -> None:
    (folder / "odd" / "cut.png").write_bytes(GOOD_PNG[:-40])
    data = folders.read(folder, ReadOptions(in_memory_limit=0))
    assert [(told.name, told.reason) for told in data.unreadable] == [("odd/cut.png", "the file is cut off")]
    assert len(data.train) == 6


def test_prediction_tells_all_bad_paths_at_once(folder: Path) -> None:
    (folder / "page.png").write_bytes(b"<html>")
    paths = [str(folder / name) for name in ("page.png", "missing.png", "good/0.png")]
    with pytest.raises(DataError) as caught:
        ImageSchema(3, 16, 16).read(paths)
    assert "2 mistakes" in str(caught.value)
    assert "page.png" in str(caught.value)
    assert "missing.png" in str(caught.value)


def test_prediction_leaves_damaged_images_of_a_folder_out_and_names_them(folder: Path) -> None:
    whole, source = ImageSchema(3, 16, 16).read([str(folder)])
    pixels = {name: source.take(torch.tensor([place]))[0] for place, name in enumerate(whole)}
    no_header, cut = folder / "a.png", folder / "z.png"
    no_header.write_bytes(b"<html>")
    cut.write_bytes((folder / "good" / "0.png").read_bytes()[:-40])  # its header is whole
    names, source = ImageSchema(3, 16, 16).read([str(folder)])
    assert names == whole
    assert all(torch.equal(pixels[name], source.take(torch.tensor([place]))[0]) for place, name in enumerate(names))
    (told,) = notes_of(source)
    assert str(no_header) in told
    assert str(cut) in told


def test_a_folder_of_nothing_but_damaged_images_is_refused(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"<html>")
    with pytest.raises(DataError, match="2 mistakes"):
        ImageSchema(3, 16, 16).read([str(tmp_path)])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_escapes_as_another_error(data: st.DataObject) -> None:
    """Good files of every format with some bytes changed, cut or repeated are decoded or refused, never anything else."""
    start = data.draw(st.sampled_from(SEEDS))
    content = bytearray(start)
    for _ in range(data.draw(st.integers(1, 6))):
        where = data.draw(st.integers(0, len(content) - 1))
        content[where] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(len(content) // 2, len(content)))
    try:
        pixels = decode(bytes(content[:cut]), 3, (8, 8))
    except BadImage:
        return
    else:
        assert pixels.shape == (3, 8, 8)


SEEDS = [saved(picture(3, 12), kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")]
SEEDS.append(saved(picture(3, 12), "TIFF", compression="tiff_lzw"))
