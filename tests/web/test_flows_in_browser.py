"""Ways through the page that people take, each from a fresh tab: by links, by keyboard alone, by bookmarks, and back."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from web.watched import Watched, pages


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds. The page's policy forbids what Playwright's own ``wait_for_function`` does with a text."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_links_of_the_head_lead_to_their_pages(watched: Watched, expect: Any) -> None:
    page = watched.page
    for link, heading in (("Searches", "Searches"), ("Start a run", "Start a run"), ("Rules", "Rules"), ("Backpropagation", "Backpropagation"), ("Runs", "Runs")):  # fmt: skip
        page.locator("header").get_by_role("link", name=link, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading[:5])


def test_the_first_tab_leads_to_the_content(watched: Watched, expect: Any) -> None:
    page = watched.open("/rules")
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press(page, "Enter")
    expect(page).to_have_url(re.compile("#main"))
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_bookmark_keeps_filter_and_order(watched: Watched, expect: Any) -> None:
    page = watched.page
    page.fill("#filter", "lr>=0.2 state=finished")
    expect(page.locator("#summary")).to_contain_text("2 of ")
    page.get_by_role("button", name="result").press("Enter")
    address = page.url.removeprefix(watched.base)
    page.goto("about:blank")
    page = watched.open(address)
    expect(page.locator("#summary")).to_contain_text("2 of ")
    assert page.locator("#filter").input_value() == "lr>=0.2 state=finished"
    expect(page.locator("th[aria-sort]")).to_have_text("result")


def test_back_leads_from_a_run_to_the_filtered_list(watched: Watched, expect: Any) -> None:
    page = watched.page
    page.fill("#filter", "good-2")
    page.get_by_role("link", name="good-2", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("good-2")
    page.go_back()
    expect(page.locator("#filter")).to_have_value("good-2")


def test_the_list_is_sorted_by_keyboard_both_ways(watched: Watched, expect: Any) -> None:
    page = watched.page
    head = page.get_by_role("columnheader", name="state")
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").press("Space")
    expect(head).to_have_attribute("aria-sort", "descending")


def test_a_run_shows_its_result_class_by_class_by_keyboard(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["run"])
    page.get_by_text("Class by class").focus()
    press(page, "Enter")
    expect(page.get_by_role("region", name="Figures of each class").get_by_role("rowheader").or_(page.get_by_role("cell", name="a", exact=True)).first).to_be_visible()  # fmt: skip


def test_a_run_shows_its_recipe(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["run"])
    page.get_by_text("Every setting with its reason").press("Enter")
    expect(page.get_by_label("Recipe")).to_contain_text('name = "mlp"')


def test_the_views_of_a_run_are_walked_through(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["run"])
    for view in ("Look inside", "Backpropagation", "Training"):
        page.get_by_label("Views of this run").get_by_role("link", name=view).press("Enter")
        expect(page.locator("nav.views [aria-current=page]")).to_have_text(view)


def test_a_report_opens_from_its_run(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["run"])
    page.get_by_role("link", name="Report").click()
    expect(page.locator("p")).to_have_text("the report")
    watched.said = [each for each in watched.said if "sandbox" not in each and "Content Security Policy" not in each]


def test_a_chart_is_zoomed_by_dragging_and_shows_all_again(watched: Watched) -> None:
    page = watched.open(pages(watched.served)["run"])
    canvas = page.locator("#chart-batch canvas[role=img]")
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    box = canvas.bounding_box()
    with page.expect_response(lambda answer: "series.json" in answer.url) as asked:
        page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 60, steps=4)
        page.mouse.up()
    assert 5 <= len(asked.value.json()["loss of the batch"][0]) < 20
    page.locator("#chart-batch").get_by_role("button", name="all: show everything").click()


def test_a_chart_changes_to_decades(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["run"])
    button = page.locator("#chart-loss").get_by_role("button", name="log: logarithmic scale")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")


def test_the_pointer_reads_a_value(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["run"])
    page.locator("#chart-loss canvas[role=img]").hover()
    expect(page.locator("#chart-loss .readout")).to_contain_text(re.compile(r"epoch \d: .*validation"))


def test_charts_follow_the_theme(watched: Watched) -> None:
    page = watched.open(pages(watched.served)["run"])
    page.wait_for_selector("#chart-loss:not([hidden])")
    canvas = page.locator("#chart-loss canvas[role=img]")
    drawn = [""]

    def settled() -> bool:
        page.wait_for_timeout(300)
        drawn.append(canvas.evaluate("(c) => c.toDataURL()"))
        return drawn[-1] == drawn[-2]

    until(settled)
    light = drawn[-1]
    page.emulate_media(color_scheme="dark")
    until(lambda: canvas.evaluate("(c) => c.toDataURL()") != light)


def test_compared_runs_lead_back_to_each_of_them(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["compare"])
    page.get_by_role("link", name="good-1", exact=True).first.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("good-1")


def test_a_page_that_is_not_there_leads_back(watched: Watched, expect: Any) -> None:
    page = watched.open("/nothing-here")
    expect(page.locator("main")).to_contain_text("There is no such page")
    page.get_by_role("link", name="Back to the list of runs").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    watched.said = [each for each in watched.said if "404" not in each]


def test_without_the_token_a_browser_is_told_where_to_find_it(browser: Any, served: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    assert page.goto(f"http://127.0.0.1:{served.port}/").status == 401
    assert "glassnet web" in page.content()
    context.close()


def test_a_wrong_formula_is_told_and_a_right_one_stepped(watched: Watched, expect: Any) -> None:
    page = watched.open("/stepper")
    expect(page.locator("#steps li").first).to_be_visible(timeout=60_000)
    page.fill("#formula", "x * (y")
    page.locator("#formula").press("Enter")
    expect(page.locator("[role=alert]")).not_to_be_empty()
    page.fill("#formula", "x * y")
    page.fill("#values", "x=3 y=4")
    page.locator("#formula").press("Enter")
    expect(page.locator("#words")).to_contain_text("12")
    watched.said = [each for each in watched.said if "422" not in each]


def test_the_trials_of_a_search_are_sorted_by_keyboard(watched: Watched, expect: Any) -> None:
    page = watched.open(pages(watched.served)["search"])
    page.wait_for_selector("html[data-trials]", state="attached")
    page.get_by_role("button", name="number", exact=True).press("Enter")
    expect(page.locator("#trials th[aria-sort]")).to_have_text("number")


def test_a_rule_of_the_list_is_reached_by_its_address(watched: Watched, expect: Any) -> None:
    page = watched.open("/rules#overfitting")
    expect(page.locator(".rule:target")).to_be_in_viewport()


@pytest.fixture(scope="module")
def grey(
    served: Any, tmp_path_factory: pytest.TempPathFactory, run_maker: Callable[..., Path], grey_model: Any
) -> Iterator[Any]:
    """A page over a run whose network reads grey pictures, and space for new runs."""
    place = tmp_path_factory.mktemp("grey")
    grey_model("cat", "dog", "fox").save(run_maker(place / "runs" / "lenet") / "model")
    with served.another(place) as made:
        yield made


@pytest.fixture
def inside(browser: Any, grey: Any) -> Iterator[Watched]:
    made = Watched(browser, grey, viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    made.open(f"/run/{grey.key('lenet')}/inside")
    yield made
    made.close()


def test_a_picture_of_ones_own_is_answered(inside: Watched, expect: Any) -> None:
    from PIL import Image

    written = io.BytesIO()
    Image.radial_gradient("L").save(written, "PNG")
    inside.page.set_input_files("#file", {"name": "x.png", "mimeType": "image/png", "buffer": written.getvalue()})
    expect(inside.page.locator("#words")).to_contain_text("The network says", timeout=60_000)
    assert inside.page.locator("canvas.given").count() == 1


def test_dark_on_light_turns_what_the_network_is_given(inside: Watched, expect: Any) -> None:
    page = inside.page
    page.locator("canvas.pad").focus()
    press(page, "Space", "ArrowDown", "ArrowDown", "Space")
    # Of a copy: a canvas that is read often draws a warning on the console.
    corner = "(c) => { const d = document.createElement('canvas'); d.width = d.height = 1; const g = d.getContext('2d', { willReadFrequently: true }); g.drawImage(c, 0, 0); return g.getImageData(0, 0, 1, 1).data[0]; }"  # fmt: skip
    expect(page.locator("canvas.given")).to_have_count(1, timeout=60_000)
    before = page.locator("canvas.given").evaluate(corner)
    page.get_by_label("the network knows dark on light").press("Space")
    until(lambda: page.locator("canvas.given").evaluate(corner) == 255 - before)


def test_layers_that_were_closed_stay_closed(inside: Watched, expect: Any) -> None:
    page = inside.page
    page.locator("canvas.pad").focus()
    press(page, "Space", "ArrowDown", "Space")
    first = page.locator("#layers details").first
    expect(first).to_have_attribute("open", "", timeout=60_000)
    first.locator("summary").click()
    answered = page.evaluate("document.getElementById('inside').dataset.answered")
    page.locator("canvas.pad").focus()
    press(page, "Space", "ArrowRight", "Space")
    until(lambda: page.evaluate("document.getElementById('inside').dataset.answered") != answered)
    expect(page.locator("#layers details").first).not_to_have_attribute("open", "")
    expect(page.locator("#layers details").nth(1)).to_have_attribute("open", "")


@pytest.mark.slow
def test_a_training_is_started_watched_and_its_result_seen(browser: Any, grey: Any, expect: Any) -> None:
    name = f"started-{time.monotonic_ns()}"
    watched = Watched(browser, grey, viewport={"width": 1024, "height": 800})
    page = watched.open("/processes")
    page.select_option("#source", "data:digits")
    page.fill("#name", name)
    page.fill("#settings", "train.epochs = 2\nnet.name = mlp")
    page.get_by_role("button", name="Start").press("Enter")
    expect(page.locator("#answer")).to_contain_text("Started.", timeout=60_000)
    for _ in range(600):
        if name in grey.runs() and grey.runs()[name]["state"] == "finished":
            break
        page.wait_for_timeout(200)
    page = watched.open(f"/run/{grey.key(name)}")
    expect(page.locator("#state")).to_have_text("finished", timeout=60_000)
    expect(page.locator("#chart-loss figcaption")).to_contain_text("of 2")
    expect(page.get_by_role("region", name="The network beside other methods")).to_be_visible()
    watched.close()
