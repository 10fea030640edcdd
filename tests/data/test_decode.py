"""Pixels of every kind of file against values worked by hand."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glassnet.data.decode import BadImage, decode, header, signature


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def photo() -> Image.Image:
    """A smooth colour picture without symmetry, 40 wide and 30 high."""
    y, x = np.mgrid[0:30, 0:40]
    pixels = np.stack([x * 6, y * 8, (x + 2 * y) * 2], axis=2)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG"])
def test_every_format_gives_the_pixels(kind: str, photo: Image.Image) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    image = photo.quantize(64).convert("RGB") if kind == "GIF" else photo
    content = saved(image, kind, **options)
    assert signature(content[:16]) == kind == header(content).format
    expected = np.asarray(image).transpose(2, 0, 1)
    got = decode(content, 3)
    assert got.dtype == np.uint8
    assert got.flags.c_contiguous
    np.testing.assert_allclose(got, expected, atol=3 if kind == "JPEG" else 0)


def test_grey_is_the_luma_of_itu_r_601() -> None:
    image = Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], np.uint8))
    expected = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in np.asarray(image)[0].astype(float)]
    np.testing.assert_allclose(decode(saved(image), 1)[0, 0], expected, atol=0.51)


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        content = saved(Image.fromarray(values), kind)
        assert header(content).grey
        assert decode(content, 1)[0, 0].tolist() == [0, 0, 1, 1, 128, 255]


def test_numbers_without_a_known_white_are_refused() -> None:
    with pytest.raises(BadImage, match="white is unknown"):
        decode(saved(Image.fromarray(np.array([[0.5, 1.0]], np.float32)), "TIFF"), 1)
    with pytest.raises(BadImage, match="white is unknown"):
        decode(saved(Image.fromarray(np.array([[5, 70_000]], np.int32)), "TIFF"), 1)


def test_one_bit() -> None:
    content = saved(Image.fromarray(np.array([[True, False, True]])))
    assert header(content).grey
    assert decode(content, 1)[0, 0].tolist() == [255, 0, 255]
    assert decode(content, 3)[:, 0, 1].tolist() == [0, 0, 0]


def test_alpha_lies_on_white() -> None:
    rgba = Image.fromarray(np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8))
    got = decode(saved(rgba), 3)[:, 0].T
    np.testing.assert_allclose(got, [[200, 100, 0], [255, 255, 255], [244, 224, 204]], atol=1)
    grey = rgba.convert("LA")
    assert header(saved(grey)).grey
    assert decode(saved(grey), 1)[0, 0, 1] == 255


def test_palette_with_a_transparent_entry() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([250, 10, 20, 30, 40, 50])
    image.putdata([0, 1])
    content = saved(image, transparency=1)
    assert decode(content, 3)[:, 0].T.tolist() == [[250, 10, 20], [255, 255, 255]]
    assert not header(content).grey
    image.putpalette([7, 7, 7, 9, 9, 9])
    assert header(saved(image)).grey


def test_colour_key_of_a_png() -> None:
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    assert decode(saved(image, transparency=(1, 2, 3)), 3)[:, 0].T.tolist() == [[255, 255, 255], [4, 5, 6]]


def test_cmyk() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # no cyan, full magenta and yellow: red
    content = saved(image, "JPEG", quality=100)
    np.testing.assert_allclose(decode(content, 3)[:, 4, 4], [255, 0, 0], atol=3)
    np.testing.assert_allclose(decode(content, 1)[0, 4, 4], 0.299 * 255, atol=3)


def test_all_eight_orientations_show_the_same_picture(photo: Image.Image) -> None:
    upright = np.asarray(photo)
    stored = {  # how a camera held so stores it (the inverse of what the viewer does)
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }
    for number, pixels in stored.items():
        exif = Image.Exif()
        exif[274] = number
        content = saved(Image.fromarray(np.ascontiguousarray(pixels)), "PNG", exif=exif)
        told = header(content)
        assert (told.width, told.height) == (40, 30), number
        np.testing.assert_array_equal(decode(content, 3).transpose(1, 2, 0), upright, err_msg=str(number))
        same = decode(content, 3, (12, 14)).astype(int) - decode(saved(photo), 3, (12, 14))
        assert np.abs(same).max() <= 2, number


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(decode(content, 3)[:, 0, 0], [255, 0, 0])


def test_an_image_of_the_wanted_size_is_left_alone(photo: Image.Image) -> None:
    np.testing.assert_array_equal(decode(saved(photo), 3, (30, 40)), np.asarray(photo).transpose(2, 0, 1))


def test_shrinking_covers_and_crops_at_the_centre() -> None:
    """A wide picture, 60 x 20, with marks at its ends: shrunk to 10 x 10 only its middle third is left."""
    pixels = np.zeros((20, 60), np.uint8)
    pixels[:, :20], pixels[:, 20:40], pixels[:, 40:] = 0, 100, 255
    got = decode(saved(Image.fromarray(pixels)), 1, (10, 10))[0]
    assert got.shape == (10, 10)
    np.testing.assert_allclose(got[:, 1:-1], 100, atol=3)  # a cubic filter looks two pixels further
    # Where a ramp is shrunk by 2, each pixel is near the mean of the two it covers.
    ramp = np.tile(np.arange(0, 240, 4, dtype=np.uint8), (60, 1))
    got = decode(saved(Image.fromarray(ramp)), 1, (30, 30))[0, 15]
    np.testing.assert_allclose(got[2:-2], ramp[0].reshape(30, 2).mean(axis=1)[2:-2], atol=1)


def test_a_big_jpeg_is_decoded_small_with_the_same_look() -> None:
    y, x = np.mgrid[0:1600, 0:2400]
    pixels = np.stack([x // 10, y // 7, (x + y) // 16], axis=2).astype(np.uint8)
    content = saved(Image.fromarray(pixels), "JPEG", quality=95)
    got = decode(content, 3, (64, 64)).astype(float)
    middle = pixels[:, 400:2000].astype(float)  # the centre square
    expected = middle.reshape(64, 25, 64, 25, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
    assert np.abs(got - expected)[:, 2:-2, 2:-2].max() <= 4


def test_strips_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (203, 301, 4), dtype=np.uint8))
    whole = decode(saved(image), 3, (20, 20))
    monkeypatch.setattr("glassnet.data.decode.STRIP_PIXELS", 3000)
    np.testing.assert_array_equal(decode(saved(image), 3, (20, 20)), whole)
