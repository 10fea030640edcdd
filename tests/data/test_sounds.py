"""Sounds: files of every kind against what was written, spectrograms against SciPy and a slow transform, and what cannot be read."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from glassnet.data.audit import audit
from glassnet.data.augment import build_augment
from glassnet.data.by_name import set_aside
from glassnet.data.dataset import notes_of
from glassnet.data.kinds import schema_from_json
from glassnet.data.opening import open_data
from glassnet.data.preprocess import fit, preprocess_from_json
from glassnet.data.preprocess.sound import SoundInputs, mel_filters
from glassnet.data.sound_file import NoSound, read_wav, resampled
from glassnet.data.sound_schema import SILENCE, SoundSchema, ragged_sounds
from glassnet.errors import DataError, UsageError

scipy_signal = pytest.importorskip("scipy.signal")


def tone(hertz=440.0, seconds=0.2, rate=8_000, loud=0.5):
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def write(path: Path, values, rate=8_000, bits=16, channels=1):
    """Write values from -1 to 1 with the given bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.repeat(np.asarray(values)[:, None], channels, axis=1) if np.ndim(values) == 1 else values
    whole = np.round(values * (2 ** (bits - 1) - 1)).astype(np.int64).reshape(-1)
    if bits == 8:
        raw = (whole + 128).astype(np.uint8).tobytes()
    else:
        raw = whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, : bits // 8].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(bits // 8)
        file.setframerate(rate)
        file.writeframes(raw)
    return path


def folders(root, rate=8_000, count=6):
    for label, hertz in (("high", 1_200), ("low", 300)):
        for number in range(count):
            values = tone(hertz * (1 + 0.02 * number), 0.1 + 0.02 * number, rate)
            write(root / label / f"{label}_{number}.wav", values, rate)
    return root


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_every_width_is_read(tmp_path, bits):
    values = np.linspace(-1, 1, 500)
    sound = read_wav(write(tmp_path / "a.wav", values, bits=bits))
    whole = np.round(values * (2 ** (bits - 1) - 1))
    assert sound.samples.dtype == np.int16
    assert np.array_equal(sound.samples, np.floor(whole * 2.0 ** (16 - bits)))


def test_channels_are_averaged(tmp_path):
    both = np.stack([tone(), np.zeros(1_600)], axis=1)
    sound = read_wav(write(tmp_path / "a.wav", both, channels=2))
    assert (sound.channels, len(sound.samples)) == (2, 1_600)
    assert np.abs(sound.samples - np.round(tone() * 32767) / 2).max() <= 1


def test_what_is_no_sound_is_told_in_words(tmp_path):
    good = write(tmp_path / "good.wav", tone()).read_bytes()
    floating = bytearray(good)
    floating[20] = 3
    cases = {
        "cut": (good[:-1_000], "cut off: 1,100 of 1,600 samples"),
        "header": (good[:30], "cut off within its header"),
        "empty": (b"", "the file is empty"),
        "text": (b"once upon a time there was a sound, and it was long", "does not begin as one"),
        "floats": (bytes(floating), "floating-point numbers"),
        "nothing": (good[:40] + b"\0\0\0\0", "no sample"),
    }
    for name, (raw, words) in cases.items():
        (tmp_path / f"{name}.wav").write_bytes(raw)
        with pytest.raises(NoSound, match=words):
            read_wav(tmp_path / f"{name}.wav")
    with pytest.raises(NoSound, match="no such file"):
        read_wav(tmp_path / "absent.wav")


def test_of_an_hour_the_first_minute_is_read(tmp_path):
    sound = read_wav(write(tmp_path / "hour.wav", np.zeros(3_600 * 1_000), rate=1_000, bits=8))
    assert sound.seconds == 3_600
    assert len(sound.samples) == 60_000


@pytest.mark.parametrize(("rate", "wanted"), [(16_000, 8_000), (44_100, 8_000), (8_000, 22_050), (11_025, 16_000)])
def test_resampling_keeps_a_tone_and_agrees_with_scipy(rate, wanted):
    made = resampled(np.round(tone(700, 0.3, rate) * 32767).astype(np.int16), rate, wanted) / 32767
    exact = tone(700, 0.3, wanted)[: len(made)]
    middle = slice(len(exact) // 10, -len(exact) // 10)
    assert np.abs(made[: len(exact)] - exact)[middle].max() < 2e-3
    divisor = math.gcd(rate, wanted)
    reference = scipy_signal.resample_poly(tone(700, 0.3, rate), wanted // divisor, rate // divisor)
    assert len(reference) == len(made)
    assert np.abs(made - reference)[middle].max() < 5e-3


def test_resampling_takes_away_what_the_lower_rate_cannot_hold():
    high = np.round(tone(6_000, 0.3, 16_000) * 32767).astype(np.int16)
    assert np.abs(resampled(high, 16_000, 8_000)[200:-200]).max() < 40


def test_spectrogram_is_that_of_scipy_and_of_a_slow_transform():
    made = SoundInputs("log-mel", 8_000, 1_600)
    x = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 1_600)).float()
    values = made.log_mel(x[None])[0].double().numpy()
    assert values.shape == made.output_shape[1:] == (40, 21)
    filters = mel_filters(40, 256, 8_000).numpy()
    window = np.pad(scipy_signal.get_window("hann", 200), 28)
    padded = np.pad(x.double().numpy(), 128)
    _, _, spectrum = scipy_signal.stft(
        padded, window=window, nperseg=256, noverlap=256 - 80, boundary=None, padded=False, scaling="spectrum"
    )
    power = np.abs(spectrum * window.sum()) ** 2  # SciPy divides by the window's sum
    np.testing.assert_allclose(values[:, : power.shape[1]], np.log(filters @ power + 1e-6), rtol=1e-3, atol=1e-3)
    frame = padded[5 * 80 : 5 * 80 + 256] * window
    slow = np.array(
        [abs(sum(frame[n] * np.exp(-2j * np.pi * k * n / 256) for n in range(256))) ** 2 for k in range(129)]
    )
    np.testing.assert_allclose(values[:, 5], np.log(filters @ slow + 1e-6), rtol=1e-3, atol=1e-3)


def test_mel_filters_are_triangles_evenly_spaced_in_mel():
    filters = mel_filters(10, 512, 16_000)
    step = 2595 * math.log10(1 + 8_000 / 700) / 11
    corners = [700 * (10 ** (step * number / 2595) - 1) for number in range(12)]
    for band in range(10):
        low, peak, high = corners[band : band + 3]
        for place in range(257):
            hertz = place * 16_000 / 512
            rise, fall = (hertz - low) / (peak - low), (high - hertz) / (high - peak)
            assert float(filters[band, place]) == pytest.approx(max(0.0, min(rise, fall)), abs=1e-9)


def test_a_sound_is_the_same_alone_and_among_longer_ones():
    generator = np.random.default_rng(0)
    pieces = [generator.integers(-3_000, 3_000, length).astype(np.int16) for length in (50, 400, 900, 1_600)]
    source = ragged_sounds(pieces)
    for name in ("log-mel", "log-mel-steps", "waveform"):
        made = SoundInputs(name, 8_000, 800)
        together = made(source.take(torch.arange(4)))
        assert together.shape == (4, *made.output_shape)
        alone = torch.cat([made(source.take(torch.tensor([i]))) for i in range(4)])
        torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
    wave_ = SoundInputs("waveform", 8_000, 800)(source.take(torch.arange(4)))[:, 0] * 32768
    assert torch.equal(wave_[1, :400].round(), torch.from_numpy(pieces[1]).float())
    assert torch.equal(wave_[3].round(), torch.from_numpy(pieces[3][400:1_200]).float()), "the middle is kept"
    assert not bool(wave_[1, 400:].any())


def test_statistics_are_of_the_training_part_alone(tmp_path):
    data = set_aside(open_data(str(folders(tmp_path))), "*_5.wav")
    assert [len(data.parts[name]) for name in ("train", "test")] == [10, 2]
    made = fit("auto", data.train, data.schema)
    assert made.name == "log-mel"
    assert made.samples == 1_440, "the two of 1,600 samples are in the test part"
    values = made(data.train.inputs.take(torch.arange(10)))
    torch.testing.assert_close(values.mean((0, 1, 3)), torch.zeros(40), rtol=0, atol=1e-3)
    again = preprocess_from_json(made.to_json())
    again.load_state_dict(made.state_dict())
    assert torch.equal(again(data.test.inputs.take(torch.arange(2))), made(data.test.inputs.take(torch.arange(2))))
    assert schema_from_json(data.schema.to_json()) == data.schema


def test_part_by_names_refuses_what_fits_nothing_or_all(tmp_path):
    data = open_data(str(folders(tmp_path)))
    assert set_aside(data, None) is data
    for pattern, words in (("*_9.wav", "fits no sample"), ("*", "fits all samples")):
        with pytest.raises(UsageError, match=words):
            set_aside(data, pattern)
    with pytest.raises(UsageError, match="test part already"):
        set_aside(set_aside(data, "*_5.wav"), "*_4.wav")


def test_folders_with_strange_files(tmp_path):
    folders(tmp_path)
    write(tmp_path / "low" / "stereo.wav", tone(320, 0.2, 16_000), 16_000, bits=24, channels=2)
    (tmp_path / "low" / "cut.wav").write_bytes((tmp_path / "low" / "low_0.wav").read_bytes()[:500])
    (tmp_path / "low" / "song.mp3").write_bytes(b"ID3")
    write(tmp_path / "high" / "silent.wav", np.zeros(800))
    data = open_data(str(tmp_path))
    assert data.schema.rate == 8_000
    assert {item.name: item.reason for item in data.unreadable} == {
        "low/cut.wav": "the file is cut off: 228 of 800 samples",
        "low/song.mp3": ".mp3 files are not read; save it as WAV",
    }
    assert any("brought to that rate" in note for note in data.notes)
    assert any("several channels" in note for note in data.notes)
    found = audit(data)
    assert "silent-sounds" in {trouble.rule for trouble in found.troubles}
    assert found.ranges[0].name == "seconds"
    assert found.ranges[0].greatest == pytest.approx(0.2)
    for file in (tmp_path / "low").iterdir():
        file.write_bytes(b"RIFF")
    with pytest.raises(DataError, match="class 'low' has no readable sound"):
        open_data(str(tmp_path))


def test_other_sounds_in_a_folder_to_predict_are_told(tmp_path):
    write(tmp_path / "new.wav", tone(300, 0.1, 8_000))
    (tmp_path / "song.mp3").write_bytes(b"ID3")
    (tmp_path / "notes.txt").write_text("of Tuesday")
    names, source = SoundSchema(8_000, 1_600).read([str(tmp_path)])
    assert [Path(name).name for name in names] == ["new.wav"]
    assert "song.mp3" in " ".join(source.notes)
    assert "notes.txt" not in " ".join(source.notes)


def test_new_sounds_are_brought_to_the_rate_of_the_model(tmp_path):
    schema = SoundSchema(8_000, 1_600)
    new = write(tmp_path / "new.wav", tone(300, 0.1, 44_100), 44_100)
    names, source = schema.read([str(new)])
    assert names == [str(new)]
    assert len(source.row(0)) == 800
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.raises(DataError) as caught:
        schema.read([str(tmp_path / "bad.wav"), str(tmp_path / "none.wav")])
    assert "this is no sound that can be read" in str(caught.value)
    assert "no such file" in str(caught.value)
    names, source = schema.read([str(tmp_path)])  # of a folder what can be read is
    assert names == [str(new)]
    assert "bad.wav" in notes_of(source)[0]
    new.unlink()
    with pytest.raises(DataError, match="this is no sound"):
        schema.read([str(tmp_path)])


def test_shift_moves_and_noise_is_heard():
    raw = ragged_sounds([np.full(100, 1_000, np.int16), np.full(60, 2_000, np.int16)]).take(torch.arange(2))
    shift = build_augment({"translate": 0.2}, shape=(100,), kind="sound")
    moved = shift.change(raw, torch.tensor([15, -15]))
    assert moved.shape == (2, 120)
    assert bool((moved[0, :15] == SILENCE).all())
    assert bool((moved[0, 15:115] == SILENCE + 1_000).all())
    assert bool((moved[1, :45] == SILENCE + 2_000).all())
    assert not bool(moved[1, 45:].any())
    noise = build_augment({"noise": 0.5}, shape=(100,), kind="sound")
    noisy = noise.change(
        raw, torch.tensor([[0.5], [0.0]]), torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    )
    assert float((noisy[0] - SILENCE - 1_000).float().std()) == pytest.approx(500, rel=0.2)
    assert torch.equal(noisy[1], raw[1])
    with pytest.raises(UsageError, match="cannot be done on sounds"):
        build_augment({"rotate": 5}, shape=(100,), kind="sound")
