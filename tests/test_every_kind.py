"""Commands that were made for pictures and tables, on language models, translators, taggers, series, trees and graphs: each works, or says in words why not."""

from __future__ import annotations

import math
import random
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

import glassnet
from glassnet.cli import run
from glassnet.errors import GlassnetError, ModelError, UsageError
from glassnet.joining import ensemble

QUICK = {
    "train.epochs": 1,
    "train.check": False,
    "train.measure": "never",
    "train.threads": 1,
    "train.precision": "float32",
}
SMALL = {
    "stream": {"net.embed": 4, "net.hidden": 8},
    "pairs": {"net.embed": 4, "net.hidden": 8, "data.task": "translation"},
    "tags": {"net.embed": 4, "net.hidden": 8},
    "series": {"net.name": "lstm", "net.hidden": 4},
    "tree": {"net.embed": 4, "net.hidden": 4},
    "graph": {"net.hidden": 4},
    "graphs": {"net.hidden": 4, "net.layers": 1},
}
ASKED = {
    "stream": "a cat",
    "pairs": "one two",
    "tags": "Anna went",
    "tree": "(1 (1 good) (0 film))",
    "series": None,
    "graph": None,
    "graphs": None,
}
KINDS = [
    pytest.param(
        kind,
        marks=pytest.mark.skipif(
            kind.startswith("graph") and find_spec("torch_geometric") is None, reason="needs PyTorch Geometric"
        ),
    )
    for kind in SMALL
]


def written(folder: Path, kind: str) -> Path:
    rng = random.Random(0)
    if kind == "stream":
        path = folder / "tale.txt"
        path.write_text("\n".join(f"a {rng.choice(['cat', 'dog'])} sat." for _ in range(300)), encoding="utf-8")
    elif kind == "pairs":
        path, words = (
            folder / "pairs.csv",
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
        )
        rows = [f"{words[a]} {words[b]},{a}{b}" for a in range(10) for b in range(10)]
        path.write_text("\n".join(["said,digits", *rows]), encoding="utf-8")
    elif kind == "tags":
        path = folder / "names.conll"
        sentence = [("Anna\tB-P", "went\tO"), ("to\tO", "Bonn\tB-P", "again\tO")]
        lines = [line for _ in range(60) for line in (*rng.choice(sentence), f"w{rng.randrange(9)}\tO", "")]
        path.write_text("\n".join(lines), encoding="utf-8")
    elif kind == "series":
        path = folder / "wave.csv"
        rows = [f"{1980 + i // 12}-{i % 12 + 1:02d}-01,{math.sin(i * math.pi / 6):.3f}" for i in range(120)]
        path.write_text("\n".join(["month,value", *rows]), encoding="utf-8")
    elif kind == "tree":
        path = folder / "trees.txt"
        rows = [f"({v} ({v} {'good' if v else 'bad'}) (0 w{rng.randrange(40)}))" for v in (0, 1) for _ in range(60)]
        path.write_text("\n".join(rows), encoding="utf-8")
    elif kind == "graph":
        path = folder / "graph"
        path.mkdir()
        rows = [f"n{i} {i % 2} {rng.randrange(2)} {'odd' if i % 2 else 'even'}" for i in range(60)]
        (path / "g.content").write_text("\n".join(rows), encoding="utf-8")
        (path / "g.cites").write_text("\n".join(f"n{i} n{(i + 2) % 60}" for i in range(60)), encoding="utf-8")
    else:
        path = folder / "rings"
        path.mkdir()
        sizes = [rng.randint(3, 9) for _ in range(80)]
        begin, edges, members = 0, [], []
        for number, size in enumerate(sizes, start=1):
            edges += [f"{begin + i + 1}, {begin + (i + 1) % size + 1}" for i in range(size)]
            members += [str(number)] * size
            begin += size
        labels, colours = [str(size % 2) for size in sizes], [str(rng.randrange(3)) for _ in members]
        files = {"A": edges, "graph_indicator": members, "graph_labels": labels, "node_labels": colours}
        for ending, lines in files.items():
            (path / f"R_{ending}.txt").write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run of each kind, trained when it is first asked for."""
    made: dict[str, tuple[Path, Path]] = {}

    def of(kind: str) -> tuple[Path, Path]:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            data = written(folder, kind)
            glassnet.train(str(data), out=folder / "run", settings=QUICK | SMALL[kind])
            made[kind] = (data, folder / "run")
        return made[kind]

    return of


def said(capsys, *arguments: str) -> tuple[int, str]:
    code = run(list(arguments))
    told = capsys.readouterr()
    assert "fault of Glassnet" not in told.out + told.err
    assert "Traceback" not in told.out + told.err
    return code, told.out + told.err


@pytest.mark.parametrize("kind", KINDS)
def test_gate_by_gate(trained, kind, capsys):
    data, folder = trained(kind)
    asked = ASKED[kind] or str(data)
    model = glassnet.load(folder)
    assert model.schema.kind == kind
    code, told = said(capsys, "graph", str(folder), asked)
    if kind in ("tree", "graph", "graphs"):
        assert code == 4
        assert "are not opened gate by gate yet" in told
        with pytest.raises(ModelError, match="are not opened"):
            glassnet.open(model, asked)
        return
    assert code == 0, told
    one = model.source(asked)[1].take(torch.arange(1)) if kind == "series" else asked
    opened = glassnet.open(model, one)
    assert opened.largest_difference < 1e-9
    if kind != "series":
        assert "at every step" in told
        assert "no single target" in said(capsys, "graph", str(folder), asked, "--target", "x")[1]
        with pytest.raises(UsageError, match="no single target"):
            glassnet.open(model, asked, "x")
        code, told = said(capsys, "graph", str(folder), asked, "--check")
        assert code == 0, told


@pytest.mark.parametrize("kind", KINDS)
def test_several_of_them_together(trained, kind, tmp_path):
    data, folder = trained(kind)
    settings = QUICK | SMALL[kind] | {"ensemble.members": 2, "ensemble.workers": 1}
    if kind in ("stream", "pairs"):
        for attempt in (
            lambda: glassnet.train(str(data), out=tmp_path / "two", settings=settings),
            lambda: ensemble([folder, folder]),
            lambda: glassnet.train(
                str(data),
                out=tmp_path / "some",
                settings=QUICK | SMALL[kind] | {"ensemble.snapshots": 2, "train.epochs": 2},
            ),
        ):
            with pytest.raises(GlassnetError, match="do not answer together yet"):
                attempt()
        return
    done = glassnet.train(str(data), out=tmp_path / "two", settings=settings)
    assert done.figures["ensemble"]["parts"]["test"]["ensemble"]
    one, joined = glassnet.load(folder), ensemble([folder, folder])
    asked = ASKED[kind] or str(data)
    first, other = (answers(model, asked) for model in (one, joined))
    assert first == pytest.approx(other, abs=1e-4), "twice the same network answers as it does alone"


def answers(model, asked: str) -> list[float]:
    outputs = model.raw_outputs(model.source(asked)[1])[:5].double()
    return (outputs if model.task == "values" else outputs.softmax(1)).flatten().tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_explain_and_report(trained, kind, capsys):
    _, folder = trained(kind)
    code, told = said(capsys, "explain", str(folder))
    assert code == 0, told
    assert "it is for image" in told, "what does not apply is told with the reason"
    code, told = said(capsys, "report", str(folder))
    assert code == 0, told


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_check(trained, kind, tmp_path, capsys):
    data, _ = trained(kind)
    settings = [part for key, value in SMALL[kind].items() for part in ("--set", f"{key}={value}")]
    code, told = said(capsys, "check", str(data), *settings, "--out", str(tmp_path / "seen"))
    assert code in (0, 1), told
    assert "gradients-reach" in told, "small nets need not pass, but what is looked at is told"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_search(trained, kind, tmp_path, capsys):
    data, _ = trained(kind)
    settings = [part for key, value in (QUICK | SMALL[kind]).items() for part in ("--set", f"{key}={value}")]
    asked = ["--trials", "2", "--stage-epochs", "1", "--finalists", "1", "--repeats", "1", "--jobs", "1", "--no-winner"]
    code, told = said(capsys, "search", str(data), *settings, *asked, "--out", str(tmp_path / "found"))
    assert code == 0, told
    named = {"stream": "val_log-likelihood: -", "series": "val_r2: ", "pairs": "val_acc: "}
    assert named.get(kind, "val_acc: ") in told
