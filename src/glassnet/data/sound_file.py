"""WAV files: 8, 16, 24 and 32 bits, any number of channels and any rate, to one channel of 16-bit numbers."""

from __future__ import annotations

import io
import math
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SOUND_EXTENSIONS = (".wav", ".wave")
OTHER_SOUNDS = (".mp3", ".flac", ".ogg", ".m4a", ".aac", ".wma", ".aiff", ".aif", ".opus")
MOST_SECONDS = 60.0  # of one sound that are read
LEAST_RATE, MOST_RATE = 1_000, 768_000
ZERO_CROSSINGS = 16  # of the resampling filter, on either side of its middle
ROLL_OFF = 0.945  # share of the band below half the lower rate that is kept
KAISER_BETA = 12.0

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


class NoSound(Exception):  # noqa: N818 - a verdict on a file that callers collect
    """A file that is no sound that can be read; its message says why, as a phrase."""


@dataclass(frozen=True)
class Sound:
    """One channel of a sound.

    Attributes:
        samples: int16 (samples,).
        rate: samples a second.
        seconds: length of the whole file, of which at most the first 60 seconds are read.
        channels: of the file; several are averaged.
    """

    samples: Samples
    rate: int
    seconds: float
    channels: int


def read_wav(path: Path | bytes) -> Sound:
    """Read a WAV file with whole-number samples.

    Args:
        path: the file, or its content.

    Raises:
        NoSound: it cannot be read, is none, is cut off, or holds no sample.
    """
    try:
        with wave.open(io.BytesIO(path) if isinstance(path, bytes) else str(path), "rb") as file:
            frames, rate = file.getnframes(), file.getframerate()
            channels, width = file.getnchannels(), file.getsampwidth()
            if not LEAST_RATE <= rate <= MOST_RATE:
                raise NoSound(f"{rate:,} samples a second, which no sound has")
            if width not in (1, 2, 3, 4):
                raise NoSound(f"{8 * width} bits a sample; 8, 16, 24 and 32 are read")
            wanted = min(frames, int(MOST_SECONDS * rate))
            raw = file.readframes(wanted)
    except wave.Error as error:
        raise NoSound(_why(str(error))) from error
    except EOFError as error:
        raise NoSound(
            "the file is cut off within its header"
            if (len(path) if isinstance(path, bytes) else path.stat().st_size)
            else "the file is empty"
        ) from error
    except OSError as error:
        raise NoSound((error.strerror or "cannot be read").lower()) from error
    if frames == 0 or not raw:
        raise NoSound("it holds no sample")
    found = len(raw) // (width * channels)
    if found < wanted:
        raise NoSound(f"the file is cut off: {found:,} of {frames:,} samples")
    values = to_16_bits(raw, width).reshape(-1, channels)
    mono = values[:, 0] if channels == 1 else np.round(values.mean(axis=1)).astype(np.int16)
    return Sound(np.ascontiguousarray(mono), rate, frames / rate, channels)


def _why(told: str) -> str:
    if "unknown format" in told:
        number = told.rsplit(":", 1)[-1].strip()
        kind = {"3": "floating-point numbers", "65534": "the extensible format", "6": "A-law", "7": "µ-law"}.get(number)
        return f"a WAV file in {kind or 'format ' + number}; save it as 16-bit PCM"
    if "RIFF" in told or "WAVE" in told:
        return "no WAV file: it does not begin as one"
    return f"a damaged WAV file: {told}"


def to_16_bits(raw: bytes, width: int) -> Samples:
    """Little-endian samples of 1 (unsigned), 2, 3 or 4 bytes to int16, the lower bits cut off."""
    if width == 1:
        return ((np.frombuffer(raw, np.uint8).astype(np.int16) - 128) << 8).astype(np.int16)
    if width == 2:
        return np.frombuffer(raw, "<i2").astype(np.int16)
    upper = np.frombuffer(raw, np.uint8).reshape(-1, width)[:, -2:]  # the two bytes that count most
    return np.ascontiguousarray(upper).view("<i2").reshape(-1).astype(np.int16)


def resampled(samples: Samples, rate: int, wanted: int) -> Samples:
    """The sound at another rate, by windowed-sinc interpolation.

    y(n) = Σ_k x(k) h(n·rate/wanted − k) with h(t) = c sinc(c t) w(t), c the kept share of the lower band, w a Kaiser window.

    Source: Smith, "Digital audio resampling", 1984/2002.

    Args:
        samples: int16 (samples,).
        rate: their samples a second.
        wanted: samples a second of the result.
    """
    if rate == wanted:
        return samples
    divisor = math.gcd(rate, wanted)
    up, down = wanted // divisor, rate // divisor
    count = -(-len(samples) * up // down)
    share = ROLL_OFF * min(1.0, wanted / rate)
    reach = math.ceil(ZERO_CROSSINGS / share)
    padded = np.pad(samples.astype(np.float64), (reach, reach + 1))
    made: Floats = np.empty(count)
    offsets = np.arange(-reach, reach + 1)
    for phase in range(min(up, count)):  # all outputs of one phase lie alike between the samples
        outputs = np.arange(phase, count, up)
        place = outputs * down
        base, fraction = place // up, (phase * down % up) / up
        t = fraction - offsets
        inside = np.clip(1 - (t / (reach + 1)) ** 2, 0, None)
        filter_: Any = share * np.sinc(share * t) * np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
        made[outputs] = padded[base[:, None] + reach + offsets] @ (filter_ / filter_.sum())
    return np.clip(np.round(made), -32768, 32767).astype(np.int16)
