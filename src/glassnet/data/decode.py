"""Image files to pixels, in one way for training and prediction.

Only formats from a short list are opened, by their signature and not by their extension. Files are taken as hostile: the size in the
header is looked at before memory is asked for, and whatever goes wrong becomes one sentence (:class:`BadImage`).
"""

from __future__ import annotations

import io
import struct
import threading
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a gibibyte as 24-bit colour
SHRINK_GAP = 2  # cheap shrinking stops at this multiple of the wanted size; a good filter does the rest
STRIP_PIXELS = 1 << 22
BIG_PIXELS = 1 << 24
_one_big_image = threading.Lock()

FORMATS: dict[str, tuple[tuple[bytes, ...], type[ImageFile.ImageFile]]] = {
    "PNG": ((b"\x89PNG\r\n\x1a\n",), PngImagePlugin.PngImageFile),
    "JPEG": ((b"\xff\xd8\xff",), JpegImagePlugin.JpegImageFile),
    "GIF": ((b"GIF87a", b"GIF89a"), GifImagePlugin.GifImageFile),
    "BMP": ((b"BM",), BmpImagePlugin.BmpImageFile),
    "WEBP": ((b"RIFF",), WebPImagePlugin.WebPImageFile),
    "TIFF": ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImagePlugin.TiffImageFile),
    "PPM": ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6"), PpmImagePlugin.PpmImageFile),
}
EXTENSIONS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
}
IMAGE_EXTENSIONS = frozenset(extension for family in EXTENSIONS.values() for extension in family)
# Pictures that are no pixels in one of the formats above; named so that leaving them out can be explained.
FOREIGN_EXTENSIONS = frozenset(
    {
        *(".svg", ".eps", ".ps", ".pdf"),
        *(".heic", ".heif", ".avif", ".jp2", ".j2k", ".ico", ".tga", ".sgi", ".fli", ".flc", ".psd", ".xcf"),
        *(".cr2", ".nef", ".arw", ".dng", ".raw"),
    }
)
# The signature, the length of the first block and its name, width, height, bits, kind of colours (PNG specification, section 11.2.1).
_PNG_START = struct.Struct(">16sIIBB")
_PNG_BEGIN = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"}
# EXIF tag 274 says how the camera was held; these undo it (CIPA DC-008-2012, section 4.6.4, tag Orientation).
_ORIENTATION = 274
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class BadImage(Exception):  # noqa: N818 - a verdict on a file that callers collect; users meet it as a reason in a list
    """A file that is no readable image; the text says why, without the file's name."""


@dataclass(frozen=True)
class Header:
    """What an image file says of itself.

    Attributes:
        format: one of the keys of ``FORMATS``.
        width: in pixels, after the EXIF orientation has been honoured.
        height: in pixels, likewise.
        grey: whether it holds no colour (a palette of greys counts as grey).
    """

    format: str
    width: int
    height: int
    grey: bool


def signature(start: bytes) -> str | None:
    """The format whose signature a file begins with, or None."""
    for name, (signatures, _) in FORMATS.items():
        if start.startswith(signatures):
            if name == "WEBP" and start[8:12] != b"WEBP":  # RIFF also holds sounds
                continue
            if name == "PPM" and start[2:3] not in (b" ", b"\n", b"\r", b"\t", b"#"):
                continue
            return name
    return None


def header(image: Path | bytes) -> Header:
    """Read the header alone.

    Raises:
        BadImage: it is no image of a format on the list, or a damaged or far too large one.
    """
    try:
        with _stream(image) as stream, _opened(stream) as opened:
            width, height = opened.size
            if _orientation(opened) >= 5:
                width, height = height, width
            return Header(str(opened.format), width, height, _is_grey(opened))
    except BadImage:
        raise
    except Exception as error:  # a decoder that meets hostile bytes may raise anything
        raise BadImage(_reason(error)) from error


def quick_header(path: Path) -> Header:
    """The header of a file, of most PNG files from their first bytes alone.

    A PNG's camera notes may stand behind its pixels, so that :func:`header` takes as long as decoding it. Here they are not asked, and damage is not seen.

    Raises:
        BadImage: as :func:`header`.
    """
    try:
        with path.open("rb", buffering=0) as file:
            start = file.read(_PNG_START.size)
    except OSError as error:
        raise BadImage(_reason(error)) from error
    if len(start) == _PNG_START.size:
        begin, width, height, _, colours = _PNG_START.unpack(start)
        if (
            begin == _PNG_BEGIN and colours in (0, 2, 6) and 0 < width * height <= MAX_PIXELS
        ):  # grey, RGB, RGB with alpha
            return Header("PNG", width, height, colours == 0)
    return header(path)


def decode(image: Path | bytes, channels: int, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Decode an image file to pixels.

    Grey, colour, palette, 1-bit and CMYK images are brought to ``channels``; transparent pixels lie on white; 16-bit grey is divided
    by 257, so that white stays white; the EXIF orientation is undone; of an animation the first frame is taken.

    An image of another size than asked for is shrunk or enlarged until it covers ``size`` and then cropped at the centre. Cropping is
    preferred to bands (letterbox) at the sides, because a photo's subject mostly lies near the centre, and because bands would tell
    the network the shape of the file, which is often a property of the camera and not of the class.

    Args:
        image: a path, or the bytes of a file.
        channels: 1 (grey, ITU-R 601 luma) or 3 (RGB).
        size: (height, width) wanted; None keeps the image's own.

    Returns:
        uint8 (channels, height, width).

    Raises:
        BadImage: it cannot be read.
    """
    try:
        with _stream(image) as stream, _opened(stream) as opened, _alone_if_big(opened):
            if opened.format == "PNG":
                _check_sums(stream)
            pixels = _fitted(opened, channels, size)
    except BadImage:
        raise
    except Exception as error:  # a decoder that meets hostile bytes may raise anything
        raise BadImage(_reason(error)) from error
    array = np.array(pixels, dtype=np.uint8)  # (height, width) or (height, width, 3)
    return array[np.newaxis] if channels == 1 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _alone_if_big(opened: Image.Image) -> AbstractContextManager[object]:
    """Several threads with a gigantic image each would need too much memory together."""
    return _one_big_image if opened.width * opened.height > BIG_PIXELS else nullcontext()


def _stream(image: Path | bytes) -> IO[bytes]:
    return io.BytesIO(image) if isinstance(image, bytes) else image.open("rb")


def _opened(stream: IO[bytes]) -> ImageFile.ImageFile:
    start = stream.read(16)
    stream.seek(0)
    if not start:
        raise BadImage("the file is empty")
    format_name = signature(start)
    if format_name is None:
        raise BadImage(_what_instead(start))
    # The plugin's class rather than Image.open: nothing but the list above can ever run.
    opened = FORMATS[format_name][1](stream)
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise BadImage(f"{width} x {height} pixels are more than {MAX_PIXELS:,} (a decompression bomb?)")
    return opened


def _check_sums(stream: IO[bytes]) -> None:
    """Compare the checksums of a PNG's critical blocks, which Pillow skips for pixels, and go back to where the stream was."""
    place = stream.tell()
    stream.seek(8)
    while len(start := stream.read(8)) == 8:
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind in (b"IDAT", b"PLTE"):
            content, told = stream.read(length), stream.read(4)
            if len(told) == 4 and zlib.crc32(kind + content) != int.from_bytes(told, "big"):
                raise BadImage(f"damaged: the checksum of its {kind.decode()} block is wrong")
        else:
            stream.seek(length + 4, io.SEEK_CUR)
        if kind == b"IEND":
            break
    stream.seek(place)


def _fitted(opened: ImageFile.ImageFile, channels: int, size: tuple[int, int] | None) -> Image.Image:
    turned = _orientation(opened)
    wanted = size if size is None or turned < 5 else (size[1], size[0])  # as the file lies, before it is turned
    factor = 1
    if wanted is not None:
        around = SHRINK_GAP * wanted[1], SHRINK_GAP * wanted[0]
        # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, for as much less work.
        opened.draft("L" if channels == 1 else "RGB", around)
        factor = max(1, min(opened.width // around[0], opened.height // around[1]))
    opened.load()
    flat = _flattened(opened, "L" if channels == 1 else "RGB", factor)
    if turned in _UPRIGHT:
        flat = flat.transpose(_UPRIGHT[turned])
    if size is None or flat.size == (size[1], size[0]):
        return flat
    height, width = size
    scale = min(flat.width / width, flat.height / height)
    left, top = (flat.width - width * scale) / 2, (flat.height - height * scale) / 2
    box = (left, top, left + width * scale, top + height * scale)
    return flat.resize((width, height), Image.Resampling.BICUBIC, box=box)


def _flattened(image: Image.Image, mode: str, factor: int) -> Image.Image:
    """Without palette, alpha and depth, and shrunk by a whole factor; strip by strip, so that no second large copy is made."""
    if image.width * image.height <= STRIP_PIXELS or factor == 1:
        flat = _plain(image, mode)
        return flat.reduce(factor) if factor > 1 else flat
    rows = max(1, STRIP_PIXELS // (image.width * factor)) * factor
    whole = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        strip.info = image.info
        whole.paste(_plain(strip, mode).reduce(factor), (0, top // factor))
    return whole


def _plain(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = _eight_bits(image)
    elif image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("RGB")
    if image.mode == "CMYK" and mode == "L":  # Pillow has no direct way
        image = image.convert("RGB")
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F" or values.min(initial=0) < 0 or values.max(initial=0) > 65535:
        raise BadImage(
            "its grey values are no whole numbers from 0 to 65535, so that white is unknown; save it with 8 or 16 bits"
        )
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))


def _orientation(image: Image.Image) -> int:
    try:
        turned = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged camera notes do not make the picture unreadable
        return 1
    return turned if isinstance(turned, int) and 1 <= turned <= 8 else 1


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("P", "PA"):
        palette = image.getpalette("RGB") or []
        return palette[0::3] == palette[1::3] == palette[2::3]
    return image.mode in _GREY_MODES


def _what_instead(start: bytes) -> str:
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<svg")):
        return "no image but a page of markup (HTML, XML or SVG), perhaps a failed download"
    if text.startswith((b"%!ps", b"%pdf")) or start.startswith(b"\xc5\xd0\xd3\xc6"):
        return "PostScript and PDF are never opened; save it as PNG"
    if start[4:8] == b"ftyp":
        return "HEIC and AVIF are not read; save it as PNG or JPEG"
    return f"no image of a known format ({', '.join(FORMATS)})"


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"more than {MAX_PIXELS:,} pixels (a decompression bomb?)"
    if any(isinstance(each, (struct.error, EOFError)) for each in (error, error.__cause__)):
        return "the file is cut off"
    text = " ".join(str(error).split())
    if "truncated" in text or "Truncated" in text:
        return "the file is cut off"
    return f"damaged: {text[:120]}" if text else f"damaged ({type(error).__name__})"
