"""Hand-made image filters on a photograph: identity, edges, Laplacian, sharpen, two blurs (requirement L4 of the course).

A kernel whose numbers sum to 1 keeps an even surface as it is; one that sums to 0 makes it black and leaves the edges. The convolutional
layers of a network learn such numbers by themselves. With ``--data PHOTO`` the filters are applied to a photograph of yours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassnet.errors import DataError
from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels, picture
from glassnet.layers import image_filters
from glassnet.plots.style import INK, MUTED, Drawing

SIDE = 120
SUMS = {
    "identity": 1,
    "edge-vertical": 0,
    "edge-horizontal": 0,
    "laplacian": 0,
    "sharpen": 1,
    "box-blur": 1,
    "gaussian-blur": 1,
}


def run(setting: Setting) -> Outcome:
    """All filters on one image, and what each does to its contrast from pixel to pixel."""
    image, origin = read(setting.data)
    filtered = {name: image_filters.apply(image, name) for name in SUMS}
    rows: list[Row] = []
    for name, total in SUMS.items():
        rows.append(
            compared(f"{name}: sum of the kernel", float(image_filters.kernel(name).sum()), total, 1e-6, absolute=True)
        )
    edges = {name: contrast(each) for name, each in filtered.items()}
    before = edges["identity"]
    kept = bool(torch.equal(filtered["identity"], image))
    rows.append(Row("identity leaves the image as it is", str(kept).lower(), "true", kept))
    rows.append(
        Row(
            "sharpen: contrast between neighbours, times",
            edges["sharpen"] / before,
            "above 1",
            edges["sharpen"] > before,
        )
    )
    rows += [
        Row(f"{name}: contrast between neighbours, times", edges[name] / before, "below 1", edges[name] < before)
        for name in ("gaussian-blur", "box-blur")
    ]
    up, side = (direction_kept(filtered[name]) for name in ("edge-vertical", "edge-horizontal"))
    rows.append(Row("vertical edges: share of their contrast across", up, "above the next", up > side))
    rows.append(Row("horizontal edges: share of their contrast across", side, "below the last", up > side))
    return Outcome(
        rows,
        f"Nine numbers decide: sharpening multiplies the contrast between neighbours by {edges['sharpen'] / before:.2f}, "
        f"the Gaussian blur by {edges['gaussian-blur'] / before:.2f}, and kernels that sum to 0 leave nothing but edges.",
        {"filtered": {name: each.mean(0) for name, each in filtered.items()}, "kernels": dict(image_filters.FILTERS)},
        data=origin,
        caption="One photograph under seven kernels; the last three are signed: grey is 0, white positive, black negative.",
    )


def read(path: str | None) -> tuple[Tensor, str]:
    """An image, float32 (channels, height, width) from 0 to 1, at most 120 pixels high, and where it comes from.

    Raises:
        DataError: the file is no image.
    """
    from PIL import Image, UnidentifiedImageError

    if path is None:
        from sklearn.datasets import load_sample_image

        photo = Image.fromarray(load_sample_image("china.jpg"))
        origin = "the photograph china.jpg that scikit-learn ships; --data PHOTO takes one of yours"
    else:
        try:
            photo = Image.open(path).convert("RGB")
        except FileNotFoundError as error:
            raise DataError(
                "no such file", where=path, expected="a photograph", fix="check the path after --data"
            ) from error
        except (UnidentifiedImageError, OSError) as error:
            raise DataError(
                "this is no image that can be read", where=path, expected="JPEG, PNG or the like"
            ) from error
        origin = Path(path).name
    photo.thumbnail((2 * SIDE, SIDE))
    return torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1).float() / 255, origin


def contrast(image: Tensor) -> float:
    """Mean difference between neighbours, across and down."""
    return float(image.diff(dim=-1).abs().mean() + image.diff(dim=-2).abs().mean())


def direction_kept(image: Tensor) -> float:
    """Share of the contrast that lies between left and right."""
    across, down = float(image.diff(dim=-1).abs().mean()), float(image.diff(dim=-2).abs().mean())
    return across / max(across + down, 1e-12)


def draw(outcome: Outcome) -> Drawing:
    """The image under each filter, with the kernel's numbers."""
    order = ("identity", "sharpen", "box-blur", "gaussian-blur", "edge-vertical", "edge-horizontal", "laplacian")
    example = np.asarray(outcome.series["filtered"]["identity"])
    ratio = example.shape[0] / example.shape[1]
    figure, eight = panels(2, 4, (9.0, 4.5 * ratio + 2.3))
    for axes, name in zip(eight, order, strict=False):
        signed = SUMS[name] == 0
        shown = np.asarray(outcome.series["filtered"][name])
        reach = float(np.quantile(np.abs(shown), 0.995)) or 1.0
        axes.imshow(
            shown, cmap="gray", vmin=-reach if signed else 0, vmax=reach if signed else 1, interpolation="nearest"
        )
        picture(axes)
        heading(axes, name)
        axes.set_xlabel(
            "\n".join("  ".join(map(_told, row)) for row in outcome.series["kernels"][name]), color=MUTED, fontsize=8
        )
    eight[-1].set_axis_off()
    words = "sum 1: even surfaces\nkeep their brightness\n\nsum 0: even surfaces\nbecome 0 (grey),\nedges remain"
    eight[-1].text(0.02, 0.98, words, transform=eight[-1].transAxes, va="top", color=INK, fontsize=9)
    return Drawing(figure, outcome.caption)


def _told(value: Any) -> str:
    if float(value).is_integer():
        return f"{int(value)}".replace("-", "−")
    return f"1/{round(1 / value)}" if abs(1 / value - round(1 / value)) < 1e-9 else f"{round(16 * value)}/16"
