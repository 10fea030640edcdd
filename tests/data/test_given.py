"""What a person names when new inputs are to be read: paths that lead somewhere, paths that do not, and texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from glassnet.data.given import place_of, read_all
from glassnet.data.stream_schema import text_at
from glassnet.data.walk import files_below, files_in
from glassnet.errors import DataError


def test_what_leads_nowhere_is_a_text_unless_it_was_meant_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a")
    Path("folder").mkdir()
    assert place_of("a.txt", "") == Path("a.txt")
    assert place_of("folder", "", folders=True) == Path("folder")
    for text in ("folder", "a word", "word", "", "and/or, of course", "x" * 5_000, "nul\0byte"):
        assert place_of(text, "") is None, text
    for path in ("b.txt", "and/or", "folder/"):
        with pytest.raises(DataError, match=r"(?s)no such file.*expected: +a file"):
            place_of(path, "a file")
    assert place_of("and/or", "", meant=lambda text: text.endswith(".csv")) is None


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    def read(given: str) -> list[str]:
        if given.startswith("!"):
            raise DataError(f"no {given[1:]}")
        return list(given)

    assert read_all(["ab", "", "c"], read, "nothing", "letters") == ["a", "b", "c"]
    with pytest.raises(DataError, match=r"(?s)2 mistakes.*no b.*no d"):
        read_all(["a", "!b", "c", "!d"], read, "nothing", "letters")
    for empty in ([], [""]):
        with pytest.raises(DataError, match=r"(?s)nothing.*letters"):
            read_all(empty, read, "nothing", "letters")


def test_what_programs_leave_behind_is_no_data(tmp_path: Path) -> None:
    for place in ("b.txt", "a.txt", "sub/c.txt", ".git/HEAD", "sub/__pycache__/d.txt", ".hidden", "Thumbs.db"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(place)
    assert files_in(tmp_path) == [tmp_path / "a.txt", tmp_path / "b.txt"]
    assert files_below(tmp_path) == [tmp_path / name for name in ("a.txt", "b.txt", "sub/c.txt")]
    assert text_at(str(tmp_path)) == "a.txt\nb.txt\nsub/c.txt"
