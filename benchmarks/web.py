"""What the live page costs and how fast it is: the figures U1 to U3 and U6 to U9 of docs/web.md.

    python -m benchmarks.web [sizes] [start] [list] [chart] [latency] [cost] [memory] [--rounds 5] [--minutes 10]

Without a name all but ``memory`` are measured. The browser's part needs Playwright and Chromium. ``cost`` trains the same net in turns: with no page,
with the page's process running and nobody looking, and with a run's page open in a browser.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from glassnet.web.index import Index
from glassnet.web.page import HERE, static_files

PROGRAM = "from glassnet.cli import main; main()"
RUNS = 1000
BROWSER = os.environ.get("GLASSNET_CHROMIUM") or shutil.which("chromium")


def main() -> None:
    """Measure what was asked for and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=10.0, help="of watching, for memory")
    chosen = parser.parse_args()
    for name in chosen.what or [name for name in MEASURED if name != "memory"]:
        with tempfile.TemporaryDirectory() as place:
            MEASURED[name](Path(place), chosen)


def sizes(_: Path, __: argparse.Namespace) -> None:
    """U1 and U2: what the extra installs beyond the core, and how large the front end is."""
    total = 0
    names = ("starlette", "uvicorn", "anyio", "h11")
    for name in names:
        files = importlib.metadata.files(name) or []
        total += sum(Path(str(file.locate())).stat().st_size for file in files if Path(str(file.locate())).is_file())
    print(
        f"U1  {len(names)} distributions ({', '.join(names)}), {total / 1e6:.1f} MB unpacked with compiled Python files"
    )
    packed = {name: len(gzip.compress(content)) for name, (content, _) in static_files().items()}
    templates = sum(len(gzip.compress(path.read_bytes())) for path in (HERE / "templates").iterdir())
    print(f"U2  front end, gzip: {sum(packed.values()) / 1e3:.1f} KB static, {templates / 1e3:.1f} KB templates")


def start(place: Path, chosen: argparse.Namespace) -> None:
    """U3: from the command to the first page, and from its first byte to a list that answers."""
    make_runs(place / "runs", 20)
    waits, ready = [], []
    for _ in range(chosen.rounds):
        began = time.monotonic()
        with served(place / "runs") as address:
            waits.append(time.monotonic() - began)
            with browser() as opened:
                page = opened.new_page()
                page.goto(address)
                page.wait_for_selector("html[data-ready]", state="attached")
                page.reload()
                page.wait_for_selector("html[data-ready]", state="attached")
                ready.append(page.evaluate(READY))
    print(f"U3  command to listening: {told(waits, 's', 2)}; first byte to a list that answers: {told(ready, 'ms', 0)}")


READY = "performance.now() - performance.getEntriesByType('navigation')[0].responseStart"


def list_runs(place: Path, chosen: argparse.Namespace) -> None:
    """U8: 1,000 runs listed for the first time, again, and filtered."""
    make_runs(place / "runs", RUNS)
    cold, warm = [], []
    for _ in range(chosen.rounds):
        index = Index(place / "runs")
        cold.append(clocked(index.entries))
        warm.append(clocked(lambda index=index: index.refresh(now=True)))
    print(f"U8  {RUNS:,} runs read: {told(cold, 's', 2)}; looked over again: {told([1e3 * t for t in warm], 'ms', 0)}")
    with served(place / "runs") as address, browser() as opened:
        shown, filtered = [], []
        page = opened.new_page()
        page.goto(address)
        page.wait_for_selector("table.runs tbody tr")
        for _ in range(chosen.rounds):
            page.reload()
            page.wait_for_selector("html[data-ready]", state="attached")
            shown.append(page.evaluate(READY))
            filtered += [page.evaluate(FILTER, words) for words in ("adam", "lr<0.01", "state=stopped mlp", "")]
        print(
            f"U8  {RUNS:,} runs on the page: {told(shown, 'ms', 0)} after the first byte; filtered and laid out: {told(filtered, 'ms', 0)}, at most {max(filtered):.0f}"
        )


FILTER = """(words) => { const box = document.getElementById("filter"); const began = performance.now(); box.value = words;
  box.dispatchEvent(new Event("input")); document.body.offsetHeight; return performance.now() - began; }"""


def chart(place: Path, chosen: argparse.Namespace) -> None:
    """U7: ten series of 100,000 points drawn, redrawn and thinned out on the server."""
    from glassnet.web.series import decimated

    x = [float(step) for step in range(100_000)]
    y = [math.sin(step / 500) + random.random() for step in range(100_000)]
    times = [clocked(lambda: decimated(x, y)) for _ in range(chosen.rounds)]
    print(
        f"U7  100,000 points thinned to {len(decimated(x, y)[0]):,}: {told([1e3 * t for t in times], 'ms', 0)} a series"
    )
    make_runs(place / "runs", 1)
    with served(place / "runs") as address, browser() as opened:
        page = opened.new_page()
        page.goto(address)
        draws, frames = zip(*(page.evaluate(DRAW) for _ in range(chosen.rounds)), strict=True)
        print(
            f"U7  10 series of 100,000 points, as the server sends them: drawn in {told(draws, 'ms', 0)}; redrawn at a zoom step in {told(frames, 'ms', 1)}"
        )


DRAW = """async () => {
  const { Chart, decimate } = await import("/static/chart.js");
  const figure = document.createElement("figure");
  figure.className = "chart"; figure.innerHTML = "<div class=plot></div><figcaption></figcaption>";
  document.querySelector("main").append(figure);
  const sent = [];
  for (let series = 0; series < 10; series++) {
    const x = [], y = [];
    for (let step = 0; step < 100000; step++) { x.push(step); y.push(Math.sin(step / 500 + series) + Math.random()); }
    sent.push(decimate(x, y, 2000));
  }
  const began = performance.now();
  const chart = new Chart(figure, { x: "step" });
  sent.forEach(([x, y], series) => chart.append(`series ${series}`, x, y));
  chart.paint();
  const first = performance.now() - began;
  const times = [];
  for (let zoom = 0; zoom < 30; zoom++) {
    chart.range = [zoom * 1000, 100000 - zoom * 1000];
    const from = performance.now(); chart.paint(); times.push(performance.now() - from);
  }
  figure.remove();
  return [first, times.sort((a, b) => a - b)[15]];
}"""


def latency(place: Path, _: argparse.Namespace) -> None:
    """U5: from a line in the file to the frame in which the page has drawn it."""
    make_runs(place / "runs", 1, finished=False)
    metrics = next((place / "runs").rglob("metrics.jsonl"))
    with served(place / "runs") as address, browser() as opened:
        page = opened.new_page()
        page.goto(address)
        page.locator("table.runs tbody a").first.click()
        page.wait_for_selector("#chart-batch:not([hidden])")
        page.evaluate(WATCH)
        sent = {}
        with metrics.open("a") as file:
            for number in range(100):
                step = 1_000_000 + number
                file.write(json.dumps({"event": "step", "epoch": 9, "step": step, "lr": 0.1, "loss": 1.0}) + "\n")
                sent[str(step)] = time.time() * 1e3
                file.flush()
                page.wait_for_timeout(random.uniform(150, 350))
        seen = page.evaluate("window.seen")
    waits = sorted(seen[step] - sent[step] for step in sent if step in seen)
    print(
        f"U5  line written to frame drawn, {len(waits)} of {len(sent)} steps: p50 {median(waits):.0f} ms, p95 {waits[int(0.95 * len(waits))]:.0f} ms"
    )


WATCH = """() => { window.seen = {}; new MutationObserver(() => { const step = document.documentElement.dataset.step;
  requestAnimationFrame(() => setTimeout(() => { window.seen[step] ??= performance.timeOrigin + performance.now(); })); })
  .observe(document.documentElement, { attributes: true, attributeFilter: ["data-step"] }); }"""


def cost(place: Path, chosen: argparse.Namespace) -> None:
    """U6: processor time and wall time of the same training with no page, with the page's process, and with a page open."""
    seconds: dict[str, list[float]] = {"no page": [], "page closed": [], "page open": []}
    used: dict[str, list[float]] = {"page closed": [], "page open": []}
    for number in range(chosen.rounds):
        for name in random.sample(list(seconds), len(seconds)):
            root = place / f"{number}-{name.replace(' ', '-')}"
            root.mkdir()
            if name == "no page":
                seconds[name].append(trained(root))
                continue
            with served(root) as address:
                pid = int((root.parent / "pid").read_text())
                before = cpu(pid)
                if name == "page open":
                    with browser() as opened:
                        page = opened.new_page()
                        page.goto(address)
                        seconds[name].append(trained(root, lambda page=page: follow(page)))
                else:
                    seconds[name].append(trained(root))
                used[name].append(cpu(pid) - before)
    for name, found in seconds.items():
        print(
            f"U6  {name}: training {told(found, 's', 2)}"
            + (f"; the page's process used {told(used[name], 's of processor', 2)}" if name in used else "")
        )
    for name in ("page closed", "page open"):
        shares = [100 * (a / b - 1) for a, b in zip(seconds[name], seconds["no page"], strict=True)]
        print(
            f"U6  {name}: slower by {median(shares):+.2f} % (median of {len(shares)}; {min(shares):+.2f} to {max(shares):+.2f})"
        )


def follow(page: Any) -> None:
    """Open the page of the run that is there, and leave it open."""
    page.reload()
    page.locator("table.runs tbody a").first.click()
    page.wait_for_selector("#chart-batch:not([hidden])", timeout=30_000)


def trained(root: Path, during: Callable[[], None] | None = None) -> float:
    """Seconds of training steps (as timing.jsonl has them) of a run of notable length."""
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        "train",
        "digits",
        "--net",
        "small-vgg",
        "--epochs",
        "40",
        "--out",
        str(root / "run"),
        "--quiet",
        "--set",
        "train.precision=float32",
        "--set",
        "train.threads=1",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        if during is not None:
            while not (root / "run" / "metrics.jsonl").exists() and process.poll() is None:
                time.sleep(0.1)
            time.sleep(1.2)
            during()
        said = process.stderr.read() if process.stderr else b""
        assert process.wait() == 0, said
    timings = [json.loads(line) for line in (root / "run" / "timing.jsonl").read_text().splitlines()]
    return sum(each["seconds"] for each in timings[2:])


def memory(place: Path, chosen: argparse.Namespace) -> None:
    """U9: the browser's heap while a run grows by 20 records a second."""
    make_runs(place / "runs", 1, finished=False)
    metrics = next((place / "runs").rglob("metrics.jsonl"))
    with served(place / "runs") as address, browser() as opened:
        page = opened.new_page()
        page.goto(address)
        page.locator("table.runs tbody a").first.click()
        page.wait_for_selector("#chart-batch:not([hidden])")
        session = page.context.new_cdp_session(page)
        heaps: list[tuple[float, float]] = []
        began, step, next_look = time.monotonic(), 1_000_000, 0.0
        with metrics.open("a") as file:
            while (passed := time.monotonic() - began) < 60 * chosen.minutes:
                for _ in range(20):
                    step += 1
                    file.write(
                        json.dumps(
                            {
                                "event": "step",
                                "epoch": 9,
                                "step": step,
                                "lr": 0.1,
                                "loss": random.random(),
                                "grad_norm": 1.0,
                            }
                        )
                        + "\n"
                    )
                file.flush()
                page.wait_for_timeout(1000)
                if passed >= next_look:
                    session.send("HeapProfiler.collectGarbage")
                    heaps.append((passed / 60, session.send("Runtime.getHeapUsage")["usedSize"] / 1e6))
                    next_look += 60
    print("U9  heap in MB after minutes: " + ", ".join(f"{minute:.0f}: {size:.1f}" for minute, size in heaps))


def make_runs(root: Path, count: int, *, finished: bool = True) -> None:
    """Run folders as ``glassnet train`` writes them, as far as the page reads them, with recipes of the usual length."""
    chance = random.Random(0)
    for number in range(count):
        folder = root / f"digits-{number}"
        folder.mkdir(parents=True)
        lr, net = 10 ** chance.uniform(-4, -1), chance.choice(("mlp", "small-vgg", "lenet5"))
        recipe = RECIPE.format(lr=lr, net=net, seed=number, optimizer=chance.choice(("adam", "sgd", "adamw")))
        (folder / "asked.toml").write_text('[data]\npath = "digits"\n')
        (folder / "recipe.toml").write_text(recipe)
        (folder / "data.json").write_text(
            json.dumps(
                {
                    "name": "digits",
                    "kind": "image",
                    "classes": list("0123456789"),
                    "samples": {"train": 1238, "val": 200, "test": 359},
                    "class_counts": {part: [120] * 10 for part in ("train", "val", "test")},
                }
            )
        )
        events = [{"event": "started", "samples": 1238, "steps_per_epoch": 20, "epochs": 20, "parameters": 9610}]
        for epoch in range(20):
            events += [
                {
                    "event": "step",
                    "epoch": epoch,
                    "step": 20 * epoch + step + 1,
                    "lr": lr,
                    "samples": 64,
                    "loss": chance.random(),
                    "penalty": 0.0,
                    "grad_norm": None,
                }
                for step in range(0, 20, 2)
            ]
            figures = {"loss": chance.random(), "accuracy": chance.random()}
            events.append(
                {
                    "event": "epoch",
                    "epoch": epoch,
                    "step": 20 * epoch + 20,
                    "lr": lr,
                    "running_loss": 1.0,
                    "penalty": 0.0,
                    "clipped": 0.0,
                    "train": figures,
                    "val": figures,
                    "best": False,
                }
            )
        if finished:
            accuracy = chance.random()
            each = {"name": "0", "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 36}
            result = {
                "part": "test",
                "samples": 359,
                "figures": {
                    "kind": "classification",
                    "accuracy": accuracy,
                    "accuracy_interval": [accuracy - 0.02, accuracy + 0.02],
                    "per_class": [each] * 10,
                    "confusion": [[1] * 10] * 10,
                },
            }
            (folder / "result.json").write_text(json.dumps(result, indent=1))
        (folder / "metrics.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


RECIPE = """[data]
path = "digits"
task = "classes"  # seen from the targets
val_fraction = "auto"
test_fraction = "auto"

[preprocess]
name = "standardise"  # the usual for data of kind image

[augment]
auto = false  # resolved: what is written here is all there is
shift = 1  # tiny images (8 pixels): moved by one pixel

[net]
name = "{net}"  # suits 1,238 grey images of 1×8×8
init = "default"

[loss]
name = "cross-entropy"  # the targets are classes
label_smoothing = 0.2

[optimizer]
name = "{optimizer}"  # learns fastest
lr = {lr}
weight_decay = 0.0013

[schedule]
name = "one-cycle"  # high rates early, zero at the end

[regularise]
l2 = 0.0
l1 = 0.0
on = []
average = "none"

[stop]
monitor = "accuracy"
patience = "never"

[train]
epochs = 20  # for 1,238 samples
batch_size = 64
seed = {seed}
precision = "float32"
"""


@contextmanager
def served(root: Path) -> Iterator[str]:
    """The page's process; yields its address. Its process id stands in ``pid`` beside the folder."""
    command = [sys.executable, "-c", PROGRAM, "web", str(root), "--no-open", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        (root.parent / "pid").write_text(str(process.pid))
        address = None
        for line in process.stdout or ():
            if address := re.search(r"http://\S+", line):
                break
        assert address is not None
        try:
            yield address[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


def cpu(pid: int) -> float:
    """Processor seconds of a process so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def clocked(act: Callable[[], object]) -> float:
    """Seconds of processor time that it took: what a machine with nothing else to do needs."""
    began = time.process_time()
    act()
    return time.process_time() - began


def told(values: Any, unit: str, digits: int) -> str:
    """Median and range."""
    return f"{median(values):.{digits}f} {unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"


MEASURED: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "sizes": sizes,
    "start": start,
    "list": list_runs,
    "chart": chart,
    "latency": latency,
    "cost": cost,
    "memory": memory,
}

if __name__ == "__main__":
    main()
