"""A language model through the whole story: trained, stopped and gone on with, measured, and asked to write."""

from __future__ import annotations

import json
import math
import random

import pytest

import glassnet
from glassnet.cli import run
from glassnet.errors import GlassnetError, UsageError
from glassnet.generating import losses_of, write
from glassnet.runs import open_run
from whole_runs import BARE, goes_on_bit_for_bit

QUICK = BARE | {
    "train.epochs": 3,
    "train.measure": 5,
    "net.hidden": 16,
    "net.embed": 8,
    "train.through_time": 20,
    "train.batch_size": 4,
    "optimizer.lr": 0.02,
}


@pytest.fixture(scope="module")
def tale(tmp_path_factory):
    rng = random.Random(0)
    lines = [
        f"the {rng.choice(['cat', 'dog', 'cow'])} {rng.choice(['sat', 'ran'])} on the {rng.choice(['mat', 'hill'])}."
        for _ in range(160)
    ]
    path = tmp_path_factory.mktemp("tale") / "tale.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tale, tmp_path_factory):
    return glassnet.train(str(tale), out=tmp_path_factory.mktemp("runs") / "tale", settings=QUICK | {"train.epochs": 8})


def test_it_learns_more_than_how_often_letters_occur(trained):
    figures = trained.figures
    letters, counting = figures["rivals"]
    assert figures["figures"]["loss"] < 0.6 * letters["figure"]
    assert counting["figure"] < letters["figure"]
    assert len(figures["figures"]["sample"]) == 400
    assert "language-lstm" in trained.folder.recipe.read_text()
    assert trained.folder.report.read_text().count("nats a character") >= 2


def test_nothing_is_found_amiss_in_it(trained):
    """Windows that only lead up to those that are measured have no loss, and rows of a table of tokens are not added up."""
    described = next(event for event in told_of(trained) if event["event"] == "described")
    symbols = len(trained.model.schema.known)
    assert described["validation"]["loss"] == pytest.approx(math.log(symbols), rel=0.1)
    looked = next(event for event in told_of(trained) if event["event"] == "measured")
    assert {record["name"]: "gain" in record for record in looked["parameters"] if record["dims"] > 1} == {
        "embed.table.weight": False,
        "recurrent.weight_ih_l0": True,
        "recurrent.weight_hh_l0": True,
        "head.weight": True,
    }
    assert not trained.folder.findings.exists() or not trained.folder.findings.read_text()


def test_the_checks_find_nothing_amiss_either(tale, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = [
        f"{key}={value}"
        for key, value in QUICK.items()
        if key.startswith(("net.", "optimizer.", "train.through", "train.batch"))
    ]
    asked = [part for setting in settings for part in ("--set", setting)]
    (tmp_path / "long.txt").write_text(tale.read_text() * 8)  # many lanes, each with windows that only lead up to it
    assert run(["check", "long.txt", "--only", "overfit-twenty", *asked]) == 0
    assert "20 samples learned by heart: a loss near zero" in capsys.readouterr().out


def told_of(trained):
    return [json.loads(line) for line in trained.folder.metrics.read_text().splitlines()]


def test_a_run_that_was_stopped_goes_on_bit_for_bit(tale, tmp_path):
    goes_on_bit_for_bit(tale, "gru", tmp_path, QUICK, after=17)
    assert "clipped" in open_run(str(tmp_path / "whole")).metrics.read_text()


def test_the_same_seed_writes_the_same_and_a_prompt_of_any_length_is_read(trained):
    model = trained.model
    first, again = ("".join(write(model, "the c", length=40, seed=3)) for _ in range(2))
    assert first == again != "".join(write(model, "the c", length=40, seed=4))
    likeliest = "".join(write(model, "the c" * 30, length=5, temperature=0))
    assert likeliest == "".join(write(model, "the c" * 30, length=5, temperature=1e-6))
    assert len("".join(write(model, "", length=7))) == 7
    for wrong in ({"temperature": -1.0}, {"length": 0}):
        with pytest.raises(UsageError):
            write(model, "the", **wrong)


def test_a_text_costs_the_same_wherever_it_is_cut(trained, tale):
    """Lanes that are read side by side against one piece read at once."""
    import torch
    from torch.nn import functional

    model = trained.model
    _, source = model.schema.read([str(tale)])
    losses, _ = losses_of(model, source)
    with torch.no_grad():
        whole = torch.cat([torch.zeros(1, dtype=torch.int64), source.values])
        known = {token: place + 2 for place, token in enumerate(model.schema.known)}
        places = torch.tensor([0] + [known[source_letter] for source_letter in tale.read_text()])
        scores = model.net(places[None, :-1])[0]
        wanted = functional.cross_entropy(scores.double(), places[1:], reduction="none")
    assert len(losses) == len(whole) - 1
    assert losses.mean() == pytest.approx(float(wanted.mean()), abs=2e-3)


def test_command_line(trained, tale, tmp_path, capsys, said):
    place = str(trained.folder.path)

    text = said("generate", place, "--prompt", "the dog ", "--length", "12")
    assert text.startswith("the dog ")
    assert len(text) == len("the dog ") + 12 + 1
    assert "nats a character" in said("evaluate", place)
    assert "nats a character" in said("evaluate", place, str(tale))
    assert "6 characters" in said("predict", place, "a cat.")
    assert "one text" in said("data", str(tale))
    assert run(["generate", place, "--prompt", "ж", "--length", "3"]) == 0
    assert "never met 'ж'" in capsys.readouterr().err


def test_what_cannot_be_is_refused_in_words(trained, tale, tmp_path):
    with pytest.raises(GlassnetError, match="does not say what comes next"):
        glassnet.train(str(tale), "mlp", out=tmp_path / "a", settings={"train.check": False})
    with pytest.raises(GlassnetError, match="cannot be cut"):
        glassnet.train(str(tale), out=tmp_path / "b", settings=QUICK | {"train.micro_batches": 2})
    with pytest.raises(GlassnetError, match="no text was given"):
        trained.model.schema.read([""])
