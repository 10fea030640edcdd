"""``glassnet data`` writes the contact sheet first, tells it once, and draws it again only where reading everything shows another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from glassnet import cli
from glassnet.cli import data_command
from glassnet.data.contact_sheet import contact_sheet
from glassnet.reading import read_data
from glassnet.recipe import Recipe

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSNET_DEBUG", raising=False)


def pixels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)


def pictures(root: Path, each: int = 20) -> Path:
    for label, name in enumerate(("ants", "bees")):
        (root / name).mkdir(parents=True)
        for number in range(each):
            Image.fromarray(pixels(1000 * label + number)).save(root / name / f"{number}.png")
    return root


def of_all(path: Path, **settings: Any) -> np.ndarray:
    """The sheet of the data that were read in full."""
    changes = {f"data.{name}": value for name, value in settings.items()}
    return np.asarray(contact_sheet(read_data(Recipe().changed({"data.path": str(path)} | changes))))


def shown(sheet: str) -> np.ndarray:
    return np.asarray(Image.open(sheet))


def told(arguments: list[str], capsys: Capture) -> list[str]:
    capsys.readouterr()
    assert cli.run(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def test_the_sheet_is_told_first_and_once(capsys: Capture) -> None:
    root = pictures(Path("photos"))
    lines = told(["data", "photos"], capsys)
    assert lines[0] == "contact sheet: photos-sheet.png"
    assert lines[1].startswith("photos: image ")
    assert [line for line in lines if "sheet" in line] == lines[:1]
    np.testing.assert_array_equal(shown("photos-sheet.png"), of_all(root))


@pytest.mark.parametrize("name", ["sheet.png", "sheet.webp", "sheet.jpg"])
def test_the_sheet_is_there_before_the_data_are_read(
    name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(Path("photos"))

    def unread(recipe: Recipe) -> None:
        assert shown(name).shape[2] == 3
        assert capsys.readouterr().out == f"contact sheet: {name}\n"
        raise KeyboardInterrupt

    monkeypatch.setattr("glassnet.reading.read_data", unread)
    assert cli.run(["data", "photos", "--sheet", name]) == 130


def test_as_json_nothing_is_drawn(capsys: Capture) -> None:
    pictures(Path("photos"))
    assert json.loads("\n".join(told(["data", "photos", "--json"], capsys)))["name"] == "photos"
    assert list(Path().glob("*.png")) == []


def test_twins_change_the_sheet_and_it_is_drawn_again(capsys: Capture) -> None:
    root = pictures(Path("photos"))
    for number in range(1, 15):
        Image.fromarray(pixels(0)).save(root / "ants" / f"{number}.png")
    lines = told(["data", "photos", "--sheet", "s.png"], capsys)
    assert lines[0] == "contact sheet: s.png"
    assert lines[-1] == "contact sheet drawn again, now that all images have been read: s.png"
    np.testing.assert_array_equal(shown("s.png"), of_all(root))


@pytest.mark.parametrize(
    "how", [["--image-size", "20"], ["--task", "classes"], ["--test", "others"], ["--val", "others"]]
)
def test_what_is_read_otherwise_is_told_at_the_end(
    how: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pictures(Path("photos"))
    pictures(Path("others"), each=4)
    monkeypatch.setattr("glassnet.data.glance.glance", lambda place: pytest.fail("a glance was taken"))
    lines = told(["data", "photos", "--sheet", "s.png", *how], capsys)
    assert [line for line in lines if "sheet" in line] == lines[-1:] == ["contact sheet: s.png"]
    value: Any = int(how[1]) if how[1].isdecimal() else how[1]
    np.testing.assert_array_equal(shown("s.png"), of_all(root, **{how[0].strip("-").replace("-", "_"): value}))


def test_a_built_in_set_has_its_sheet_at_the_end(capsys: Capture) -> None:
    assert told(["data", "digits"], capsys)[-1] == "contact sheet: digits-sheet.png"


def test_a_place_that_cannot_be_written_is_told_before_the_data_are_read(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(Path("photos"))
    for sheet in ("nosuch/sheet.png", "t.csv/sheet.png", "x" * 300 + ".png"):
        Path("t.csv").touch()
        with monkeypatch.context() as patch:
            patch.setattr("glassnet.reading.read_data", lambda recipe: pytest.fail("the data were read"))
            code = cli.run(["data", "photos", "--sheet", sheet])
        early = capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(data_command, "_early_sheet", lambda path, sheet: None)
            assert cli.run(["data", "photos", "--sheet", sheet]) == code != 0
        assert early.out == ""
        assert early.err == capsys.readouterr().err
        assert sheet in early.err


def test_a_sheet_among_the_images_is_written_when_they_have_been_read(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = pictures(Path("photos").resolve())
    whole = of_all(root)
    lines = told(["data", "photos", "--sheet", "photos/ants/sheet.png"], capsys)
    assert lines[-1] == "contact sheet: photos/ants/sheet.png"
    np.testing.assert_array_equal(shown("photos/ants/sheet.png"), whole)
    (root / "ants" / "sheet.png").unlink()
    monkeypatch.chdir(root / "ants")
    assert told(["data", ".."], capsys)[-1] == "contact sheet: photos-sheet.png"
    np.testing.assert_array_equal(shown("photos-sheet.png"), whole)
    Path("photos-sheet.png").unlink()
    monkeypatch.chdir(root)
    assert told(["data", "."], capsys)[0] == "contact sheet: photos-sheet.png"
    assert told(["data", "."], capsys)[0] == "contact sheet: photos-sheet.png"
    np.testing.assert_array_equal(shown("photos-sheet.png"), whole)


def test_data_without_a_glance_are_told_as_ever(capsys: Capture) -> None:
    Path("t.csv").write_text("a,b\n" + "".join(f"{number * 7 % 31},{'xy'[number % 2]}\n" for number in range(60)))
    assert not any("sheet" in line for line in told(["data", "t.csv"], capsys))
    pictures(Path("photos"))
    (Path("photos") / "nothing").mkdir()
    assert cli.run(["data", "photos"]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "class 'nothing' has no readable image" in printed.err
    assert list(Path().glob("*.png")) == []
