"""A network opened as gates, against PyTorch's own autograd in float64: the output, the loss and every gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.glassbox import Opened, open_module

TOLERANCE = 1e-9


def same_as_autograd(
    net: nn.Module,
    x: Tensor | tuple[Tensor, ...],
    targets: Tensor,
    *,
    training: bool = False,
    loss: Callable[[Any, Tensor], Tensor] = F.cross_entropy,
    named: str = "auto",
) -> Opened:
    """Open, compare, and give back what was opened."""
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(11)
    state = torch.get_rng_state()
    opened = open_module(net, x, targets, loss=named, training=training)
    assert torch.equal(torch.get_rng_state(), state), "the random state is left as it was"
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items()), "the net is not touched"
    found = opened.graph.backward()

    twin = net.double().train(training)
    twin.zero_grad()
    several = tuple(
        each.double() if each.is_floating_point() else each for each in (x if isinstance(x, tuple) else (x,))
    )
    given = [each.clone().requires_grad_(each.is_floating_point()) for each in several]
    torch.manual_seed(11)
    outputs = twin(*given)
    first = outputs if isinstance(outputs, Tensor) else outputs[0]
    targets = targets.double() if targets.is_floating_point() else targets
    expected = loss(outputs, targets)
    expected.backward()

    close(opened.output.value, first, "output")
    close(opened.graph.output.value, expected, "loss")
    trained = {name: p.grad for name, p in twin.named_parameters() if p.grad is not None}
    inputs = [name for name in opened.values if name != "target"]
    trained |= {name: each.grad for name, each in zip(inputs, given, strict=True) if each.grad is not None}
    missing = {name for name in trained if name not in found and float(trained[name].abs().max()) > 0}
    assert missing == set()
    assert set(found) - {"target"} <= set(trained)
    for name, gradient in trained.items():
        if name in found:
            close(found[name], gradient, name)
    # Given the same values anew, the graph computes the same: nothing of it hangs on the tracing.
    again = opened.graph.forward(opened.values)
    close(again, expected, "loss, computed anew")
    return opened


def close(ours: np.ndarray[Any, Any] | None, theirs: Tensor, what: str) -> None:
    """Of one shape, and within 1e-9 of the largest number."""
    wanted = theirs.detach().numpy()
    assert ours is not None
    assert ours.shape == wanted.shape, what
    scale = max(1.0, float(np.abs(wanted).max(initial=0.0)))
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=TOLERANCE * scale, err_msg=what)
