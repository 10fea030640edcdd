"""The figures of a language model, and what it writes, in a few lines of words."""

from __future__ import annotations

from typing import Any

SHOWN_LINES = 12


def figures_told(figures: dict[str, Any]) -> list[str]:
    """Loss, perplexity and bits."""
    low, high = figures["loss_interval"]
    unit = figures["unit"].removesuffix("s")
    bits = f"{figures['bits']:.3f} bits a {unit}"
    if unit == "word":
        bits += f", {figures['bits_per_character']:.3f} bits a character"
    told = f"  {figures['loss']:.4f} nats a {unit}  (95 % interval {low:.4f} to {high:.4f}), perplexity {figures['perplexity']:.4g}, {bits}"
    return [
        told,
        f"  the next {unit} is the likeliest {figures['accuracy']:.2%} of the time",
    ]


def sample_lines(sample: str) -> list[str]:
    """A sample, indented."""
    if not sample:
        return []
    lines = sample.split("\n")
    return ["  it writes (glassnet generate RUN writes more):"] + [f"    | {line}" for line in lines[:SHOWN_LINES]]
