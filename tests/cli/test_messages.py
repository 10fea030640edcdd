"""What Glassnet says of mistakes that people make: every message, word for word, as it stands in messages.txt for reading.

After a message was changed on purpose, GLASSNET_WRITE_MESSAGES=1 writes the file anew; read what has changed in it before it is kept:

    GLASSNET_WRITE_MESSAGES=1 pytest tests/cli/test_messages.py && git diff tests/cli/messages.txt
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
import torch
from bad_files import cifar, idx, images, npz, series, sounds, spoil, table, text, values

from glassnet import cli

Capture = pytest.CaptureFixture[str]
Made: TypeAlias = Callable[[Path], object]
Case: TypeAlias = str | tuple[str, Made]  # what is typed behind "glassnet", and what lies in the folder then

REVIEWED = Path(__file__).with_name("messages.txt")
MARK = "=" * 8 + " "


def file(name: str, content: str | bytes) -> Made:
    """A maker of one file."""
    return lambda at: text(at / name, content)


def files(**contents: str) -> Made:
    """A maker of text files in the folder ``here``; of each, the name's two underscores stand for the point."""
    return lambda at: [text(at / "here" / name.replace("__", "."), content) for name, content in contents.items()]


def both(*makers: Made) -> Made:
    return lambda at: [make(at) for make in makers]


def photos(**counts: int) -> Made:
    return lambda at: images(at / "photos", **counts)


def good(at: Path) -> Path:
    return table(at / "good.csv")


def numbers(at: Path) -> Path:
    return values(at / "numbers.csv")


def saved(name: str, array: object) -> Made:
    return lambda at: np.save(at / name, np.asarray(array))


NODES = "".join(f"node [ id {number} class {number % 2} ] " for number in range(40))
TREES = "(1 (1 good) (0 film))\n(0 (0 bad) (1 film))\n" * 20
TU = {"X_A__txt": "1, 2\n", "X_graph_indicator__txt": "1\n1\n", "X_graph_labels__txt": "1\n"}

# Of a folder that holds what the case makes.
CASES: dict[str, Case] = {
    # Options and commands
    "a misspelt command": "tarin digits",
    "a command of other programs": "fit digits",
    "a misspelt option": "train digits --epoch 5",
    "an option that resembles nothing": "train digits --xyzzy",
    "a short option that is not there": "train digits -e 5",
    "an option without its value": "train digits --epochs",
    "a value for an option that takes none": "train digits --quiet=yes",
    "one data set too many": "train digits letters",
    "no run to predict with": "predict",
    "a number out of an option's range": "train digits --folds 1",
    "a word where a number is needed": "train digits --members many",
    "a part that is not there": "evaluate run --part tets",
    "a misspelt option of the program": "--verison",
    "no data": "train",
    "an empty name of data": 'train " "',
    "no data to check": "check",
    "no data to search with": "search",
    # Data that are not there
    "no such data": "train nosuch",
    "a misspelt built-in set": "train digit",
    "a misspelt folder": ("train phtos", photos(a=3, b=3)),
    "a folder within a folder that is not there": "train pictures/cats",
    "a name that no file can have": f"train {'a' * 300}",
    "a known set without an address": "train notmnist",
    # Folders of images
    "an empty folder": ("train empty", lambda at: (at / "empty").mkdir()),
    "images without folders of classes": ("train photos/a", photos(a=6)),
    "one class": ("train photos", photos(a=6)),
    "a class with one image": ("train photos", photos(a=9, b=1)),
    "a class without images": ("train photos", photos(a=9, b=9, c=0)),
    "a class of damaged images": ("train photos", both(photos(a=9), file("photos/b/half.png", b"\x89PNG\r\n\x1a\n"))),
    "a single image": ("train photos/a/0.png", photos(a=3, b=3)),
    "a folder of documents": ("train papers", both(file("papers/a.pdf", "%PDF"), file("papers/b.docx", "PK"))),
    "images brought to no size": ("train photos --image-size 0", photos(a=9, b=9)),
    "a class of the test part that is new": (
        "train photos",
        both(lambda at: images(at / "photos" / "train", a=6, b=6), lambda at: images(at / "photos" / "test", a=3, c=3)),
    ),
    "values from folders of images": ("train photos --task values", photos(a=9, b=9)),
    # Files of other kinds
    "a spreadsheet": ("train sales.xlsx", file("sales.xlsx", b"PK\x03\x04" + bytes(60))),
    "an archive": ("train photos.zip", file("photos.zip", b"PK\x03\x04" + bytes(60))),
    "a pickle": ("train data.pkl", file("data.pkl", b"\x80\x04}.")),
    "a table as JSON": ("train rows.json", file("rows.json", '[{"a": 1}]')),
    # idx, CIFAR, arrays
    "idx files of another kind": ("train set", lambda at: idx(at / "set", magic=1234)),
    "idx files that disagree": ("train set", lambda at: idx(at / "set", labels=30)),
    "an idx file that is cut off": ("train set", lambda at: idx(at / "set", declared=60)),
    "idx images without labels": (
        "train set",
        lambda at: (idx(at / "set") / "train-labels-idx1-ubyte").unlink(),
    ),
    "a CIFAR file that is cut off": ("train set", lambda at: cifar(at / "set", cut=100)),
    "a CIFAR label out of range": ("train set", lambda at: cifar(at / "set", label=11)),
    "an archive of objects": ("train set.npz", lambda at: npz(at / "set.npz", [{}] * 40, [0, 1] * 20)),
    "arrays of different lengths": ("train set.npz", lambda at: npz(at / "set.npz", np.ones((40, 2)), [0, 1] * 19)),
    "NaN in an array": ("train set.npz", lambda at: npz(at / "set.npz", np.full((40, 2), np.nan), [0, 1] * 20)),
    "an archive without targets": ("train set.npz", lambda at: np.savez(at / "set.npz", x=np.ones((40, 2)))),
    "arrays under names of one's own": (
        "train set.npz",
        lambda at: np.savez(at / "set.npz", pixels=np.ones((40, 2)), kinds=[0, 1] * 20),
    ),
    "a target that the archive lacks": (
        "train set.npz --target labels",
        lambda at: npz(at / "set.npz", np.ones((40, 2)), [0, 1] * 20),
    ),
    "an npz that is none": ("train set.npz", file("set.npz", "not a zip")),
    "an npy that is none": ("train set.npy", file("set.npy", "not an array")),
    "an array of text": ("train set.npz", lambda at: npz(at / "set.npz", [["a", "b"]] * 40, [0, 1] * 20)),
    "classes that are all the same": ("train set.npz", lambda at: npz(at / "set.npz", np.ones((40, 2)), [1] * 40)),
    # Tables
    "a first line that may be names or a sample": (
        "train t.csv",
        lambda at: table(at / "t.csv", header="0.1257,-0.1321,u,maybe"),
    ),
    "an empty file": ("train t.csv", file("t.csv", "")),
    "a header and no rows": ("train t.csv", lambda at: table(at / "t.csv", rows=0)),
    "rows of other lengths": ("train t.csv", lambda at: table(at / "t.csv", more=("1,2,u", "1,2,u,yes,5"))),
    "an infinite input": ("train t.csv", lambda at: values(at / "t.csv", "inf,2,1")),
    "an infinite target": ("train t.csv", lambda at: values(at / "t.csv", "1,2,inf")),
    "two columns of one name": ("train t.csv", lambda at: table(at / "t.csv", header="a,a,c,target")),
    "a misspelt target": ("train good.csv --target targte", good),
    "a target that resembles no column": ("train good.csv --target income", good),
    "values from a column of words": ("train good.csv --task values", good),
    "a target that is always the same": ("train t.csv", file("t.csv", "a,y\n" + "1,no\n2,no\n" * 30)),
    "a target with a class of its own for each row": (
        "train t.csv --task classes",
        file("t.csv", "a,y\n" + "".join(f"{i},name{i}\n" for i in range(60))),
    ),
    "a target without any value": ("train t.csv", file("t.csv", "a,y\n" + "1,\n2,\n" * 30)),
    "a table of one column": ("train t.csv", file("t.csv", "a\n1\n2\n3\n4\n")),
    "a table of one row": ("train t.csv", file("t.csv", "a,b\nx,y\n")),
    "a table that is no text": ("train t.csv", file("t.csv", bytes(range(256)) * 20)),
    "a damaged Parquet file": ("train t.parquet", file("t.parquet", b"PAR1" + bytes(50))),
    "a test table with other columns": ("train good.csv --test numbers.csv", both(good, numbers)),
    "a test file that is not there": ("train good.csv --test god.csv", both(good, numbers)),
    "a validation part of another format": ("train good.csv --val photos", both(good, photos(a=3, b=3))),
    "names of test files that fit none": ("train photos --test-names '*_[0-4].png'", photos(a=9, b=9)),
    "a column of texts that is not there": ("train good.csv --text review", good),
    "a net for images on a table": ("train good.csv --net resnet20", good),
    "a preprocessing for images on a table": ("train good.csv --preprocess mean-image", good),
    # Texts, tags, pairs, one long text
    "an empty text": ("train book.txt", file("book.txt", "")),
    "a text that is too short": ("train book.txt", file("book.txt", "a")),
    "a text of zeros": ("train book.txt", file("book.txt", b"\0" * 5_000)),
    "a text in another alphabet's encoding": (
        "train here",
        both(
            lambda at: text(at / "here" / "r.pos", bytes(range(256)) * 20),
            lambda at: text(at / "here" / "r.neg", "x\n"),
        ),
    ),
    "empty files of reviews": ("train here", files(r__pos="\n\n", r__neg="\n")),
    "more texts than labels": ("train here", files(sentences__txt="one\ntwo\nthree\n", labels__txt="0\n1\n")),
    "folds of one long text": ("train book.txt --folds 3", file("book.txt", "to be or not to be, " * 200)),
    "one long text cut into syllables": (
        "train book.txt --tokens syllables",
        file("book.txt", "to be or not to be, " * 200),
    ),
    "an empty file of tags": ("train a.conll", file("a.conll", "")),
    "words without tags": ("train a.conll", file("a.conll", "word\n\nword\n" * 20)),
    "a translation of pictures": ("train photos --set data.task=translation", photos(a=3, b=3)),
    "pairs without a partner": (
        "train pairs.tsv --set data.task=translation",
        file("pairs.tsv", "one\ttwo\n" * 10 + "three\n"),
    ),
    # Series, sounds
    "a series that is too short": ("train t.csv", file("t.csv", "t,v\n2001-01-01,1\n2001-01-02,2\n2001-01-03,3\n")),
    "a series without values": (
        "train t.csv",
        file("t.csv", "t,v\n" + "".join(f"{2000 + i // 12}-{i % 12 + 1:02d}-01,\n" for i in range(120))),
    ),
    "a window longer than the series": ("train t.csv --window 500", lambda at: series(at / "t.csv")),
    "more steps ahead than there are": ("train t.csv --horizon 500", lambda at: series(at / "t.csv")),
    "a column of times that is not there": ("train t.csv --time month", lambda at: series(at / "t.csv")),
    "a column of times that are none": ("train good.csv --time c", good),
    "a window for images": ("train digits --window 5", lambda at: None),
    "a class of damaged sounds": (
        "train calls",
        both(lambda at: sounds(at / "calls", cat=4), file("calls/dog/bark.wav", b"RIFF")),
    ),
    "sounds of another kind": ("train calls", both(file("calls/cat/a.mp3", "ID3"), file("calls/dog/b.mp3", "ID3"))),
    "sounds of one class": ("train calls", lambda at: sounds(at / "calls", cat=4)),
    # Graphs and trees
    "an empty graph": ("train net.gml", file("net.gml", "")),
    "a graph that is cut off": ("train net.gml", file("net.gml", "graph [ node [ id 1 ")),
    "a graph without classes": (
        "train net.gml",
        file("net.gml", "graph [ node [ id 1 ] node [ id 2 ] edge [ source 1 target 2 ] ]"),
    ),
    "a graph without edges": ("train net.gml", file("net.gml", f"graph [ {NODES}]")),
    "an edge to a node that is not there": (
        "train net.gml",
        file("net.gml", f"graph [ {NODES}edge [ source 1 target 99 ] ]"),
    ),
    "papers without citations": ("train here", files(cora__content="1 0 1 a\n")),
    "many graphs of one class": ("train here", files(**TU)),
    "a graph without a label": ("train here", files(**TU | {"X_graph_indicator__txt": "1\n2\n"})),
    "an edge that is no number": ("train here", files(**TU | {"X_A__txt": "1, two\n"})),
    "an edge with three ends": ("train here", files(**TU | {"X_A__txt": "1, 2, 3\n"})),
    "a node beyond all numbers": ("train here", files(**TU | {"X_A__txt": "1, 2\n1, 99999999999999999999\n"})),
    "a bracket that nothing closes": ("train trees.txt", file("trees.txt", "(2 (3 good) (2 film)\n" * 30)),
    "trees that are all the same": ("train trees.txt", file("trees.txt", TREES)),
    # Recipes and settings
    "a recipe that is not there": "train --recipe recipe.toml",
    "a recipe that is no TOML": ("train --recipe r.toml", file("r.toml", "[net]\nname = mlp\n")),
    "a section as a single value": ("train --recipe r.toml", file("r.toml", "net = 'mlp'\n")),
    "a section that is not there": ("train --recipe r.toml", file("r.toml", "[optimiser]\nname = 'adam'\n")),
    "several mistakes in a recipe": (
        "train --recipe r.toml",
        file(
            "r.toml",
            "[optimizer]\nlearning_rate = 0.1\nmomentum = 'much'\n[train]\nepochs = 0\n[regularise]\ndropout = 2\n",
        ),
    ),
    "a setting without a value": "train digits --set train.epochs",
    "a setting without a section": "train digits --set lr=0.1",
    "a section as a setting": "train digits --set net=mlp",
    "a setting that is not there": "train digits --set optimizer.learning_rate=0.1",
    "no epochs": "train digits --epochs 0",
    "half an epoch": "train digits --epochs 1.5",
    "a rate below zero": "train digits --lr -0.1",
    "a rate in words": "train digits --lr fast",
    "a batch without samples": "train digits --batch-size 0",
    "a dropout that leaves nothing": "train digits --dropout 1",
    "a time in words": 'train digits --budget "5 minutes"',
    "an effort that is not there": "train digits --effort low",
    "a seed below zero": "train digits --seed -1",
    "no threads": "train digits --threads 0",
    "a device that is not there": "train digits --device tpu",
    "a number of half the width": "train digits --precision float16",
    "an average that is not there": "train digits --average mean",
    "all of the data kept back": "train digits --set data.val_fraction=1",
    "names of many kinds misspelt": "train digits --net lenet --opt adm --sched cosin --loss crossentropy --init xavir",
    "options of a net misspelt": "train digits --net mlp --set net.hiden=[3] --set net.dropout=x",
    "options of a schedule out of range": "train digits --sched step --set schedule.every=0 --set schedule.foo=1",
    "a net without dropout": "train digits --net linear --dropout 0.3",
    "a net for larger images": "train digits --net lenet5",
    "a loss for two classes": "train digits --loss binary",
    "a loss for values": "train digits --loss squared",
    "smoothed labels for the hinge loss": "train digits --loss hinge --label-smoothing 0.1",
    "a distance for the hinge loss": "train digits --loss hinge --set loss.j=2",
    "a figure for values": "train digits --set stop.monitor=r2",
    "more snapshots than epochs": "train digits --epochs 3 --snapshots 5",
    "snapshots and an average": "train digits --snapshots 3 --average ema",
    "folds and members": "train digits --folds 3 --members 3",
    "weights that are not there": "train digits --pretrained weights.pt",
    "weights that are none": ("train digits --pretrained w.safetensors", file("w.safetensors", "no weights")),
    "a run in the place of a file": ("train digits --out notes", file("notes", "x")),
    "no name for the run": 'train digits --out ""',
    # check, search
    "a check that is not there": "check digits --only inital-loss",
    "a rule that is not there": "check --explain overfiting",
    "a space with mistakes": 'search digits --space "lr=1..0, drop=0..1, weight_decay=0..1 log, epochs"',
    "a space without anything": 'search digits --space ""',
    "a space file that is not there": "search digits --space space.toml",
    "a space file that is no TOML": ("search digits --space space.toml", file("space.toml", "lr = 1e-6..1e-3\n")),
    "a space file with a wrong range": ("search digits --space space.toml", file("space.toml", "lr = 'low..high'\n")),
    "a setting twice in a space": 'search digits --space "lr=1e-4..1e-2, optimizer.lr=1e-3..1e-1"',
    "a method of search that is not there": "search digits --method bayes",
    "a pruner that is not there": "search digits --pruner hyperbnd",
    "trials in words": "search digits --trials many",
    "trials of two stages without epochs": "search digits --trials 8,4,2",
    "stages that disagree": "search digits --trials 8,4 --stage-epochs 2",
    "a grid with too many points": (
        'search digits --method grid --trials 2 --stage-epochs 1 --space "net.hidden=[8]|[16]|[32], opt=sgd|adam"'
    ),
    "a seed in words": "search digits --seed x",
    "a search that is not there": "search --resume searches/digits-1",
    # Runs that are not there
    "a run that is not there": "resume runs/digits-7",
    "a folder without a run": ("resume photos", photos(a=1)),
    "a file instead of a run": ("evaluate notes.txt", file("notes.txt", "x")),
    "no model to predict with": ("predict nosuch good.csv", good),
    "a model to write with that is not there": "generate nosuch",
    "a run to explain that is not there": "explain nosuch",
    "no run to explain": "explain",
    "a report of nothing": "report nosuch",
    "an ensemble of nothing": "ensemble one two",
    # data, experiment, nets, web
    "a contact sheet that is no picture": "data digits --sheet sheet.doc",
    "a contact sheet in no folder": "data digits --sheet nosuch/sheet.png",
    "a kind of task that is not there": "data digits --task class",
    "an experiment that is not there": "experiment convolution-by-hnd",
    "a net that is not there": "nets resnet21",
    "a shape that is none": "nets mlp --input 28by28",
    "a net for larger inputs": "nets lenet5 --input 1x4x4",
    "a net's option without a value": "nets mlp --set hidden",
    "a net's option that is not there": "nets mlp --set hiden=5",
    "no classes": "nets mlp --classes 0",
    "runs to show that are not there": "web nosuch",
    "a port that is none": "web --port 99999",
    # Formulas
    "a formula without values": 'graph "(x + y) * z" x=1',
    "a formula that ends too early": 'graph "(x + y" x=1 y=2',
    "a function that is not there": 'graph "sigmod(x)" x=1',
    "a named function that is not there": 'graph "q = foo(x); q * 2" x=1',
    "a function of too many numbers": 'graph "exp(x, y)" x=1 y=2',
    "a value that is no number": 'graph "x * y" x=one y=2',
    "a value of no name": 'graph "x * y" x=1 y=2 z=3',
    "a value twice": 'graph "x * y" x=1 x=2 y=3',
    "a name twice": 'graph "q = x + y; q = x * y; q * 2" x=1 y=2',
    "a formula of Python": "graph \"__import__('os')\" x=1",
    "arrays that do not fit": 'graph "x @ y" x=[1,2,3] y=[1,2]',
    "a class for a formula": 'graph "x * y" x=1 y=2 --target 3',
    "two forms at once": 'graph "x * y" x=1 y=2 --step --table',
    "an array to be checked": 'graph "x * y" x=[1,2] y=2 --check',
    "a folder that is not there, as a formula": "graph runs/one",
}


# Of a folder that holds good.csv, and a finished run of it in run/.
WITH_A_RUN: dict[str, Case] = {
    "a run written over": "train good.csv --out run",
    "a misspelt run": "resume rum",
    "a recipe cut off in a run": ("evaluate run", file("run/recipe.toml", "[net\n")),
    "a run without its model": ("evaluate run", lambda at: shutil.rmtree(at / "run" / "model")),
    "data that have moved": ("evaluate run", lambda at: (at / "good.csv").unlink()),
    "other columns to evaluate on": ("evaluate run numbers.csv", numbers),
    "a model folder without data": "evaluate run/model",
    "a view that is not there": "evaluate run --views flip,twist",
    "views of a table": "evaluate run --tta",
    "a model without weights": ("predict run good.csv", lambda at: spoil(at / "run" / "model", "no weights")),
    "a model with weights cut off": ("predict run good.csv", lambda at: spoil(at / "run" / "model", "short weights")),
    "a model whose description is cut off": (
        "predict run good.csv",
        lambda at: spoil(at / "run" / "model", "half a json"),
    ),
    "a model of a later Glassnet": ("predict run good.csv", lambda at: spoil(at / "run" / "model", "newer")),
    "a model whose classes were changed": ("predict run good.csv", lambda at: spoil(at / "run" / "model", "classes")),
    "a table without a column": ("predict run numbers.csv", numbers),
    "a table without the header of the training file": (
        "predict run t.csv",
        lambda at: table(at / "t.csv", header=""),
    ),
    "a picture for a model of tables": ("predict run photos/a/0.png", photos(a=1)),
    "a file to predict that is not there": "predict run god.csv",
    "nothing to predict": "predict run",
    "a folder to write into that is not there": "predict run good.csv --out nosuch/answers.csv",
    "an answer in an unknown format": "predict run good.csv --format xml",
    "no classes to show": "predict run good.csv --top 0",
    "a beam for no translator": "predict run good.csv --beam 3",
    "a text from a model of tables": "generate run",
    "two beginnings": ("generate run --prompt a --prompt-file b.txt", file("b.txt", "b")),
    "a beginning that is not there": "generate run --prompt-file b.txt",
    "a seed of a text below zero": "generate run --seed -1",
    "an ensemble of one": "ensemble run",
    "an ensemble of a run twice": "ensemble run run",
    "a method that is not there": "explain run --method salincy",
    "a method for pictures": "explain run good.csv --method grad-cam",
    "a class to explain that is not there": "explain run good.csv --target perhaps",
    "a class to ask for that is not there": "graph run good.csv --target perhaps",
    "a row that is not there": "graph run good.csv --row 99",
    "a net to open without an input": "graph run/ --step",
    "a report in no folder": "report run --out nosuch/report.html",
    "advice tried on nothing": "check nosuch --try",
    "a warm-up as long as the run": "train digits --net mlp --epochs 3 --set schedule.warmup=3",
}

ALL = {**CASES, **WITH_A_RUN}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run. Read only: every case has a copy of its own."""
    place = tmp_path_factory.mktemp("trained")
    settings = "--net mlp --set net.hidden=8 --epochs 1 --threads 1 --quiet"
    assert cli.run(["train", str(good(place)), *settings.split(), "--out", str(place / "run")]) == 0
    return place


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GLASSNET_DEBUG", raising=False)
    monkeypatch.delenv("GLASSNET_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threads = torch.get_num_threads()
    yield
    torch.set_flush_denormal(False)  # a training sets both for its whole process
    torch.set_num_threads(threads)


def read() -> dict[str, str]:
    """The reviewed entries by name."""
    if not REVIEWED.exists():
        return {}
    entries = REVIEWED.read_text(encoding="utf-8").split("\n" + MARK)[1:]
    return {name: body.strip("\n") for name, _, body in (entry.partition("\n") for entry in entries)}


def write(name: str, told: str) -> None:
    entries = read() | {name: told}
    body = "".join(f"\n{MARK}{each}\n{entries[each]}\n" for each in ALL if each in entries)
    REVIEWED.write_text("What Glassnet says of mistakes; see test_messages.py.\n" + body, encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_the_message_is_the_reviewed_one(
    name: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: Capture
) -> None:
    if name in WITH_A_RUN:
        shutil.copytree(request.getfixturevalue("trained"), tmp_path, dirs_exist_ok=True)
        recipe = tmp_path / "run" / "recipe.toml"
        moved = recipe.read_text(encoding="utf-8").replace(str(request.getfixturevalue("trained")), str(tmp_path))
        recipe.write_text(moved, encoding="utf-8")
    case = ALL[name]
    command, make = case if isinstance(case, tuple) else (case, None)
    if make is not None:
        make(tmp_path)
    capsys.readouterr()
    code = cli.run(shlex.split(command))
    message = capsys.readouterr().err
    told = f"$ glassnet {command}\nexit code {code}\n{message}".replace(str(tmp_path), "FOLDER").strip("\n")
    if os.environ.get("GLASSNET_WRITE_MESSAGES"):
        write(name, told)
    assert told == read().get(name, "no entry in messages.txt yet: GLASSNET_WRITE_MESSAGES=1 writes it")


def test_the_reviewed_list_holds_the_cases_and_nothing_else() -> None:
    assert list(read()) == list(ALL)
    assert len(ALL) >= 100


@pytest.mark.parametrize("name", ALL)
def test_every_reviewed_message_says_what_is_wrong_and_what_to_do(name: str) -> None:
    command, code, *lines = read()[name].split("\n")
    assert command.startswith("$ glassnet ")
    assert code.split()[-1] in {"2", "3", "4", "5", "6", "7", "8"}
    assert lines[0].startswith("error: ")
    message = "\n".join(lines)
    assert "Traceback" not in message
    assert "fault of Glassnet" not in message
    assert re.search(r"^  (fix|expected): +\S", message, re.MULTILINE), message
