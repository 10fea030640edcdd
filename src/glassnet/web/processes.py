"""Starting, stopping and resuming runs: exactly the commands a person would type, as processes of their own.

A process that was started here has its own session, no pipe to the page and a file for its words. So neither the page's end nor its crash
reaches it, and it is stopped like any other: by the signal that Ctrl-C sends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from glassnet.errors import UsageError
from glassnet.web.locks import holder

MOST_PROCESSES = 4  # started here and not ended
LONGEST_WORDS = 4000  # characters of what a process said that are shown
PROGRAM = "import sys; from glassnet.cli import main; main()"


@dataclass
class _Started:
    process: subprocess.Popen[bytes]
    words: IO[bytes]
    what: str


class Processes:
    """The processes started from this page, by a number."""

    def __init__(self) -> None:
        self._started: dict[int, _Started] = {}
        self._next = 1
        self._lock = threading.Lock()

    def start(self, arguments: list[str]) -> int:
        """Run ``glassnet`` with these arguments; returns the number under which it is known here.

        Raises:
            UsageError: as many as are allowed are running already.
        """
        with self._lock:
            running = [each for each in self._started.values() if each.process.poll() is None]
            if len(running) >= MOST_PROCESSES:
                raise UsageError(
                    f"{len(running)} processes that were started from this page are still running",
                    fix="stop one, wait, or start further ones in a terminal",
                )
            words = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the page
            process = subprocess.Popen(  # noqa: S603 - a list of arguments, no shell; what comes from the browser is checked by the callers
                [sys.executable, "-c", PROGRAM, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"NO_COLOR": "1"},
            )
            number, self._next = self._next, self._next + 1
            self._started[number] = _Started(process, words, " ".join(["glassnet", *arguments]))
            return number

    def told(self) -> list[dict[str, object]]:
        """Of every process: its number, its command, its exit code (None while it runs) and the end of what it said."""
        return [
            {"number": number, "command": each.what, "code": each.process.poll(), "words": _end_of(each.words)}
            for number, each in reversed(list(self._started.items()))
        ]


def stop(run: Path) -> None:
    """Ask the process that writes this run to save and end, as Ctrl-C does.

    Which process that is, the kernel says (the holder of the run's lock), not the folder.

    Raises:
        UsageError: no process writes it.
    """
    process = holder(run / "run.lock")
    if process is None or process == os.getpid():
        raise UsageError(
            "no process on this machine is training this run",
            fix="if it was killed, 'glassnet resume RUN' goes on with it; on another machine end it there with Ctrl-C",
        )
    try:
        os.kill(process, signal.SIGINT)
    except ProcessLookupError:
        return  # it has just ended
    except PermissionError as error:
        raise UsageError(
            "the training belongs to another user of this machine",
            got=f"process {process}",
            fix=f"ask that user to end it with 'kill -INT {process}'",
        ) from error


def _end_of(words: IO[bytes]) -> str:
    size = os.fstat(words.fileno()).st_size
    start = max(size - 4 * LONGEST_WORDS, 0)
    return os.pread(words.fileno(), size - start, start).decode("utf-8", errors="replace")[-LONGEST_WORDS:]
