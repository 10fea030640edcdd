"""A translator through the whole story: read from a table, trained, stopped and gone on with, measured and asked."""

from __future__ import annotations

import json

import pytest
import torch

import glassnet
from glassnet.cli import run
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.data.pair_tables import with_vocabulary
from glassnet.data.pairs import END, MARKS, pairs_of
from glassnet.data.split import split
from glassnet.errors import DataError, GlassnetError
from glassnet.evaluate import figures_from_json, translation_report
from whole_runs import BARE, goes_on_bit_for_bit

QUICK = BARE | {"train.epochs": 2, "net.hidden": 8, "net.embed": 6}


def rows(count: int = 80) -> list[tuple[str, str]]:
    letters = "abcdefgh"
    words = [
        letters[i % 8] + letters[(i // 8) % 8] + letters[(3 * i) % 8] * (i % 3) + "xy"[i % 2] for i in range(count)
    ]
    return [(word, word[::-1].upper()) for word in dict.fromkeys(words)]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "backwards.csv"
    path.write_text(
        "plain,backwards\n" + "\n".join(f"{a},{b}" for a, b in rows()) + "\n,EMPTY\nempty,\n", encoding="utf-8"
    )
    return path


@pytest.fixture(scope="module")
def trained(table, tmp_path_factory):
    return glassnet.train(str(table), out=tmp_path_factory.mktemp("runs") / "back", settings=QUICK)


def test_two_columns_of_different_texts_are_pairs_and_empty_ones_are_named(table):
    data = open_data(str(table))
    assert (data.task, data.schema.kind, data.outputs) == ("translation", "pairs", ("backwards",))
    assert sorted((item.reason) for item in data.unreadable) == [
        "column 'backwards' is empty",
        "column 'plain' is empty",
    ]
    whole = with_vocabulary(split(data, seed=1))
    found = pairs_of(whole.train.inputs)
    assert found is not None
    known = dict(rows())
    for place in range(5):
        target = [int(number) for number in whole.train.targets[place] if number >= 0]
        assert target[-1] == END
        said = "".join(whole.classes[number] for number in target[:-1])
        pairs, index = found
        read = "".join(pairs.read.lexicon[code] for code in pairs.read.row(int(index[place])).tolist())
        assert known[read] == said
    assert whole.classes[:4] == MARKS


def test_other_tables_stay_tables(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,kind\n" + "".join(f"{i / 7:.3f},{'ab'[i % 2]}\n" for i in range(60)), encoding="utf-8")
    assert open_data(str(path)).task == "classes"
    path.write_text("x,y\n" + "".join(f"{i / 7:.3f},{i / 3:.3f}\n" for i in range(60)), encoding="utf-8")
    assert open_data(str(path)).task == "values"
    asked = open_data(str(path), ReadOptions(sequence="translation", text="y", target="x"))
    assert (asked.task, asked.schema.to_json()["columns"]) == ("translation", ["y", "x"])
    with pytest.raises(DataError, match="no column 'z'"):
        open_data(str(path), ReadOptions(sequence="translation", target="z"))
    path.write_text("x\n1\n2\n", encoding="utf-8")
    with pytest.raises(DataError, match="one column only"):
        open_data(str(path), ReadOptions(sequence="translation"))


def test_it_is_measured_beside_simple_ways_and_reported(trained):
    figures = trained.figures
    assert figures["task"] == "translation"
    assert [rival["metric"] for rival in figures["rivals"]] == ["exact", "exact"]
    assert 0 <= figures["figures"]["exact"] <= 1
    assert "exactly right" in trained.folder.report.read_text()
    assert figures_from_json(json.loads(json.dumps(figures["figures"]))).to_json()["samples"] == figures["samples"]


@pytest.mark.parametrize("attention", ["none", "bahdanau", "luong"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(table, tmp_path, attention):
    goes_on_bit_for_bit(table, "lstm", tmp_path, QUICK | {"net.attention": attention}, after=4)


def test_answers_are_the_same_alone_and_among_longer_ones(trained):
    model = glassnet.load(trained.folder.path)
    alone = model.predict(["abx"])[0]
    among = model.predict(["a" * 30, "abx", "?"], beam=1)
    assert (alone.name, alone.label) == (among[1].name, among[1].label)
    assert alone.probability == pytest.approx(among[1].probability, abs=1e-6)
    best = model.predict(["abx"], beam=20)[0]
    assert best.probability is not None


def test_command_line(trained, table, tmp_path, capsys, said):
    place = str(trained.folder.path)

    assert json.loads(said("predict", place, "abx", "--format", "json", "--beam", "3"))[0]["input"] == "abx"
    assert len(said("predict", place, str(table)).splitlines()) == len(rows()) + 1
    assert "exact" in said("evaluate", place)
    assert "tokens that are read" in said("data", str(table))
    assert run(["predict", place, ""]) == 3
    capsys.readouterr()
    (tmp_path / "other.csv").write_text("text\nab\n")
    assert run(["predict", place, str(tmp_path / "other.csv")]) == 3
    assert "lacks the column" in capsys.readouterr().err
    with pytest.raises(GlassnetError, match="does not translate"):
        glassnet.train(str(table), "mlp", out=tmp_path / "a", settings={"train.check": False})


def test_figures_by_hand():
    pytest.importorskip("sacrebleu")
    wanted = ["the cat sat on the mat", "a b c d e"]
    same = translation_report(wanted, wanted, wanted, token_accuracy=1.0, loss=0.0, beam=1)
    assert (same.exact, same.bleu, same.chrf) == (1.0, pytest.approx(100.0), pytest.approx(100.0))
    said = ["the cat sat on the mat", "a b c d f"]
    figures = translation_report(wanted, said, wanted, token_accuracy=0.9, loss=0.1, beam=1)
    # 11 words; runs of 1 to 4 that fit: 10 of 11, 8 of 9, 6 of 7, 4 of 5, and no text is too short
    assert figures.bleu == pytest.approx(100 * ((10 / 11) * (8 / 9) * (6 / 7) * (4 / 5)) ** 0.25)
    assert figures.exact == 0.5
    assert [(each.said, each.wanted) for each in figures.mistakes] == [("a b c d f", "a b c d e")]
    assert torch.tensor(figures.exact_interval).diff().item() > 0
