"""Sounds of any length to inputs of one size: the waveform, or its log-mel spectrogram, computed here."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from glassnet.data.dataset import Source
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.normalise import positive
from glassnet.data.ragged import PADDING, lengths_of
from glassnet.data.sound_schema import SILENCE

LONG_SHARE = 0.99  # of the training sounds are no longer than what a network hears
MOST_SECONDS = 10.0
WINDOW, HOP = 0.025, 0.010  # seconds
LEAST_FRAMES = 8
FLOOR = 1e-6  # of power, added before the logarithm: about -60 dB of full scale
CHUNK = 256
FORMS = ("log-mel", "log-mel-steps", "waveform")


class SoundInputs(Preprocess):
    """Cut in the middle or filled with silence to one length; then the waveform, or log(FLOOR + M |STFT|²), standardised.

    The spectrogram has Hann windows of 25 ms every 10 ms, and triangular filters M that are evenly spaced in mel, m(f) = 2595 log₁₀(1 + f/700). Each
    band is standardised by its mean and spread over the training part; the waveform is divided by its spread alone.

    Args:
        name: ``log-mel`` gives (1, bands, frames), ``log-mel-steps`` (bands, frames), ``waveform`` (1, samples).
        rate: samples a second.
        samples: length that every sound is brought to.
    """

    mean: Tensor
    std: Tensor
    window: Tensor
    filters: Tensor

    def __init__(self, name: str, rate: int, samples: int) -> None:
        super().__init__()
        self.name, self.rate, self.samples = name, rate, samples
        self.size = round(WINDOW * rate)
        self.hop = max(1, round(HOP * rate))
        self.fft = 1 << (self.size - 1).bit_length()
        self.bands = 40 if rate <= 12_000 else 64
        frames = samples // self.hop + 1
        self.input_shape = (samples,)
        self.output_shape = {"log-mel": (1, self.bands, frames), "log-mel-steps": (self.bands, frames)}.get(
            name, (1, samples)
        )
        self.register_buffer("window", torch.hann_window(self.size, dtype=torch.float64).float(), persistent=False)
        self.register_buffer("filters", mel_filters(self.bands, self.fft, rate).float(), persistent=False)
        wide = 1 if name == "waveform" else self.bands
        self.register_buffer("mean", torch.zeros(wide, 1))
        self.register_buffer("std", torch.ones(wide, 1))

    def forward(self, raw: Tensor) -> Tensor:
        """Codes (batch, samples), ``PADDING`` outside the sounds, to float32 (batch, *output_shape)."""
        made = (self.measured(raw) - self.mean) / self.std  # (batch, bands or 1, frames or samples)
        return made.unsqueeze(1) if self.name == "log-mel" else made

    def measured(self, raw: Tensor) -> Tensor:
        """What is standardised: (batch, bands, frames), or (batch, 1, samples) of the waveform."""
        wave = torch.where(raw == PADDING, 0.0, (raw - SILENCE).float() / 32768)
        wave = fitted(wave, raw, self.samples)
        return wave.unsqueeze(1) if self.name == "waveform" else self.log_mel(wave)

    def log_mel(self, wave: Tensor) -> Tensor:
        """(batch, samples) to (batch, bands, frames)."""
        spectrum = torch.stft(
            wave, self.fft, self.hop, self.size, self.window, center=True, pad_mode="constant", return_complex=True
        )
        return (self.filters @ spectrum.abs().square() + FLOOR).log()

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {"form": "sound", "name": self.name, "rate": self.rate, "samples": self.samples}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> SoundInputs:
        """The module that :meth:`to_json` described, with neutral buffers."""
        if values["name"] not in FORMS:
            raise ValueError(f"sounds as {values['name']!r}")
        return cls(values["name"], int(values["rate"]), int(values["samples"]))


def fitted(wave: Tensor, raw: Tensor, samples: int) -> Tensor:
    """Each sound cut in its middle, or filled with silence behind, to a length. What pads the batch changes nothing.

    Args:
        wave: (batch, time).
        raw: the codes, which tell where padding begins.
        samples: the length.
    """
    time = torch.arange(raw.shape[1], device=raw.device)
    ends = torch.where(raw != PADDING, time + 1, 0).amax(dim=1)  # (batch,)
    begins = ((ends - samples) // 2).clamp_min(0)
    place = begins[:, None] + torch.arange(samples, device=raw.device)
    wave = pad(wave, (0, max(0, int(begins.max()) + samples - wave.shape[1])))
    return wave.gather(1, place)


def mel_filters(bands: int, fft: int, rate: int) -> Tensor:
    """Triangles with a peak of 1 whose corners are evenly spaced in mel from 0 to half the rate: float64 (bands, fft/2 + 1)."""

    def mel(hertz: float) -> float:
        return 2595 * math.log10(1 + hertz / 700)

    corners = 700 * (10 ** (torch.linspace(0, mel(rate / 2), bands + 2, dtype=torch.float64) / 2595) - 1)
    bins = torch.arange(fft // 2 + 1, dtype=torch.float64) * rate / fft
    low, peak, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return torch.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)).clamp_min(0)


def fit_sound(name: str, source: Source, rate: int) -> SoundInputs:
    """Fit on the training inputs: the length that 99 % of them do not exceed, 10 s at most, and mean and spread of each band.

    Args:
        name: see :class:`SoundInputs`.
        source: the training inputs.
        rate: samples a second.
    """
    lengths = lengths_of(source)
    assert lengths is not None, "sounds are ragged"
    longest = int(lengths.double().quantile(LONG_SHARE).ceil())
    least = round(LEAST_FRAMES * HOP * rate)
    made = SoundInputs(name, rate, max(least, min(longest, round(MOST_SECONDS * rate))))
    total = torch.zeros(made.mean.shape, dtype=torch.float64)
    squares, count = total.clone(), 0
    for index in torch.split(torch.arange(len(source)), CHUNK):
        values = made.measured(source.take(index)).double()
        total += values.sum(dim=(0, 2)).unsqueeze(1)
        squares += values.square().sum(dim=(0, 2)).unsqueeze(1)
        count += values.shape[0] * values.shape[2]
    mean = total / count
    made.std.copy_(positive((squares / count - mean.square()).clamp_min(0).sqrt(), mean))
    if name != "waveform":
        made.mean.copy_(mean)
    return made
