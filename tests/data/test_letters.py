"""The built-in sets: letters drawn from fonts, and scikit-learn's digits."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from glassnet.data import fonts
from glassnet.data.dataset import Data, class_counts
from glassnet.data.readers import digits, letters
from glassnet.errors import DataError


@pytest.fixture(scope="module")
def drawn() -> Data:
    return letters.read()


def test_shape_and_size(drawn: Data) -> None:
    assert drawn.schema.shape == (1, 28, 28)
    assert drawn.classes == tuple("ABCDEFGHIJ")
    counts = {part: class_counts(own, 10) for part, own in drawn.parts.items()}
    assert all(len(set(own)) == 1 for own in counts.values()), "every letter equally often in every part"
    assert 400 <= sum(own[0] for own in counts.values()) <= 600
    assert counts["train"][0] > counts["test"][0] >= 30


def test_no_font_and_no_picture_is_in_two_parts(drawn: Data) -> None:
    seen: dict[str, str] = {}
    pictures: dict[bytes, str] = {}
    for part, own in drawn.parts.items():
        for name in own.names:
            font = name.rsplit(":", 1)[0]
            assert seen.setdefault(font, part) == part
        images = own.inputs.take(torch.arange(len(own)))
        assert images.dtype == torch.uint8
        for image in images:
            assert pictures.setdefault(image.numpy().tobytes(), part) == part


def test_families_stay_together() -> None:
    divided = letters.divide(fonts.families(fonts.text_fonts()))
    where = {font.family: part for part, own in divided.items() for font in own}
    assert all(where[font.family] == part for part, own in divided.items() for font in own)
    assert all(divided.values())


def test_always_the_same(drawn: Data) -> None:
    again = letters.read()
    for part, own in drawn.parts.items():
        index = torch.arange(len(own))
        assert torch.equal(own.inputs.take(index), again.parts[part].inputs.take(index))
        assert list(own.names) == list(again.parts[part].names)


def test_the_glyph_fills_its_box(drawn: Data) -> None:
    images = drawn.train.inputs.take(torch.arange(len(drawn.train)))[:, 0].numpy()
    for image in images:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        height, width = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert max(height, width) >= letters.MIN_SIDE - 2
        assert abs((rows[0] + rows[-1]) / 2 - 13.5) <= 1.5
        assert abs((columns[0] + columns[-1]) / 2 - 13.5) <= 1.5
    assert 0.05 < images.mean() / 255 < 0.5  # white ink on black


def test_a_nearest_mean_classifier_reads_unseen_fonts(drawn: Data) -> None:
    """Without any network, by the mean picture of each letter alone: the letters must be letters."""
    train = drawn.train.inputs.take(torch.arange(len(drawn.train))).flatten(1).double()
    means = torch.stack([train[drawn.train.targets == label].mean(dim=0) for label in range(10)])
    assert drawn.test is not None
    test = drawn.test.inputs.take(torch.arange(len(drawn.test))).flatten(1).double()
    right = (torch.cdist(test, means).argmin(dim=1) == drawn.test.targets).double().mean()
    assert right > 0.7  # chance is 0.1


def test_matplotlibs_fonts_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_FOLDERS", ())
    start = time.monotonic()
    data = letters.read()
    assert time.monotonic() - start < 5
    assert set(data.parts) == {"train", "val", "test"}
    assert all(len(own) >= 300 for own in data.parts.values())


def test_fonts_of_signs_are_left_out() -> None:
    names = " ".join(font.name for font in fonts.text_fonts())
    for sign in ("cmex", "cmsy", "Math", "STIXSize", "NonUnicode"):
        assert sign not in names


def test_too_few_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "text_fonts", lambda: fonts.text_fonts()[:2])
    with pytest.raises(DataError, match="too few text fonts"):
        letters.read()


def test_a_broken_font_file_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Aaa.ttf").write_bytes(b"no font")
    (tmp_path / "Aab.ttf").write_bytes(b"")
    before = [font.name for font in fonts.text_fonts()]
    monkeypatch.setattr(fonts, "_FOLDERS", (*fonts._FOLDERS, str(tmp_path)))
    assert [font.name for font in fonts.text_fonts()] == before


def test_filling_the_box_keeps_the_proportions() -> None:
    glyph = Image.new("L", (100, 100))
    glyph.paste(255, (10, 20, 70, 50))  # 60 wide, 30 high
    box = np.asarray(fonts.fill_box(glyph, 24))
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    assert (len(columns), len(rows)) == (24, 12)
    assert (columns[0], rows[0]) == (2, 8)


def test_matplotlib_is_there_for_the_tests() -> None:
    assert importlib.util.find_spec("matplotlib") is not None


def test_digits() -> None:
    from sklearn.datasets import load_digits

    data = digits.read()
    assert data.schema.shape == (1, 8, 8)
    assert len(data.train) == 1797
    got = data.train.inputs.take(torch.arange(1797)).numpy()
    assert got.dtype == np.uint8
    assert got.max() == 255
    # Undone by hand: 16 grey levels come back exactly.
    np.testing.assert_array_equal(np.round(got[:, 0].astype(float) * 16 / 255), load_digits().images)
    assert data.train.targets[:5].tolist() == [0, 1, 2, 3, 4]
