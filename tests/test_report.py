"""The report: what the first screen says, that it is fair to rivals, and that nothing from data becomes markup."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from glassnet.evaluate import (
    Interval,
    Rival,
    classification_report,
    language_report,
    regression_report,
    translation_report,
)
from glassnet.events import Epoch, Finding, Finished, Started, Timing, to_json
from glassnet.report import (
    DataSummary,
    Pair,
    RangeTrace,
    ReportStory,
    Sample,
    Wrong,
    compare,
    render,
    story_of_run,
    write_report,
)
from glassnet.report.headline import explained
from glassnet.report.report import comparison
from glassnet.report.run_story import confused, mistakes
from glassnet.report.samples import png_of
from glassnet.report.words import caution, one_sample, verdict
from glassnet.runs import RunFolder

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'></style><script>alert(1)</script>",
    "javascript:alert(1)",
    "--></title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "]]><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "$\\href{javascript:alert(1)}{x}$",
    "</pre><iframe src=//evil>",
    "\u202e<b onmouseover=alert(1)>",
]
VOID = {"meta", "img", "br", "rect", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.attributes += [(tag, key, value or "") for key, value in attrs]

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("L", (4, 4)).save(written, "PNG")
    return written.getvalue()


def story(names: tuple[str, ...] = ("cat", "dog"), **changes: Any) -> ReportStory:
    """90 of 100 test images right."""
    k = len(names)
    targets = torch.arange(100) % k
    said = torch.where(torch.arange(100) < 90, targets, (targets + 1) % k)
    figures = classification_report(torch.eye(k)[said] * 3, targets, names)
    epoch = Epoch(0, 10, 0.1, 1.0, 0.0, 0.0, {"loss": 0.5, "accuracy": 0.9}, {"loss": 0.6, "accuracy": 0.8}, True)
    told = ReportStory(
        title="pets, learned by lenet5",
        when="2026-01-01 10:00:00 UTC",
        command="glassnet train pets",
        data=DataSummary(
            name="pets",
            origin="pets",
            kind="image",
            shape=(1, 8, 8),
            task="classes",
            classes=names,
            outputs=("class",),
            samples={"train": 1500, "test": 100},
            class_counts={"train": (750,) * k, "test": (50,) * k},
            notes=("Images were made grey.",),
            troubles=(("warning", "few samples", "find more"),),
            unreadable=(("a.png", "truncated"),),
            fingerprint="0",
        ),
        net="lenet5",
        parameters=61706,
        layer_table="conv1  6×24×24",
        recipe="[train]\nepochs = 1\n",
        epochs=(epoch, replace(epoch, epoch=1)),
        figures=figures,
        rivals=(
            Rival("always “cat”", 0.5, "accuracy", 0.0, "most frequent", Interval(0.4, 0.6)),
            Rival("linear model", 0.7, "accuracy", 1.0, "the pixels of all 1,500", Interval(0.6, 0.78)),
        ),
        findings=(
            Finding("a", "info", 1, "an info", "because", "rest", {}),
            Finding("b", "warning", 1, "the loss rose", "too high a rate", "lower it", {}),
        ),
        finished=Finished("early stop", 2, 20, 0, 0.8),
        timings=(Timing(0, 60.0, 5.0, 100.0),),
        environment={"torch": "2.13", "cores": 2},
        mistakes=(Wrong(Sample("pets/7.png", png=picture()), names[0], names[1], 0.9),),
        confused=(
            Pair(names[0], names[1], 5, (Sample("pets/7.png", png=picture()),)),
            Pair(names[1], names[0], 1, (Sample("a text", text="so it was", cells=(("age", "7"),)),)),
        ),
        range_test=RangeTrace((1e-4, 1e-2), (2.0, 1.0), 1e-3),
    )
    return replace(told, **changes)


@pytest.fixture(scope="module")
def source() -> str:
    return render(story())


@pytest.fixture(scope="module")
def plain(source: str) -> Page:
    return Page(source)


def test_first_screen_says_what_how_good_and_beside_what(plain: Page) -> None:
    words = plain.words
    assert "Lenet5 with 61,706 parameters was trained on 1,500 images of pets to tell 2 classes apart." in words
    assert (
        "On 100 images of the test part, which it had never seen, it is right on 90.00 % (95 % interval 82.56 % to 94.48 %)"
        in words
    )
    assert "Always “cat” reaches 50.00 %; a linear model reaches 70.00 %." in words
    assert "ahead by more than its interval" in words
    assert words.index("right on 90.00 %") < words.index("How it learned")
    assert "2 epochs, stopped early" in words
    assert "the weights of epoch 1 were kept" in words
    assert "1 min 5 s" in words


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (0.7, "ahead by more than its interval"),
        (0.85, "lead over a random forest is within its interval"),
        (0.92, "A random forest is a little better here"),
        (0.99, "A random forest is clearly better here"),
    ],
)
def test_verdict_is_fair_to_rivals(figure: float, said: str) -> None:
    rival = Rival("random forest", figure, "accuracy", 1.0, "the columns", None)
    assert said in verdict(story(rivals=(rival,)))


def test_everything_given_is_told(plain: Page) -> None:
    page = plain
    for each in (
        "pets/7.png",
        "conv1 6×24×24",
        "epochs = 1",
        "Images were made grey.",
        "Few samples",
        "Find more",
        "a.png: truncated",
        "The loss rose",
        "Lower it",
        "glassnet train pets",
        "torch 2.13",
        "macro F1",
        "0.001 was chosen",
    ):
        assert each in page.words
    assert page.words.index("The loss rose") < page.words.index("An info")
    assert page.open == []


def test_every_figure_has_words(plain: Page) -> None:
    page = plain
    assert page.tags["figure"] == page.tags["figcaption"] == 10
    labelled = [value for tag, key, value in page.attributes if (tag, key) == ("svg", "aria-label")]
    hidden = [value for tag, key, value in page.attributes if (tag, key) == ("svg", "aria-hidden")]
    assert len(labelled) + len(hidden) == page.tags["svg"]
    assert all(labelled)
    assert all(value for tag, key, value in page.attributes if (tag, key) == ("img", "alt"))


def test_needs_nothing_from_elsewhere_and_runs_nothing(source: str, plain: Page) -> None:
    page = plain
    assert "script" not in page.tags
    for tag, key, value in page.attributes:
        assert not key.startswith("on")
        if key in ("src", "href", "xlink:href"):
            assert value.startswith(("data:image/png;base64,", "#")), (tag, key, value)
    assert "@import" not in source
    assert "default-src 'none'" in source
    assert len(source) < 1_000_000


def test_ids_are_unique(plain: Page) -> None:
    ids = [value for _, key, value in plain.attributes if key == "id"]
    assert len(ids) == len(set(ids))


def test_hostile_names_stay_text(plain: Page) -> None:
    """Every payload in every place; the page has the elements and attributes of a harmless one, and shows the payload as words."""
    joined = " ".join(HOSTILE)
    hostile = story(
        names=tuple(HOSTILE),
        title=joined,
        when=joined,
        command=joined,
        net=joined,
        layer_table=joined,
        recipe=joined,
        environment={payload: payload for payload in HOSTILE},
        rivals=tuple(Rival(payload, 0.5, "accuracy", 0.0, payload, None) for payload in HOSTILE),
        findings=tuple(Finding(payload, "warning", 1, payload, payload, payload, {}) for payload in HOSTILE),
        mistakes=tuple(Wrong(Sample(payload, png=picture()), payload, payload, 0.5) for payload in HOSTILE),
        confused=tuple(
            Pair(payload, payload, 2, (Sample(payload, text=payload, cells=((payload, payload),)),))
            for payload in HOSTILE
        ),
        left_out=tuple(HOSTILE),
        finished=Finished(joined, 2, 20, 0, 0.8),
    )
    told = {
        "name": joined,
        "origin": joined,
        "kind": joined,
        "notes": tuple(HOSTILE),
        "troubles": tuple(("warning", payload, payload) for payload in HOSTILE),
        "unreadable": tuple((payload, payload) for payload in HOSTILE),
        "outputs": tuple(HOSTILE),
    }
    page = Page(render(replace(hostile, data=replace(hostile.data, **told))))
    assert set(page.tags) <= set(plain.tags)
    assert {key for _, key, _ in page.attributes} <= {key for _, key, _ in plain.attributes}
    assert page.open == []
    for payload in HOSTILE:
        assert page.words.count(" ".join(payload.split())) > 10


def test_hostile_output_names_stay_text(plain: Page) -> None:
    values = torch.arange(5.0)[:, None].expand(5, len(HOSTILE))
    data = replace(story().data, task="values", classes=(), outputs=tuple(HOSTILE), class_counts={})
    page = Page(render(story(data=data, figures=regression_report(values, values, HOSTILE), mistakes=())))
    assert set(page.tags) <= set(plain.tags)
    assert {key for _, key, _ in page.attributes} <= {key for _, key, _ in plain.attributes}
    assert page.open == []


def test_validation_figures_are_told_as_such() -> None:
    whole = story(part="val")
    samples = {name: count for name, count in whole.data.samples.items() if name != "test"}
    words = Page(render(replace(whole, data=replace(whole.data, samples=samples)))).words
    assert "There is no test part." in words
    assert "which it had never seen" not in words
    assert "Where it is right and wrong: the validation part" in words
    assert "The test part was left alone" in Page(render(whole)).words


def test_repeated_looks_at_the_test_part_are_told() -> None:
    assert "looked at 3 times" in caution(story(test_uses=3))
    assert caution(story()) == ""


def test_regression() -> None:
    generator = torch.Generator().manual_seed(0)
    true = torch.randn(80, 2, generator=generator)
    figures = regression_report(true + 0.1, true, ["height", "<b>weight"])
    data = replace(
        story().data, task="values", classes=(), outputs=("height", "<b>weight"), class_counts={}, kind="table"
    )
    rival = Rival("gradient-boosted trees", -3.0, "r2", 1.0, "the columns", Interval(-3.5, -2.0))
    page = Page(render(story(data=data, figures=figures, rivals=(rival,), mistakes=())))
    assert "was trained on 1,500 rows of pets to predict height and <b>weight." in page.words
    assert "are off by 0.1 on average; R² is 0.9" in page.words
    assert "Gradient-boosted trees reach R² −3.000" in page.words
    assert "Output by output" in page.words
    widths = [
        float(v) for tag, key, v in page.attributes if tag == "rect" and key == "width" and v.replace(".", "").isdigit()
    ]
    assert all(0 <= width <= 500 for width in widths)


def test_a_run_without_result_is_told() -> None:
    words = Page(render(story(figures=None, rivals=(), mistakes=(), epochs=(), finished=None, timings=()))).words
    assert "The run has no result yet." in words


def test_many_classes_stay_small() -> None:
    names = tuple(f"class number {i}" for i in range(200))
    source = render(story(names=names))
    assert len(source) < 1_500_000
    assert "The 60 classes of 200 with the lowest F1." in source


def test_written_and_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    bare = story(figures=None, rivals=(), mistakes=(), confused=(), epochs=(), range_test=None)
    write_report(bare, path)
    write_report(replace(bare, title="second"), path)
    assert "<title>second</title>" in path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def run_folder(path: Path) -> RunFolder:
    path.mkdir()
    folder, told = RunFolder(path), story()
    assert told.figures is not None
    about = asdict(told.data) | {
        "troubles": [
            {"rule": "r", "severity": "warning", "what": "few samples", "advice": "find more", "evidence": {}}
        ],
        "unreadable": [{"name": "a.png", "reason": "truncated"}],
        "fingerprint": "0",
    }
    result = {"part": "test", "samples": 100, "task": "classes", "figures": told.figures.to_json()}
    result["rivals"] = [asdict(rival) for rival in told.rivals]
    for name, content in {
        "data": about,
        "result": result,
        "net": {"zoo": "lenet5", "table": told.layer_table},
        "environment": told.environment,
    }.items():
        (path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    events = [Started(1500, 10, 2, 61706), *told.epochs, told.finished]
    folder.metrics.write_text("".join(to_json(event) + "\n" for event in events if event), encoding="utf-8")
    folder.findings.write_text("".join(to_json(event) + "\n" for event in told.findings), encoding="utf-8")
    folder.timing.write_text("".join(to_json(event) + "\n" for event in told.timings), encoding="utf-8")
    folder.recipe.write_text(told.recipe, encoding="utf-8")
    folder.test_uses.write_text(
        '{"when": "2026-01-01T10:00:00+00:00", "by": "train", "samples": 100}\n{"torn', encoding="utf-8"
    )
    return folder


def test_a_run_folder_gives_back_the_story(tmp_path: Path) -> None:
    read = story_of_run(run_folder(tmp_path / "pets-1"))
    expected = story(mistakes=(), confused=(), range_test=None, command="glassnet train --recipe pets-1/recipe.toml")
    for name in ReportStory.__dataclass_fields__:
        assert getattr(read, name) == getattr(expected, name), name


def test_an_unfinished_run_folder_can_be_told(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "pets-1")
    for name in ("result.json", "net.json", "environment.json", "test_uses.jsonl"):
        (folder.path / name).unlink()
    assert "no result yet" in Page(render(story_of_run(folder))).words


def judged(values: torch.Tensor, schema: Any) -> Any:
    """Data whose test part are these hundred inputs, all of class 0."""
    from types import SimpleNamespace

    from glassnet.data.dataset import InMemory, Part

    part = Part(InMemory(values), torch.zeros(100, dtype=torch.int64), [f"{i}.png" for i in range(100)])
    return SimpleNamespace(schema=schema, parts={"test": part})


def test_mistakes_and_confused_pairs_show_their_own_samples() -> None:
    from glassnet.data.image_schema import ImageSchema

    figures = story().figures  # of 100 samples of classes 0 and 1 by turns the last ten are taken for the other class
    assert figures is not None
    images = torch.arange(100, dtype=torch.uint8)[:, None, None, None].expand(100, 1, 8, 8).contiguous()
    data = judged(images, ImageSchema(1, 8, 8))
    made = mistakes(figures, data, "test")
    assert [each.sample.name for each in made] == [f"{i}.png" for i in range(90, 100)]
    assert Image.open(io.BytesIO(made[0].sample.png)).getpixel((0, 0)) == 90
    pairs = confused(figures, data, "test")
    assert [(pair.true, pair.said, pair.count) for pair in pairs] == [("cat", "dog", 5), ("dog", "cat", 5)]
    shown = [Image.open(io.BytesIO(sample.png)).getpixel((0, 0)) for sample in pairs[1].samples]
    assert shown == [91, 93, 95, 97, 99]
    assert mistakes(replace(figures, samples=99), data, "test") == ()  # other data than were judged


def test_rows_show_their_cells_in_the_words_of_the_file() -> None:
    from glassnet.data.columns import Column
    from glassnet.data.table_schema import TableSchema

    figures = story().figures
    assert figures is not None
    rows = torch.tensor([[1.5, 1.0], [float("nan"), 0.0]]).repeat(50, 1)
    schema = TableSchema((Column("size", "number"), Column("colour", "category", ("blue", "red"))))
    made = mistakes(figures, judged(rows, schema), "test")
    assert made[0].sample.cells == (("size", "1.5"), ("colour", "red"))
    assert made[1].sample.cells == (("size", "missing"), ("colour", "blue"))


def test_texts_and_sounds_are_shown_as_what_they_are() -> None:
    import wave

    from glassnet.data.dataset import Part
    from glassnet.data.ragged import Ragged
    from glassnet.data.sound_schema import SILENCE, SoundSchema
    from glassnet.data.text_schema import TextSchema
    from glassnet.data.tokens import encode
    from glassnet.report.samples import samples_of

    lexicon: dict[int, str] = {}
    texts = Ragged.of([encode("It was good.", "words", lexicon), encode("Never again", "words", lexicon)], lexicon)
    part = Part(texts, torch.zeros(2, dtype=torch.int64), ["a:1", "a:2"])
    (told,) = samples_of(part, TextSchema("words", "line", None, 4), [1])
    assert (told.name, told.text) == ("a:2", "never again")
    sounds = Ragged.of([[SILENCE + 5] * 3, [SILENCE - 7, SILENCE + 9]])
    part = Part(sounds, torch.zeros(2, dtype=torch.int64), ["a.wav", "b.wav"])
    (heard,) = samples_of(part, SoundSchema(8000, 3), [1])
    with wave.open(io.BytesIO(heard.wav)) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 2)
        assert file.readframes(2) == (-7).to_bytes(2, "little", signed=True) + (9).to_bytes(2, "little")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A net that was trained for one epoch, with its data."""
    from glassnet.recipe import Recipe
    from glassnet.story import run

    settings = {
        "data.path": "digits",
        "net.name": "small-vgg",
        "train.epochs": 1,
        "train.check": False,
        "train.measure": 3,
        "train.precision": "float32",
    }
    return run(Recipe().changed(settings), RunFolder(tmp_path_factory.mktemp("runs") / "digits"))


def test_a_run_ends_with_pictures_of_its_inside(finished: Any) -> None:
    page = Page(finished.folder.report.read_text(encoding="utf-8"))
    looks = [value for tag, key, value in page.attributes if (tag, key) == ("figure", "id")]
    assert {"look-filters", "look-maps", "look-grad-cam", "look-saliency", "look-neighbours"} <= set(looks)
    assert "Behind the confusion" in page.words
    assert finished.folder.report.stat().st_size < 5_000_000


def test_a_failing_picture_is_told_and_breaks_nothing(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from glassnet.report import looks

    def fail(case: object) -> None:
        raise ValueError("broken")

    broken = {"maps": replace(looks.METHODS["maps"], draw=fail)}
    monkeypatch.setattr(looks, "METHODS", {**looks.METHODS, **broken})
    told = story_of_run(finished.folder, finished.data, finished.model)
    assert "maps" not in [look.name for look in told.looks]
    assert any("it could not be drawn (ValueError)" in sentence for sentence in told.left_out)
    assert "it could not be drawn (ValueError)" in Page(render(told)).words


def test_pictures_end_when_their_time_is_spent(finished: Any) -> None:
    from glassnet.report.looks import looks

    made = looks(finished.model, finished.data, None, "test", seconds=-1.0)
    assert made.pictures == ()
    assert "filters" in made.left_out[0]
    assert "glassnet explain" in made.left_out[0]


def test_the_command_rewrites_a_report_and_tells_what_is_gone(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from glassnet.cli.report_command import command

    path = tmp_path / "again.html"
    result = CliRunner().invoke(command, [str(finished.folder.path), "--out", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "look-maps" in path.read_text(encoding="utf-8")
    data = json.loads((finished.folder.path / "data.json").read_text())
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in finished.folder.path.glob("*.*"):
        (copied / file.name).write_bytes(file.read_bytes())
    (copied / "data.json").write_text(json.dumps(data | {"fingerprint": "other"}))
    CliRunner().invoke(command, [str(copied), "--out", str(path)], catch_exceptions=False)
    assert "the data have changed since the training" in path.read_text(encoding="utf-8")


def test_sounds_of_high_rates_stay_small() -> None:
    import wave

    from glassnet.data.sound_schema import SILENCE
    from glassnet.report.samples import wav_of

    raw = SILENCE + torch.tensor([0, 6, 12, 18, 24, 30] * 60_000, dtype=torch.int32)
    with wave.open(io.BytesIO(wav_of(raw, 44_100))) as file:
        assert (file.getframerate(), file.getnframes()) == (7350, 22_050)  # 3 s, the mean of six samples each
        assert set(file.readframes(22_050)[::2]) == {15}


def runs_compared(*names: str, **changes: Any) -> Page:
    recipe = "[train]\nseed = {}\nepochs = 5\n"
    return Page(compare([(f"runs/{name}", story(recipe=recipe.format(i), **changes)) for i, name in enumerate(names)]))


def test_comparison_tells_results_with_intervals_and_only_settings_that_differ() -> None:
    page = runs_compared("first", "second")
    assert "2 runs compared" in page.words
    assert "90.00" in page.words
    assert "82.56" in page.words
    assert "which of them is better, these samples cannot say" in page.words
    assert "train.seed" in page.words
    assert "train.epochs" not in page.words
    assert page.tags["svg"] >= 4
    assert page.open == []


def test_comparison_of_many_runs_and_of_unfinished_ones() -> None:
    page = runs_compared(*(f"student-{i}" for i in range(30)))
    assert "30 runs compared" in page.words
    assert "and more" in page.words
    waiting = runs_compared("a", "b", figures=None, rivals=(), mistakes=(), confused=())
    assert "Without a result so far: a, b" in waiting.words


def test_curves_of_other_data_stand_apart() -> None:
    one = story()
    other = replace(one, data=replace(one.data, name="birds"))
    page = Page(compare([("a", one), ("b", one), ("c", other)]))
    captions = [value for tag, key, value in page.attributes if (tag, key) == ("svg", "aria-label")]
    assert (
        sum("of the validation part is" in caption for caption in captions) == 4
    )  # loss and accuracy of each data set
    assert sum("on the same axes" in caption for caption in captions) == 1


def test_comparison_puts_the_lowest_cost_of_a_token_first() -> None:
    losses = np.abs(np.random.default_rng(0).normal(1.0, 0.2, 4_000))
    one = story(("a", "b"), rivals=(), mistakes=(), confused=())
    one = replace(one, data=replace(one.data, task="language", kind="stream"))
    runs = [
        (name, replace(one, figures=language_report(cost * losses, losses < 1, "characters", 4_000)))
        for name, cost in (("dear", 2.0), ("cheap", 1.5))
    ]
    page = Page(compare(runs))
    assert "cheap is best with 1.495, before dear with 1.994." in page.words
    assert "It is ahead by more than its interval." in page.words
    assert "Nats a character on pets, test part of 4,000 characters" in page.words
    assert "R²" not in page.words


def test_comparison_of_translators_is_of_what_is_exactly_right() -> None:
    wanted = ["a b", "c d", "e f"] * 40
    runs = []
    for name, right in (("worse", 60), ("better", 110)):
        said = wanted[:right] + ["wrong"] * (len(wanted) - right)
        figures = translation_report(wanted, said, wanted, token_accuracy=0.9, loss=0.1, beam=1)
        runs.append((name, story(figures=figures, rivals=(), mistakes=(), confused=())))
    words = Page(compare(runs)).words
    assert "better is best with 91.67" in words
    assert "Exactly right on pets" in words


@pytest.mark.parametrize(("own", "rival", "places"), [(0.8, -0.5, (86.67, 0.0)), (0.8, 0.4, (80.0, 40.0))])
def test_bars_begin_at_the_lowest_figure_where_one_is_below_nothing(
    own: float, rival: float, places: tuple[float, float]
) -> None:
    figures = regression_report(torch.zeros(3, 1), torch.tensor([[1.0], [2.0], [3.0]]), ("y",))
    figures = replace(figures, r2=own, r2_interval=Interval(own, own))
    told = story(figures=figures, rivals=(Rival("other", rival, "r2", 0.0, "", None),), mistakes=(), confused=())
    assert tuple(bar.place for bar in comparison(told)) == places


def test_comparison_tells_when_the_data_were_divided_otherwise() -> None:
    one = story()
    other = replace(one, data=replace(one.data, fingerprint="1"))
    assert "judged on other samples" in Page(compare([("a", one), ("b", other)])).words


def test_comparison_takes_hostile_names_as_words() -> None:
    plain = runs_compared("a", "b", "c", "d", "e", "f", "g")
    page = Page(
        compare(
            [(payload, story(net=payload, recipe=f"[train]\nseed = {json.dumps(payload)}\n")) for payload in HOSTILE]
        )
    )
    assert set(page.tags) <= set(plain.tags)
    assert {key for _, key, _ in page.attributes} <= {key for _, key, _ in plain.attributes}
    assert page.open == []


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB")])
def test_png_of_any_channels(channels: int, mode: str) -> None:
    image = Image.open(io.BytesIO(png_of(torch.zeros(channels, 300, 200, dtype=torch.uint8))))
    assert image.mode == mode
    assert max(image.size) == 96


def test_r2_for_people() -> None:
    assert [explained(value) for value in (-0.0001, 0.5, -1.25)] == ["0.000", "0.500", "−1.250"]


@pytest.mark.parametrize(
    ("kind", "shape", "told"),
    [
        ("image", (1, 28, 28), "image, 1 × 28 × 28"),
        ("table", (14,), "row of 14 columns"),
        ("text", (61,), "text of at most 61 tokens"),
        ("sound", (18262,), "sound of at most 18,262 samples"),
        ("graph", (), "graph"),
    ],
)
def test_a_sample_in_words(kind: str, shape: tuple[int, ...], told: str) -> None:
    assert one_sample(kind, shape) == told
