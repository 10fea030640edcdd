"""Figures of a classifier against scikit-learn, PyTorch, naive loops and cases worked by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from sklearn import metrics

from glassnet.errors import DataError, ModelError, UsageError
from glassnet.evaluate import ClassificationFigures, classification_report
from glassnet.evaluate.calibration import expected_calibration_error, reliability


def outputs_and_targets(n: int, k: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(0, k, (n,), generator=generator)
    logits = torch.randn(n, k, generator=generator)
    logits[torch.arange(n), targets] += 1.0
    return logits, targets


def names(k: int) -> list[str]:
    return [f"c{i}" for i in range(k)]


@pytest.mark.parametrize("k", [2, 5, 8])
def test_agrees_with_scikit_learn(k: int) -> None:
    logits, targets = outputs_and_targets(400, k)
    figures = classification_report(logits, targets, names(k))
    said, true = logits.argmax(1).numpy(), targets.numpy()
    assert figures.accuracy == pytest.approx(metrics.accuracy_score(true, said), abs=1e-12)
    assert figures.error_top1 == pytest.approx(1 - metrics.accuracy_score(true, said), abs=1e-12)
    assert np.array_equal(figures.confusion, metrics.confusion_matrix(true, said))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(true, said)
    assert [each.precision for each in figures.per_class] == pytest.approx(precision)
    assert [each.recall for each in figures.per_class] == pytest.approx(recall)
    assert [each.f1 for each in figures.per_class] == pytest.approx(f1)
    assert [each.support for each in figures.per_class] == support.tolist()
    assert figures.macro_f1 == pytest.approx(metrics.f1_score(true, said, average="macro"))
    shares = torch.softmax(logits.double(), 1).numpy()
    assert figures.loss == pytest.approx(metrics.log_loss(true, shares, labels=range(k)), rel=1e-9)
    assert figures.right == int((said == true).sum())


def test_top_five_agrees_with_scikit_learn_and_is_left_out_for_few_classes() -> None:
    logits, targets = outputs_and_targets(500, 9)
    expected = 1 - metrics.top_k_accuracy_score(targets.numpy(), logits.double().numpy(), k=5, labels=range(9))
    assert classification_report(logits, targets, names(9)).error_top5 == pytest.approx(expected)
    assert classification_report(logits[:, :5], targets % 5, names(5)).error_top5 is None
    assert classification_report(logits[:, :6], targets % 6, names(6)).error_top5 is not None


def test_equal_outputs_say_the_first_class() -> None:
    """Six equal outputs: class 0 is said, and the last class alone is not among the first five."""
    figures = classification_report(torch.zeros(6, 6), torch.arange(6), names(6))
    assert figures.accuracy == pytest.approx(1 / 6)
    assert figures.error_top5 == pytest.approx(1 / 6)
    assert figures.loss == pytest.approx(math.log(6))


def test_a_case_worked_by_hand() -> None:
    """Probabilities of three classes for four samples; said are 0, 0, 1, 2 where 0, 1, 1, 0 are true."""
    shares = torch.tensor([[0.8, 0.1, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]], dtype=torch.float64)
    figures = classification_report(shares, torch.tensor([0, 1, 1, 0]), ["a", "b", "c"], given="probabilities")
    assert figures.confusion == ((1, 0, 1), (1, 1, 0), (0, 0, 0))
    assert figures.accuracy == 0.5
    assert figures.loss == pytest.approx(-(math.log(0.8) + math.log(0.4) + math.log(0.7) + math.log(0.2)) / 4)
    a, b, c = figures.per_class
    assert (a.precision, a.recall, a.support) == (0.5, 0.5, 2)
    assert (b.precision, b.recall, b.f1) == (1.0, 0.5, pytest.approx(2 / 3))
    assert (c.precision, c.recall, c.f1, c.support) == (0.0, 0.0, 0.0, 0)
    assert figures.macro_f1 == pytest.approx((0.5 + 2 / 3 + 0) / 3)
    # confidences .8 right, .5 wrong, .7 right, .6 wrong lie in four different bins
    assert figures.calibration_error == pytest.approx((0.2 + 0.5 + 0.3 + 0.6) / 4)
    assert [(each.true, each.said, each.count) for each in figures.confused] == [(0, 2, 1), (1, 0, 1)]
    assert [(each.index, each.true, each.said) for each in figures.worst] == [(3, 0, 2), (1, 1, 0)]
    assert figures.worst[0].loss == pytest.approx(-math.log(0.2))
    assert figures.worst[0].probability == pytest.approx(0.6)


def test_a_class_that_neither_occurs_nor_is_said_does_not_count_in_macro_f1() -> None:
    logits, targets = torch.tensor([[2.0, 0, -9], [0, 2.0, -9]]), torch.tensor([0, 1])
    assert classification_report(logits, targets, names(3)).macro_f1 == 1.0


def test_calibration_error_equals_a_naive_loop() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.2, 1, 700)
    confidence[:2] = (0.2, 1.0)  # a bin's upper edge belongs to it
    right = rng.uniform(size=700) < confidence**2
    expected = 0.0
    for m in range(15):
        inside = [i for i in range(700) if m / 15 < confidence[i] <= (m + 1) / 15]
        if inside:
            gap = abs(sum(right[i] for i in inside) / len(inside) - sum(confidence[i] for i in inside) / len(inside))
            expected += len(inside) / 700 * gap
    bins = reliability(confidence, right)
    assert expected_calibration_error(bins) == pytest.approx(expected, abs=1e-12)
    assert sum(each.samples for each in bins) == 700
    assert len(bins) == 15
    assert bins[2].samples >= 1
    assert bins[14].high == 1.0


def test_one_logit_is_the_logit_of_the_second_class() -> None:
    z = torch.tensor([-1.3, 0.2, 2.0, -0.1])
    targets = torch.tensor([0, 1, 0, 1])
    both = classification_report(torch.stack([torch.zeros(4), z], 1), targets, ["no", "yes"])
    assert classification_report(z, targets, ["no", "yes"]) == both
    assert classification_report(z[:, None], targets, ["no", "yes"]) == both
    assert both.loss == pytest.approx(
        float(torch.nn.functional.binary_cross_entropy_with_logits(z.double(), targets.double())), rel=1e-7
    )
    shares = classification_report(torch.sigmoid(z.double()), targets, ["no", "yes"], given="probabilities")
    assert shares.loss == pytest.approx(both.loss)
    assert shares.confusion == both.confusion


def test_huge_logits_have_finite_loss() -> None:
    figures = classification_report(torch.tensor([[1e4, -1e4], [0.0, 1.0]]), torch.tensor([1, 1]), ["a", "b"])
    assert figures.loss == pytest.approx((2e4 + math.log1p(math.exp(-1))) / 2)


def test_probability_zero_of_the_truth_has_a_finite_loss() -> None:
    figures = classification_report(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), ["a", "b"], given="probabilities")
    assert 700 < figures.loss < math.inf


def test_json_round_trip() -> None:
    logits, targets = outputs_and_targets(60, 7)
    figures = classification_report(logits, targets, names(7))
    assert ClassificationFigures.from_json(json.loads(json.dumps(figures.to_json()))) == figures


@pytest.mark.parametrize(
    ("logits", "targets", "error", "word"),
    [
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), DataError, "nothing to judge"),
        (torch.zeros(2, 4), torch.tensor([0, 1]), ModelError, r"\(2, 4\) for 3 classes"),
        (torch.tensor([[0.0, math.nan, 1.0]]), torch.tensor([0]), ModelError, "1 of 1"),
        (torch.tensor([[0.0, math.inf, 1.0]]), torch.tensor([0]), ModelError, "not finite"),
        (torch.zeros(2, 3), torch.tensor([0, 3]), DataError, "0 to 3"),
        (torch.zeros(2, 3), torch.tensor([0]), DataError, r"shape \(2,\)"),
        (torch.zeros(2, 3), torch.tensor([0.0, 1.0]), DataError, "integers"),
    ],
)
def test_refuses_what_does_not_fit(logits: torch.Tensor, targets: torch.Tensor, error: type, word: str) -> None:
    with pytest.raises(error, match=word):
        classification_report(logits, targets, names(3))


def test_refuses_logits_given_as_probabilities() -> None:
    with pytest.raises(UsageError, match="given='logits'"):
        classification_report(torch.tensor([[2.0, -1.0]]), torch.tensor([0]), ["a", "b"], given="probabilities")


def test_samples_of_a_confused_pair_are_told_the_surest_first() -> None:
    """Ten samples of class 0, all taken for 1, sample i with a logit of its own."""
    strength = torch.tensor([3.0, 9.0, 1.0, 7.0, 5.0, 2.0, 8.0, 4.0, 6.0, 0.5])
    said = torch.stack([torch.zeros(10), strength], dim=1)
    figures = classification_report(said, torch.zeros(10, dtype=torch.int64), ("a", "b"))
    (pair,) = figures.confused
    assert (pair.true, pair.said, pair.count) == (0, 1, 10)
    assert pair.samples == (1, 6, 3, 8, 4, 7, 0, 5)  # at most eight
    assert ClassificationFigures.from_json(json.loads(json.dumps(figures.to_json()))) == figures
    old = figures.to_json()
    for each in old["confused"]:
        del each["samples"]  # as runs of earlier versions wrote it
    assert ClassificationFigures.from_json(old).confused[0].samples == ()
