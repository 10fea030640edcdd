"""Losses by hand and against torch's."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from glassnet.errors import UsageError
from glassnet.training.losses import LOSSES, absolute, binary, cross_entropy, hinge, huber, make_loss, squared

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(20, 5, generator=GENERATOR, dtype=torch.float64) * 3
TARGETS = torch.randint(0, 5, (20,), generator=GENERATOR)
OF_SEVERAL = {"cross-entropy", "hinge", "map"}  # one output a class


def test_hinge_by_hand() -> None:
    # The lectures' example: scores (13, -7, 11) of the first class give max(0, -7-13+1) + max(0, 11-13+1) = 0; of the third
    # max(0, 13-11+1) + max(0, -7-11+1) = 3.
    scores = torch.tensor([[13.0, -7.0, 11.0], [13.0, -7.0, 11.0]])
    assert float(hinge(scores, torch.tensor([0, 2]))) == pytest.approx(1.5)


def test_hinge_is_torchs_multi_margin_loss_without_the_division() -> None:
    assert float(hinge(LOGITS, TARGETS)) == pytest.approx(float(F.multi_margin_loss(LOGITS, TARGETS)) * 5, rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_from_its_formula(smoothing: float) -> None:
    wanted = (1 - smoothing) * F.one_hot(TARGETS, 5).double() + smoothing / 5
    by_hand = -(wanted * LOGITS.log_softmax(1)).sum(1).mean()
    assert float(cross_entropy(LOGITS, TARGETS, label_smoothing=smoothing)) == pytest.approx(float(by_hand), rel=1e-12)
    rows = F.one_hot(TARGETS, 5).double()
    assert float(cross_entropy(LOGITS, rows, label_smoothing=smoothing)) == pytest.approx(float(by_hand), rel=1e-12)


def test_binary_is_cross_entropy_of_two_classes_one_of_them_fixed_at_zero() -> None:
    logit, said = LOGITS[:, :1], TARGETS % 2
    two = torch.cat([torch.zeros_like(logit), logit], dim=1)
    for shape in (logit, logit[:, 0]):
        assert float(binary(shape, said)) == pytest.approx(float(F.cross_entropy(two, said)), rel=1e-12)
    assert float(binary(torch.tensor([[1000.0]]), torch.tensor([0]))) == 1000.0


@pytest.mark.parametrize("j", [0.5, 8.0])
def test_map_from_equation_9(j: float) -> None:
    penalties = (LOGITS**2).tolist()
    expected = sum(
        row[wanted] + math.log(math.exp(-j) + sum(math.exp(-y) for y in row))
        for row, wanted in zip(penalties, TARGETS.tolist(), strict=True)
    )
    assert float(make_loss("map", j=j)(-(LOGITS**2), TARGETS)) == pytest.approx(expected / 20, rel=1e-12)


def test_losses_of_values_by_hand() -> None:
    outputs, targets = torch.tensor([[1.0], [5.0], [-2.0]]), torch.tensor([1.5, 2.0, -2.0])
    assert float(squared(outputs, targets)) == pytest.approx((0.25 + 9 + 0) / 3)
    assert float(absolute(outputs, targets)) == pytest.approx((0.5 + 3 + 0) / 3)
    assert float(huber(outputs, targets)) == pytest.approx((0.125 + 2.5 + 0) / 3)
    assert float(huber(outputs, targets, delta=2.0)) == pytest.approx((0.125 + 4 + 0) / 3)


@pytest.mark.parametrize("name", LOSSES)
def test_low_precision_outputs_are_measured_in_float32(name: str) -> None:
    outputs = (LOGITS if name in OF_SEVERAL else LOGITS[:, :1]).bfloat16()
    targets = TARGETS % 2 if name in {*OF_SEVERAL, "binary"} else LOGITS[:, 1].float()
    loss = make_loss(name)(outputs, targets)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(make_loss(name)(outputs.double(), targets)), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    outputs = (LOGITS[:4] if name in OF_SEVERAL else LOGITS[:4, :1]).clone().requires_grad_()
    targets = TARGETS[:4] % 2 if name in {*OF_SEVERAL, "binary"} else LOGITS[:4, 1]
    assert torch.autograd.gradcheck(lambda x: LOSSES[name](x, targets), (outputs,))


def test_the_first_loss_of_a_network_that_knows_nothing() -> None:
    assert float(cross_entropy(torch.zeros(8, 10), torch.arange(8))) == pytest.approx(math.log(10))
    assert float(hinge(torch.zeros(8, 10), torch.arange(8))) == pytest.approx(9.0)


def test_mistakes_are_told() -> None:
    with pytest.raises(UsageError, match="did you mean 'hinge'"):
        make_loss("hing")
    with pytest.raises(UsageError, match="did you mean 'label_smoothing'"):
        make_loss("cross-entropy", label_smothing=0.1)
    with pytest.raises(UsageError, match="the loss hinge has no option 'delta'"):
        make_loss("hinge", delta=1)
