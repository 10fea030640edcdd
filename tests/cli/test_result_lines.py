"""A result in words: rivals beside the network, and the best of them named where it is better, whichever way a figure is good."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from glassnet.cli.result_lines import result_lines
from glassnet.evaluate import classification_report, language_report, regression_report, translation_report

TARGETS = torch.arange(40) % 2
LOSSES = torch.linspace(0.5, 1.5, 200, dtype=torch.float64).numpy()  # 1 on average
TEXTS = ["a b", "c d"] * 5
FIGURES: dict[str, Any] = {
    "classes": classification_report(torch.eye(2)[TARGETS] * 3, TARGETS, ("a", "b")),
    "values": regression_report(torch.arange(9.0)[:, None], torch.arange(9.0)[:, None] + 1, ("y",)),
    "language": language_report(LOSSES, LOSSES < 1, "words", 900, "it was\nso"),
    "translation": translation_report(TEXTS, [*TEXTS[:5], *["?"] * 5], TEXTS, token_accuracy=0.9, loss=0.1, beam=1),
}
CASES = {
    # task: (a worse figure, a better one or none, how it is told, what was judged)
    "classes": (0.4, None, "accuracy 40.00%", "40 samples"),
    "values": (0.5, 0.99, "R² 0.5000", "9 samples"),
    "language": (1.2, 0.8, "1.2000 nats a word", "200 words"),
    "translation": (0.2, 0.6, "exact 20.00%", "10 pairs"),
}


def told(task: str, part: str, *figures: float) -> str:
    rivals = [{"name": f"rival {number}", "figure": value, "note": "why"} for number, value in enumerate(figures)]
    found = FIGURES[task].to_json()
    samples = found["samples"]
    return "\n".join(result_lines({"task": task, "part": part, "samples": samples, "figures": found, "rivals": rivals}))


@pytest.mark.parametrize("task", list(CASES))
def test_rivals_stand_beside_and_the_better_is_named(task: str) -> None:
    worse, better, words, judged = CASES[task]
    lines = told(task, "test", worse)
    assert lines.startswith(f"test part, {judged}\n")
    assert f"  beside it: rival 0: {words}  (why)" in lines
    assert "better than the network" not in lines
    if better is not None:
        assert "better than the network" in told(task, "test", worse, better)
        assert ": rival 1; " in told(task, "test", worse, better)


@pytest.mark.parametrize("task", list(CASES))
def test_figures_that_chose_the_epoch_are_called_too_good(task: str) -> None:
    assert "a little too good" in told(task, "val", CASES[task][0])
    assert "a little too good" not in told(task, "test", CASES[task][0]) + told(task, "val")


def test_what_a_language_model_wrote_comes_last() -> None:
    assert told("language", "test", 1.2).endswith(
        "\n  it writes (glassnet generate RUN writes more):\n    | it was\n    | so"
    )
