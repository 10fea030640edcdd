"""Files that one must not read: the advice is to get the right to, not to copy them again."""

from __future__ import annotations

import builtins
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from glassnet.data.image_schema import ImageSchema
from glassnet.data.numpy_file import arrays_in
from glassnet.data.sound_schema import SoundSchema
from glassnet.data.text_files import require_text
from glassnet.errors import DataError, GlassnetError, ModelError, fix_to_read
from glassnet.model import load


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Makes a file one that must not be read, whoever runs the tests: root may read all there are."""
    denied: set[Path] = set()
    honest = io.open

    def guarded(file: Any, *arguments: Any, **named: Any) -> Any:
        if not isinstance(file, int) and Path(file) in denied:
            raise PermissionError(13, "Permission denied", str(file))
        return honest(file, *arguments, **named)

    def forbid(path: Path) -> Path:
        denied.add(path)
        return path

    monkeypatch.setattr(io, "open", guarded)
    monkeypatch.setattr(builtins, "open", guarded)
    return forbid


def picture(path: Path) -> None:
    Image.new("RGB", (4, 4)).save(path)


READ: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "a.png": (picture, lambda path: ImageSchema(3, 4, 4).read([str(path)])),
    "a.wav": (Path.touch, lambda path: SoundSchema(8000, 10).read([str(path)])),
    "a.txt": (Path.touch, require_text),
    "a.npy": (lambda path: np.save(path, np.ones(3)), lambda path: arrays_in(path)["a"].read()),
    "a.npz": (lambda path: np.savez(path, x=np.ones(3)), arrays_in),
}


@pytest.mark.parametrize("name", READ)
def test_the_advice_is_to_get_the_right_to_read(name: str, tmp_path: Path, forbidden: Callable[[Path], Path]) -> None:
    make, read = READ[name]
    path = tmp_path / name
    make(path)
    with pytest.raises(DataError) as caught:
        read(forbidden(path))
    assert caught.value.fix == f"give yourself the right to read it: chmod -R u+rX {path}"
    assert "ermission" in str(caught.value.got)
    assert "damaged" not in str(caught.value)


def test_a_model_folder_that_must_not_be_read_is_not_called_damaged(
    tmp_path: Path, forbidden: Callable[[Path], Path]
) -> None:
    (tmp_path / "model.json").write_text("{}", encoding="utf-8")
    forbidden(tmp_path / "model.json")
    with pytest.raises(ModelError, match="the model folder cannot be read") as caught:
        load(tmp_path)
    assert caught.value.fix == f"give yourself the right to read it: chmod -R u+rX {tmp_path}"


def test_the_cause_counts_and_names_are_quoted_for_the_shell() -> None:
    told = GlassnetError("not read")
    told.__cause__ = PermissionError(13, "Permission denied")
    assert fix_to_read(told, "my file", "copy it again").endswith("chmod -R u+rX 'my file'")
    assert fix_to_read(OSError(5, "Input/output error"), "a", "copy it again") == "copy it again"
