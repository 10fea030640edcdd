"""The catalogue of planted faults and healthy controls: well formed, runnable, rightly counted, and its pages say what the rules say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from benchmarks.diagnosis import gallery, spoil_data
from benchmarks.diagnosis.case import HALVES, Case, Setup, halves
from benchmarks.diagnosis.controls import CONTROLS
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.making import prepare
from benchmarks.diagnosis.recording import CASES, Recorded, record_case
from benchmarks.diagnosis.running import run
from benchmarks.diagnosis.scoring import Verdict, confusions, judged, score
from benchmarks.diagnosis.sets import WITHOUT_FILES, Sets, load

from glassnet.diagnose import BY_ID, RULES
from glassnet.events import Described, Finding, Measured, to_json

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"
DIGITS = Setup(
    "digits", "mlp", samples=600, validation=200, lr=0.03, optimizer_options={"momentum": 0.9}, batch_size=32, epochs=5
)


def test_there_are_enough_cases_and_no_two_of_a_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(FAULTS) >= 40
    assert len(CONTROLS) >= 60
    assert {case.fault for case in CONTROLS} == {None}


def test_every_rule_has_a_planted_fault_and_every_accepted_id_is_a_rule() -> None:
    assert {case.fault for case in FAULTS} == set(BY_ID)
    assert {name for case in FAULTS for name in case.accepted} <= set(BY_ID)


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_fault_accepts_its_own_id_and_at_most_one_other_with_a_reason(case: Case) -> None:
    assert case.accepted[0] == case.fault
    assert len(case.accepted) <= 2
    assert bool(case.because) == (len(case.accepted) == 2)
    like = next(control for control in CONTROLS if control.name == case.like)
    assert case.how
    assert case.setup != like.setup, "nothing is broken"


def test_the_controls_are_as_different_as_people_are() -> None:
    setups = [case.setup for case in CONTROLS]
    assert {"sgd", "adagrad", "rmsprop", "adam", "adamw"} <= {setup.optimizer for setup in setups}
    assert {"constant", "one-cycle", "cosine", "step"} <= {setup.schedule for setup in setups}
    assert {"linear", "mlp", "lenet5", "small-vgg", "resnet", "rnn", "lstm", "gru"} <= {setup.net for setup in setups}
    assert {"digits", "mnist", "notmnist", "cifar10", "adult", "wine"} <= {setup.data for setup in setups}
    assert min(setup.batch_size for setup in setups) == 16
    assert max(setup.batch_size for setup in setups) == 512


def test_both_halves_have_every_kind_of_fault_and_about_half_of_it() -> None:
    which = halves(CASES)
    for kind, cases in _by_kind().items():
        counts = Counter(which[case.name] for case in cases)
        assert abs(counts["calibrate"] - counts["measure"]) <= 1, kind
        assert len(cases) < 2 or set(counts) == set(HALVES), kind


def test_the_half_does_not_depend_on_the_order_of_the_catalogue() -> None:
    assert halves(CASES) == halves(sorted(CASES, key=lambda case: case.name))


def _by_kind() -> dict[str | None, list[Case]]:
    found: dict[str | None, list[Case]] = {}
    for case in CASES:
        found.setdefault(case.fault, []).append(case)
    return found


# --- what spoils -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits() -> Sets:
    return load("digits", 1000, 300)


def spoilt(name: str, strength: float, sets: Sets) -> Sets:
    return spoil_data.SPOILERS[name](sets, strength, torch.Generator().manual_seed(0))


def test_parts_share_no_input(digits: Sets) -> None:
    rows = [{row.numpy().tobytes() for row in part[0]} for part in (digits.train, digits.val, digits.test)]
    assert [len(part) for part in rows] == [1000, 300, 497]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]


def test_inputs_are_standardised_by_the_training_part(digits: Sets) -> None:
    assert float(digits.train[0].double().mean()) == pytest.approx(0, abs=1e-6)
    assert float(digits.train[0].double().std()) == pytest.approx(1, abs=1e-6)
    raw = spoilt("raw", 1, digits).train[0]
    assert (float(raw.min()), float(raw.max())) == pytest.approx((0, 16), abs=1e-4)


def test_noise_hits_the_asked_share_of_labels_and_leaves_the_test_part(digits: Sets) -> None:
    noisy = spoilt("noisy-labels", 0.3, digits)
    assert float((noisy.train[1] != digits.train[1]).float().mean()) == pytest.approx(0.3, abs=0.05)
    assert float((noisy.val[1] != digits.val[1]).float().mean()) == pytest.approx(0.3, abs=0.09)
    assert torch.equal(noisy.test[1], digits.test[1])


def test_shuffled_labels_keep_their_counts_and_lose_their_inputs(digits: Sets) -> None:
    shuffled = spoilt("shuffled-labels", 1, digits)
    assert torch.equal(shuffled.train[1].bincount(), digits.train[1].bincount())
    assert float((shuffled.train[1] == digits.train[1]).float().mean()) < 0.2


def test_a_leak_tells_the_target_in_training_and_not_in_use(digits: Sets) -> None:
    leaking = spoilt("leak", 0.1, digits)

    def told(part: tuple[torch.Tensor, torch.Tensor]) -> float:
        return float(torch.corrcoef(torch.stack([part[0].flatten(1)[:, 0], part[1].float()]))[0, 1])

    assert told(leaking.train) > 0.98
    assert told(leaking.val) > 0.98
    assert abs(told(leaking.test)) < 0.2


def test_a_leaking_validation_part_has_the_asked_share_of_training_samples(digits: Sets) -> None:
    leaking = spoilt("validation-from-training", 0.5, digits)
    own = {row.numpy().tobytes() for row in digits.train[0]}
    assert sum(row.numpy().tobytes() in own for row in leaking.val[0]) == 150
    assert len(leaking.val[1]) == 300


def test_a_step_that_knows_nothing_of_the_first_layer_leaves_it() -> None:
    made = prepare(replace(DIGITS, spoilt=(("first-not-optimised", 2),)))
    known = {p for group in made.plan.optimizer(made.net).param_groups for p in group["params"]}
    assert [p in known for p in made.net.parameters()] == [False, False, True, True, True, True]


# --- running, recording, judging -------------------------------------------------------------------------------------


def test_equal_setups_tell_equal_events() -> None:
    one, two = (run(replace(DIGITS, options={"dropout": 0.2}, epochs=2)) for _ in range(2))
    assert [to_json(event) for event in one.events] == [to_json(event) for event in two.events]
    assert one.figures == two.figures


def test_a_run_is_watched_as_in_a_real_training() -> None:
    done = run(DIGITS)
    assert isinstance(done.events[1], Described)
    assert sum(isinstance(event, Measured) for event in done.events) >= 10, (
        "95 steps, every ninth and more at the start"
    )
    assert done.figures["accuracy"] > 0.85


def test_a_training_that_breaks_off_is_recorded_as_far_as_it_came(tmp_path: Path) -> None:
    case = Case(
        "broken", replace(DIGITS, spoilt=(("classes-from-one", 1),)), "outputs-mismatch", "", ("outputs-mismatch",)
    )
    record_case(case, tmp_path / "measure", "measure")
    told = json.loads((tmp_path / "measure" / "broken" / "case.json").read_text())
    assert "IndexError" in told["crashed"]
    verdict = judged(Recorded(told, "measure", tmp_path / "measure" / "broken"))
    assert verdict.first is not None
    assert (verdict.first.rule, verdict.share) == ("outputs-mismatch", 0.0)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (("softmax-at-end", 1), "softmax-twice"),
        (("not-finite-rows", 3), "inputs-not-finite"),
        (("zeros", 0), "inputs-constant"),
        (("head-alone-optimised", 1), "not-optimised"),
        (None, None),
    ],
)
def test_a_recorded_fault_is_found_and_a_healthy_run_is_left_alone(
    spoil: tuple[str, float] | None, rule: str | None, tmp_path: Path
) -> None:
    setup = replace(DIGITS, spoilt=(spoil,) if spoil else ())
    accepted = (rule,) if rule else ()
    record_case(Case("one", setup, rule, "", accepted), tmp_path / "calibrate", "calibrate")
    folder = tmp_path / "calibrate" / "one"
    verdict = judged(Recorded(json.loads((folder / "case.json").read_text()), "calibrate", folder))
    assert (verdict.first.rule if verdict.first else None) == rule
    assert verdict.right


def test_cases_that_need_no_files_say_so() -> None:
    assert {"digits", "spirals"} <= WITHOUT_FILES
    assert load("spirals", 400, 200).classes == 2


def finding(rule: str, step: int, severity: str = "warning") -> Finding:
    return Finding(rule, severity, step, "", "", "", {})


def test_the_figures_of_merit_by_hand() -> None:
    fault = {"fault": "plateau", "accepted": ["plateau"]}
    control = {"fault": None, "accepted": []}
    verdicts = [
        Verdict(fault, "measure", [finding("plateau", 10)], 100),
        Verdict(fault, "measure", [finding("saturation", 5), finding("plateau", 50)], 100),
        Verdict(fault, "measure", [], 100),
        Verdict(control, "measure", [], 100),
        Verdict(control, "measure", [finding("plateau", 90)], 100),
    ]
    figures = score(verdicts)
    assert (figures.first.count, figures.first.of) == (1, 3)
    assert (figures.detected.count, figures.recall.count) == (2, 2)
    assert (figures.precision.count, figures.precision.of) == (1, 3)
    assert (figures.precision_of_all.count, figures.precision_of_all.of) == (2, 4)
    assert (figures.alarms.count, figures.alarms.of) == (1, 2)
    assert (figures.early, figures.early_of_all) == (0.1, 0.1)
    assert confusions(verdicts) == [
        ("plateau", "saturation", 1),
        ("plateau", "nothing", 1),
        ("healthy", "plateau", 1),
    ]


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_page_that_says_what_the_rule_says(rule: object) -> None:
    again = "write the pages anew: python -m benchmarks.diagnosis --pages FOLDER"
    page = (GALLERY / f"{rule.id}.md").read_text(encoding="utf-8")  # type: ignore[attr-defined]
    for words in gallery.rule_words(rule):  # type: ignore[arg-type]
        assert words in page, again
    picture = GALLERY / "images" / f"{rule.id}.png"  # type: ignore[attr-defined]
    assert f"images/{picture.name}" in page
    assert 3_000 < picture.stat().st_size < 60_000
    assert f"({rule.id}.md)" in (GALLERY / "README.md").read_text(encoding="utf-8")  # type: ignore[attr-defined]


def test_the_page_of_the_diagnosis_lists_every_rule_with_its_threshold() -> None:
    page = (GALLERY.parent / "diagnosis.md").read_text(encoding="utf-8")
    for rule in RULES:
        assert f"| [`{rule.id}`](gallery/{rule.id}.md) | {rule.title} | {gallery.cell(rule.threshold)} |" in page


def test_no_page_of_the_gallery_is_left_over() -> None:
    assert {path.stem for path in GALLERY.glob("*.md")} - {"README"} == set(BY_ID)
    assert {path.stem for path in (GALLERY / "images").glob("*")} == set(BY_ID)
