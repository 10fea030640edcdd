"""Looking inside networks that read texts, sounds and rows: shares sum to what the output changes by, planted parts are found, odd questions get reasons."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from glassnet import zoo
from glassnet.data.columns import Column
from glassnet.data.dataset import InMemory, Part
from glassnet.data.preprocess.sound import SoundInputs
from glassnet.data.preprocess.table import fit_table
from glassnet.data.preprocess.vocabulary import Vocabulary
from glassnet.data.sound_schema import SoundSchema
from glassnet.data.table_schema import TableSchema
from glassnet.data.text_schema import TextSchema
from glassnet.errors import DataError, UsageError
from glassnet.model import Model
from glassnet.web import inside
from glassnet.web.shares import columns_of, moments_of, words_of
from glassnet.web.typed import row_of, sound_of, text_of

CLASSES = ("bad", "<img src=x onerror=canary()>")
TEXT = "the film is good and the zyzzyva is not"
WORDS = ["the", "film", "is", "good", "bad", "and", "not"]
ROWS = TableSchema((Column("size", "number"), Column("colour", "category", ("blue", "red")), Column("wet", "bool")))


def text_model() -> Model:
    vocabulary = Vocabulary("vocabulary", WORDS, 30)
    options = {"vocabulary": vocabulary.size, "embed": 6, "buckets": 0}
    net = zoo.build("text-bag", (30,), 2, options, seed=0)
    with torch.no_grad():
        net.embed.table.weight.mul_(0.1)
        net.embed.table.weight[2 + WORDS.index("good")] = 1.0
        net.head.weight.copy_(torch.tensor([[-0.5] * 6, [0.5] * 6]))
    about = {"zoo": "text-bag", "shape": [30], "outputs": 2, "options": options}
    schema = TextSchema("words", "line", None, 30)
    return Model(net.eval(), about, vocabulary, schema, "classes", CLASSES, ("class",))


def row_model() -> Model:
    chance = torch.Generator().manual_seed(0)
    raw = torch.cat([torch.randn(50, 1, generator=chance), torch.randint(0, 2, (50, 2), generator=chance).float()], 1)
    preprocess = fit_table("standardise", Part(InMemory(raw), torch.zeros(50), [str(row) for row in range(50)]), ROWS)
    options = {"hidden": [8]}
    net = zoo.build("mlp", preprocess.output_shape, 2, options, seed=0)
    about = {"zoo": "mlp", "shape": list(preprocess.output_shape), "outputs": 2, "options": options}
    return Model(net.eval(), about, preprocess, ROWS, "classes", CLASSES, ("class",))


def sound_model() -> Model:
    hears = SoundInputs("log-mel", 8000, 4000)
    net = zoo.build("small-vgg", hears.output_shape, 2, {}, seed=0)
    about = {"zoo": "small-vgg", "shape": list(hears.output_shape), "outputs": 2, "options": {}}
    return Model(net.eval(), about, hears, SoundSchema(8000, 4000), "classes", CLASSES, ("class",))


def wav(seconds: float = 0.4, rate: int = 16000) -> bytes:
    written = io.BytesIO()
    tone = (20_000 * np.sin(2 * np.pi * 500 * np.arange(int(seconds * rate)) / rate)).astype("<i2")
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone.tobytes())
    return written.getvalue()


def test_words_sum_to_what_the_output_changes_by_and_the_planted_one_is_found() -> None:
    model = text_model()
    told = words_of(model, text_of(model, TEXT), CLASSES[1])
    shares = [part["share"] for part in told["parts"]]
    codes = model.preprocess(text_of(model, TEXT).inputs.take(torch.tensor([0])))
    with torch.no_grad():
        change = model.net(codes)[0, 1] - model.net.head.bias[1]
    assert sum(shares) == pytest.approx(float(change), abs=1e-4)
    assert told["parts"][int(np.abs(shares).argmax())]["name"] == "good"
    assert [part["name"] for part in told["parts"] if not part["known"]] == ["zyzzyva"]
    assert f"“good” moves it most, by +{max(shares):.3g}" in told["sentence"]


def test_a_text_is_never_taken_for_the_name_of_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("good good good")
    model = text_model()
    told = words_of(model, text_of(model, str(secret)))
    assert "good" not in [part["name"] for part in told["parts"]]
    with pytest.raises(UsageError):
        text_of(model, " \n ")


def test_columns_sum_to_what_the_output_changes_by() -> None:
    pytest.importorskip("captum")
    model = row_model()
    row = row_of(model, {"size": "1.5", "colour": "red"})
    assert row[0, :2].tolist() == [1.5, 1.0]
    assert row[0, 2].isnan()
    told = columns_of(model, row, CLASSES[0])
    with torch.no_grad():
        nothing = model.preprocess(torch.full((1, 3), torch.nan))
        change = (model.net(model.preprocess(row)) - model.net(nothing))[0, 0]
    assert sum(part["share"] for part in told["parts"]) == pytest.approx(float(change), abs=2e-3)
    assert [(part["name"], part["value"]) for part in told["parts"]] == [
        ("size", "1.5"),
        ("colour", "red"),
        ("wet", ""),
    ]
    assert told["parts"][2]["share"] == pytest.approx(0.0, abs=1e-6)


def test_of_a_text_in_a_row_the_words_that_it_has_are_told() -> None:
    pytest.importorskip("captum")
    schema = TableSchema((Column("size", "number"), *(Column("what", "word", (word,)) for word in ("cellar", "pool"))))
    chance = torch.Generator().manual_seed(1)
    raw = torch.cat([torch.randn(60, 1, generator=chance), (torch.rand(60, 2, generator=chance) < 0.7).float()], 1)
    targets = raw.sum(dim=1, keepdim=True)
    preprocess = fit_table("standardise", Part(InMemory(raw), targets, [str(row) for row in range(60)]), schema)
    net = zoo.build("mlp", preprocess.output_shape, 1, {"hidden": [8]}, seed=0)
    about = {"zoo": "mlp", "shape": list(preprocess.output_shape), "outputs": 1, "options": {"hidden": [8]}}
    model = Model(net.eval(), about, preprocess, schema, "values", (), ("rent",))
    row = row_of(model, {"size": "1.5", "what": "A Pool, unheated"})
    assert row.tolist() == [[1.5, 0.0, 1.0]]
    told = columns_of(model, row)
    assert [(part["name"], part["value"]) for part in told["parts"]] == [("size", "1.5"), ("what: pool", "1")]
    largest = max(told["parts"], key=lambda part: abs(part["share"]))
    assert f"“{largest['name']}” moves it most" in told["sentence"]
    with torch.no_grad():
        unknown = torch.tensor([[torch.nan, 0.0, 0.0]])
        change = float(model.net(model.preprocess(row)) - model.net(model.preprocess(unknown)))
    assert sum(part["share"] for part in told["parts"]) == pytest.approx(change, abs=5e-3)
    fields = inside.about({"schema": schema.to_json(), "classes": []})["columns"]
    assert fields == [{"name": "size", "kind": "number", "levels": []}, {"name": "what", "kind": "text", "levels": []}]


def test_all_wrong_cells_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        row_of(row_model(), {"size": "big", "colour": "green", "wet": "perhaps", "other": "x"})
    message = caught.value.message()
    assert "size 'big' (a number)" in message
    assert "colour 'green' (one of blue, red)" in message
    assert "wet 'perhaps' (yes or no)" in message


@pytest.mark.parametrize("cell", ["nan", "inf", "1e99", "-1e39"])
def test_numbers_that_are_none_are_refused(cell: str) -> None:
    with pytest.raises(UsageError):
        row_of(row_model(), {"size": cell})


def test_a_sound_is_brought_to_the_rate_that_is_heard() -> None:
    model = sound_model()
    heard = sound_of(model, wav())
    assert int(heard.inputs.lengths[0]) == pytest.approx(0.4 * 8000, abs=2)
    told = moments_of(model, heard, CLASSES[0])
    bands, frames = model.preprocess.output_shape[-2:]
    assert (told["heard"]["height"], told["heard"]["width"]) == (bands, frames)
    assert (told["map"]["height"], told["map"]["width"]) == (bands, frames)
    pixels = np.frombuffer(base64.b64decode(told["heard"]["pixels"]), dtype=np.uint8).reshape(bands, frames)
    corners = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 4000 / 700), bands + 2) / 2595) - 1)
    loudest = bands - 1 - int(pixels[:, frames // 4].argmax())  # the lowest band is the last row
    assert corners[loudest] <= 500 <= corners[loudest + 2]
    for content in (b"", b"RIFF", wav()[:30], b"\0" * 1000):
        with pytest.raises(DataError):
            sound_of(model, content)


def test_layers_that_answer_to_each_moment_stand_moment_by_moment() -> None:
    vocabulary = Vocabulary("vocabulary", WORDS, 30)
    net = zoo.build("lstm", (30,), 2, {"vocabulary": vocabulary.size, "embed": 6, "hidden": 5}, seed=0).eval()
    model = Model(net, {}, vocabulary, TextSchema("words", "line", None, 30), "classes", CLASSES, ("class",))
    layers = inside.answers(model, text_of(model, TEXT), 9)["layers"]
    vectors = layers[0]
    assert vectors["shape"] == [9, 6]
    assert (vectors["wide"]["height"], vectors["wide"]["width"]) == (6, 9)
    values = net.embed.table(vocabulary(text_of(model, TEXT).inputs.take(torch.tensor([0]))))[0].detach().numpy().T
    expected = 255 * (values - values.min()) / (values.max() - values.min())
    pixels = np.frombuffer(base64.b64decode(vectors["wide"]["pixels"]), dtype=np.uint8).reshape(6, 9)
    assert np.abs(pixels - expected).max() <= 1.01


def test_a_class_of_ones_own_is_seen_wherever_it_stands() -> None:
    assert inside.own_class({"zoo": "mlp"}) == ""
    assert inside.own_class({"class": "mine:Net"}) == "mine:Net"
    assert inside.own_class({"ensemble": [{"net": {"zoo": "mlp"}}, {"net": {"class": "mine:Net"}}]}) == "mine:Net"
    assert inside.own_class([1, {"class": 3}]) == ""


@pytest.fixture(scope="module")
def page(served: Any, tmp_path_factory: pytest.TempPathFactory, run_maker: Any) -> Iterator[Any]:
    place = tmp_path_factory.mktemp("typed")
    for name, model in (("text", text_model()), ("row", row_model()), ("sound", sound_model())):
        model.save(run_maker(place / "runs" / name) / "model")
    text_model().save(run_maker(place / "runs" / "own") / "model")
    card = place / "runs/own/model/model.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"net": {"class": "mine:Net"}}))
    for name, change in (("odd-columns", {"kind": "table", "columns": {"a": 1}}), ("odd-text", {"kind": "text"})):
        odd = run_maker(place / "runs" / name) / "model"
        odd.mkdir()
        (odd / "model.json").write_text(json.dumps({"schema": change, "net": [[]], "classes": [1, "<b>"]}))
        (odd / "weights.safetensors").write_bytes(b"none")
    with served.another(place) as made:
        yield made


QUESTIONS = {
    "text": {"text": TEXT},
    "row": {"row": {"size": "1", "colour": "red"}},
    "sound": {"file": base64.b64encode(wav()).decode()},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_page_answers_as_the_functions_do(page: Any, name: str) -> None:
    model = {"text": text_model, "row": row_model, "sound": sound_model}[name]()
    given = {"text": lambda: text_of(model, TEXT), "row": lambda: row_of(model, QUESTIONS["row"]["row"]), "sound": lambda: sound_of(model, wav())}[name]()  # fmt: skip
    run = f"/run/{page.key(name)}"
    status, _, body = page.post(f"{run}/inside.json", QUESTIONS[name])
    assert status == 200
    expected = inside.answers(model, given, 9 if name == "text" else 0)
    told = json.loads(body)
    assert [layer["name"] for layer in told["layers"]] == [layer["name"] for layer in expected["layers"]]
    assert told["top"][0]["share"] == pytest.approx(expected["top"][0]["share"], abs=1e-5)
    if name == "row":
        pytest.importorskip("captum")
    status, _, body = page.post(f"{run}/shares.json", QUESTIONS[name] | {"target": "bad"})
    assert status == 200
    assert json.loads(body)["target"] == "bad"
    assert page.post(f"{run}/shares.json", QUESTIONS[name] | {"target": "no such class"})[0] == 422
    for end in ("saliency.json", "window.json"):
        assert page.post(f"{run}/{end}", QUESTIONS[name])[0] == 422, "these are of pictures"


@pytest.mark.parametrize("change", [{"text": 5}, {"text": "x" * 30_000}, {"text": ""}, {"row": []}, {"row": {"size": [1]}}, {"row": {"size": "9" * 400}}, {"file": "!"}, {"file": 7}, {"file": "AAAA"}, {}], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("end", ["inside.json", "shares.json"])
def test_w14_odd_questions_get_a_reason(page: Any, end: str, name: str, change: dict[str, Any]) -> None:
    status, _, body = page.post(f"/run/{page.key(name)}/{end}", change)
    assert status == 422
    assert b"Traceback" not in body
    assert b"/tmp" not in body


def test_pages_say_what_cannot_be_opened(page: Any) -> None:
    own = page.ask(f"/run/{page.key('own')}/inside")[2].decode()
    assert "of a class of your own, <code>mine:Net</code>" in own
    assert "inside_typed.js" not in own
    assert page.post(f"/run/{page.key('own')}/inside.json", QUESTIONS["text"])[0] == 422
    for name in ("odd-columns", "odd-text"):
        status, _, body = page.ask(f"/run/{page.key(name)}/inside")
        assert status == 200
        assert b"no finished network" in body
        assert page.post(f"/run/{page.key(name)}/inside.json", QUESTIONS["text"])[0] == 422


@pytest.fixture
def tab(browser: Any, page: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    width, scheme = getattr(request, "param", (1024, "light"))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    tab, said = context.new_page(), []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(f"http://127.0.0.1:{page.port}/?token={page.token}")
    tab.at = lambda name: tab.goto(f"http://127.0.0.1:{page.port}/run/{page.key(name)}/inside")
    tab.width = width
    yield tab
    assert [words for words in said if "status of 422" not in words] == []
    context.close()


LOOKS = [(360, "dark"), (1024, "light"), pytest.param((1920, "dark"), marks=pytest.mark.slow)]


@pytest.mark.parametrize("tab", LOOKS, indirect=True, ids=str)
def test_a_text_is_typed_and_each_word_counts(tab: Any, expect: Any) -> None:
    tab.at("text")
    tab.get_by_label("Type or paste a text").focus()
    tab.keyboard.type("the film is good")
    expect(tab.locator(".word")).to_have_count(4, timeout=60_000)
    strengths = [int(each.evaluate("(e) => e.style.getPropertyValue('--strength')").rstrip("%")) for each in tab.locator(".word").all()]  # fmt: skip
    assert strengths.index(max(strengths)) == 3
    assert tab.locator("#words").inner_text().startswith("The network says ")
    assert tab.locator("#layers details").count() >= 2
    first = tab.locator("#shares p").first.inner_text()
    tab.get_by_label("What counts for").select_option("bad")
    expect(tab.locator("#shares p").first).to_contain_text("the output for bad goes from", timeout=60_000)
    assert tab.locator("#shares p").first.inner_text() != first
    tab.get_by_text("Numbers").click()
    assert tab.locator("table.shares tbody tr").count() == 4
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.width
    tab.get_by_label("Type or paste a text").fill("")
    expect(tab.locator("#layers details")).to_have_count(0)


@pytest.mark.parametrize("tab", LOOKS, indirect=True, ids=str)
def test_a_row_is_filled_in_and_each_column_counts(tab: Any, expect: Any) -> None:
    pytest.importorskip("captum")
    tab.at("row")
    tab.wait_for_selector("table.shares", timeout=60_000)
    assert "of which nothing is known" in tab.locator("#shares").inner_text()
    tab.get_by_label("size").fill("2.5")
    tab.get_by_label("colour").select_option("red")
    expect(tab.locator("table.shares")).to_contain_text("2.5", timeout=60_000)
    expect(tab.locator("table.shares")).to_contain_text("red")
    tab.get_by_label("size").fill("big")
    expect(tab.locator("#given [role=alert]")).to_contain_text("size 'big' (a number)", timeout=60_000)
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.width


@pytest.mark.parametrize("tab", LOOKS, indirect=True, ids=str)
def test_a_sound_is_given_and_its_moments_count(tab: Any, expect: Any) -> None:
    tab.at("sound")
    tab.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": wav()})
    expect(tab.locator("canvas.wide")).to_have_count(2, timeout=60_000)
    assert "s of 0.5 s" in tab.locator("#shares").inner_text()
    tab.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"nothing"})
    expect(tab.locator("#given [role=alert]")).to_contain_text("cannot be read as a sound", timeout=60_000)
    assert tab.evaluate("document.documentElement.scrollWidth") <= tab.width


@pytest.mark.slow
@pytest.mark.parametrize("tab", [(1024, "light"), (1024, "dark")], indirect=True, ids=str)
def test_axe_finds_nothing_where_words_columns_and_moments_count(tab: Any, axe: Callable[[Any], list[Any]]) -> None:
    tab.at("text")
    tab.get_by_label("Type or paste a text").fill(TEXT)
    tab.wait_for_selector(".word", timeout=60_000)
    assert axe(tab) == []
    tab.at("row")
    tab.wait_for_selector("table.shares", timeout=60_000)
    assert axe(tab) == []
    tab.at("sound")
    tab.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": wav()})
    tab.wait_for_selector("canvas.wide", timeout=60_000)
    assert axe(tab) == []
    tab.at("own")
    assert axe(tab) == []
