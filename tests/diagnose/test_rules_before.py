"""Every rule that judges what a training begins with."""

from __future__ import annotations

from typing import Any

import pytest
from cases_before import BEFORE, LOGS, Changes
from streams import described, found, look, run, step

from glassnet.diagnose import BY_ID
from glassnet.events import Finding

SILENT = [(rule, changes) for rule, _, _, silent in BEFORE for changes in silent]


def test_a_healthy_description_says_nothing() -> None:
    assert found([described()]) == found([described("values")]) == []


@pytest.mark.parametrize(
    ("rule", "changes", "evidence"), [case[:3] for case in BEFORE], ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_planted_trouble_is_told_before_the_first_step(
    rule: str, changes: Changes, evidence: dict[str, float]
) -> None:
    told = found([described(**changes)])
    assert [(finding.rule, finding.step) for finding in told] == [(rule, 0)]
    assert {key: told[0].evidence[key] for key in evidence} == pytest.approx(evidence, rel=1e-4)


@pytest.mark.parametrize(("rule", "changes"), SILENT)
def test_what_comes_short_of_it_or_only_looks_like_it_is_not_told(rule: str, changes: Changes) -> None:
    assert rule not in {finding.rule for finding in found([described(**changes)])}


@pytest.mark.parametrize("rule", sorted({case[0] for case in BEFORE}))
def test_nothing_is_told_where_nobody_looked(rule: str) -> None:
    empty: dict[str, Any] = {key: {} for key in ("plan", "net", "inputs", "targets", "result", "start", "validation")}
    for task in ("classes", "values", "other"):
        bare = type(described())(task, 0, **empty)
        assert BY_ID[rule].judge is not None
        assert found([bare, step(1, 2.3)]) == []


def test_layers_that_bear_a_number_are_called_layers() -> None:
    (finding,) = found([described(net={"stuck_in_eval": ["1", "features.2"]})])
    assert "layer 1, features.2" in finding.what
    (finding,) = found([described(net={"saturated": 0.9, "saturated_layer": "2"})])
    assert "of layer 2 lie" in finding.what


def test_large_outputs_under_a_softmax_of_ones_own_are_told_when_they_did_not_overflow() -> None:
    start = described(start={"loss": 4.6, "train_loss": 4.6}, result=LOGS, net={"last": "ByHand"})
    told = found(run(start=start, losses=[4.6 - 0.1 * n for n in range(30)]))
    assert [(finding.rule, finding.step) for finding in told] == [("initial-loss-high", 20)]
    assert told[0].evidence == {"loss": 4.6, "expected": 2.3026}
    assert found(run(start=start, losses=[4.6 - 0.1 * n for n in range(19)])) == []


def test_copies_that_were_kept_in_one_part_make_no_shift() -> None:
    lost = {"targets": {"kernel_knows": 0.95, "kernel_samples": 800}}
    told = {"kernel_knows": 0.7, "same_inputs": 0.0}
    assert [each.rule for each in found([described(**lost, validation=told)])] == ["distribution-shift"]
    apart = found([described(**lost, validation=told | {"same_among": 0.4})])
    assert [each.rule for each in apart] == ["inputs-constant"]  # that they occur twice
    both = found([described(**lost, validation=told | {"same_among": 0.4, "same_inputs": 0.38})])
    assert "distribution-shift" in {each.rule for each in both}


def test_a_loss_that_is_added_up_over_the_batch_is_told_as_such() -> None:
    (summed,) = found([described(start={"loss": 74.0, "train_loss": 75.0})])  # 32 samples of 2.3
    (large,) = found([described(start={"loss": 40.0, "train_loss": 40.0})])
    assert (summed.rule, large.rule) == ("initial-loss-high", "initial-loss-high")
    assert "reduction='sum'" in summed.why
    assert "initial weights" in large.why


def test_that_a_series_moves_on_is_only_recorded() -> None:
    moved = {"shift": 0.9, "neighbour_distance_ratio": 4.0}
    (told,) = found([described("values", validation=moved)])
    assert (told.severity, "divide at random" in told.advice) == ("warning", True)
    (recorded,) = found([described("values", validation=moved | {"later": True})])
    assert (recorded.severity, "divide at random" in recorded.advice) == ("info", False)


def test_where_samples_begin_to_mix_is_told() -> None:
    def told(after: str, before: str, **more: Any) -> str:
        (finding,) = found(
            [described(net={"mixes_samples": True, "mixed_after": after, "mixed_before": before} | more)]
        )
        return finding.what

    assert told("2", "head").endswith("it begins between layer 2 and head")
    assert told("body", "body").endswith("it begins in body")
    assert told("body", "").endswith("it begins behind body")
    assert told("", "body").endswith("it begins before body")
    assert told("", "").endswith("it begins somewhere in forward")
    assert told("r", "r", samples_as_time=["r"]).endswith(": r takes the axis of the samples for that of time")


def test_weights_for_classes_are_no_advice_where_the_loss_has_them() -> None:
    def told(**plan: Any) -> Finding:
        start = described(targets={"counts": [900, 50, 50]}, plan=plan)
        return next(each for each in found([start]) if each.rule == "class-imbalance")

    plain, weighted = told(), told(weighted=True)
    assert "weigh them more" in plain.advice
    assert "weigh them more" not in weighted.advice


def test_stops_are_stops() -> None:
    for changes in ({"inputs": {"constant": 1.0}}, {"net": {"trainable": 0}}, {"targets": {"out_of_range": 2}}):
        assert found([described(**changes)])[0].severity == "stop"
    assert found([described(inputs={"constant": 0.9})])[0].severity == "warning"


def test_a_look_at_a_healthy_step_says_nothing() -> None:
    assert found(run(look(1), look(10), look(20))) == []
