"""Small dense networks without autograd: the same kernels in the same order, and none of the bookkeeping between them.

A step of a small perceptron on a CPU is a few dozen calls of kernels that take microseconds each; a third of its time goes into recording a graph
and walking back through it. Where a network is a chain of layers whose gradients are known by heart, they are called directly. Gradients are bit for
bit those of autograd (``tests/training/test_dense_chain.py``), so which way a step goes changes nothing but its time.

Anything that looks at or changes what passes between the layers (a hook, a frozen weight, a subclass, bfloat16) makes a step go the usual way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.modules import module as every_module

from glassnet.training.losses import Loss, cross_entropy

aten = torch.ops.aten
# What cross-entropy's kernels call the mean over a batch, and the class of samples that do not count.
MEAN, IGNORED = 1, -100
ONE = torch.ones(())  # the gradient of a loss with respect to itself


@runtime_checkable
class InOrder(Protocol):
    """A network whose input goes through some modules one after the other, and through nothing else."""

    def in_order(self) -> list[nn.Module]:
        """These modules."""
        ...


# What a layer says of x, and a function from the gradient of that to the gradient of x. The latter is asked for by ``inner``: the first layer of
# a network has no use for it.
Passed = tuple[Tensor, Callable[[Tensor, bool], Tensor]]


def _linear(layer: nn.Linear, x: Tensor) -> Passed:
    """Dense layer: y = x Wᵀ + b; ∂W = dᵀ x, ∂b = Σ d, ∂x = d W."""
    weight, bias = _own(layer, "weight"), layer._parameters["bias"]

    def back(d: Tensor, inner: bool) -> Tensor:
        weight.grad = d.t().mm(x)
        if bias is not None:
            bias.grad = d.sum(0)
        return d.mm(weight) if inner else d

    return (x.mm(weight.t()) if bias is None else torch.addmm(bias, x, weight.t())), back


def _own(layer: nn.Module, name: str) -> Tensor:
    """A parameter, not by way of ``nn.Module.__getattr__``, which takes half as long as a small product."""
    parameter = layer._parameters[name]
    assert parameter is not None
    return parameter


def _batch_norm(layer: nn.BatchNorm1d, x: Tensor) -> Passed:
    """Batch norm: y = γ (x − μ) / √(σ² + ε) + β with the batch's own μ and σ², which also move the running ones."""
    if layer.num_batches_tracked is not None:
        layer.num_batches_tracked.add_(1)
    moved = layer.running_mean, layer.running_var
    assert layer.momentum is not None
    y, mean, scale = torch.native_batch_norm(x, layer.weight, layer.bias, *moved, True, layer.momentum, layer.eps)

    def back(d: Tensor, inner: bool) -> Tensor:
        wanted = [inner, True, True]
        x_, weight, bias = aten.native_batch_norm_backward(
            d, x, layer.weight, *moved, mean, scale, True, layer.eps, wanted
        )
        layer.weight.grad, layer.bias.grad = weight, bias
        return x_ if inner else d

    return y, back


def _dropout(layer: nn.Dropout, x: Tensor) -> Passed:
    """Dropout: y = x m / (1 − p), m ~ Bernoulli(1 − p), drawn as ``nn.Dropout`` draws it."""
    if layer.p == 0:
        return x, lambda d, inner: d
    mask = torch.empty_like(x).bernoulli_(1 - layer.p).div_(1 - layer.p)
    return x * mask, lambda d, inner: d * mask


def _relu(layer: nn.Module, x: Tensor) -> Passed:
    """ReLU: y = max(x, 0); ∂x = d where y > 0."""
    y = x.relu()
    return y, lambda d, inner: aten.threshold_backward(d, y, 0)


def _tanh(layer: nn.Module, x: Tensor) -> Passed:
    """Hyperbolic tangent: y = tanh x; ∂x = d (1 − y²)."""
    y = x.tanh()
    return y, lambda d, inner: aten.tanh_backward(d, y)


def _sigmoid(layer: nn.Module, x: Tensor) -> Passed:
    """Logistic function: y = 1 / (1 + e⁻ˣ); ∂x = d y (1 − y)."""
    y = x.sigmoid()
    return y, lambda d, inner: aten.sigmoid_backward(d, y)


def _same(layer: nn.Module, x: Tensor) -> Passed:
    """Identity."""
    return x, lambda d, inner: d


KNOWN: dict[type[nn.Module], Callable[[Any, Tensor], Passed]] = {
    nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm,
    nn.Dropout: _dropout,
    nn.ReLU: _relu,
    nn.Tanh: _tanh,
    nn.Sigmoid: _sigmoid,
    nn.Identity: _same,
}


class DenseChain:
    """A network as the list of its layers, the first of which that has weights is ``nn.Linear``.

    Args:
        net: the network, of which nothing is copied.
        layers: what its input goes through, one after the other.
    """

    def __init__(self, net: nn.Module, layers: list[nn.Module]) -> None:
        self.modules = list(net.modules())
        self.parameters = list(net.parameters())
        first = next(place for place, layer in enumerate(layers) if type(layer) is nn.Linear)
        self.layers = [(layer, KNOWN[type(layer)]) for layer in layers[first:]]
        self.flattens = any(isinstance(layer, nn.Flatten) for layer in layers[:first])
        self.inputs: int = layers[first].in_features  # type: ignore[assignment]

    def takes(self, inputs: Tensor) -> bool:
        """Whether these inputs can go this way in training, and nobody looks at or changes what passes between the layers now."""
        if every_module._global_forward_hooks or every_module._global_forward_pre_hooks:
            return False
        for m in self.modules:
            if m._forward_hooks or m._forward_pre_hooks or m._backward_hooks or m._backward_pre_hooks or not m.training:
                return False
        for p in self.parameters:
            if p._backward_hooks or p._post_accumulate_grad_hooks or not p.requires_grad:
                return False
        fits = inputs.shape[1:].numel() == self.inputs  # of another size the usual way complains
        return fits and inputs.dtype == torch.float32 and (inputs.ndim == 2 or self.flattens)

    @torch.no_grad()
    def learn(self, inputs: Tensor, targets: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
        """The loss of a batch, a scalar, and what the network said. Its gradients lie in ``grad`` afterwards, in place of what was there."""
        x, backs = inputs.flatten(1), list[Callable[[Tensor, bool], Tensor]]()
        for layer, passed in self.layers:
            x, back = passed(layer, x)
            backs.append(back)
        value, d = _of_classes(x, targets) if _is_plain(loss, targets) else _of(loss, x, targets)
        for place in range(len(backs) - 1, -1, -1):
            d = backs[place](d, place > 0)
        return value, x


def _is_plain(loss: Loss, targets: Tensor) -> bool:
    """Whether it is cross-entropy with class indices, and without options."""
    if isinstance(loss, partial) and not loss.args and not any(loss.keywords.values()):
        loss = loss.func
    return loss is cross_entropy and targets.ndim == 1 and targets.dtype == torch.int64


def _of_classes(said: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy and its gradient, (softmax − one-hot) / samples, by the kernels that autograd calls."""
    logs = torch._log_softmax(said, 1, False)
    value, weight = aten.nll_loss_forward(logs, targets, None, MEAN, IGNORED)
    d = aten.nll_loss_backward(ONE, logs, targets, None, MEAN, IGNORED, weight)
    return value, torch._log_softmax_backward_data(d, logs, 1, said.dtype)


@torch.enable_grad()
def _of(loss: Loss, said: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Any loss, and its gradient by autograd."""
    asked = said.detach().requires_grad_()
    value = loss(asked, targets)
    value.backward()  # type: ignore[no-untyped-call]
    assert asked.grad is not None, "a loss depends on what the network said"
    return value.detach(), asked.grad


def dense_chain(net: nn.Module) -> DenseChain | None:
    """The network as a chain, or None where it is another kind of network, or lies elsewhere than in float32 on the CPU."""
    layers = _layers(net)
    if layers is None or not any(type(layer) is nn.Linear for layer in layers):
        return None
    first = [type(layer) is nn.Linear for layer in layers].index(True)
    known = all(_reshapes(layer) for layer in layers[:first]) and all(_known(layer) for layer in layers[first:])
    own = [id(p) for layer in layers for p in layer.parameters(recurse=False)]
    every = list(net.parameters())  # one that occurs twice is told once: its two gradients would have to be summed
    fits = all(p.device.type == "cpu" and p.dtype == torch.float32 for p in every)
    return DenseChain(net, layers) if known and fits and own == [id(p) for p in every] else None


def _reshapes(layer: nn.Module) -> bool:
    flattens = isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1)
    return flattens or type(layer) is nn.Identity


def _known(layer: nn.Module) -> bool:
    if type(layer) is nn.BatchNorm1d:
        return layer.affine and layer.track_running_stats and layer.momentum is not None
    return type(layer) in KNOWN


def _layers(net: nn.Module) -> list[nn.Module] | None:
    """The leaves that an input goes through, where the network says so."""
    if type(net) is nn.Sequential:
        inner = list(net)
    elif isinstance(net, InOrder):
        inner = net.in_order()
    else:
        return None if list(net.children()) else [net]
    found: list[nn.Module] = []
    for module in inner:
        leaves = _layers(module)
        if leaves is None:
            return None
        found += leaves
    return found
