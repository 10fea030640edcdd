"""The one figure by which a run stands in the list, and how heavily what the audit found is shown."""

from __future__ import annotations

import pytest

from glassnet.web.facts import notes, told
from glassnet.web.index import headline

CASES = {
    "classes": ({"accuracy": 0.9, "accuracy_interval": [0.8, 0.95], "loss": 0.3}, "accuracy", "90.00 %"),
    "values": ({"r2": 0.5, "r2_interval": [0.4, 0.6]}, "r2", "0.500"),
    "language": ({"loss": 1.4874, "loss_interval": [1.46, 1.51], "accuracy": 0.55}, "nats", "1.487"),
    "translation": ({"exact": 0.99, "exact_interval": [0.98, 1.0], "token_accuracy": 0.999}, "exact", "99.00 %"),
}


@pytest.mark.parametrize("task", list(CASES))
def test_each_task_has_the_figure_it_is_judged_by(task: str) -> None:
    figures, metric, words = CASES[task]
    found = headline({"task": task, "part": "test", "figures": figures})
    assert (found["metric"], found["part"]) == (metric, "test")
    assert told(found["figure"], found) == words
    assert found["low"] < found["figure"] < found["high"]


def test_what_makes_training_impossible_is_shown_as_heavily_as_what_ends_it() -> None:
    troubles = [{"severity": word, "what": word, "advice": ""} for word in ("error", "warning", "info", '" onclick="')]
    assert notes({"notes": ["read"], "troubles": troubles}) == [
        ("info", "read"),
        ("stop", "error"),
        ("warning", "warning"),
        ("info", "info"),
        ("info", '" onclick="'),
    ]
