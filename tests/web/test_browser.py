"""The page in a real browser: main flows, keyboard, no word on the console, nothing from outside, nothing prepared runs.

Skipped where Playwright or Chromium is not installed (``pip install playwright`` and Debian's ``chromium``, or GLASSNET_CHROMIUM=/path/to/it).
Rules of accessibility are checked by axe-core where GLASSNET_AXE names its ``axe.min.js`` or ``node_modules/axe-core`` lies in the checkout
(``npm install --no-save axe-core``).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glassnet.web.page import HERE
from web.watched import Watched, pages, waited

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install playwright)")
LOOKS = [
    (360, "dark"),
    (1920, "light"),
    *(
        pytest.param(*look, marks=pytest.mark.slow)
        for look in ((360, "light"), (1024, "light"), (1024, "dark"), (1920, "dark"))
    ),
]
LOCK_HOLDER = "import fcntl, os, signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_DFL); f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)"


def test_the_list_is_filtered_sorted_and_remembers_both(watched: Watched) -> None:
    page = watched.page
    rows = page.locator("table.runs tbody tr")
    sync_api.expect(rows).to_have_count(6)
    page.keyboard.press("/")
    page.keyboard.type("lr>=0.2 state=finished")
    sync_api.expect(rows).to_have_count(2)
    sync_api.expect(page.locator("#summary")).to_have_text("2 of 6 runs: 2 finished.")
    page.get_by_role("button", name="result").click()
    page.get_by_role("button", name="result").click()
    head = page.locator("th[aria-sort]")
    sync_api.expect(head).to_have_text("result")
    order = [row.inner_text().split("\t")[1].split()[0] for row in rows.all()]
    page.reload()
    sync_api.expect(rows).to_have_count(2)
    assert [row.inner_text().split("\t")[1].split()[0] for row in rows.all()] == order
    page.fill("#filter", "no such words")
    sync_api.expect(rows).to_have_count(0)


def test_columns_are_chosen(watched: Watched) -> None:
    page = watched.page
    page.get_by_text("Columns", exact=True).click()
    box = page.get_by_role("checkbox", name="train.seed")
    was = box.is_checked()
    box.click()
    sync_api.expect(page.get_by_role("columnheader", name="train.seed")).to_have_count(0 if was else 1)


def test_runs_are_chosen_and_compared_by_keyboard_alone(watched: Watched) -> None:
    page = watched.page
    for name in ("good-1", "good-2"):
        page.get_by_role("checkbox", name=f"Choose {name} to compare").focus()
        page.keyboard.press("Space")
    sync_api.expect(page.locator("#compare")).to_have_text("Compare 2 chosen")
    page.locator("#compare").focus()
    page.keyboard.press("Enter")
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("2 runs side by side")
    sync_api.expect(page.locator("figcaption").first).to_contain_text("Lowest: good")


def test_a_run_shows_its_curves_each_with_a_sentence(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="good-1", exact=True).click()
    sync_api.expect(page.locator("#chart-loss figcaption")).to_contain_text("Validation loss is lowest, 0.367")
    sync_api.expect(page.locator("#told")).to_contain_text("3 of 3 epochs")
    sync_api.expect(page.locator("#findings")).to_contain_text("Validation loss rises")
    for chart in page.locator("figure.chart:visible").all():
        assert chart.locator("figcaption").inner_text().endswith(".")
        assert chart.locator("canvas[role=img]").get_attribute("aria-label") == chart.locator("figcaption").inner_text()
    inked = "(c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    assert page.locator("#chart-loss canvas[role=img]").evaluate(inked) > 5
    page.locator("#findings summary").click()
    page.get_by_role("link", name="How the rule").click()
    sync_api.expect(page).to_have_url(re.compile("/rules#overfitting"))


def test_a_printed_run_keeps_the_shape_of_its_charts_and_leaves_out_what_cannot_be_pressed(watched: Watched) -> None:
    page = watched.open(pages(watched.served)["run"])
    canvas = page.locator("#chart-batch canvas[role=img]")
    sync_api.expect(canvas).to_be_visible()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 within its margins
    sync_api.expect(page.locator("header.top")).to_be_hidden()
    sync_api.expect(page.locator("#chart-batch .tools")).to_be_hidden()
    sync_api.expect(page.locator("#told")).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None
    drawn = canvas.evaluate("(canvas) => canvas.width / canvas.height")
    assert box["width"] / box["height"] == pytest.approx(drawn, rel=0.02)


def test_new_points_change_the_sentence_without_a_reload(watched: Watched, run_maker: Callable[..., Path]) -> None:
    served = watched.served
    path = run_maker(served.root / "growing", finished=False)
    try:
        page = watched.open(wait_for(served, "growing"))
        sync_api.expect(page.locator("#chart-loss figcaption")).to_contain_text("after epoch 3 of 3")
        with (path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"event": "epoch", "epoch": 3, "step": 40, "lr": 0.1, "running_loss": 0.1, "train": {"loss": 0.1, "accuracy": 0.9}, "val": {"loss": 0.1, "accuracy": 0.9}}) + "\n")  # fmt: skip
        sync_api.expect(page.locator("#chart-loss figcaption")).to_contain_text("after epoch 4 of 4")
        sync_api.expect(page.locator("#chart-loss canvas[role=img]")).to_have_attribute(
            "aria-label", re.compile("after epoch 4")
        )
    finally:
        shutil.rmtree(path)


def test_what_somebody_opened_stays_open_when_more_is_found(watched: Watched, run_maker: Callable[..., Path]) -> None:
    served = watched.served
    path = run_maker(served.root / "found", finished=False)
    try:
        page = watched.open(wait_for(served, "found"))
        page.locator("#findings summary").click()
        sync_api.expect(page.locator("#findings dl")).to_be_visible()
        with (path / "findings.jsonl").open("a") as file:
            file.write(json.dumps({"event": "finding", "rule": "lr-too-low", "severity": "warning", "step": 25, "what": "slow", "why": "small steps", "advice": "a higher rate", "evidence": {"fall": 0.1}, "remedies": []}) + "\n")  # fmt: skip
        sync_api.expect(page.locator("#findings > div")).to_have_count(2)
        sync_api.expect(page.locator("#findings dl").first).to_be_visible()
        sync_api.expect(page.locator("#findings dl").last).to_be_hidden()
    finally:
        shutil.rmtree(path)


def test_a_click_on_a_run_is_not_lost_when_the_list_changes_under_it(
    watched: Watched, run_maker: Callable[..., Path]
) -> None:
    served = watched.served
    path = run_maker(served.root / "changing", finished=False)
    try:
        wait_for(served, "changing")
        page = watched.open("/?sort=0")
        row = page.locator("#table tbody tr").filter(has=page.get_by_role("link", name="changing", exact=True))
        row.get_by_role("checkbox").check()
        row.get_by_role("link", name="changing", exact=True).hover()
        page.mouse.down()
        run_maker(served.root / "z-new-one", lr=0.25)
        (path / "result.json").write_text((served.root / "good-1" / "result.json").read_text())
        sync_api.expect(row.locator(".state")).to_have_text("finished")
        sync_api.expect(row.get_by_role("checkbox")).to_be_checked()
        page.mouse.up()
        sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("changing")
    finally:
        shutil.rmtree(path)
        shutil.rmtree(served.root / "z-new-one", ignore_errors=True)


def test_a_chart_out_of_sight_is_drawn_when_it_comes_into_sight(
    watched: Watched, run_maker: Callable[..., Path]
) -> None:
    path = run_maker(watched.served.root / "scrolled", finished=False)
    try:
        page = watched.page
        page.set_viewport_size({"width": 360, "height": 200})
        page.goto(watched.base + wait_for(watched.served, "scrolled"))
        sync_api.expect(page.locator("#chart-batch figcaption")).to_contain_text("loss")
        page.evaluate("""() => {
            const clear = CanvasRenderingContext2D.prototype.clearRect;
            CanvasRenderingContext2D.prototype.clearRect = function (...a) {
              document.body.dataset.drawn += " " + this.canvas.closest("figure").id; clear.apply(this, a); }; }""")
        page.locator("#chart-rate").scroll_into_view_if_needed()
        page.evaluate("() => scrollTo(0, 0)")
        page.wait_for_timeout(300)  # what scrolling had to be drawn is drawn
        page.evaluate("() => { document.body.dataset.drawn = ''; }")
        with (path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"event": "step", "epoch": 3, "step": 41, "lr": 0.05, "loss": 7.5}) + "\n")
        sync_api.expect(page.locator("html")).to_have_attribute("data-step", "41")
        page.wait_for_timeout(100)  # some frames
        assert "chart-rate" not in page.locator("body").get_attribute("data-drawn")
        page.locator("#chart-rate").scroll_into_view_if_needed()
        sync_api.expect(page.locator("body")).to_have_attribute("data-drawn", re.compile("chart-rate"))
    finally:
        shutil.rmtree(path)


def wait_for(served: Any, name: str) -> str:
    """The page of a run, as soon as it is listed."""
    return f"/run/{waited(lambda: served.runs().get(name), f'{name} in the list')['id']}"


def test_a_chart_is_zoomed_and_read_by_keyboard(watched: Watched) -> None:
    page = watched.open(pages(watched.served)["run"])
    canvas = page.locator("#chart-batch canvas[role=img]")
    sync_api.expect(page.locator("#chart-batch figcaption")).to_contain_text("loss")  # the points are there
    with page.expect_response(lambda answer: "series.json" in answer.url) as asked:
        canvas.focus()
        page.keyboard.press("+")
    stretch = asked.value.json()["loss of the batch"]
    assert 10 <= len(stretch[0]) < 30
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("0")
    page.locator("#chart-batch .numbers summary").press("Enter")
    sync_api.expect(page.locator("#chart-batch .numbers td").first).to_have_text("0.0667")


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the kernel's list of locks is Linux's")
def test_a_training_is_stopped_by_its_button(watched: Watched, run_maker: Callable[..., Path]) -> None:
    served = watched.served
    path = run_maker(served.root / "held", finished=False)
    process = subprocess.Popen([sys.executable, "-c", LOCK_HOLDER, str(path / "run.lock")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        page = watched.open(wait_for(served, "held"))
        sync_api.expect(page.locator("#state")).to_have_text("running")
        sync_api.expect(page.locator("#resume")).to_be_hidden()
        sync_api.expect(page.locator("#told")).to_contain_text(
            "epoch"
        )  # the page has heard of the run: its buttons stay what they are now
        page.locator("#stop").press("Enter")
        # Only then may this process wait for another: what the page asks passes through the browser's driver, which runs here.
        sync_api.expect(page.locator("#answer")).to_contain_text("Asked to save and stop")
        process.wait(30)
        sync_api.expect(page.locator("#state")).to_have_text("stopped")
        sync_api.expect(page.locator("#resume")).to_be_visible()
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(path)


def test_what_cannot_be_started_is_told_beside_the_button(watched: Watched) -> None:
    page = watched.open("/processes")
    page.fill("#name", "good-1")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#answer")).to_contain_text("There is already something called 'good-1'")
    page.fill("#name", "new-1")
    page.fill("#settings", "data.path = /etc")
    page.get_by_role("button", name="Start").click()
    sync_api.expect(page.locator("#answer")).to_contain_text("cannot be set from the page")
    page.fill("#settings", "nonsense")
    page.get_by_role("button", name="Start").click()
    sync_api.expect(page.locator("#answer")).to_contain_text("no line of the form")
    watched.said = [each for each in watched.said if "422" not in each]  # the browser notes each refusal


def test_a_search_shows_points_and_trials(watched: Watched) -> None:
    page = watched.open(pages(watched.served)["search"])
    sync_api.expect(page.locator("#scatter figure")).to_have_count(2)
    page.locator("#trials").get_by_role("link", name="0").click()
    sync_api.expect(page.get_by_role("heading", level=1)).to_have_text("search-1/trials/1-0000")


def test_the_page_tells_that_its_process_is_gone(browser: Any, served: Any, tmp_path: Path, run_maker: Callable[..., Path]) -> None:  # fmt: skip
    run_maker(tmp_path / "runs" / "a", finished=False)
    other = type(served)(tmp_path / "runs", tmp_path / "log")
    watched = Watched(browser, other)
    page = watched.open(wait_for(other, "a"))
    sync_api.expect(page.locator("#told")).to_contain_text("3 of 3")
    other.end()
    sync_api.expect(page.locator("#lost")).to_be_visible()
    watched.said = [each for each in watched.said if "ERR_" not in each]  # the browser itself notes the lost connection
    watched.close()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_is_quiet_fits_and_runs_nothing_prepared(browser: Any, served: Any, width: int, scheme: str) -> None:
    watched = Watched(browser, served, viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce")  # fmt: skip
    for name, path in pages(served).items():
        page = watched.open(path)
        page.wait_for_timeout(120)
        if name.endswith("report"):
            watched.said = [each for each in watched.said if "sandbox" not in each and "Content Security Policy" not in each]  # fmt: skip
            continue  # shut in by its policy, which the browser notes
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.locator("h1").count() == 1
        assert page.title().endswith("· Glassnet")
    watched.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, served: Any, axe: Callable[[Any], list[Any]], scheme: str) -> None:
    watched = Watched(browser, served, color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for name, path in (pages(served) | {"stepper": "/stepper", "nothing here": "/nothing-here"}).items():
        if name.endswith("report"):
            continue  # shut in by its policy; tests/web/test_report_in_browser.py looks at reports
        page = watched.open(path)
        page.wait_for_timeout(150)
        found[name] = axe(page)
    watched.said = [each for each in watched.said if "404" not in each]  # the browser notes the page that is not there
    watched.close()
    assert {name: troubles for name, troubles in found.items() if troubles} == {}


def test_colours_reach_the_contrast_that_eyes_need() -> None:
    """WCAG 2.1: 4.5 for words, 3 for lines and frames, in both themes."""
    sheet = (HERE / "static" / "glassnet.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    assert len(roots) == 2
    for theme in roots:
        colour = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", theme))
        grounds = ("paper", "card")
        for word in ("ink", "muted", "accent", "stop"):
            for ground in grounds:
                assert contrast(colour[word], colour[ground]) >= 4.5, (word, ground)
        for word, ground in (("warn", "warn-back"), ("stop", "stop-back"), ("good", "good-back"), ("accent", "info-back"), ("muted", "warn-back"), ("muted", "stop-back"), ("muted", "info-back"), ("paper", "accent"), ("ink", "warn-back"), ("warn", "paper"), ("warn", "card"), ("warn", "info-back")):  # fmt: skip
            assert contrast(colour[word], colour[ground]) >= 4.5, (word, ground)
        for line in ("blue", "orange", "green", "purple", "sky", "grey", "field"):
            assert contrast(colour[line], colour["paper"]) >= 3, line


def contrast(first: str, second: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)
