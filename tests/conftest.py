"""What every test may ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data sets; the test is skipped where it is absent."""
    given = os.environ.get("GLASSNET_DATA")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not found in {folder}; set GLASSNET_DATA to a folder that holds mnist/, tabular/, ...")
    return folder


@pytest.fixture(autouse=True)
def float_settings() -> Iterator[None]:
    """A training in this process flushes denormal numbers to zero for good, which other tests must not feel."""
    yield
    if "torch" in sys.modules:
        import torch

        torch.set_flush_denormal(False)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a command that must go well; what it prints."""

    def output(*arguments: str) -> str:
        from glassnet.cli import run

        assert run(list(arguments)) == 0
        return capsys.readouterr().out

    return output


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither read nor write the user's cache folder; programs that they start inherit this."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before
