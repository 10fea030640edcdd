"""The figures as a Markdown table, with the ratios that the goals are about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.speed.rounds import Measured

NAIVE = "pytorch, naive"


def markdown(
    rows: Mapping[str, Sequence[Measured]], flops: Mapping[str, float], peaks: Mapping[str, float], head: str
) -> str:
    """One block a row, and a summary."""
    lines = [head, ""]
    lines.append(
        f"Most that this machine did: {peaks['float32']:.0f} GFLOP/s float32, {peaks['bfloat16']:.0f} bfloat16 (products of 2048×2048 matrices), "
        f"{peaks['memory']:.0f} GB/s of memory.\n"
    )
    lines += [
        "| row | contender | samples/s, median | spread | of naive | share of peak | peak memory | to first step |",
        "|---|---|---|---|---|---|---|---|",
    ]
    left_out: dict[str, list[str]] = {}
    for row, measured in rows.items():
        base = next((one.rate for one in measured if one.contender == NAIVE), 0.0)
        for one in sorted(measured, key=lambda one: -one.rate):
            if not one.rates:
                left_out.setdefault(f"{one.contender}: {one.left_out}", []).append(row)
                continue
            share = one.rate * flops[row] / 1e9 / peaks[one.precision]
            precision = " (bf16)" if one.precision == "bfloat16" else ""
            lines.append(
                f"| {row} | {one.contender}{precision} | {one.rate:,.0f} | {min(one.rates):,.0f} to {max(one.rates):,.0f} | "
                f"{one.rate / base if base else math.nan:.2f}× | {share:.0%} | {one.peak / 2**20:,.0f} MiB | {one.first_step:.1f} s |"
            )
    lines += ["", *(f"- Left out: {why} ({', '.join(where)})" for why, where in left_out.items())]
    return "\n".join([*lines, "", *summary(rows)]) + "\n"


def summary(rows: Mapping[str, Sequence[Measured]]) -> list[str]:
    """Glassnet beside the naive loop, beside the best Keras, and beside the best of all, with geometric means."""
    lines = ["| row | Glassnet ÷ naive PyTorch | ÷ best Keras | ÷ best of the others |", "|---|---|---|---|"]
    columns: tuple[list[float], ...] = ([], [], [])
    for row, measured in rows.items():
        own = next((one.rate for one in measured if one.contender == "glassnet"), 0.0)
        if not own:
            continue
        others = {one.contender: one.rate for one in measured if one.contender != "glassnet" and one.rates}
        naive = others.get(NAIVE)
        keras = max((rate for name, rate in others.items() if name.startswith("keras")), default=None)
        best = max(others, key=others.__getitem__, default=None)
        cells = []
        for column, rate in zip(columns, (naive, keras, others.get(best or "")), strict=True):
            if rate:
                column.append(own / rate)
            cells.append(f"{own / rate:.2f}×" if rate else "–")
        lines.append(f"| {row} | {cells[0]} | {cells[1]} | {cells[2]} ({best}) |")
    means = [f"{math.exp(sum(map(math.log, column)) / len(column)):.2f}×" if column else "–" for column in columns]
    return [*lines, f"| geometric mean | {means[0]} | {means[1]} | {means[2]} |"]
