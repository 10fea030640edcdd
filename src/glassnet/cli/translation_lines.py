"""The figures of a translator in a few lines of words."""

from __future__ import annotations

from typing import Any

FEW = 3


def translation_figures(figures: dict[str, Any], *, full: bool) -> list[str]:
    """Exact share, token accuracy, BLEU and chrF; with ``full`` all kept mistakes, else three."""
    low, high = figures["exact_interval"]
    bleu = (
        "BLEU needs sacrebleu (pip install 'glassnet[translate]')"
        if figures["bleu"] is None
        else f"BLEU {figures['bleu']:.1f}, chrF {figures['chrf']:.1f}"
    )
    lines = [
        f"  exact {figures['exact']:.2%}  (95 % interval {low:.2%} to {high:.2%}), {bleu}",
        f"  tokens behind the right beginning: {figures['token_accuracy']:.2%} right, loss {figures['loss']:.4f}",
    ]
    return lines + [
        f"  wrong: {wrong['read']!r} became {wrong['said']!r}, wanted {wrong['wanted']!r}"
        for wrong in figures["mistakes"][: None if full else FEW]
    ]
