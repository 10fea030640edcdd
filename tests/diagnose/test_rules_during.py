"""Every rule that judges a training while it goes on."""

from __future__ import annotations

import math

import pytest
from cases_during import DURING, Run
from streams import described, epoch, epochs, found, layers, look, looks, parameters, run

from glassnet.events import Described, Started, Step, Traced

SILENT = [(rule, events) for rule, *_, silent in DURING for events in silent]


@pytest.mark.parametrize(
    ("rule", "events", "step", "evidence"),
    [case[:4] for case in DURING],
    ids=[f"{case[0]}-{n}" for n, case in enumerate(DURING)],
)
def test_a_planted_trouble_is_told_at_its_step_and_nothing_else_is(
    rule: str, events: Run, step: int, evidence: dict[str, float]
) -> None:
    told = found(events)
    assert [(finding.rule, finding.step) for finding in told] == [(rule, step)]
    assert {key: told[0].evidence[key] for key in evidence} == pytest.approx(evidence, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize(("rule", "events"), SILENT, ids=[f"{case[0]}-{n}" for n, case in enumerate(SILENT)])
def test_what_comes_short_of_it_or_only_looks_like_it_is_not_told(rule: str, events: Run) -> None:
    assert rule not in {finding.rule for finding in found(events)}


def test_a_healthy_training_says_nothing() -> None:
    falling = epochs([2.0 * 0.8**n for n in range(10)], [2.1 * 0.85**n for n in range(10)])
    some = [look(n, loss=2.3 * 0.98**n) for n in range(1, 101, 5)]
    assert found(run(some, falling, losses=lambda n: 2.3 * 0.98**n)) == []


def test_a_layer_that_bears_a_number_is_called_a_layer_with_its_kind() -> None:
    (finding,) = found(run(looks((1, 2, 3, 4), layers=layers(_1={"dead": 0.8}))))
    assert "units of layer 1 (relu) put out 0" in finding.what
    named = layers(_1={"dead": 0.8, "name": "features.1"})
    (finding,) = found(run(looks((1, 2, 3, 4), layers=named)))
    assert "units of features.1 put out 0" in finding.what
    going_in = layers(_1={"dead": 0.8, "name": "1 (input)"})
    (finding,) = found(run(looks((1, 2, 3, 4), layers=going_in)))
    assert "units of the input of layer 1 put out 0" in finding.what


def test_an_overflow_in_a_softmax_of_ones_own_is_told_as_such() -> None:
    start = described(result={"log_sum_exp": 1e-9}, net={"last": "ByHand"}, start={"loss": 4.6, "train_loss": 4.6})
    traced = Traced(2, "not-finite", "activations", "4", [0], [600], None, {"largest": 2.7})
    (finding,) = found(run(look(1), traced, losses=[4.6, math.nan], start=start))
    assert finding.rule == "loss-not-finite"
    assert "layer 4 (dense)" in finding.what
    assert "sample 600" in finding.what
    assert "log_softmax" in finding.advice
    assert "exponentials" in finding.why
    (plain,) = found(run(look(1), traced, losses=[4.6, math.nan]))
    assert "log_softmax" not in plain.advice


def test_a_loss_that_grew_beyond_all_numbers_is_the_rate_s_doing_and_still_stops() -> None:
    long = looks((1, 2), parameters=parameters(0.2))
    told = found(run(long, losses=[2.3, 7.0, math.nan]))
    assert [(finding.rule, finding.severity) for finding in told] == [
        ("lr-much-too-high", "warning"),
        ("loss-not-finite", "stop"),
    ]
    assert "7" in told[0].what
    for quiet in (
        run(long, losses=[2.3, 6.8, math.nan]),  # not three times the first
        run(looks((1, 2), parameters=parameters(0.05)), losses=[2.3, 7.0, math.nan]),  # steps too short for that
        run(long, Traced(3, "not-finite", "inputs", "", [5], [105], 7, {}), losses=[2.3, 7.0, math.nan]),
        run(long, losses=[2.3, 7.0, math.nan], start=described(result={"log_sum_exp": 1e-9}, net={"last": "ByHand"})),
        run(look(26), losses=[*[2.3] * 25, 7.0, math.nan]),  # it had stood still for a quarter of the run
    ):
        assert "lr-much-too-high" not in {finding.rule for finding in found(quiet)}


def test_of_values_the_first_loss_is_what_the_look_before_the_first_step_saw() -> None:
    start = described("values", start={"train_loss": 2.0})
    losses = [1.0, *[2.9] * 15]  # the first batch was an easy one
    long = looks((1, 2, 3), reach=0.4, parameters=parameters(0.2))
    assert "lr-much-too-high" not in {finding.rule for finding in found(run(long, losses=losses, start=start))}
    assert "lr-much-too-high" in {finding.rule for finding in found(run(long, losses=losses))}


def test_inputs_that_are_not_finite_are_told_where_they_are_met() -> None:
    traced = Traced(3, "not-finite", "inputs", "", [5], [105], 7, {})
    told = found(run(traced, losses=[2.3, 2.2, math.nan]))
    assert told[0].rule == "inputs-not-finite"
    assert told[0].severity == "stop"
    assert told[0].evidence == {"row": 105.0, "column": 7.0}


def test_of_values_an_easy_first_batch_stops_nothing() -> None:
    losses = [0.5, *[1.6] * 30]
    assert "loss-exploding" in {finding.rule for finding in found(run(losses=losses, start=described()))}
    assert "loss-exploding" not in {finding.rule for finding in found(run(losses=losses, start=described("values")))}


def test_a_rectified_network_whose_gradient_vanishes_is_not_advised_to_rectify() -> None:
    (rectified,) = found(run(looks((1, 2, 4), parameters=parameters(first=9e-4))))
    assert "ReLU" not in rectified.advice
    assert all("net.activation" not in remedy for remedy in rectified.remedies)
    squashing = layers(_1={"saturated": 0.1}, _3={"saturated": 0.1})
    (other,) = found(run(looks((1, 2, 4), parameters=parameters(first=9e-4), layers=squashing)))
    assert "ReLU" in other.advice


def of_rule(rule: str, events: Run) -> list[int]:
    return [finding.step for finding in found(events) if finding.rule == rule]


def rising(lowest: int, rise: float, planned: int = 100) -> Run:
    """Validation loss is 1 in an epoch, has fallen to it, and stands so far above it from the next one on; training loss falls."""
    val = [1.5 - 0.5 * n / lowest for n in range(lowest)] + [1.0] + [1 + rise] * (planned - lowest - 1)
    return [Started(800, 10, planned, 1000), *epochs([0.97**n for n in range(planned)], val)]


def test_a_small_or_young_rise_of_validation_loss_late_in_the_run_waits() -> None:
    assert of_rule("overfitting", rising(40, 0.15)) == [490]  # after 8 epochs
    assert of_rule("overfitting", rising(55, 0.15)) == [810]  # a quarter of the run later
    assert of_rule("overfitting", rising(40, 0.09)) == [1000]  # at the end
    assert of_rule("overfitting", rising(91, 0.15)) == [1000]


def test_dropout_is_no_advice_where_it_is_on() -> None:
    for rule, events in ((rule, events) for rule, events, *_ in DURING if rule in ("overfitting", "early-overfit")):
        begun = [event for event in events if not isinstance(event, Described)]
        for dropout, advised in ((0.0, True), (0.5, False)):
            told = found([described(net={"dropout": dropout}), *begun])
            (finding,) = [each for each in told if each.rule == rule]
            assert ("dropout" in finding.advice) is advised
            assert ({"regularise.dropout"} in [set(remedy) for remedy in finding.remedies]) is advised


def test_dropout_that_drops_nearly_everything_is_told_at_the_first_look() -> None:
    for dropout, told in ((0.95, [1]), (0.9, [1]), (0.85, [])):
        start = described(net={"dropout": dropout}, start={"train_loss": 2.9})
        assert of_rule("underfitting", run(look(1), look(10), start=start)) == told


def test_layers_without_anything_that_bends_between_them_are_told_at_the_first_look() -> None:
    straight = {"affine": True, "nonlinearities": 0, "weight_layers": 3}
    for net, told in ((straight, [1]), ({**straight, "affine": False}, []), (straight | {"weight_layers": 1}, [])):
        assert of_rule("underfitting", run(look(1), start=described(net=net))) == told
    narrow = layers(_2={"units": 4})  # as of an autoencoder, or of a weight in two factors
    assert of_rule("underfitting", run(look(1, layers=narrow), start=described(net=straight))) == []


@pytest.mark.parametrize(("promised", "severity"), [(2.4e-3, "warning"), (2.6e-3, "info")])
def test_steps_found_short_late_in_the_run_are_told_where_they_promise_next_to_nothing(
    promised: float, severity: str
) -> None:
    """A hundred steps that promise a quarter of the loss together."""
    late = looks((61, 62, 63, 64), reach=0.999, promised=promised, parameters=parameters(1e-3))
    (finding,) = found(run(late))
    assert (finding.rule, finding.step, finding.severity) == ("lr-too-low", 64, severity)
    early = looks((51, 52, 53, 54), reach=0.999, promised=2.6e-3, parameters=parameters(1e-3))
    (finding,) = found(run(early))
    assert (finding.step, finding.severity) == (54, "warning")


def jump(factor: float, loss: float, at: int = 50) -> Run:
    """A step whose rate is so many times as high, and that ends at such a loss; steps that usually go too far."""
    some = looks(range(5, at, 5), reach=0.1)
    steps = [
        Step(0, n, 0.1 * (factor if n == at else 1.0), 8 * n, loss=loss if n == at else 1.0 if n > 1 else 2.0)
        for n in range(1, 2 * at if 2 * at < 100 else 100)
    ]
    return [Started(800, 10, 10, 1000), *sorted([*some, *steps], key=lambda event: event.step)]


def test_a_rate_that_goes_up_at_a_stroke_is_to_blame_for_a_loss_that_jumps() -> None:
    (finding,) = [each for each in found(jump(6, 8.0)) if each.rule == "loss-spike"]
    assert finding.step == 50
    assert finding.evidence == pytest.approx({"loss": 8.0, "usual": 1.0, "lr_before": 0.1, "lr": 0.6})
    assert "learning rate was 0.6 after 0.1" in finding.what
    assert "loss-spike" not in {each.rule for each in found(jump(4, 8.0))}
    assert "loss-spike" not in {each.rule for each in found(jump(6, 3.9))}
    assert "loss-spike" not in {each.rule for each in found(jump(6, 8.0, at=9))}, "too few losses to know what is usual"


def test_what_is_only_recorded_hides_nothing() -> None:
    squashed = layers(_1={"kind": "tanh", "saturated": 0.9, "dead": None})
    few = {"loss": 2.0, "accuracy": 0.3}  # where the nearest neighbour is right for 0.8
    told = found(run(looks((1, 10, 20), layers=squashed), [epoch(n, few, few) for n in range(8)]))
    assert [(finding.rule, finding.severity) for finding in told] == [
        ("saturation", "info"),
        ("underfitting", "warning"),
    ]


def test_long_steps_of_a_loss_that_stands_still_are_only_recorded_until_units_have_died_of_them() -> None:
    dying = {rule: events for rule, events, *_ in DURING if rule == "lr-too-high"}["lr-too-high"]
    (killed,) = found(dying)
    assert (killed.severity, "have died" in killed.what) == ("warning", True)
    stuck = next(events for rule, events, *_ in DURING if rule == "lr-too-high")
    (recorded,) = found(stuck)
    assert (recorded.severity, "have died" in recorded.what) == ("info", False)
