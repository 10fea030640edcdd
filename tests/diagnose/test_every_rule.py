"""What holds of all rules together: texts without holes, causes before consequences, no exception whatever a run leaves out."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from cases_before import BEFORE
from cases_during import DURING
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import described, epoch, found, layers, look, looks, parameters, run

from glassnet.diagnose import BY_ID, RULES, Doctor, Rule
from glassnet.events import Described, Epoch, Event, Finding, Measured, Traced, from_json, to_json

PLANTED: list[tuple[str, list[Event]]] = [(rule, [described(**changes)]) for rule, changes, *_ in BEFORE]
PLANTED += [(rule, events) for rule, events, *_ in DURING]
NAMES = [f"{rule}-{n}" for n, (rule, _) in enumerate(PLANTED)]
HOLE = re.compile(r"\{[^}]*\}|\bNone\b|\bnan\b|  ")


def test_every_rule_has_a_planted_trouble() -> None:
    assert {rule for rule, _ in PLANTED} == set(BY_ID)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_texts_have_no_holes(rule: Rule) -> None:
    for text in (rule.title, rule.threshold, rule.source, rule.explanation, rule.why, rule.advice):
        assert not HOLE.search(text), text
        assert text == text.strip()


@pytest.mark.parametrize(("rule", "events"), PLANTED, ids=NAMES)
def test_findings_have_no_holes(rule: str, events: list[Event]) -> None:
    (finding,) = [each for each in found(events) if each.rule == rule]
    for text in (finding.what, finding.why, finding.advice):
        assert text
        assert not HOLE.search(text), text
    assert all(isinstance(value, float) for value in finding.evidence.values())
    assert from_json(to_json(finding)) == finding or any(map(math.isnan, finding.evidence.values()))


def test_causes_stand_before_what_they_explain() -> None:
    place = {rule.id: n for n, rule in enumerate(RULES)}
    wrong = {
        (rule.id, other)
        for rule in RULES
        for other in rule.explains
        if place[rule.id] > place[other]
        and rule.id not in BY_ID[other].explains
        and speaks_at(rule.id) & speaks_at(other)
    }
    assert wrong == ASKED_BY_ITSELF


# Of these the second rule asks by itself whether the first is the cause, or the first speaks only later in the run, so that it explains what is not told yet.
# An epoch speaks of a spike where training figures are worse than those of validation, and of an early overfit where they are better.
# Before the first step a slow start means units that are all alike, which is a cause by itself: such a network may look as if its outputs were bounded.
ASKED_BY_ITSELF = {
    ("labels-unrelated", "lr-too-low"),
    ("early-overfit", "loss-spike"),
    ("exploding-gradient", "slow-start"),
    ("inputs-unscaled", "slow-start"),
    ("penalty-dominates", "slow-start"),
    ("softmax-twice", "slow-start"),
    ("wrong-loss", "slow-start"),
    ("divergence", "saturation"),
    ("lr-much-too-high", "saturation"),
    ("lr-too-high", "outputs-collapsed"),
    ("lr-too-high", "vanishing-gradient"),
}


def speaks_at(rule: str) -> set[type[Event]]:
    """Kinds of event at which the planted troubles make a rule speak."""
    kinds = set()
    for name, events in PLANTED:
        doctor = Doctor()
        kinds |= {type(event) for event in events for finding in doctor.see(event) if name == rule == finding.rule}
    return kinds


@pytest.mark.parametrize(("rule", "events"), PLANTED, ids=NAMES)
def test_what_a_cause_explains_is_not_told_after_it(rule: str, events: list[Event]) -> None:
    for cause in RULES:
        if rule not in cause.explains:
            continue
        told = found(events, Doctor([Finding(cause.id, cause.severity, 0, "", "", "", {})]))
        assert all(finding.severity == "stop" for finding in told if finding.rule == rule), cause.id


@pytest.mark.parametrize(("rule", "events"), PLANTED, ids=NAMES)
def test_nothing_is_told_from_figures_that_are_missing(rule: str, events: list[Event]) -> None:
    bare = [without(event) for event in events]
    told = {finding.rule for finding in found(bare)}
    assert told <= OF_STEPS & {rule}


@pytest.mark.parametrize("missing", [None, math.nan])
@pytest.mark.parametrize(("rule", "events"), PLANTED, ids=NAMES)
def test_nothing_is_told_from_figures_that_are_no_numbers(
    rule: str, events: list[Event], missing: float | None
) -> None:
    told = {finding.rule for finding in found([blanked(event, missing) for event in events])}
    assert told <= (OF_STEPS | OF_THE_NET) & {rule}


# The losses and penalties of the steps, and what the plan and the network are, are no figures of a look.
OF_STEPS = {"loss-not-finite", "loss-exploding", "loss-spike", "divergence", "lr-much-too-high", "penalty-dominates"}
OF_THE_NET = {"unreached-parameters", "not-optimised", "stuck-in-eval", "stuck-in-train", "slow-start", "wrong-loss"}
OF_THE_NET |= {"frozen-parameters", "batch-too-small-for-norm", "exploding-gradient", "saturation"}
OF_THE_NET |= {"lr-rises", "lr-decays-early", "samples-mixed"}


def without(event: Event) -> Event:
    match event:
        case Described():
            return Described(event.task, event.outputs, {}, {}, {}, {}, {}, {}, {})
        case Measured():
            return replace(event, batch={}, layers=[], parameters=[], through_time=[])
        case Epoch():
            return replace(event, train={}, val={})
        case Traced():
            return replace(event, figures={})
        case _:
            return event


def blanked(event: Event, missing: float | None) -> Event:
    """The same with every floating-point figure of its dictionaries missing."""

    def blank(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: blank(item) for key, item in value.items()}
        if isinstance(value, list):
            return [blank(item) for item in value if not isinstance(item, int)]  # counts are whole, or not there
        return missing if isinstance(value, int | float) and not isinstance(value, bool) else value

    if isinstance(event, Described):
        names = ("inputs", "targets", "result", "start", "validation")
        return replace(event, **{name: blank(getattr(event, name)) for name in names})
    if isinstance(event, Measured):
        kept = [
            record | {key: blank(value) for key, value in record.items() if key != "dims"}
            for record in event.parameters
        ]
        return replace(
            event,
            batch=blank(event.batch),
            layers=blank(event.layers),
            parameters=kept,
            through_time=blank(event.through_time),
        )
    if isinstance(event, Epoch):
        return replace(event, train=blank(event.train), val=blank(event.val))
    if isinstance(event, Traced) and event.kind == "spike":
        return replace(event, figures=blank(event.figures))
    return event


FULL = run(
    [
        look(
            n,
            parameters=parameters(0.2),
            clip_factor=0.1,
            penalty_grad_norm=2.0,
            layers=layers(_1={"dead": 0.9, "saturated": 0.7}),
            through_time=[{"name": "rnn", "norms": [1.0, 2.0, 3.0]}],
        )
        for n in range(1, 60, 3)
    ],
    [
        epoch(n, {"loss": 1.0, "accuracy": 0.5}, {"loss": 1.0 + n, "accuracy": 0.4, "second": 0.1, "r2": 0.0})
        for n in range(6)
    ],
    [
        Traced(
            7,
            "spike",
            "samples",
            "",
            [1],
            [5],
            None,
            {"loss": 9.0, "usual": 1.0, "share": 0.5, "largest": 3.0, "usual_size": 1.0},
        )
    ],
    penalty=3.0,
)


@given(st.integers(0, 2**32), st.sampled_from([0.02, 0.1, 0.5]), st.sampled_from(["classes", "values"]))
@settings(max_examples=100, deadline=None)
def test_no_rule_raises_whatever_is_missing(seed: int, share: float, task: str) -> None:
    random = Random(seed)
    start = described(
        task, inputs={"nonfinite": 2, "bad_row": 1, "bad_column": 2}, net={"saturated": 0.9, "saturated_layer": "1"}
    )
    events = [start if isinstance(event, Described) else event for event in copy.deepcopy(FULL)]

    def spoil(value: Any) -> None:
        if isinstance(value, dict):
            for key in list(value):
                if isinstance(value[key], dict | list):
                    spoil(value[key])
                elif key not in ("name", "kind", "dims") and random.random() < share:
                    value[key] = random.choice([None, math.nan, math.inf, 0.0])
        elif isinstance(value, list):
            for item in value:
                spoil(item)

    for event in events:
        for part in (
            "inputs",
            "targets",
            "result",
            "start",
            "validation",
            "batch",
            "layers",
            "parameters",
            "train",
            "val",
            "figures",
        ):
            if hasattr(event, part):
                spoil(getattr(event, part))
    found(events)


@given(st.floats(0.1, 100.0), st.lists(st.floats(0.5, 1.0), min_size=20, max_size=100))
@settings(max_examples=60, deadline=None)
def test_finite_losses_that_never_rise_stop_nothing(first: float, factors: list[float]) -> None:
    losses = [first]
    for factor in factors:
        losses.append(losses[-1] * factor)
    assert [finding for finding in found(run(losses=losses)) if finding.severity == "stop"] == []


def test_a_finding_is_told_once() -> None:
    events = run(looks(range(1, 30), clip_factor=0.01))
    assert [finding.rule for finding in found(events)] == ["clipping-always"]
