"""How large the page is and how fast: U1 to U5, U7 and U8."""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import math
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.web.live import PROGRAM, browser, clocked, open_run, served, told, training
from benchmarks.web.made_runs import make_runs
from glassnet.web.index import Index
from glassnet.web.page import HERE, static_files

RUNS = 1000
PICTURES = 10_000


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


def first(place: Path, chosen: argparse.Namespace) -> None:
    """U4: from the command to the sheet of 10,000 pictures, and from the first step of a training to its point on the page."""
    pictures(place / "pictures.npz")
    sheets = []
    for _ in range(chosen.rounds):
        began = time.monotonic()
        command = [
            sys.executable,
            "-c",
            PROGRAM,
            "data",
            str(place / "pictures.npz"),
            "--sheet",
            str(place / "sheet.png"),
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sheets.append(time.monotonic() - began)
    print(
        f"U4  command to the sheet of {PICTURES:,} pictures, Python's and torch's start within: {told(sheets, 's', 2)}"
    )
    waits = []
    with browser() as opened:
        for number in range(chosen.rounds):
            (root := place / f"first-{number}").mkdir()
            with served(root) as address:
                waits.append(first_point(root, opened.new_page(), address))
    print(f"U4  first step written to its point on the page: {told(waits, 's', 2)}")


def pictures(file: Path) -> None:
    """10,000 grey pictures of 28×28 in ten classes."""
    import numpy as np

    chance = np.random.default_rng(0)
    x = chance.integers(0, 256, (PICTURES, 28, 28), dtype=np.uint8)
    np.savez(file, x_train=x, y_train=np.arange(PICTURES) % 10)


def first_point(root: Path, page: Any, address: str) -> float:
    """Seconds from the first step in the file to the first point that the page has drawn; the page of the run is open as soon as there is a run."""
    command = training(root, "mlp", 5)
    page.goto(address)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (root / "run" / "asked.toml").exists():
            time.sleep(0.01)
        link = page.locator("table.runs tbody a")
        while not link.count():
            page.reload()
            page.wait_for_timeout(100)
        link.first.click()
        metrics, began = root / "run" / "metrics.jsonl", None
        while began is None:
            if metrics.exists() and '"step"' in metrics.read_text(errors="replace"):
                began = time.monotonic()
            else:
                time.sleep(0.01)
        page.wait_for_selector("html[data-step]:not([data-step='0'])", state="attached", timeout=60_000)
        seen = time.monotonic() - began
        process.wait()
    page.close()
    return seen


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
        open_run(page, address)
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
