"""Each rule finds the trouble that was planted, tells it once, and is silent where nothing is wrong."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from glassnet import diagnose
from glassnet.diagnose import RULES, Doctor, Rule
from glassnet.events import Epoch, Event, Finding, Finished, Started, Step, from_json, to_json
from glassnet.recipe import known_keys


def steps(losses: Sequence[float | None], lr: float = 0.1) -> list[Event]:
    return [Step(0, number, lr, number * 8, loss=loss) for number, loss in enumerate(losses, start=1)]


def epochs(train: Sequence[float], val: Sequence[float | None]) -> list[Event]:
    return [
        Epoch(number, (number + 1) * 10, 0.1, a, 0.0, 0.0, {"loss": a}, {} if b is None else {"loss": b}, best=False)
        for number, (a, b) in enumerate(zip(train, val, strict=True))
    ]


def found(events: Sequence[Event]) -> list[Finding]:
    doctor = Doctor()
    return [finding for event in events for finding in doctor.see(event)]


FALLING = [2.3 * 0.9**n for n in range(40)]
NOISY = [1.0 + 0.8 * (-1) ** n for n in range(40)]
HEALTHY: dict[str, list[Event]] = {
    "falling": steps(FALLING),
    "noisy": steps(NOISY),
    "a single bad batch": steps([1.0] * 20 + [50.0] + [1.0] * 20),
    "two bad batches in five": steps([1.0] * 20 + [50.0, 1.0, 50.0, 1.0, 1.0] + [1.0] * 20),
    "rises to less than three times": steps([1.0 + n / 20 for n in range(40)]),
    "mostly unrecorded": steps([1.0, None, None, 0.9, None, None] * 5),
    "both figures fall": epochs([1 / (n + 1) for n in range(20)], [1.1 / (n + 1) for n in range(20)]),
    "validation levels off": epochs([1 / (n + 1) for n in range(20)], [max(1 / (n + 1), 0.2) for n in range(20)]),
    "both rise": epochs([1 + n / 5 for n in range(20)], [1 + n / 5 for n in range(20)]),
    "a rise of three epochs": epochs([1 / (n + 1) for n in range(8)], [1, 0.8, 0.6, 0.4, 0.7, 0.8, 0.9, 0.39]),
    "a slight rise": epochs([1 / (n + 1) for n in range(20)], [0.5 + 0.001 * n for n in range(20)]),
    "no validation part": epochs([1 / (n + 1) for n in range(20)], [None] * 20),
    "no events to judge": [Started(1, 1, 1, 1), Finished("completed", 1, 1, None, None)],
}
OVERFITTING = epochs([1 / (n + 1) for n in range(12)], [1.0, 0.7, 0.5, 0.52, 0.54, 0.56, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1])
PLANTED: dict[str, tuple[list[Event], int]] = {
    "loss-not-finite": (steps([1.0, 0.9, math.nan, math.nan]), 3),
    "loss-exploding": (steps([1.0] * 5 + [3.5] * 10), 8),  # three of the last five
    "overfitting": (OVERFITTING, 80),  # epoch 8: it and the one before are a tenth above the median around the lowest
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    assert found(HEALTHY[name]) == []


def test_ids_are_unique_and_name_their_files() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 40
    folder = Path(diagnose.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "doctor", "history", "look", "rule", "signs"}
    assert {rule.id.replace("-", "_") for rule in RULES} == files


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_everything_that_a_reader_needs(rule: Rule) -> None:
    assert all((rule.title, rule.threshold, rule.source, rule.why, rule.advice))
    assert len(rule.explanation) > 150, "a student reads this"
    assert rule.severity in {"info", "warning", "stop"}
    assert set(rule.explains) <= {other.id for other in RULES} - {rule.id}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.remedies], ids=lambda rule: rule.id)
def test_remedies_are_keys_of_the_recipe(rule: Rule) -> None:
    for remedy in rule.remedies:
        for key in remedy:
            assert key in known_keys() or key.startswith(("net.", "schedule.")), key


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_trouble_is_found_at_once_and_told_once(rule: str) -> None:
    events, step = PLANTED[rule]
    told = found(events)
    assert [(finding.rule, finding.step) for finding in told] == [(rule, step)]
    assert told[0].severity in {"info", "warning", "stop"}
    assert all((told[0].what, told[0].why, told[0].advice))
    assert all(isinstance(value, float) for value in told[0].evidence.values())


@pytest.mark.parametrize("rule", PLANTED)
def test_a_resumed_run_is_judged_as_an_uninterrupted_one(rule: str) -> None:
    events, _ = PLANTED[rule]
    whole = found(events)
    for cut in range(len(events) + 1):
        doctor = Doctor()
        told: list[Event] = []
        for event in events[:cut]:
            told += [event, *doctor.see(event)]
        resumed = Doctor(_through_a_file(told))
        after = [finding for event in events[cut:] for finding in resumed.see(event)]
        assert [event for event in told if isinstance(event, Finding)] + after == whole, cut


def _through_a_file(events: list[Event]) -> Iterator[Event]:
    return (from_json(to_json(event)) for event in events)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_infinite_loss_is_told_with_the_last_finite_one(value: float) -> None:
    (finding,) = found(steps([1.5, 0.75, value], lr=0.3))
    assert finding.severity == "stop"
    assert finding.evidence == {"step": 3.0, "lr": 0.3, "last_finite_loss": 0.75}
    assert "0.75" in finding.what
    (first,) = found(steps([value]))
    assert "from the first step" in first.what


def test_an_exploding_loss_is_told_with_its_figures() -> None:
    (finding,) = found(steps([2.0] * 6 + [8.0] * 5))
    assert finding.evidence == {"initial_loss": 2.0, "loss": 8.0, "lr": 0.1}
    assert "4.0 times" in finding.what


def test_the_threshold_of_exploding_is_three_times_the_first_loss() -> None:
    assert found(steps([1.0] * 6 + [3.0] * 10)) == []
    assert found(steps([1.0] * 6 + [3.01] * 10)) != []


def test_a_loss_that_begins_at_zero_or_below_is_not_judged_by_its_ratio() -> None:
    assert found(steps([0.0] + [5.0] * 10)) == []
    assert found(steps([-1.0] + [5.0] * 10)) == []


def test_overfitting_names_the_epoch_of_the_best_weights() -> None:
    (finding,) = found(OVERFITTING)
    assert finding.severity == "warning"
    assert finding.evidence["best_epoch"] == 2.0
    assert finding.evidence["val_loss_rise"] == pytest.approx(0.4)
    assert "epoch 3" in finding.what, "people count from one"


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("through_file", [False, True])
def test_an_epoch_whose_validation_loss_is_not_finite_hides_nothing(value: float, through_file: bool) -> None:
    broken = epochs([2.0], [value])
    events = broken + OVERFITTING
    renumbered = [
        Epoch(n, 10 * (n + 1), e.lr, e.running_loss, 0.0, 0.0, e.train, e.val, best=False)
        for n, e in enumerate(events)
        if isinstance(e, Epoch)
    ]
    if through_file:
        doctor = Doctor(_through_a_file([renumbered[0]]))
        told = [finding for event in renumbered[1:] for finding in doctor.see(event)]
    else:
        told = found(renumbered)
    assert [(finding.rule, finding.step) for finding in told] == [("overfitting", 90)]


def test_no_rule_imports_torch() -> None:
    for path in Path(diagnose.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in {"torch", "numpy"} for name in names), path.name
