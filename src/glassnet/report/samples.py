"""One sample of any kind of data as a page can show it: a picture, a sound, a text, or a row of cells."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

import torch
from torch import Tensor

from glassnet.data.dataset import Part, Schema
from glassnet.data.ragged import PADDING, ragged_of
from glassnet.data.sound_schema import SILENCE, SoundSchema
from glassnet.data.table_schema import TableSchema
from glassnet.data.text_schema import TextSchema
from glassnet.plots.style import number

LARGEST_SIDE = 96  # seventy photos of it stay below 2 MB
MOST_LETTERS = 400
LONGEST_SOUND = 3.0  # seconds
HIGHEST_RATE = 8000  # samples a second that are kept of a sound; fifty sounds of 3 s then take 3 MB
MOST_CELLS = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is to show of a sample; what does not fit its kind is empty.

    Attributes:
        name: such as ``cats/7.png``.
        png: its picture.
        wav: its sound, at most 3 seconds.
        text: its first words.
        cells: names of columns with their values.
    """

    name: str
    png: bytes = b""
    wav: bytes = b""
    text: str = ""
    cells: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> bool:
        """Whether there is more than a name."""
        return bool(self.png or self.wav or self.text or self.cells)


def samples_of(part: Part, schema: Schema, places: list[int]) -> list[Sample]:
    """The samples at these places of a part."""
    made = []
    for place in places:
        name = part.names[place]
        if isinstance(schema, TextSchema):
            made.append(Sample(name, text=text_of(part, place, schema)))
            continue
        raw = part.inputs.take(torch.tensor([place]))[0]
        if isinstance(schema, TableSchema):
            made.append(Sample(name, cells=cells_of(raw, schema)))
        elif isinstance(schema, SoundSchema):
            made.append(Sample(name, wav=wav_of(raw, schema.rate)))
        elif schema.kind == "image":
            made.append(Sample(name, png=png_of(raw)))
        else:
            made.append(Sample(name))
    return made


def png_of(image: Tensor) -> bytes:
    """An image of bytes (channels, height, width) as PNG, at most 96 pixels a side. Of odd numbers of channels the first is shown."""
    from PIL import Image

    pixels = image.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()  # (height, width, channels)
    picture = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    if max(picture.size) > LARGEST_SIDE:
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    written = io.BytesIO()
    picture.save(written, format="PNG", optimize=True)
    return written.getvalue()


def wav_of(raw: Tensor, rate: int) -> bytes:
    """A raw sound, int32 (samples,) with the code of silence and padding of 0 behind its end, as a WAV file of 16 bits.

    Of high rates the mean of neighbouring samples is kept, at no more than 8,000 a second: enough to hear what it is.
    """
    samples = (raw[raw != PADDING] - SILENCE)[: int(LONGEST_SOUND * rate)]
    step = -(-rate // HIGHEST_RATE)
    if step > 1 and len(samples) >= step:
        samples = samples[: len(samples) // step * step].reshape(-1, step).float().mean(1).round().to(torch.int32)
        rate //= step
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.clamp(-(1 << 15), (1 << 15) - 1).to(torch.int16).numpy().astype("<i2").tobytes())
    return written.getvalue()


def text_of(part: Part, place: int, schema: TextSchema) -> str:
    """The beginning of a text, in the tokens that it was cut into; empty where their words are not known."""
    found = ragged_of(part.inputs)
    if found is None:
        return ""
    texts, index = found
    codes = texts.row(int(index[place])).tolist()
    if schema.unit == "characters":
        text = "".join(texts.lexicon.get(code, chr(code) if 16 < code < 0x110000 else "") for code in codes)
    else:
        words = [texts.lexicon.get(code, "") for code in codes]
        text = " ".join(words) if any(words) else ""
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"


def cells_of(row: Tensor, schema: TableSchema) -> tuple[tuple[str, str], ...]:
    """The first columns of a row in the words of its file."""
    told = [cell for cell, absent in zip(schema.show(row).items(), schema.lacks_word(row), strict=True) if not absent]
    return tuple(
        (name, "missing" if value is None else value if isinstance(value, str) else number(value))
        for name, value in told[:MOST_CELLS]
    )
