"""Faults in the net: (net, strength) -> net. Mistakes as people make them in a module of their own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.diagnosis.nets import last_dense

Spoiler = Callable[[nn.Module, float], nn.Module]


class Ended(nn.Module):
    """A net with one more module at its end."""

    def __init__(self, inner: nn.Module, end: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs)."""
        return self.end(self.inner(x))  # type: ignore[no-any-return]


def softmax_at_end(net: nn.Module, strength: float) -> nn.Module:
    """Softmax in the net, and once more within the loss."""
    return Ended(net, nn.Softmax(1))


def sigmoid_at_end(net: nn.Module, strength: float) -> nn.Module:
    """Sigmoids in place of logits."""
    return Ended(net, nn.Sigmoid())


def relu_at_end(net: nn.Module, strength: float) -> nn.Module:
    """The habit of a ReLU after every layer, the last one included."""
    return Ended(net, nn.ReLU())


def tanh_at_end(net: nn.Module, strength: float) -> nn.Module:
    """Tanh in place of logits."""
    return Ended(net, nn.Tanh())


class ExponentialEnd(nn.Module):
    """exp(s) / Σ exp(s) as it stands in the book, which overflows for s > 88, and the logarithm of that."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(batch, classes) → (batch, classes)."""
        powers = (self.factor * x).exp()
        return (powers / powers.sum(1, keepdim=True)).log()


def naive_softmax(net: nn.Module, strength: float) -> nn.Module:
    """Softmax and logarithm written by hand, without subtracting the largest; ``strength`` is a temperature's inverse."""
    return Ended(net, ExponentialEnd(strength))


class LogOfSoftmax(nn.Module):
    """log(softmax(s)): where a probability is rounded to zero, its logarithm is minus infinity."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """(batch, classes) → (batch, classes)."""
        return (self.factor * x).softmax(1).log()


def log_of_softmax(net: nn.Module, strength: float) -> nn.Module:
    """Softmax and logarithm one after the other; ``strength`` is a temperature's inverse."""
    return Ended(net, LogOfSoftmax(strength))


class LogOfInputs(nn.Module):
    """log(x + offset), which a few inputs are too small for."""

    def __init__(self, inner: nn.Module, offset: float) -> None:
        super().__init__()
        self.inner = inner
        self.offset = offset

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs)."""
        return self.inner((x + self.offset).log())  # type: ignore[no-any-return]


def log_of_inputs(net: nn.Module, strength: float) -> nn.Module:
    """Standardised inputs plus ``strength``, and the logarithm of that."""
    return LogOfInputs(net, strength)


@torch.no_grad()
def scale_head(net: nn.Module, strength: float) -> nn.Module:
    """Weights of the last dense layer multiplied."""
    last_dense(net).weight.mul_(strength)
    return net


@torch.no_grad()
def scale_weights(net: nn.Module, strength: float) -> nn.Module:
    """All weights of two dimensions or more multiplied."""
    for parameter in net.parameters():
        if parameter.dim() >= 2:
            parameter.mul_(strength)
    return net


@torch.no_grad()
def scale_recurrence(net: nn.Module, strength: float) -> nn.Module:
    """Recurrent weights multiplied."""
    for name, parameter in net.named_parameters():
        if "weight_hh" in name:
            parameter.mul_(strength)
    return net


@torch.no_grad()
def constant_weights(net: nn.Module, strength: float) -> nn.Module:
    """All weights have the same value: the units of a layer never part."""
    for parameter in net.parameters():
        parameter.fill_(strength if parameter.dim() >= 2 else 0.0)
    return net


@torch.no_grad()
def hidden_biases(net: nn.Module, strength: float) -> nn.Module:
    """Biases of all layers but the last moved."""
    layers = [module for module in net.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    for layer in layers[:-1]:
        assert layer.bias is not None
        layer.bias.add_(strength)
    return net


class IgnoresInput(nn.Module):
    """The wrong variable: the net is fed zeros in the input's shape."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs), the same for every input."""
        return self.inner(torch.zeros_like(x))  # type: ignore[no-any-return]


def ignores_input(net: nn.Module, strength: float) -> nn.Module:
    """What goes into the net is not what came."""
    return IgnoresInput(net)


class FirstState(nn.Module):
    """Answers from the state before the first input: the wrong one of the two things a recurrent layer returns."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, features) → (batch, outputs), the same for every input."""
        steps = x.squeeze(1) if x.ndim == 4 else x
        states, _ = self.inner.recurrent(torch.zeros_like(steps))  # type: ignore[operator]
        return self.inner.head(states[:, 0])  # type: ignore[no-any-return,operator]


def first_state(net: nn.Module, strength: float) -> nn.Module:
    """The head reads a state that has seen nothing."""
    return FirstState(net)


def norm_over_one(net: nn.Module, strength: float) -> nn.Module:
    """A norm over a single number, which is always zero after it: the hidden layer's answers are normalised one by one."""
    assert isinstance(net, nn.Sequential)
    *body, head = net
    return nn.Sequential(*body, nn.Unflatten(1, (-1, 1)), nn.LayerNorm(1), nn.Flatten(), head)


def batch_as_time(net: nn.Module, strength: float) -> nn.Module:
    """Recurrent layers made without ``batch_first=True`` that get the batch first all the same."""
    for module in net.modules():
        if isinstance(module, nn.RNNBase):
            module.batch_first = False
    return net


class MovedBackByReshape(nn.Module):
    """An axis is moved to the end for some step, and ``reshape`` is to bring it back: the shape is right, and each sample has numbers of others."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs)."""
        return self.inner(x.movedim(0, -1).reshape(x.shape))  # type: ignore[no-any-return]


def moved_back_by_reshape(net: nn.Module, strength: float) -> nn.Module:
    """``reshape`` where the axes had to be moved back."""
    return MovedBackByReshape(net)


def softmax_over_batch(net: nn.Module, strength: float) -> nn.Module:
    """A logarithm of softmax over the samples in place of the classes, ``dim=0``."""
    return Ended(net, nn.LogSoftmax(0))


class CentredByBatch(nn.Module):
    """x − mean(x) over the samples of the batch, in training and in evaluation."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …), in the same shape."""
        return x - x.mean(0)


def centred_by_batch(net: nn.Module, strength: float) -> nn.Module:
    """Answers as they differ from the batch's mean answer."""
    return Ended(net, CentredByBatch())


SPOILERS: dict[str, Spoiler] = {
    function.__name__.replace("_", "-"): function
    for function in (
        softmax_at_end,
        sigmoid_at_end,
        relu_at_end,
        tanh_at_end,
        naive_softmax,
        log_of_softmax,
        log_of_inputs,
        scale_head,
        scale_weights,
        scale_recurrence,
        constant_weights,
        hidden_biases,
        ignores_input,
        first_state,
        norm_over_one,
        batch_as_time,
        moved_back_by_reshape,
        softmax_over_batch,
        centred_by_batch,
    )
}
