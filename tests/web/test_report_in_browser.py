"""Reports as a stranger opens them: from disk, with no network, in both themes, three widths and on paper."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import glassnet

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = os.environ.get("GLASSNET_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")]
LARGEST = 5_000_000  # bytes


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports of pictures, of a table, and of both compared."""
    place = tmp_path_factory.mktemp("reports")
    chance = random.Random(0)
    rows = ((chance.gauss(0, 1), chance.gauss(0, 1), chance.choice("xyz")) for _ in range(300))
    table = "a,b,letter,answer\n" + "".join(f"{a:.3f},{b:.3f},{c},{'yes' if a + b > 0 else 'no'}\n" for a, b, c in rows)
    (place / "rows.csv").write_text(table)

    def command(*words: str) -> None:
        subprocess.run(
            [sys.executable, "-c", "from glassnet.cli import main; main()", *words],
            cwd=place,
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONPATH": str(Path(glassnet.__file__).parent.parent)},
        )

    command("train", "digits", "--net", "small-vgg", "--epochs", "2", "--out", "pictures")
    command("train", "rows.csv", "--epochs", "3", "--out", "table")
    command("report", "pictures", "table", "--out", "both.html")
    return {
        "pictures": place / "pictures/report.html",
        "table": place / "table/report.html",
        "both": place / "both.html",
    }


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["pictures", "table", "both"])
def test_a_report_opens_from_disk_without_a_network(
    browser: Any, reports: dict[str, Path], axe: Callable[[Any], list[Any]], which: str, scheme: str
) -> None:
    assert reports[which].stat().st_size <= LARGEST
    context = browser.new_context(color_scheme=scheme, offline=True)
    page, asked, said = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for width in (360, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(reports[which].as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {url for url in asked if not url.startswith("data:")} == {reports[which].as_uri()}
    missing = "[...document.images].filter((each) => !each.complete || !each.naturalWidth || each.alt === null).length"
    assert page.evaluate(missing) == 0
    assert said == []
    assert axe(page) == []
    context.close()


@pytest.mark.parametrize("which", ["pictures", "table", "both"])
def test_a_report_prints(browser: Any, reports: dict[str, Path], which: str) -> None:
    page = browser.new_page()
    page.goto(reports[which].as_uri())
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins, at 96 dots an inch
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()
