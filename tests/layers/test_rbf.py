"""RBF outputs, the digits' codes, and the criterion of equation 9."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck

from glassnet.layer_table import layer_table
from glassnet.layers import RBF, digit_codes, map_criterion


def test_against_loops():
    x = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    codes = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = [
        [-sum((x[b, j].item() - codes[i, j].item()) ** 2 for j in range(5)) for i in range(4)] for b in range(3)
    ]
    torch.testing.assert_close(RBF(codes)(x), torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=1e-13)


def test_gradients_and_what_is_trained():
    codes = torch.randn(4, 5, dtype=torch.float64)
    x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(RBF(codes), x)
    assert list(RBF(codes).parameters()) == []
    learned = RBF(codes, trainable=True)
    assert [p.shape for p in learned.parameters()] == [(4, 5)]
    assert gradcheck(lambda x, w: torch.func.functional_call(learned, {"codes": w}, (x,)), (x, learned.codes))
    assert RBF(codes).state_dict().keys() == learned.state_dict().keys() == {"codes"}


def test_the_nearest_code_has_the_largest_score_and_scores_are_not_rounded_under_autocast():
    layer = RBF(digit_codes())
    features = 0.9 * digit_codes()
    assert layer(features).argmax(1).tolist() == list(range(10))
    features[:, 0] += 1e-3
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(features), RBF(digit_codes())(features))
        assert layer(features).dtype == torch.float32


def test_layer_table_counts_840_connections():
    (row,) = layer_table(RBF(digit_codes()), (84,)).rows
    assert (row.output, row.connections, row.parameters) == ((10,), 840, 0)


def test_digits_are_pictures_of_seven_by_twelve():
    codes = digit_codes()
    assert codes.shape == (10, 84)
    assert set(codes.unique().tolist()) == {-1, 1}
    zero, one, eight = (codes[digit].reshape(12, 7) for digit in (0, 1, 8))
    assert one[1:-1, 3].min() == 1  # a stroke down the middle
    assert torch.equal(zero, zero.flip(1))
    assert torch.equal(eight, eight.flip(1))
    assert zero[5, 3] == -1  # the hole
    seven = codes[7].reshape(12, 7)
    assert seven[0].tolist() == [1] * 7


def test_no_two_digits_are_nearer_than_twelve_pixels():
    codes = digit_codes()
    differing = (84 - codes @ codes.T) / 2 + 84 * torch.eye(10)
    assert differing.min() >= 12


def test_more_classes_get_random_codes_that_are_always_the_same():
    codes = digit_codes(60)
    assert torch.equal(codes[:10], digit_codes())
    assert torch.equal(codes[:35], digit_codes(35))
    assert torch.equal(digit_codes(3), codes[:3])
    assert set(codes[10:].unique().tolist()) == {-1, 1}
    assert codes[10:].mean().abs() < 0.06  # 4,200 throws: four standard deviations are 0.062
    assert len({tuple(code) for code in codes.tolist()}) == 60
    before = torch.random.get_rng_state()
    digit_codes(60)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_criterion_of_equation_nine():
    penalties = torch.tensor([[1.0, 3, 7], [4, 0.5, 2]], dtype=torch.float64)
    targets, j = torch.tensor([0, 2]), 2.5
    expected = [
        penalties[b, t].item() + math.log(math.exp(-j) + sum(math.exp(-y) for y in penalties[b].tolist()))
        for b, t in enumerate(targets.tolist())
    ]
    assert map_criterion(-penalties, targets, j).item() == pytest.approx(sum(expected) / 2, rel=1e-12)
    assert map_criterion(-penalties, targets, 1e6).item() == pytest.approx(
        torch.nn.functional.cross_entropy(-penalties, targets).item(), rel=1e-12
    )
    scores = (-penalties).requires_grad_()
    assert gradcheck(lambda s: map_criterion(s, targets, j), scores)


def test_criterion_leaves_wrong_classes_beyond_j_alone():
    scores = torch.tensor([[-0.1, -40.0, -2.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(map_criterion(scores, torch.tensor([0]), 5.0), scores)
    assert abs(gradient[0, 1]) < 1e-12
    assert gradient[0, 2] > 0.05
