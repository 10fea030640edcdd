"""The page's process, a browser, and what a process costs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

PROGRAM = "from glassnet.cli import main; main()"
BROWSER = os.environ.get("GLASSNET_CHROMIUM") or shutil.which("chromium")


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The page's process; yields its address. Its process id stands in ``pid`` beside the folder."""
    command = [sys.executable, "-c", PROGRAM, "web", str(root), "--no-open", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        (root.parent / "pid").write_text(str(process.pid))
        address = None
        for line in process.stdout or ():
            if address := re.search(r"http://\S+", line):
                break
        assert address is not None
        try:
            yield address[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)


def training(root: Path, net: str, epochs: int, *more: str) -> list[str]:
    """The command that trains a net on scikit-learn's digits as ``run`` below a folder of runs."""
    words = ["train", "digits", "--net", net, "--epochs", str(epochs), "--out", str(root / "run"), "--quiet", *more]
    return [sys.executable, "-c", PROGRAM, *words]


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


def open_run(page: Any, address: str) -> None:
    """Go to the first run of the list and wait for its curves."""
    page.goto(address)
    page.locator("table.runs tbody a").first.click()
    page.wait_for_selector("#chart-batch:not([hidden])", timeout=30_000)


def cpu(pid: int) -> float:
    """Processor seconds of a process so far, to the nanosecond (clock_getcpuclockid(3), which Python does not offer for others)."""
    return time.clock_gettime((~pid << 3) | 2)


def clocked(act: Callable[[], object]) -> float:
    """Seconds of processor time that it took: what a machine with nothing else to do needs."""
    began = time.process_time()
    act()
    return time.process_time() - began


def told(values: Any, unit: str, digits: int) -> str:
    """Median and range."""
    return f"{median(values):.{digits}f} {unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"
