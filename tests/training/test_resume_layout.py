"""An optimiser's memory is laid out like its parameters after it has been loaded, or fused steps would mix the weights up."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import nn

from glassnet.training.optimizers import make_optimizer
from glassnet.training.state import laid_out_alike


@pytest.mark.parametrize(("name", "options"), [("sgd", {"momentum": 0.9}), ("adamw", {})])
def test_a_step_after_loading_is_the_step_without_loading(name, options):
    def made():
        torch.manual_seed(0)
        net = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
        return net, make_optimizer(name, net, lr=0.1, weight_decay=0.0, options=options)

    def step(net, optimizer, seed):
        optimizer.zero_grad()
        x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
        net(x.contiguous(memory_format=torch.channels_last)).square().sum().backward()
        optimizer.step()

    whole, optimizer = made()
    step(whole, optimizer, 1)
    kept, weights = (
        copy.deepcopy(optimizer.state_dict()),
        {key: value.clone() for key, value in whole.state_dict().items()},
    )
    for memory in kept["state"].values():  # as a file gives it back
        memory.update({key: value.contiguous().clone() for key, value in memory.items() if torch.is_tensor(value)})
    file = io.BytesIO()
    torch.save(kept, file)
    step(whole, optimizer, 2)

    other, loaded = made()
    other.load_state_dict(weights)
    loaded.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    laid_out_alike(loaded)
    step(other, loaded, 2)
    assert torch.equal(whole.weight, other.weight)
