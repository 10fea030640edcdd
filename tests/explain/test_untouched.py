"""A look leaves no trace: weights, buffers, modes, gradients, random states, hooks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explain.nets import Fails, images, random_net
from glassnet import explain
from glassnet.explain.subject import subject

TARGETS = torch.tensor([0, 1, 2, 0])
LOOKS = {
    "maps": lambda net, x: explain.feature_maps(net, x),
    "saliency": lambda net, x: explain.saliency(net, x, samples=3),
    "grad_cam": lambda net, x: explain.grad_cam(net, x),
    "maximise": lambda net, x: explain.maximise(net, x, [0, 1], steps=3),
    "maximise a layer": lambda net, x: explain.maximise(net, x, [0], layer="4", steps=2),
    "neighbours": lambda net, x: explain.neighbours(net, x, x),
    "worst": lambda net, x: explain.worst(net, x, TARGETS),
    "robustness": lambda net, x: explain.robustness(net, x, TARGETS),
    "equivariance": lambda net, x: explain.equivariance(net, x),
    "loss_slice": lambda net, x: explain.loss_slice(net, x, TARGETS, points=3),
    "filters": lambda net, x: explain.filters(net),
    "integrated_gradients": lambda net, x: explain.integrated_gradients(net, x),
    "occlusion": lambda net, x: explain.occlusion(net, x),
}


def hooks(net: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in net.modules())


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_bit_for_bit_what_it_was(name: str, training: bool) -> None:
    if name in ("integrated_gradients", "occlusion"):
        pytest.importorskip("captum")
    net, x = random_net().train(training), images()
    before, given = random_net().train(training), x.clone()
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()
    LOOKS[name](net, x)
    assert torch.equal(x, given)
    assert not x.requires_grad
    for (key, now), (_, then) in zip(net.state_dict().items(), before.state_dict().items(), strict=True):
        assert torch.equal(now, then), key
    for now, then in zip(net.parameters(), before.parameters(), strict=True):
        assert now.requires_grad == then.requires_grad
        assert (now.grad is None) == (then.grad is None)
        assert now.grad is None or torch.equal(now.grad, then.grad)
    assert [m.training for m in net.modules()] == [m.training for m in before.modules()]
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]
    assert hooks(net) == 0


@pytest.mark.parametrize("name", sorted(set(LOOKS) - {"filters"}))
def test_no_hook_survives_an_exception(name: str) -> None:
    net = random_net().train()
    net.insert(6, Fails())
    with pytest.raises(RuntimeError, match="on purpose"):
        LOOKS[name](net, images())
    assert hooks(net) == 0
    assert all(module.training for module in net.modules())
    assert [p.requires_grad for p in net.parameters()] == [p.requires_grad for p in random_net().parameters()]


def test_operations_in_place_do_not_change_what_was_seen() -> None:
    net, x = random_net().eval(), images()
    seen = {layer.name: layer.values for layer in explain.feature_maps(net, x, "all").layers}
    norm = net[1](net[0](x)).detach().numpy()
    assert (norm < 0).any()
    np.testing.assert_allclose(seen["1"], norm, atol=1e-6)
    np.testing.assert_allclose(seen["2"], norm.clip(0), atol=1e-6)


def test_a_module_called_twice_is_seen_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(self.layer(x))

    net, x = Twice(), torch.ones(1, 2)
    told = explain.feature_maps(net, x)
    assert [layer.name for layer in told.layers] == ["layer", "layer (2)"]
    np.testing.assert_allclose(told.layers[1].values, net(x).detach().numpy())
    assert subject(net, x).names == ("[0]",)
