"""What a person gets: U11 (the report), U14 (the drawing pad) and U17 (from a folder of pictures to a model and its report)."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.web.live import PROGRAM, browser, served, told, training

PICTURES = 8_000
STROKES = 60


def pad(place: Path, _: argparse.Namespace) -> None:
    """U14: from a stroke on the pad to the frame in which every layer of a LeNet-5 has answered it."""
    (root := place / "runs").mkdir()
    x, y = load_digits(return_X_y=True)
    grown = [
        np.asarray(Image.fromarray((16 * each.clip(0, 15.9)).astype(np.uint8)).resize((28, 28)))
        for each in x.reshape(-1, 8, 8)
    ]
    np.savez(place / "digits-28.npz", x_train=np.stack(grown), y_train=y)
    command = training(root, "lenet5", 1)
    command[command.index("digits")] = str(place / "digits-28.npz")
    subprocess.run(command, check=True)
    with served(root) as address, browser() as opened:
        page = opened.new_page()
        page.goto(address)
        page.goto(page.locator("table.runs tbody a").first.evaluate("(link) => `${link.href}/inside`"))
        box = page.locator("#pad canvas").bounding_box()
        assert box is not None
        page.evaluate(STROKE)
        page.mouse.move(box["x"] + 20, box["y"] + 20)
        page.mouse.down()
        for number in range(STROKES):
            page.mouse.move(box["x"] + 20 + number * (box["width"] - 40) / STROKES, box["y"] + 20 + (number * 37) % 80)
            page.wait_for_selector(f"#inside[data-strokes='{number + 1}']", state="attached", timeout=60_000)
        page.mouse.up()
        waits = sorted(page.evaluate("window.waits")[5:])  # the first ones open the network
        layers = page.locator("#layers canvas").count()
    print(
        f"U14 stroke to every layer drawn ({layers} maps), LeNet-5 at 28×28, {len(waits)} strokes: {told(waits, 'ms', 0)}, "
        f"p95 {waits[int(0.95 * len(waits))]:.0f} ms"
    )


# One stroke is under way at a time: it begins with the movement of the pen and ends in the frame after the answer has been drawn.
STROKE = """() => { const main = document.getElementById("inside"); window.waits = []; let began = null;
  document.querySelector("#pad canvas").addEventListener("pointermove", () => { began ??= performance.now(); }, { capture: true });
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    if (began === null) return;
    window.waits.push(performance.now() - began); began = null; main.dataset.strokes = String(window.waits.length); })))
  .observe(main, { attributes: true, attributeFilter: ["data-answered"] }); }"""


def report(place: Path, _: argparse.Namespace) -> None:
    """U11: size of the report of a convolutional net with ten classes; opened from the disk without network and scripts; printed."""
    (root := place / "runs").mkdir()
    subprocess.run(training(root, "small-vgg", 5), check=True)
    file = root / "run" / "report.html"
    asked: list[str] = []
    with browser() as opened:
        context = opened.new_context(offline=True, java_script_enabled=False)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        figures = page.locator("svg, img").count()
        words = len(page.locator("body").inner_text().split())
        pages = page.pdf(format="A4").count(b"/Type /Page\n")
    print(
        f"U11 report: {file.stat().st_size / 1e6:.2f} MB; opened from the disk, offline and without scripts: {len(asked) - 1} requests beyond the file itself, "
        f"{figures} figures, {words:,} words; {pages} pages printed on A4"
    )


def beginner(place: Path, _: argparse.Namespace) -> None:
    """U17: one command, from a folder of 8,000 pictures of 28×28 in ten class folders to a model and its report."""
    folder(place / "letters")
    command = [sys.executable, "-c", PROGRAM, "train", "letters", "--quiet", "--out", "run"]
    began = time.monotonic()
    subprocess.run(command, cwd=place, check=True)
    seconds = time.monotonic() - began
    result = json.loads((place / "run" / "result.json").read_text())
    print(
        f"U17 one command ('glassnet train letters'), {PICTURES:,} pictures of 28×28: {seconds:.0f} s to model and report, "
        f"accuracy {result['figures']['accuracy']:.2%} on {result['samples']:,} pictures that it has not seen"
    )


def folder(root: Path) -> None:
    """The first 8,000 training pictures of notMNIST as PNG files in class folders; they lie below GLASSNET_DATA."""
    source = Path(os.environ["GLASSNET_DATA"]) / "notmnist"
    x = np.frombuffer(gzip.decompress((source / "train-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    y = np.frombuffer(gzip.decompress((source / "train-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    for number, (pixels, kind) in enumerate(zip(x.reshape(-1, 28, 28)[:PICTURES], y, strict=False)):
        (root / "ABCDEFGHIJ"[kind]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(root / "ABCDEFGHIJ"[kind] / f"{number}.png")
