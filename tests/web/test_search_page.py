"""The search view: which trials it tells of, in which words, and that it follows a search that goes on; by mouse and by keyboard."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from glassnet.web.index import Index
from glassnet.web.searches import finalists, sentence, stages
from glassnet.web.trials import Curves, searched, trials, under_way, with_curves
from web.watched import waited

EPOCH = {"event": "epoch", "epoch": 3, "step": 40, "train": {"loss": 0.1}, "val": {"loss": 0.1, "accuracy": 0.95}}


def test_rows_are_those_of_the_file(tmp_path: Path, search_maker: Callable[..., Path]) -> None:
    folder = search_maker(tmp_path / "search")
    found = trials(folder, tmp_path)
    with (folder / "trials.csv").open(newline="") as file:
        for row, trial in zip(csv.DictReader(file), found, strict=True):
            assert trial["value"] == float(row["value"])
            assert trial["settings"]["optimizer.lr"] == float(row["optimizer.lr"])
            assert trial["settings"]["net.hidden"] == row["net.hidden"]
    words = sentence(found)
    assert words.startswith(
        "11 of 12 trials came to their end, 1 was ended early; the best, 0.9, is number 9 of stage 1: lr 0.1,"
    )
    assert stages(folder)[0]["importances"] == [("optimizer.lr", 0.9), ("train.batch_size", 0.05)]
    assert [each["name"] for each in finalists(folder)] == ["finalist 1", "the recipe as it was"]


def test_trials_under_way_are_told_with_their_settings_and_curves_grow(
    tmp_path: Path, search_maker: Callable[..., Path], run_maker: Callable[..., Path]
) -> None:
    folder = search_maker(tmp_path / "search")
    path = run_maker(folder / "trials" / "2-0000", lr=0.05, finished=False)
    index, curves = Index(tmp_path), Curves()
    ended = {(each["stage"], each["number"]) for each in trials(folder, tmp_path)}
    keys = searched(folder, json.loads((folder / "search.json").read_text()))
    [new] = under_way(folder, index, keys, ended)
    assert (new["stage"], new["number"], new["end"], new["value"]) == (2, 0, "stopped", None)  # nobody holds its lock
    assert new["settings"] == {"optimizer.lr": 0.05, "net.hidden": "[8]"}
    with_curves([new], index, curves)
    assert new["curve"] == pytest.approx([0.49, 0.59, 0.69])
    with (path / "metrics.jsonl").open("a") as file:
        file.write(
            json.dumps(EPOCH) + "\n" + '{"event": "epoch", "val": {"accuracy": "x"}}\n' + '{"event": "epoch", torn'
        )
    with_curves([new], index, curves)
    assert new["curve"] == pytest.approx([0.49, 0.59, 0.69, 0.95])


def test_a_trial_that_leads_out_of_the_folder_is_not_read(tmp_path: Path, search_maker: Callable[..., Path], run_maker: Callable[..., Path]) -> None:  # fmt: skip
    folder = search_maker(tmp_path / "runs" / "search")
    run_maker(tmp_path / "outside", finished=False)
    (folder / "trials" / "1-0000").symlink_to(tmp_path / "outside")
    found = trials(folder, tmp_path / "runs")
    with_curves(found, Index(tmp_path / "runs"), Curves())
    assert [each["number"] for each in found if "curve" in each] == [8, 9, 10]


def address(served: Any, name: str) -> str | None:
    """Where a search is shown; None where it is not listed."""
    page = served.ask("/searches")[2].decode()
    return next((part.split('"')[0] for part in page.split('href="')[1:] if f">{name}</a>" in part), None)


@pytest.fixture
def search(served: Any, search_maker: Callable[..., Path]) -> Iterator[tuple[str, Path]]:
    """(address, folder) of a search below the page."""
    folder = search_maker(served.root / "good-search")
    try:
        yield waited(lambda: address(served, folder.name), f"{folder.name} in the list"), folder
    finally:
        shutil.rmtree(folder)
    waited(lambda: address(served, folder.name) is None or None, f"{folder.name} to leave the list")


def test_what_was_seen_is_not_sent_again(served: Any, search: tuple[str, Path]) -> None:
    place, folder = search
    first = json.loads(served.ask(f"{place}/trials.json")[2])
    assert len(first["trials"]) == 12
    again = json.loads(served.ask(f"{place}/trials.json?seen={first['seen']}")[2])
    assert again == {"seen": first["seen"]}
    with (folder / "trials.csv").open("a") as file:
        file.write("1,12,done,0.99,3,1.0,0.2,32,[64],\n")
    last = json.loads(served.ask(f"{place}/trials.json?seen={first['seen']}")[2])
    assert len(last["trials"]) == 13
    assert "the best, 0.99, is number 12" in last["sentence"]


@pytest.fixture
def tab(watched: Any, search: tuple[str, Path]) -> Any:
    page = watched.open(search[0])
    page.wait_for_selector("html[data-trials]", state="attached")
    return page


def test_every_picture_has_words_that_are_true(tab: Any, expect: Any, search: tuple[str, Path]) -> None:
    found = trials(search[1], search[1].parent)
    best = sorted((each for each in found), key=lambda each: -each["value"])[:3]
    rates = sorted(each["settings"]["optimizer.lr"] for each in best)
    words = tab.locator("#chosen").inner_text()
    assert words.startswith("The best 3 of 12 trials (drawn strongly) lie closest together in ")
    if "closest together in lr" in words:
        assert f"from {rates[0]:.3g} to {rates[-1]:.3g}" in words
    assert tab.locator(".parallel polyline.trial.strong").count() == 3
    assert "In stage 1 lr explains 90 % of how much the trials differ, batch_size 5 %." in tab.locator("#importances").inner_text()  # fmt: skip
    caption = tab.locator("#scatter figure", has_text="train.batch_size").locator("figcaption").inner_text()
    for size in (32, 64):
        values = [each["value"] for each in found if each["settings"]["train.batch_size"] == size]
        assert f"{float(f'{median(values):.3g}'):g} with {size}" in caption
    expect(tab.locator("#curves figcaption")).to_contain_text(
        "The best trial went from 0.49 after its first epoch to 0.69 at best"
    )
    assert (
        "finalist 1 is best: 0.89 on average; the recipe as it was has 0.71"
        in tab.locator("#finalists-words").inner_text()
    )
    for picture in tab.locator("svg[role=img]").all():
        assert len(picture.get_attribute("aria-label")) > 20


def test_trials_are_chosen_by_sliders_and_counted_in_words(tab: Any, expect: Any, search: tuple[str, Path]) -> None:
    found = trials(search[1], search[1].parent)
    tab.get_by_text("Choose by ranges").focus()
    tab.keyboard.press("Enter")
    slider = tab.get_by_role("slider", name="lr from", exact=True)
    slider.focus()
    for _ in range(60):
        tab.keyboard.press("ArrowRight")
    least = 1e-4 * (found[-1]["settings"]["optimizer.lr"] / 1e-4) ** 0.6
    inside = [each for each in found if each["settings"]["optimizer.lr"] >= least]
    others = [each for each in found if each not in inside]
    words = tab.locator("#chosen").inner_text()
    assert words.startswith(f"{len(inside)} of 12 trials have lr from ")
    assert f"their middle figure is {median(each['value'] for each in inside):.3g}" in words
    assert f"that of the others {median(each['value'] for each in others):.3g}" in words
    assert tab.locator("#trials tbody tr").count() == len(inside)
    assert tab.locator("#count").inner_text() == f"{len(inside)} of 12 trials, as chosen above."
    tab.get_by_role("button", name="Show all trials again").press("Enter")
    expect(tab.locator("#trials tbody tr")).to_have_count(12)


def test_trials_are_chosen_by_dragging_and_all_come_back_by_a_click(tab: Any, expect: Any) -> None:
    axis = tab.locator(".parallel line.axis").first
    box = axis.bounding_box()
    tab.mouse.move(box["x"], box["y"] + 2)
    tab.mouse.down()
    tab.mouse.move(box["x"], box["y"] + box["height"] / 4, steps=5)
    tab.mouse.up()
    expect(tab.locator("#chosen")).to_contain_text("of 12 trials have lr from ")
    tab.mouse.click(box["x"], box["y"] + 2)
    expect(tab.locator("#chosen")).to_contain_text("The best 3 of 12")


def test_trials_are_walked_through_by_keyboard_from_the_best_on(tab: Any, expect: Any) -> None:
    tab.locator(".parallel").focus()
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#parallel .readout")).to_contain_text("0.9 with lr 0.1")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator("#parallel .readout")).to_contain_text("0.8 with lr")
    drawn = re.compile(r"^[\d., ]+$")
    expect(tab.locator(".trial.pointed")).to_have_attribute("points", drawn)
    width = tab.viewport_size["width"]
    before = tab.locator(".trial.pointed").get_attribute("points")
    tab.set_viewport_size({"width": width + 100, "height": tab.viewport_size["height"]})  # everything is drawn anew
    expect(tab.locator(".trial.pointed")).not_to_have_attribute("points", before)
    expect(tab.locator(".trial.pointed")).to_have_attribute("points", drawn)
    tab.set_viewport_size({"width": width, "height": tab.viewport_size["height"]})
    tab.locator("#parallel .readout a").focus()
    tab.locator("#trials tbody a").first.focus()  # a row of the table points too
    expect(tab.locator("#parallel .readout")).to_contain_text("trial 9 of stage 1")
    tab.locator("#trials tbody a").first.press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("good-search/trials/1-0009")


def test_a_new_trial_changes_table_pictures_and_sentence_without_a_reload(
    tab: Any, expect: Any, search: tuple[str, Path]
) -> None:
    tab.locator("#trials tbody a").first.focus()
    with (search[1] / "trials.csv").open("a") as file:
        file.write("1,12,done,0.99,3,1.0,0.2,32,[64],\n")
    expect(tab.locator("#sentence")).to_contain_text("the best, 0.99, is number 12 of stage 1")
    expect(tab.locator("#trials tbody tr")).to_have_count(13)
    assert tab.evaluate("document.activeElement.textContent") == "9"  # who stood on a row stands there still
    expect(tab.locator(".parallel polyline.trial:not(.pointed)")).to_have_count(13)


def test_a_click_that_a_new_trial_interrupts_is_not_lost(tab: Any, expect: Any, search: tuple[str, Path]) -> None:
    link = tab.locator("#trials").get_by_role("link", name="9", exact=True)
    link.hover()
    tab.mouse.down()
    with (search[1] / "trials.csv").open("a") as file:
        file.write("1,12,done,0.001,3,1.0,0.2,32,[64],\n")  # the worst: no row above it moves
    expect(tab.locator("#trials tbody tr")).to_have_count(13)
    tab.mouse.up()
    expect(tab.get_by_role("heading", level=1)).to_have_text("good-search/trials/1-0009")


@pytest.mark.slow
def test_axe_finds_nothing_in_a_search(tab: Any, axe: Callable[[Any], list[Any]]) -> None:
    assert axe(tab) == []
