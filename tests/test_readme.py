"""What the README shows is run: its Python as it stands, its commands as far as they are ours."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from glassnet.cli import run as cli

README = Path(__file__).resolve().parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_snippets() -> None:
    assert len(blocks("python")) >= 3
    assert len(blocks("console")) >= 1


def test_the_python_snippets_run_in_their_order(elsewhere: Path) -> None:
    names: dict[str, object] = {"__name__": "readme"}
    for snippet in blocks("python"):
        exec(compile(snippet, "README.md", "exec"), names)


def test_every_command_and_flag_of_the_sessions_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for line in "\n".join(blocks("console")).splitlines():
        if not line.startswith("$ glassnet "):
            continue
        command, *arguments = shlex.split(line.removeprefix("$ glassnet "), comments=True)
        assert cli([command, "--help"]) == 0, line
        told = capsys.readouterr().out
        for argument in arguments:
            if argument.startswith("-"):
                assert argument.partition("=")[0] in told, line


def test_links_within_the_repository_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
