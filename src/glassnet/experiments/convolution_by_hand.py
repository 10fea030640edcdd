"""The worked example of the lecture: a 6×6 image, a 3×3 kernel that answers to horizontal lines, with and without a border of zeros.

Convolution is computed as networks do it (the kernel is not turned over): by the loop that the definition says, by the gate of the
glass box, and by PyTorch. Then max pooling, 2×2, of a 4×4 image. Output side: (M − K + 2P) / S + 1.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels, picture
from glassnet.gates import Convolution, MaxPool
from glassnet.plots.style import BLUE, GRID, INK, MUTED, ORANGE, Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IMAGE = (
    (2, 3, 4, 4, 3, 3),
    (1, 3, 3, 4, 3, 2),
    (0, 1, 2, 3, 4, 4),
    (0, 0, 1, 1, 2, 2),
    (1, 1, 2, 2, 3, 2),
    (1, 2, 3, 3, 2, 1),
)
KERNEL = ((-1, -1, -1), (2, 2, 2), (-1, -1, -1))
VALID = ((2, 3, 0, -3), (-2, 0, 4, 8), (-5, -7, -8, -8), (1, 0, 2, 3))
PADDED = (
    (6, 11, 12, 12, 11, 7),
    (2, 2, 3, 0, -3, -4),
    (-2, -2, 0, 4, 8, 7),
    (-3, -5, -7, -8, -8, -5),
    (1, 1, 0, 2, 3, 3),
    (4, 8, 11, 9, 5, 1),
)
TO_POOL = ((12, 20, 30, 0), (8, 12, 2, 0), (34, 70, 37, 4), (112, 100, 25, 12))
POOLED = ((20, 30), (112, 37))
SHOWN = (1, 3)  # the output cell that the picture explains


def run(setting: Setting) -> Outcome:
    """The example three ways, and its sums written out."""
    image, kernel = np.array(IMAGE, float), np.array(KERNEL, float)
    valid, padded = by_definition(image, kernel), by_definition(np.pad(image, 1), kernel)
    pooled = MaxPool(2).forward(np.array(TO_POOL, float)[None, None])[0, 0]
    rows = [
        _row(f"I*K, row {number}", ours, reference)
        for number, (ours, reference) in enumerate(zip(valid, VALID, strict=True), 1)
    ]
    rows += [
        _row(f"with a border of zeros, row {number}", ours, reference)
        for number, (ours, reference) in enumerate(zip(padded, PADDED, strict=True), 1)
    ]
    rows += [
        _row(f"max pool 2×2, row {n}", ours, ref) for n, (ours, ref) in enumerate(zip(pooled, POOLED, strict=True), 1)
    ]
    rows.append(compared("output side, (6 - 3 + 2·0)/1 + 1", len(valid), 4, 0))
    rows.append(compared("output side, (6 - 3 + 2·1)/1 + 1", len(padded), 6, 0))
    x, k = image[None, None], kernel[None, None]
    for name, border, ours in (("without border", 0, valid), ("with border", 1, padded)):
        gate = Convolution(padding=border).forward(x, k)[0, 0]
        pytorch = F.conv2d(torch.from_numpy(x), torch.from_numpy(k), padding=border)[0, 0].numpy()
        gap = float(max(np.abs(gate - ours).max(), np.abs(pytorch - ours).max()))
        rows.append(compared(f"{name}: gate and PyTorch against the loop", gap, 0.0, 1e-12, absolute=True))
    best = np.unravel_index(np.argmax(valid), valid.shape)
    steps = {f"{i},{j}": in_words(image, kernel, i, j) for i in range(len(valid)) for j in range(len(valid[0]))}
    strongest = int(valid[best])
    right = sum(row.agrees is True for row in rows)
    return Outcome(
        rows,
        f"{right} of {len(rows)} figures agree: each output is one window times the kernel, summed; this kernel answers "
        f"most strongly ({strongest}) at row {best[0] + 1}, column {best[1] + 1}, where a row is brighter than those above and below.",
        {"image": image, "kernel": kernel, "valid": valid, "padded": padded, "pooled": pooled, "steps": steps},
        caption=f"The marked window times the kernel, summed, is the marked output: {steps[f'{SHOWN[0]},{SHOWN[1]}']}.",
    )


def by_definition(image: np.ndarray[Any, Any], kernel: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """y[i, j] = Σ_{u, v} K[u, v] · I[i + u, j + v], number by number."""
    side = len(kernel)
    rows, columns = image.shape[0] - side + 1, image.shape[1] - side + 1
    out = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            for u in range(side):
                for v in range(side):
                    out[i, j] += kernel[u, v] * image[i + u, j + v]
    return out


def in_words(image: np.ndarray[Any, Any], kernel: np.ndarray[Any, Any], i: int, j: int) -> str:
    """The sum of one output cell, a bracket for each row of the kernel."""
    window = image[i : i + len(kernel), j : j + len(kernel)].astype(int)
    rows = [
        "(" + " ".join(f"{int(k):+d}·{p}" for k, p in zip(*pair, strict=True)).replace("-", "−") + ")"
        for pair in zip(kernel, window, strict=True)
    ]
    return " + ".join(rows) + f" = {int((window * kernel).sum())}".replace("-", "−")


def _row(what: str, ours: Any, reference: tuple[int, ...]) -> Row:
    told = " ".join(f"{int(value):>3}" for value in ours)
    return Row(what, told, " ".join(f"{value:>3}" for value in reference), list(ours) == list(reference))


def draw(outcome: Outcome) -> Drawing:
    """Image, kernel, output, and the output with border."""
    return Drawing(_scene(outcome, *SHOWN, filled=True), outcome.caption)


def animate(outcome: Outcome) -> bytes:
    """The window sliding over the image while the output fills."""
    from PIL import Image

    frames = []
    for i in range(4):
        for j in range(4):
            written = io.BytesIO()
            _scene(outcome, i, j, filled=False).savefig(written, format="png", dpi=75, facecolor="white")
            frames.append(Image.open(written).convert("RGB").quantize(64, dither=Image.Dither.NONE))
    made = io.BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=[900] * 15 + [3000], loop=0)
    return made.getvalue()


def _scene(outcome: Outcome, i: int, j: int, *, filled: bool) -> Figure:
    series = outcome.series
    figure, four = panels(1, 4, (9.0, 2.9), widths=(6, 3, 4, 6))
    image, kernel, valid, padded = (np.asarray(series[name]) for name in ("image", "kernel", "valid", "padded"))
    _grid(four[0], image, "image I, 6×6", window=(i, j, 3, BLUE))
    _grid(four[1], kernel, "kernel K, 3×3", window=(0, 0, 3, BLUE))
    known = np.ones(valid.shape, bool) if filled else np.arange(16).reshape(4, 4) <= 4 * i + j
    _grid(four[2], np.where(known, valid, np.nan), "I*K, 4×4", window=(i, j, 1, ORANGE), signed=True)
    _grid(four[3], padded, "with zeros around, 6×6", window=(1, 1, 4, MUTED), signed=True)
    figure.supxlabel(series["steps"][f"{i},{j}"], fontsize=11.5, color=INK)
    return figure


def _grid(axes: Axes, values: Any, title: str, window: tuple[int, int, int, str], *, signed: bool = False) -> None:
    from matplotlib.patches import Rectangle

    rows, columns = values.shape
    top = np.nanmax(np.abs(values))
    for r in range(rows):
        for c in range(columns):
            value = values[r, c]
            known = not np.isnan(value)
            shade = (BLUE if value > 0 else ORANGE) if signed else INK
            strength = 0.45 * abs(value) / top if known else 0.0
            axes.add_patch(Rectangle((c, r), 1, 1, facecolor=shade, alpha=strength, linewidth=0))
            axes.add_patch(Rectangle((c, r), 1, 1, fill=False, edgecolor=GRID, linewidth=0.8))
            if known:
                axes.text(
                    c + 0.5,
                    r + 0.5,
                    f"{int(value)}".replace("-", "−"),
                    ha="center",
                    va="center",
                    color=INK,
                    fontsize=10,
                )
    row, column, side, colour = window
    axes.add_patch(Rectangle((column, row), side, side, fill=False, edgecolor=colour, linewidth=2.6, zorder=4))
    axes.set_xlim(-0.05, columns + 0.05)
    axes.set_ylim(6.05, -0.05)
    picture(axes)
    heading(axes, title)
