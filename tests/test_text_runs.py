"""Texts through the whole story: trained, stopped and gone on with, evaluated, and asked."""

from __future__ import annotations

import json
import random

import pytest

import glassnet
from glassnet.cli import run
from glassnet.errors import GlassnetError, UsageError
from glassnet.runs import open_run
from whole_runs import BARE, goes_on_bit_for_bit

GOOD = ["fine", "witty", "warm", "lovely", "bright"]
BAD = ["dull", "flat", "cold", "tired", "grey"]
PLAIN = ["the", "a", "film", "story", "of", "it", "and", "is", "with", "plot", "cast", "in"]
QUICK = BARE | {"train.epochs": 8}


def sentence(rng: random.Random, own: list[str]) -> str:
    words = [rng.choice(own)] * 2 + [rng.choice(PLAIN) for _ in range(rng.randint(2, 12))]
    rng.shuffle(words)
    return " ".join(words)


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("reviews"), random.Random(0)
    for name, own in (("pos", GOOD), ("neg", BAD)):
        lines = sorted({sentence(rng, own) for _ in range(160)})
        (folder / f"films.{name}").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(reviews, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "cnn"
    return glassnet.train(
        str(reviews), "text-cnn", out=out, settings=QUICK | {"net.embed": 16, "net.maps": 8, "optimizer.lr": 0.01}
    )


def test_it_learns_and_tells_a_bag_of_words_beside_it(trained):
    figures = trained.figures
    assert figures["figures"]["accuracy"] >= 0.95
    rival = figures["rivals"][1]
    assert rival["name"] == "bag-of-words linear model"
    assert rival["figure"] >= 0.95
    assert trained.data.schema.kind == "text"


def test_answers_are_the_same_alone_and_among_longer_ones(trained):
    model = glassnet.load(trained.folder.path)
    alone = model.predict(["a witty lovely film"])[0]
    among = model.predict(["a dull film " * 30, "a witty lovely film", "grey"])
    assert (alone.label, among[0].label, among[1].label) == ("pos", "neg", "pos")
    assert alone.probability == pytest.approx(among[1].probability, abs=1e-6)
    assert model.predict(["zzz qqq"])[0].label in ("pos", "neg"), "unknown words alone"


@pytest.mark.parametrize("net", ["rnn", "lstm", "gru", "text-bag"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(reviews, tmp_path, net):
    settings = QUICK | {"augment.word_dropout": 0.1}
    settings |= {"net.embed": 8} | ({"net.hidden": 8} if net != "text-bag" else {"net.buckets": 100})
    goes_on_bit_for_bit(reviews, net, tmp_path, settings)
    if net != "text-bag":
        epochs = [json.loads(line) for line in (tmp_path / "whole" / "metrics.jsonl").read_text().splitlines()]
        assert "clip" in open_run(str(tmp_path / "whole")).recipe.read_text()
        assert all(0 <= e["clipped"] <= 1 for e in epochs if "clipped" in e)


def test_command_line(trained, reviews, tmp_path, capsys, said):
    place = str(trained.folder.path)

    assert json.loads(said("predict", place, "a witty film", "--format", "json"))[0]["predicted"] == "pos"
    (tmp_path / "new.csv").write_text("text,other\na dull film,1\na warm cast,2\n")
    lines = said("predict", place, str(tmp_path / "new.csv")).splitlines()
    assert [line.split()[1] for line in lines] == ["neg", "pos"]
    assert "accuracy" in said("evaluate", place)
    assert "accuracy" in said("evaluate", place, str(reviews))
    assert "tokens in a text" in said("data", str(reviews))


def test_what_does_not_fit_texts_is_refused_in_words(reviews, trained, tmp_path, capsys):
    with pytest.raises(GlassnetError, match="does not read texts"):
        glassnet.train(str(reviews), "lenet5", out=tmp_path / "a", settings=QUICK)
    with pytest.raises(GlassnetError, match="lstm"):
        glassnet.train(str(reviews), "mlp", out=tmp_path / "b", settings=QUICK)
    with pytest.raises(GlassnetError, match="unknown text preprocessing 'standardise'"):
        glassnet.train(str(reviews), out=tmp_path / "c", settings=QUICK | {"preprocess.name": "standardise"})
    assert run(["predict", str(trained.folder.path), "no/such.txt"]) == 3
    assert capsys.readouterr().err.startswith("error: no such file")


def test_a_loss_behind_every_step_and_gradients_through_few_of_them(reviews, tmp_path):
    settings = QUICK | {"net.embed": 8, "net.hidden": 16, "loss.steps": "all", "optimizer.lr": 0.01, "train.epochs": 6}
    done = glassnet.train(str(reviews), "lstm", out=tmp_path / "all", settings=settings)
    assert done.figures["figures"]["accuracy"] >= 0.9
    kept = (done.folder.path / "recipe.toml").read_text(encoding="utf-8")
    assert 'steps = "all"' in kept
    assert "both_ways = false  # for a loss at every step" in kept
    model = glassnet.load(done.folder.path)
    alone = model.predict(["a witty lovely film"])[0]
    among = model.predict(["a dull film " * 30, "a witty lovely film"])[1]
    assert alone.probability == pytest.approx(among.probability, abs=1e-6), "the answer is that of the last step"
    whole = glassnet.train(str(reviews), "lstm", out=tmp_path / "whole", settings=settings | {"loss.steps": "last"})
    cut = glassnet.train(str(reviews), "lstm", out=tmp_path / "cut", settings=settings | {"train.through_time": 4})
    losses = [run.folder.metrics.read_bytes() for run in (done, whole, cut)]
    assert len(set(losses)) == 3, "each of them learns in a way of its own"


def test_what_has_no_steps_is_refused_in_words(reviews, tmp_path):
    def refused(net, **further):
        settings = QUICK | {key.replace("__", "."): value for key, value in further.items()}
        with pytest.raises(UsageError) as caught:
            glassnet.train(str(reviews), net, out=tmp_path / "no", settings=settings)
        return str(caught.value)

    assert "for rnn, lstm and gru" in refused("text-cnn", loss__steps="all")
    both = refused("gru", loss__steps="all", train__through_time=5, net__both_ways=True, net__pool="mean")
    assert both.startswith("2 mistakes")
    assert "forwards alone" in both
    assert "nothing is pooled" in both
    assert "for rnn, lstm and gru" in refused("text-bag", train__through_time=5)
