from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import glassnet
from web.watched import WAIT, Watched

if TYPE_CHECKING:
    from glassnet.model import Model

CHROMIUM = os.environ.get("GLASSNET_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SOURCE = str(Path(glassnet.__file__).parent.parent)
AXE = Path(os.environ.get("GLASSNET_AXE") or Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js")
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# Every attempt to reach another machine, or to ask for a name, is written down before it is made.
PROGRAM = """
import os, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        os.write(log, (event + " " + repr(arguments[1:]) + chr(10)).encode())
sys.addaudithook(hook)
del sys.argv[1]
from glassnet.cli import main
main()
"""


class Served:
    """A live page in a process of its own, and requests to it as a browser would or would not make them."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root, self.log = root, log
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(log), "web", str(root), "--no-open", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": SOURCE, "PYTHONUNBUFFERED": "1"},
            text=True,
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", line)
            if found:
                self.port, self.token = int(found[1]), found[2]
                break
        else:
            raise AssertionError(f"the page did not start: {self.process.wait()}")

    @property
    def cookie(self) -> str:
        return f"glassnet-{self.port}={self.token}"

    def ask(
        self,
        path: str,
        method: str = "GET",
        *,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        token: bool = True,
        host: str | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if host != "":
                connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            if token:
                connection.putheader("Cookie", self.cookie)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            if body is not None and "Content-Length" not in (headers or {}):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def post(self, path: str, content: Any) -> tuple[int, dict[str, str], bytes]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.ask(path, "POST", headers={"Content-Type": "application/json", "X-Glassnet": "1"}, body=body)

    def runs(self) -> dict[str, dict[str, Any]]:
        status, _, body = self.ask("/runs.json")
        assert status == 200
        return {run["name"]: run for run in json.loads(body)["runs"]}

    def key(self, name: str) -> str:
        return str(self.runs()[name]["id"])

    @contextmanager
    def another(self, place: Path) -> Iterator[Served]:
        """A page of its own over the runs below ``place``, which ends with the block."""
        made = Served(place / "runs", place / "connections")
        try:
            yield made
        finally:
            made.kill()

    def kill(self) -> None:
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def end(self) -> tuple[int, str]:
        """Ctrl-C; the exit code and what was printed since the start."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            rest = stream.read()
        return self.process.wait(10), rest


def lines(*events: dict[str, Any]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def step(number: int, loss: float | None) -> dict[str, Any]:
    return {"event": "step", "epoch": 0, "step": number, "lr": 0.1, "samples": number, "loss": loss, "penalty": 0.0}


def epoch(number: int, train: float, val: float, accuracy: float) -> dict[str, Any]:
    return {
        "event": "epoch", "epoch": number, "step": 10 * (number + 1), "lr": 0.1, "running_loss": train, "penalty": 0.0, "clipped": 0.0,
        "train": {"loss": train, "accuracy": accuracy}, "val": {"loss": val, "accuracy": accuracy - 0.01}, "best": True,
    }  # fmt: skip


def make_run(path: Path, *, lr: float = 0.1, finished: bool = True, data: str = "digits", epochs: int = 3) -> Path:
    """A run folder with the files that the page reads, as small as may be."""
    path.mkdir(parents=True)
    (path / "asked.toml").write_text('[data]\npath = "digits"\n')
    (path / "recipe.toml").write_text(
        f'[data]\npath = "digits"\n[net]\nname = "mlp"\nhidden = [8]\n[optimizer]\nname = "sgd"\nlr = {lr}\n[train]\nepochs = {epochs}\nseed = 0\n'
    )
    about = {
        "name": data,
        "kind": "image",
        "task": "classes",
        "classes": ["a", "b"],
        "samples": {"train": 80, "test": 20},
        "notes": ["a note"],
    }
    (path / "data.json").write_text(json.dumps(about))
    (path / "net.json").write_text(json.dumps({"zoo": "mlp", "table": "layer  output\ndense  8"}))
    events = [{"event": "started", "samples": 80, "steps_per_epoch": 10, "epochs": epochs, "parameters": 99}]
    for number in range(epochs):
        events += [step(10 * number + each + 1, 2.0 / (10 * number + each + 1)) for each in range(10)]
        events.append(epoch(number, 1.0 / (number + 1), 1.1 / (number + 1), 0.5 + 0.1 * number))
    if finished:
        events.append(
            {
                "event": "finished",
                "reason": "completed",
                "epoch": epochs,
                "step": 10 * epochs,
                "best_epoch": 2,
                "best": 0.7,
            }
        )
        figures = {"kind": "classification", "accuracy": 0.7 + lr / 10, "accuracy_interval": [0.6, 0.8], "per_class": [{"name": "a", "precision": 1, "recall": 1, "f1": 1, "support": 10}]}  # fmt: skip
        rivals = [
            {"name": "linear model", "metric": "accuracy", "figure": 0.6, "note": "all pixels", "interval": [0.5, 0.7]}
        ]
        (path / "result.json").write_text(
            json.dumps({"part": "test", "samples": 20, "figures": figures, "rivals": rivals})
        )
        (path / "report.html").write_text(
            "<!doctype html><title>report</title><style>p{color:red}</style><p>the report</p>"
        )
    (path / "metrics.jsonl").write_text(lines(*events))
    finding = {"event": "finding", "rule": "overfitting", "severity": "warning", "step": 20, "what": "validation loss rises", "why": "too little data", "advice": "stop earlier", "evidence": {"rise": 0.2}, "remedies": []}  # fmt: skip
    (path / "findings.jsonl").write_text(lines(finding))
    return path


def make_search(path: Path) -> Path:
    """A search of twelve trials, better the higher the rate up to 0.1 and worse beyond, of which one was ended early; three have a run folder."""
    rates = [10 ** (-4 + place / 3) for place in range(12)]
    rows = ["stage,number,end,value,epochs,seconds,optimizer.lr,train.batch_size,net.hidden,why"]
    for place, lr in enumerate(rates):
        value = 0.9 - 0.1 * abs(place - 9)
        end = "pruned" if place == 0 else "done"
        rows.append(f'1,{place},{end},{value:.3f},3,1.5,{lr:.6g},{32 if place % 2 else 64},"[{64 + place}]",')
    for place in (8, 9, 10):
        make_run(path / "trials" / f"1-{place:04d}", lr=rates[place], finished=False)
    (path / "trials.csv").write_text("\n".join(rows) + "\n")
    space = {"optimizer.lr": "1e-4..0.5 log", "train.batch_size": "32|64", "net.hidden": "[64]|[75]"}
    stage = {"stage": 1, "trials": 12, "epochs": 3, "space": space, "edges": [], "importances": {"train.batch_size": 0.05, "optimizer.lr": 0.9}, "narrowed": []}  # fmt: skip
    (path / "stages.json").write_text(json.dumps([stage]))
    (path / "search.json").write_text(json.dumps({"space": [{"key": key} for key in space]}))
    (path / "finalists.json").write_text(
        json.dumps(
            [
                {"place": 1, "settings": {"optimizer.lr": 0.1}, "values": [0.88, 0.9], "mean": 0.89, "std": 0.014},
                {"place": 0, "settings": {}, "values": [0.7, 0.72], "mean": 0.71, "std": 0.014},
            ]
        )
    )
    return path


NASTY = "<img src=x onerror=canary()>"


def make_hostile(path: Path) -> Path:
    """A run as somebody may have prepared it: links, a pipe, wrong types, depth, and code where words are expected."""
    path.mkdir(parents=True)
    words = f"</script><script>canary()</script>{NASTY}"
    (path / "asked.toml").symlink_to("/etc/passwd")
    (path / "recipe.toml").write_text(
        f"[data]\npath = '{words}'\n[net]\nname = '{NASTY}'\nhidden = [[[1]]]\n[optimizer]\nlr = inf\n[a.b.c.d.e.f]\ng = 1\n"
    )
    (path / "data.json").write_text(
        json.dumps(
            {
                "name": words,
                "kind": NASTY,
                "classes": 7,
                "samples": [1],
                "notes": {"a": 1},
                "troubles": [{"what": words, "severity": '" onclick="canary()'}],
            }
        )
    )
    (path / "net.json").symlink_to("/etc/passwd")
    (path / "environment.json").write_text("[" * 100_000)
    (path / "result.json").write_text(
        json.dumps(
            {
                "figures": {"accuracy": 1e308, "accuracy_interval": ["a"], "per_class": [1, {"name": words}]},
                "part": words,
                "samples": "many",
                "rivals": [{"name": words, "figure": 0.5, "note": NASTY}],
            }
        )
    )
    nasty: list[dict[str, Any]] = [
        {"event": "started", "samples": "x", "epochs": 10**400, "steps_per_epoch": None, "parameters": True},
        {"event": "step", "step": "one", "loss": 1}, {"event": "step", "step": 1, "loss": {"a": 1}, "lr": 10**400}, {"event": "step", "step": -1e308, "loss": 1e308},
        {"event": "epoch", "epoch": 1e308, "train": [], "val": 3}, {"event": "epoch", "epoch": 0, "train": {"loss": "x"}, "val": {"loss": None, "accuracy": words}},
        {"event": "measured", "step": 3, "batch": {words: 1}, "parameters": [{"name": words, "dims": 2, "ratio": 1}], "layers": [{"name": 3}, {"name": words, "gradient": "x"}]},
        {"event": "finished", "reason": words}, {"event": ["finding"]}, {"event": "__init__"},
    ]  # fmt: skip
    (path / "metrics.jsonl").write_text(lines(*nasty) + "[" * 50_000 + "\n" + "\x00\n{torn")
    (path / "findings.jsonl").write_text(
        lines({"event": "finding", "rule": words, "severity": NASTY, "step": "x", "what": words, "why": words, "advice": words, "evidence": {NASTY: 1, "b": words}}, {"event": "tried", "rule": words, "words": words})
    )  # fmt: skip
    os.mkfifo(path / "timing.jsonl")
    (path / "report.html").write_text(f"<script>canary()</script>{NASTY}<p>a prepared report</p>")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window; one for all tests of a file, since Playwright's event loop runs as long as it does, and other files have their own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium, or GLASSNET_CHROMIUM=/path/to/it)")
    sync_api.expect.set_options(timeout=WAIT)
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def expect(browser: Any) -> Any:
    """Playwright's own assertion, which waits."""
    from playwright.sync_api import expect

    return expect


@pytest.fixture
def watched(browser: Any, served: Any) -> Iterator[Watched]:
    """A tab on the page of all tests, of a middle width."""
    made = Watched(browser, served, viewport={"width": 1024, "height": 800}, reduced_motion="reduce")
    yield made
    made.close()


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], list[tuple[str, list[str]]]]:
    """What axe-core finds on a page of the browser, as (rule, first places): empty where everybody can use the page."""
    if not AXE.exists():
        pytest.skip("axe-core is not there (npm install --no-save axe-core, or GLASSNET_AXE=/path/to/axe.min.js)")
    source = AXE.read_text(encoding="utf-8")

    def look(page: Any) -> list[tuple[str, list[str]]]:
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        page.evaluate(source)
        found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", AXE_RULES)
        return [(each["id"], [node["html"][:150] for node in each["nodes"]][:3]) for each in found["violations"]]

    return look


@pytest.fixture(scope="session")
def grey_model() -> Callable[..., Model]:
    """An untrained LeNet for grey pictures of 28×28, with classes of these names."""
    import torch

    from glassnet import zoo
    from glassnet.data.image_schema import ImageSchema
    from glassnet.data.preprocess import Normalise
    from glassnet.model import Model

    def make(*classes: str) -> Model:
        about = {"zoo": "lenet5", "shape": [1, 28, 28], "outputs": len(classes), "options": {}}
        net = zoo.build("lenet5", (1, 28, 28), len(classes), seed=0).eval()
        scaled = Normalise("standardise", 255.0, torch.full((1, 1, 1), 0.1), torch.full((1, 1, 1), 0.3), (1, 28, 28))
        return Model(net, about, scaled, ImageSchema(1, 28, 28), "classes", classes, ("class",))

    return make


@pytest.fixture(scope="session")
def run_maker() -> Callable[..., Path]:
    return make_run


@pytest.fixture(scope="session")
def search_maker() -> Callable[..., Path]:
    return make_search


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One page for all tests of a session, over a few good runs, a hostile one and a link that leads out."""
    place = tmp_path_factory.mktemp("page")
    root = place / "runs"
    make_run(root / "good-1", lr=0.1)
    make_run(root / "good-2", lr=0.4)
    make_run(root / "cut-3", lr=0.2, finished=False)
    make_hostile(root / NASTY)
    for name in (
        "asked.toml",
        "recipe.toml",
        "metrics.jsonl",
        "findings.jsonl",
        "result.json",
        "report.html",
        "run.lock",
    ):
        (root / "folders" / name).mkdir(parents=True)
    make_run(place / "outside")
    (root / "link").symlink_to(place / "outside")
    search = root / "search-1"
    make_run(search / "trials" / "1-0000", lr=0.3)
    (search / "trials.csv").write_text(
        f'stage,number,end,value,epochs,seconds,optimizer.lr,net.name,why\n1,0,done,0.8,3,1.5,0.3,mlp,\n1,1,pruned,0.2,1,1,"{NASTY}",=cmd|x,\nx,y,z\n'
    )
    (search / "stages.json").write_text(
        json.dumps([{"stage": 1, "trials": 2, "epochs": 3, "space": {"optimizer.lr": NASTY}, "edges": [NASTY], "importances": {"a": 0.5, "b": "x"}, "narrowed": [3]}, 7])
    )  # fmt: skip
    page = Served(root, place / "connections")
    yield page
    page.kill()
