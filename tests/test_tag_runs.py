"""Tagged sentences through the whole story: trained, stopped and gone on with, evaluated, and asked."""

from __future__ import annotations

import json
import random

import pytest

import glassnet
from glassnet.cli import run
from glassnet.errors import GlassnetError
from whole_runs import BARE, goes_on_bit_for_bit

QUICK = BARE | {"train.epochs": 4}
SMALL = {"net.embed": 8, "net.hidden": 16}
NAMES = ["Anna", "Bert", "Carla", "Dora", "Emil"]
PLACES = ["Bonn", "Rome", "Oslo"]
PLAIN = ["went", "saw", "and", "to", "the", "old", "again", "with", "near"]


def sentence(rng):
    """A name is a person behind 'said', and a place behind 'in', whatever it is called."""
    rows = []
    for _ in range(rng.randint(1, 4)):
        rows += [(rng.choice(PLAIN), "O") for _ in range(rng.randint(0, 3))]
        kind, mark = rng.choice([("PER", "said"), ("LOC", "in")])
        rows += [(mark, "O"), (rng.choice(NAMES + PLACES), f"B-{kind}")]
        if rng.random() < 0.5:
            rows.append((rng.choice(NAMES), f"I-{kind}"))
    return rows


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("news"), random.Random(0)
    for name, count in (("train", 300), ("dev", 60), ("test", 80)):
        blocks = ["\n".join(f"{word} {tag}" for word, tag in sentence(rng)) for _ in range(count)]
        (folder / f"{name}.conll").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="module")
def trained(news, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "gru"
    return glassnet.train(news, out=out, settings=QUICK | SMALL | {"optimizer.lr": 0.02, "train.epochs": 8})


def test_it_learns_what_neighbours_say_and_words_do_not(trained):
    figures = trained.figures
    assert figures["figures"]["accuracy"] > 0.97
    assert figures["entities"]["all"]["f1"] > 0.95
    assert set(figures["entities"]["each"]) == {"PER", "LOC"}
    baseline = {each["name"]: each["figure"] for each in figures["rivals"]}
    assert baseline["most frequent tag of each word"] < 0.9
    assert figures["figures"]["samples"] == len(trained.data.test.answers)


def test_answers_are_the_same_alone_and_among_longer_ones(trained):
    model = glassnet.load(trained.folder.path)
    alone = model.predict(["said Oslo"])[0]
    among = model.predict(["in Anna " * 30, "said Oslo", "the"])[1]
    assert [tag for _, tag, _ in alone.tags] == ["O", "B-PER"]
    for (_, one, share), (_, other, its) in zip(alone.tags, among.tags, strict=True):
        assert (one, share) == (other, pytest.approx(its, abs=1e-6))
    assert [word for word, _, _ in model.predict(["Zoe, said: xyz!"])[0].tags] == ["Zoe", ",", "said", ":", "xyz", "!"]


@pytest.mark.parametrize("net", ["tag-lstm", "tag-cnn"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(news, tmp_path, net):
    goes_on_bit_for_bit(news, net, tmp_path, QUICK | SMALL | {"train.epochs": 2})


def test_command_line(trained, news, tmp_path, capsys, said):
    place = str(trained.folder.path)

    assert said("predict", place, "in Emil", "said Rome").split("\n") == [
        "in\tO",
        "Emil\tB-LOC",
        "",
        "said\tO",
        "Rome\tB-PER",
        "",
    ]
    assert json.loads(said("predict", place, "in Emil", "--format", "json"))[0][1]["tag"] == "B-LOC"
    assert said("predict", place, "in Emil", "--format", "csv").splitlines()[0] == "sentence,word,tag,probability"
    assert len(said("predict", place, f"{news}/test.conll").split("\n\n")) == 80
    lines = said("evaluate", place)
    assert "entities: F1" in lines
    assert "accuracy" in lines
    assert "entities" in json.loads(said("evaluate", place, "--json"))
    assert "words in a sentence" in said("data", news)
    assert run(["predict", place, "no/such.conll"]) == 3
    assert capsys.readouterr().err.startswith("error: no such file")


def test_what_does_not_fit_is_refused_in_words(news, tmp_path):
    for net, said in (("gru", "does not tag words"), ("lenet5", "does not tag words")):
        with pytest.raises(GlassnetError, match=said):
            glassnet.train(news, net, out=tmp_path / net, settings=QUICK)
    with pytest.raises(GlassnetError, match="learned by cross-entropy"):
        glassnet.train(news, out=tmp_path / "c", settings=QUICK | {"loss.name": "hinge"})
