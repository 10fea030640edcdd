"""Looking inside and stepping in a real browser: drawing, keyboard, both themes and three widths, no word on the console, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("starlette", reason="the extra [web] is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

WAIT = 60_000  # ms; the first answer opens the network


@pytest.fixture(scope="module")
def page(served: Any, tmp_path_factory: pytest.TempPathFactory, run_maker: Any, grey_model: Any) -> Iterator[Any]:
    place = tmp_path_factory.mktemp("browser")
    grey_model("cat", "<script>canary()</script>", "fox").save(run_maker(place / "runs" / "lenet") / "model")
    with served.another(place) as made:
        yield made


@pytest.fixture
def tab(browser: Any, page: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A tab that holds the token; at its end nothing was said on its console, and nothing was asked of anybody else."""
    width, scheme = getattr(request, "param", (1024, "light"))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    foreign: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda asked: None if asked.url.startswith(f"http://127.0.0.1:{page.port}/") else foreign.append(asked.url))  # fmt: skip
    tab.goto(f"http://127.0.0.1:{page.port}/?token={page.token}")
    tab.base = f"http://127.0.0.1:{page.port}"
    yield tab
    assert [words for words in said if "status of 422" not in words] == []  # which the browser itself notes
    assert foreign == []
    context.close()


def draw(tab: Any) -> None:
    box = tab.locator("canvas.pad").bounding_box()
    tab.mouse.move(box["x"] + 80, box["y"] + 50)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 150, box["y"] + 200, steps=8)
    tab.mouse.up()


VIEWS = [(width, scheme) for width in (360, 1024, 1920) for scheme in ("light", "dark")]


@pytest.mark.parametrize("tab", VIEWS, indirect=True, ids=str)
def test_drawing_makes_every_layer_answer(tab: Any, page: Any) -> None:
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/inside")
    draw(tab)
    tab.wait_for_selector("#layers canvas.map", timeout=WAIT)
    assert tab.locator("#words").inner_text().startswith("The network says ")
    assert tab.locator("#top tr").count() == 3
    assert "<script>" in tab.locator("#top").inner_text()  # a class's name stays words
    assert tab.locator("#layers details").count() >= 8
    tab.click("#saliency")
    tab.wait_for_selector("#saliency-place canvas", timeout=WAIT)
    assert "of the pixels" in tab.locator("#saliency-place").inner_text()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_pixel_is_taken_apart_with_the_mouse_and_with_the_keyboard(tab: Any, page: Any) -> None:
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/inside")
    draw(tab)
    tab.wait_for_selector("button.tile", timeout=WAIT)
    tile = tab.locator("button.tile").first
    tile.hover()
    tab.wait_for_selector("#taken table.grid", timeout=WAIT)
    assert tab.locator("#taken table.grid").count() == 3  # one input map: what it sees, weights, products
    tab.mouse.move(0, 0)
    tile.focus()
    tab.keyboard.press("ArrowRight")
    sync_api.expect(tab.locator("#taken h3")).to_contain_text("row 14, column 15", timeout=WAIT)


def test_the_pad_is_drawn_on_and_wiped_with_the_keyboard(tab: Any, page: Any) -> None:
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/inside")
    tab.locator("canvas.pad").focus()
    for key in ("Space", "ArrowDown", "ArrowDown", "ArrowDown", "Space"):
        tab.keyboard.press(key)
    tab.wait_for_selector("#layers details", timeout=WAIT)
    tab.keyboard.press("Delete")
    sync_api.expect(tab.locator("#layers details")).to_have_count(0, timeout=WAIT)


def test_a_file_that_is_no_picture_is_told(tab: Any, page: Any) -> None:
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/inside")
    tab.set_input_files("#file", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture at all"})
    sync_api.expect(tab.locator("#pad [role=alert]")).to_contain_text("cannot be read", timeout=WAIT)


@pytest.mark.parametrize("tab", VIEWS, indirect=True, ids=str)
def test_a_formula_is_stepped_through_with_the_keyboard(tab: Any) -> None:
    tab.goto(f"{tab.base}/stepper")
    tab.wait_for_selector("#steps li", timeout=WAIT)
    assert "−12" in tab.locator("#words").inner_text()
    for key in ("ArrowRight", "ArrowRight"):
        tab.keyboard.press(key)
    assert tab.locator("#step h2").inner_text() == "Backward 1 of 2: multiply1"
    assert "d[add1] = -4 · 1 = -4" in tab.locator("#step").inner_text()
    tab.keyboard.press("End")
    assert tab.locator("#next").is_disabled()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_network_is_stepped_through(tab: Any, page: Any) -> None:
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/stepper")
    draw(tab)
    tab.select_option("#target", "fox")
    tab.wait_for_selector("#steps li", timeout=WAIT)
    tab.click("#turn")
    assert "Backward 1 of" in tab.locator("#step h2").inner_text()
    assert "softmax" in tab.locator("#step").inner_text()


@pytest.mark.parametrize("tab", [(1024, "light"), (1024, "dark")], indirect=True, ids=str)
def test_axe_finds_nothing_where_the_network_answers(tab: Any, page: Any, axe: Callable[[Any], list[Any]]) -> None:
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/inside")
    draw(tab)
    tab.wait_for_selector("button.tile", timeout=WAIT)
    tab.click("#saliency")
    tab.wait_for_selector("#saliency-place canvas", timeout=WAIT)
    tab.locator("button.tile").first.focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_selector("#taken table.grid", timeout=WAIT)
    assert axe(tab) == []
    tab.goto(f"{tab.base}/run/{page.key('lenet')}/stepper")
    draw(tab)
    tab.select_option("#target", "fox")
    tab.wait_for_selector("#steps li", timeout=WAIT)
    tab.click("#turn")
    assert axe(tab) == []
