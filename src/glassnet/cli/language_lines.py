"""The result of a language model in a few lines of words."""

from __future__ import annotations

from typing import Any

SHOWN_LINES = 12


def language_lines(result: dict[str, Any], part: str) -> list[str]:
    """What ``result.json`` says: the figures, what counting reaches, and what the model wrote."""
    figures = result["figures"]
    lines = [f"{part} part, {figures['samples']:,} {figures['unit']}"]
    if result["part"] == "val" and result["rivals"]:
        lines.append(
            "  there is no untouched test part: the epoch was chosen by these figures, so they are a little too good"
        )
    lines += figures_told(figures | {"sample": ""})
    unit = figures["unit"].removesuffix("s")
    for rival in result["rivals"]:
        lines.append(f"  beside it: {rival['name']}: {rival['figure']:.4f} nats a {unit}  ({rival['note']})")
    better = [rival for rival in result["rivals"] if rival["figure"] < figures["loss"]]
    if better:
        best = min(better, key=lambda rival: float(rival["figure"]))
        lines.append(f"  better than the network on this text: {best['name']}; give it more text, or more epochs")
    return lines + sample_lines(figures.get("sample", ""))


def figures_told(figures: dict[str, Any]) -> list[str]:
    """Loss, perplexity and bits, and the sample where there is one."""
    low, high = figures["loss_interval"]
    unit = figures["unit"].removesuffix("s")
    bits = f"{figures['bits']:.3f} bits a {unit}"
    if unit == "word":
        bits += f", {figures['bits_per_character']:.3f} bits a character"
    told = f"  {figures['loss']:.4f} nats a {unit}  (95 % interval {low:.4f} to {high:.4f}), perplexity {figures['perplexity']:.4g}, {bits}"
    return [
        told,
        f"  the next {unit} is the likeliest {figures['accuracy']:.2%} of the time",
        *sample_lines(figures.get("sample", "")),
    ]


def sample_lines(sample: str) -> list[str]:
    """A sample, indented."""
    if not sample:
        return []
    lines = sample.split("\n")
    return ["  it writes (glassnet generate RUN writes more):"] + [f"    | {line}" for line in lines[:SHOWN_LINES]]
