"""Planted filters, neighbours by hand, shifts that layers follow, slices through known losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explain.nets import SIDE, cross, images, random_net
from glassnet import explain
from glassnet.errors import UsageError
from glassnet.events import Measured
from glassnet.explain.robustness import disturbed
from glassnet.explain.subject import Subject


def planted(size: int = SIDE) -> nn.Sequential:
    """One channel that looks for a cross and one for a bright spot."""
    conv = nn.Conv2d(1, 2, 3, padding=1, bias=False)
    with torch.no_grad():
        conv.weight[0, 0] = 5 * cross()
        conv.weight[1, 0] = 1
    return nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(2 * size * size, 2))


def test_the_first_filters_are_shown_at_length_one() -> None:
    told = explain.filters(planted())
    assert told.are_pictures
    np.testing.assert_allclose(told.best[0, 0], cross().numpy(), atol=1e-6)
    np.testing.assert_allclose(told.norms, [5, 3], rtol=1e-6)
    x = torch.randn(500, 9, generator=torch.Generator().manual_seed(0))
    x /= x.norm(dim=1, keepdim=True)
    weights = torch.from_numpy(told.weights).flatten(1)
    best = torch.from_numpy(told.best).flatten(1)
    assert (x @ weights.T).max() < (best * weights).sum(1).max(), "no input of length 1 excites a unit more"


def test_dense_filters_take_the_shape_of_the_image() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    assert explain.filters(net, (3, 2, 2)).weights.shape == (3, 3, 2, 2)
    assert not explain.filters(net).are_pictures
    with pytest.raises(UsageError, match="has filters"):
        explain.filters(nn.ReLU())


@pytest.mark.parametrize("size", [12, 28])
def test_climbing_finds_the_planted_filter(size: int) -> None:
    x = torch.rand(2, 1, size, size, generator=torch.Generator().manual_seed(0))
    told = explain.maximise(planted(size), x, [0], layer="0", steps=100)
    middle = slice(size // 2 - 1, size // 2 + 2)
    found = told.images[0, 0, middle, middle].flatten()
    alike = np.corrcoef(found, cross().numpy().flatten())[0, 1]
    assert alike > 0.6
    assert told.reached[0] > 1 > told.started[0]
    assert 0 <= told.images.min() <= told.images.max() <= 1


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_some_pictures_are_drawn_as_they_are_among_all(dtype: torch.dtype) -> None:
    raw = (torch.rand(7, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 200).to(dtype)
    about = Subject(nn.Identity(), raw.float(), raw, tuple("abcdefg"))
    asked = np.array([[6, 0, 6], [2, 3, 1]])
    np.testing.assert_array_equal(about.drawn_of(asked), about.drawn[asked])


def test_neighbours_are_those_of_a_slow_search() -> None:
    net, queries, others = random_net().eval(), images(3), images(20, seed=5)
    told = explain.neighbours(net, queries, others, 4)
    with torch.no_grad():
        one, two = (net[:8](x).double().numpy() for x in (queries, others))
    for row in range(3):
        far = np.array([np.sqrt(((one[row] - other) ** 2).sum()) for other in two])
        assert told.indices[row].tolist() == far.argsort()[:4].tolist()
        np.testing.assert_allclose(told.distances[row], np.sort(far)[:4], rtol=1e-5)
    itself = explain.neighbours(net, others[:2], others, 1, skip_itself=True)
    assert (itself.distances > 0).all()


def test_pca_agrees_with_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    net, x = random_net().eval(), images(40)
    told = explain.embed(net, x, torch.arange(40) % 3)
    with torch.no_grad():
        reference = PCA(2, svd_solver="full").fit(net[:8](x).double().numpy())
        points = reference.transform(net[:8](x).double().numpy())
    np.testing.assert_allclose(abs(told.points), abs(points), atol=1e-4)
    assert told.kept == pytest.approx(reference.explained_variance_ratio_.sum(), rel=1e-5)


def test_the_worst_come_first() -> None:
    net, x, targets = random_net().eval(), images(30), torch.arange(30) % 3
    told = explain.worst(net, x, targets, 5)
    losses = nn.functional.cross_entropy(net(x), targets, reduction="none").detach().numpy()
    assert told.positions.tolist() == losses.argsort()[::-1][:5].tolist()
    assert told.wrong == int((net(x).argmax(1) != targets).sum())
    shown = explain.top_classes(net, x, 2)
    assert shown.labels[0][0] == str(int(net(x)[0].argmax()))


def test_disturbances_do_what_they_say() -> None:
    image = torch.zeros(1, 1, 20, 20, dtype=torch.uint8)
    image[0, 0, 10, 10] = 255
    for kind in ("noise", "shift", "rotation"):
        assert torch.equal(disturbed(image, kind, 0), image)
    half = disturbed(torch.full((1, 1, 200, 200), 128, dtype=torch.uint8), "noise", 0.1).float()
    assert float(half.std()) == pytest.approx(25.5, rel=0.03)
    square = torch.zeros(1, 1, 40, 40)
    square[..., 15:25, 15:25] = 1
    assert float(disturbed(square, "scale", 2.0).sum()) == pytest.approx(4 * 100, rel=0.1)
    moved = disturbed(square, "shift", 0.1, seed=3)
    rows = (moved[0, 0].sum(1) * torch.arange(40)).sum() / moved.sum() - 19.5
    columns = (moved[0, 0].sum(0) * torch.arange(40)).sum() / moved.sum() - 19.5
    assert float((rows**2 + columns**2).sqrt()) == pytest.approx(4, rel=0.05)
    bar = torch.zeros(1, 1, 41, 41)
    bar[..., 20, 10:31] = 1
    turned = disturbed(bar, "rotation", 90)
    torch.testing.assert_close(turned, bar.transpose(2, 3), atol=1e-3, rtol=0)


def test_a_convolution_follows_a_shift_and_a_dense_layer_does_not() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3, bias=False), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3 * 25, 2))
    told = explain.equivariance(net, images(8), (1, 2))
    assert told.layers == ("0", "1")
    assert told.strides == (1.0, 2.0)
    np.testing.assert_allclose(told.errors[0], 0, atol=1e-6)
    assert told.errors[1, 1] == pytest.approx(0, abs=1e-6), "by the stride, pooled maps follow exactly"
    assert told.errors[1, 0] > 0.1, "by half of the stride they do not"


def test_robustness_without_disturbance_is_the_accuracy() -> None:
    net, x = random_net().eval(), images(40)
    told = explain.robustness(net, x, net(x).argmax(1))
    assert {
        one.kind: one.accuracy[one.severities.index(1 if one.kind == "scale" else 0)] for one in told
    } == dict.fromkeys(("noise", "shift", "rotation", "scale"), 1.0)
    assert min(min(one.accuracy) for one in told) < 1


def test_the_slice_of_a_quadratic_loss_is_a_parabola() -> None:
    net = nn.Linear(4, 1, bias=False)
    x = torch.eye(4)
    told = explain.loss_slice(net, x, net(x).detach(), directions=1, points=5)
    length = net.weight.norm().item()
    np.testing.assert_allclose(told.losses, (told.steps * length) ** 2 / 4, rtol=1e-4, atol=1e-9)
    assert told.centre == pytest.approx(0, abs=1e-12)


def test_the_boundary_of_a_line_is_that_line() -> None:
    net = nn.Linear(2, 2)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
        net.bias[:] = torch.tensor([0.0, 0.5])
    told = explain.boundary(net, torch.tensor([[-1.0, -1.0], [1.0, 2.0]]), points=30)
    right = told.x[None] - 2 * told.y[:, None] + 0.5 > 0
    np.testing.assert_array_equal(told.answers.argmax(2) == 1, right)


def test_histories_keep_shares_and_places() -> None:
    def look(step: int, low: float, high: float) -> Measured:
        layer = {"name": "a", "histogram": [1] * 20, "low": low, "high": high}
        weight = {"name": "a.weight", "dims": 2, "weight": float(step)}
        return Measured(0, step, 0.1, {}, [layer], [weight], [])

    told = explain.history([look(1, 0, 1), look(2, 0, 4)], bins=8)
    np.testing.assert_allclose(told.shares[0], [0.5, 0.5, 0, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(told.shares[1], [0.125] * 8, atol=1e-6)
    assert told.sizes.tolist() == [[1, 2]]
