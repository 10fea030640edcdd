"""Attributions: sums, planted patches, independent slow references, Captum's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explain.nets import PLANTED, SIDE, images, patch_net, random_net
from glassnet.errors import UsageError
from glassnet.explain import grad_cam, integrated_gradients, occlusion, saliency
from glassnet.explain.attribution import columns_of
from glassnet.explain.subject import subject

PATCH = np.zeros((SIDE, SIDE), dtype=bool)
PATCH[PLANTED[0] : PLANTED[0] + 3, PLANTED[1] : PLANTED[1] + 3] = True
captum = pytest.importorskip("captum.attr")


def test_integrated_gradients_sum_to_the_difference_of_the_outputs() -> None:
    net, x = random_net().double().eval(), images().double()
    told = integrated_gradients(net, x, 2, steps=512)
    outputs = net(x)[:, 2] - net(torch.zeros_like(x))[:, 2]
    np.testing.assert_allclose(told.values.sum(axis=(1, 2)), outputs.detach().numpy(), atol=2e-3)
    assert abs(told.gap).max() < 2e-3
    assert abs(outputs).max() > 0.1


def test_integrated_gradients_of_a_quadratic_are_known_by_hand() -> None:
    class Squares(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x**2 * torch.tensor([1.0, 3.0])).sum(1, keepdim=True)

    told = integrated_gradients(Squares(), torch.tensor([[2.0, -1.0]]), 0, baseline=torch.tensor([[1.0, 0.0]]))
    np.testing.assert_allclose(told.values, [[4 - 1, 3.0]], rtol=1e-5)  # each term alone: f(x) − f(x′)


@pytest.mark.parametrize("method", [saliency, grad_cam, integrated_gradients, occlusion])
def test_every_method_finds_the_planted_patch(method) -> None:
    x = images().abs() + 0.2
    options = {"baseline": 0.0, "window": 3, "stride": 1} if method is occlusion else {}
    told = method(patch_net(), x, 1, **options)
    if method is grad_cam:  # its weights are means over the map, so that it can tell only how bright the map is
        x[:, 0, ~PATCH] = 0
        told = method(patch_net(), x, 1)
    for values in abs(told.values):
        assert values[PATCH].mean() > 3 * values[~PATCH].mean()
        assert PATCH.flatten()[values.argmax()]


def test_grad_cam_is_that_of_captum_and_of_its_formula() -> None:
    net, x = random_net().eval(), images()
    told = grad_cam(net, x, 1, layer="5")
    theirs = captum.LayerGradCam(net, net[5]).attribute(x, target=1, relu_attributions=True)
    theirs = captum.LayerAttribution.interpolate(theirs, (SIDE, SIDE), "bilinear")[:, 0].detach().numpy()
    np.testing.assert_allclose(told.values, theirs, atol=1e-6)
    assert told.values.max() > 0
    assert grad_cam(net, x).layer == "5", "the last layer with maps is chosen by itself"


def test_saliency_is_the_slope_of_the_output() -> None:
    net, x = random_net().double().eval(), images(1).double()
    told = saliency(net, x, 0)
    h = 1e-6
    for i, j in ((0, 0), (5, 7), (11, 3)):
        up, down = x.clone(), x.clone()
        up[0, 0, i, j] += h
        down[0, 0, i, j] -= h
        slope = (net(up)[0, 0] - net(down)[0, 0]).item() / (2 * h)
        assert told.values[0, i, j] == pytest.approx(abs(slope), abs=1e-6)


def test_occlusion_is_that_of_a_slow_loop() -> None:
    net, x = random_net().eval(), images(2)
    told = occlusion(net, x, 1, window=4, stride=4, baseline=0.0)
    with torch.no_grad():
        whole = net(x)[:, 1]
        for top in range(0, SIDE, 4):
            for left in range(0, SIDE, 4):
                hidden = x.clone()
                hidden[:, :, top : top + 4, left : left + 4] = 0
                fall = (whole - net(hidden)[:, 1]).numpy()
                for row in range(2):
                    np.testing.assert_allclose(told.values[row, top : top + 4, left : left + 4], fall[row], atol=1e-5)


def test_columns_of_a_linear_model_get_weight_times_value() -> None:
    net = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        net.weight[:] = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.0, 1.0]])
    x = torch.tensor([[3.0, 1.0, 4.0]])
    for method in (integrated_gradients, occlusion):
        told = method(net, x, 0)
        np.testing.assert_allclose(told.values, [[3.0, -2.0, 2.0]], rtol=1e-5)
        assert told.columns == ("x1", "x2", "x3")
    assert columns_of(subject(net, x))[1].tolist() == [0, 1, 2]


def test_what_cannot_be_meant_is_told() -> None:
    with pytest.raises(UsageError, match="no such output"):
        saliency(random_net(), images(), 7)
    with pytest.raises(UsageError, match="for images"):
        grad_cam(nn.Linear(3, 2), torch.ones(1, 3))
    with pytest.raises(UsageError, match="nothing to explain"):
        saliency(random_net(), images(0))
    with pytest.raises(UsageError, match="another shape"):
        integrated_gradients(random_net(), images(), baseline=torch.ones(5))


def test_a_missing_extra_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("glassnet.explain.captum.import_module", absent)
    with pytest.raises(UsageError, match=r"pip install 'glassnet\[explain\]'"):
        integrated_gradients(random_net(), images())
