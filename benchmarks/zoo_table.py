"""Writes ``docs/zoo.md``: every network of the zoo beside the figures of its paper.

    python -m benchmarks.zoo_table

The figures are counted from the code, without weights and without data.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from glassnet.errors import ModelError
from glassnet.layer_table import LayerTable, layer_table
from glassnet.zoo import ZOO, Entry, Reference, build

PAGE = Path(__file__).parents[1] / "docs" / "zoo.md"
BATCH = 2
HEADINGS = (
    "net",
    "input",
    "parameters",
    "paper's",
    "multiply-adds",
    "paper's",
    "receptive field",
    f"a step of {BATCH}",
    "smallest image",
)
INTRODUCTION = f"""# The networks

Written by `python -m benchmarks.zoo_table` from the code; `glassnet nets NAME` shows one of them layer by layer, with its options.

- **parameters**: trainable numbers, for the outputs of the paper's task. **paper's** is the figure as the paper prints it; – where it prints none.
- **multiply-adds**: products summed up for one input, in convolutions and dense layers.
- **receptive field**: pixels along a side that one output of the last convolution or pooling sees, those in padding counted.
- **a step of {BATCH}**: memory for forward and backward pass of {BATCH} inputs in float32, estimated: weights, gradients and everything computed on
  the way. Measured on a CPU, the peak of the large nets was 0.9 to 1.6 times that (`tests/zoo/test_training_step.py`). Optimisers keep their own on top: SGD with momentum the trainable parameters once more, Adam twice.
- **smallest image**: pixels a side. Nets marked *any* read images of other sizes once built (they average over all positions); the others
  are built for one size and say so where another comes in.
"""


def page() -> str:
    """The whole page."""
    lines = [
        INTRODUCTION,
        "| " + " | ".join(HEADINGS) + " |",
        "|---|---|" + "---:|" * (len(HEADINGS) - 2),
    ]
    papers: dict[str, list[str]] = {}
    for entry in ZOO.values():
        shown: list[object] = []
        for reference in entry.references:
            if reference.options not in shown:  # the same net on another size of input is told once
                shown.append(reference.options)
                lines.append("| " + " | ".join(_cells(entry, reference)) + " |")
        papers.setdefault(entry.paper, []).append(entry.name)
    lines += ["", "## Where they come from", ""]
    lines += [
        f"- {', '.join(f'`{name}`' for name in names)}: {paper}" for paper, names in papers.items() if paper != "-"
    ]
    return "\n".join(lines) + "\n"


def _cells(entry: Entry, reference: Reference) -> list[str]:
    table = layer_table(
        _unmade(entry.name, reference), reference.shape, torch.int64 if entry.reads_tokens else torch.float32
    )
    return [
        " ".join((f"`{entry.name}`", *(f"{key}={_written(value)}" for key, value in reference.options.items()))),
        "×".join(map(str, reference.shape)),
        f"{table.trainable:,}",
        reference.stated or "–",
        _rounded(table.multiply_adds),
        reference.stated_multiply_adds or "–",
        _field(table),
        f"{table.backward_bytes(BATCH) / 2**20:,.1f} MiB",
        _smallest(entry.name),
    ]


def _unmade(name: str, reference: Reference) -> torch.nn.Module:
    """The network without memory for its weights, but for those whose layers look at edges or branches."""
    with torch.device("cpu" if {"graph", "graphs", "tree"} & set(ZOO[name].kinds) else "meta"):
        return build(name, reference.shape, reference.outputs, reference.options, seed=0)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _rounded(count: int) -> str:
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def _field(table: LayerTable) -> str:
    """Of the last layer with a window, through the branch that sees most."""
    seen = [row.receptive_field for row in table.rows if row.kernel and row.receptive_field]
    return "×".join(map(str, max(seen))) if seen else "all"


@cache
def _smallest(name: str) -> str:
    entry = ZOO[name]
    reference = entry.references[0]
    if entry.minimum == 1:
        return "any shape"
    larger = (2 * side for side in reference.shape[1:])
    try:
        _unmade(name, reference).eval()(torch.zeros(1, reference.shape[0], *larger, device="meta"))
    except (ModelError, RuntimeError):
        return f"{entry.minimum}"
    return f"{entry.minimum}, any"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
