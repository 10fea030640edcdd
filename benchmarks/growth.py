"""Cost of growth: how time and memory of ``glassnet train`` change from a thousand images to millions.

    python -m benchmarks.growth [--folder 1000 10000 100000 1000000] [--array 1000 100000 1000000] [--place DIR]

Folders hold generated PNG files of 32 x 32 pixels; arrays are npy files of images of 96 x 96 pixels as bytes, of which a million take 28 GB. What needs more
than 2 GB is not held in memory. The disk needs 4 kB for each file, and 3 kB again for what is decoded; and 28 kB for each row.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.figures import timings

SIDE, ARRAY_SIDE, CLASSES, BLOCK = 32, 96, 10, 10_000
PROGRAM = "from glassnet.cli import main; main()"


class Cost(NamedTuple):
    """What a training of two epochs took.

    Attributes:
        images: in all parts.
        rest: seconds of everything else: reading, dividing, evaluating, rivals, the report.
        first: of the first epoch's steps.
        second: of the second epoch's steps.
        peak: of resident memory, MB.
        own: most of it that is the process's own, not pages of a file that happen to be in memory, MB.
    """

    images: int
    rest: float
    first: float
    second: float
    peak: float
    own: float


def main() -> None:
    """Make each data set, train on it, remove it, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=int, nargs="*", default=[1_000, 10_000, 100_000, 1_000_000], metavar="N")
    parser.add_argument("--array", type=int, nargs="*", default=[1_000, 100_000, 1_000_000], metavar="N")
    parser.add_argument("--place", type=Path, default=None, help="a folder on a disk with room")
    chosen = parser.parse_args()
    for kind, make, counts in (("folder", make_folder, chosen.folder), ("array", make_array, chosen.array)):
        if counts:
            print(
                f"{kind:<8}{'images':>12}{'all the rest':>16}{'epoch 1':>20}{'epoch 2':>20}{'peak memory':>14}{'its own':>12}",
                flush=True,
            )
            tell_growth([told(measured(make, count, chosen.place)) for count in sorted(counts)])


def told(cost: Cost) -> Cost:
    """The same, printed: seconds, and microseconds for each image."""
    epochs = "".join(f"{s:>10.1f} s {1e6 * s / cost.images:>5.0f} us" for s in (cost.first, cost.second))
    print(
        f"{'':<8}{cost.images:>12,}{cost.rest:>14.1f} s{epochs}{cost.peak:>11,.0f} MB{cost.own:>9,.0f} MB", flush=True
    )
    return cost


def tell_growth(costs: list[Cost]) -> None:
    """The power of the number of images with which an epoch grew, and memory for each image more."""
    for smaller, larger in pairwise(costs):
        power = np.log(larger.second / smaller.second) / np.log(larger.images / smaller.images)
        print(
            f"{'':<8}{smaller.images:,} -> {larger.images:,}: an epoch grows with images to the power of {power:.2f}, "
            f"memory of its own by {1e6 * (larger.own - smaller.own) / (larger.images - smaller.images):,.0f} bytes an image"
        )


def measured(make: Callable[[Path, int], None], count: int, place: Path | None) -> Cost:
    """Two epochs of a small net, as a command of its own."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        data, run = Path(folder) / "data", Path(folder) / "run"
        make(data, count)
        words = ["train", str(data), "--net", "lenet5", "--epochs", "2", "--batch-size", "128", "--out", str(run)]
        words += ["--no-check", "--quiet", "--set", "train.measure=never", "--set", "augment.auto=false"]
        began = time.monotonic()
        pid = os.posix_spawn(sys.executable, [sys.executable, "-c", PROGRAM, *words], os.environ)
        status, peak, own = watched(pid)
        took = time.monotonic() - began
        assert os.waitstatus_to_exitcode(status) == 0, f"training on {count:,} images failed"
        first, second = (each["seconds"] for each in timings(run)[:2])
        return Cost(count, took - first - second, first, second, peak, own)


def watched(pid: int) -> tuple[int, float, float]:
    """Wait for a process of one's own: its status, the most memory that it had, and the most that was its own, looked at ten times a second, MB.

    The kernel's account of a child that has ended (``ru_maxrss``) begins with the memory of the process that started it, which here has just made the data.
    """
    peak = own = 0.0
    while (ended := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1.024e-3 for line in lines if line.endswith(" kB")}
        peak, own = max(peak, sizes.get("VmHWM", 0.0)), max(own, sizes.get("RssAnon", 0.0))
        time.sleep(0.1)
    return ended[1], peak, own


def pictures(count: int, start: int, side: int = SIDE) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Noise, lighter from class to class: uint8 (count, side, side, 3), that of image ``start`` first."""
    generator = np.random.default_rng(start)
    made = generator.integers(0, 120, (count, side, side, 3), dtype=np.uint8)
    made += (12 * ((start + np.arange(count)) % CLASSES)).astype(np.uint8)[:, None, None, None]
    return made


def make_folder(place: Path, count: int) -> None:
    """PNG files in a folder for each class, at most 10,000 in each of its subfolders."""
    for start in range(0, count, BLOCK):
        for label in range(CLASSES):
            (place / f"class{label}" / f"{start:08}").mkdir(parents=True)
        for number, picture in enumerate(pictures(min(BLOCK, count - start), start), start):
            folder = place / f"class{number % CLASSES}" / f"{start:08}"
            Image.fromarray(picture).save(folder / f"{number}.png", compress_level=1)


def make_array(place: Path, count: int) -> None:
    """``x.npy``, bytes (images, 96, 96, 3), and ``y.npy``."""
    place.mkdir()
    shape = (count, ARRAY_SIDE, ARRAY_SIDE, 3)
    np.lib.format.open_memmap(
        place / "x.npy", mode="w+", dtype=np.uint8, shape=shape
    ).flush()  # the header and the size
    with (place / "x.npy").open("r+b") as file:
        file.seek(-int(np.prod(shape)), os.SEEK_END)
        for start in range(0, count, BLOCK):
            file.write(pictures(min(BLOCK, count - start), start, ARRAY_SIDE).data)
    np.save(place / "y.npy", np.arange(count) % CLASSES)


if __name__ == "__main__":
    main()
