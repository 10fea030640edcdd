"""PyTorch's library is loaded beside the imports, where a command will need it and only there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import glassnet

MAPS = Path("/proc/self/maps")
PROGRAM = """
import sys, threading
from glassnet.cli import ahead, run
begun = []
ahead_of = ahead.load_ahead
def counted():
    begun.append(1)
    ahead_of()
import glassnet.cli
glassnet.cli.load_ahead = counted
run({arguments!r})
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
library = open("/proc/self/maps").read().count("libtorch_cpu") > 0
print("begun", len(begun), "library", library, "torch", "torch" in sys.modules)
"""


def told(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(arguments=list(arguments))],
        env=os.environ | {"PYTHONPATH": str(Path(glassnet.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.skipif(not MAPS.exists(), reason="which libraries are loaded is read from /proc")
@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["train", "--nonsense"], "begun 1 library True torch False"),  # refused before anything needs PyTorch
        (["train", "--help"], "begun 0 library False torch False"),
        (["nonsense"], "begun 0 library False torch False"),
        (["web", "--help"], "begun 0 library False torch False"),
    ],
)
def test_the_library_is_loaded_for_commands_that_compute(arguments: list[str], wanted: str) -> None:
    assert told(*arguments) == wanted


def test_where_the_library_is_not_to_be_found_the_import_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from glassnet.cli import ahead

    monkeypatch.setattr(ahead, "LIBRARY", "lib/none-such.so")
    ahead.load_ahead()
    monkeypatch.setattr(ahead.importlib.util, "find_spec", lambda name: None)
    ahead.load_ahead()
