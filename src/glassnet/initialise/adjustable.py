"""The layers whose scales can be set by looking at data, met in the order of a pass; and in words, which cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from glassnet.errors import ModelError

UNTOUCHED = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.Embedding, nn.EmbeddingBag)

Adjust = Callable[[nn.Module, Tensor], None]


def weights_of(layer: nn.Module) -> list[Tensor]:
    """The trained weights of a dense, convolutional (with a connection table too) or locally connected layer; of others none."""
    table = getattr(layer, "scale_maps", None)
    if callable(table):
        weights = list(layer.weights())  # type: ignore[operator]
    elif isinstance(layer, nn.Linear | _ConvNd) or hasattr(layer, "weight_groups"):
        weights = [layer._parameters.get("weight")]
    else:
        return []
    return weights if all(isinstance(w, Tensor) and w.requires_grad for w in weights) else []


def scale(layer: nn.Module, factors: Tensor) -> None:
    """Multiply the weights into each output channel by that channel's number, in place."""
    if callable(by_map := getattr(layer, "scale_maps", None)):
        by_map(factors)
        return
    (weight,) = weights_of(layer)
    if isinstance(layer, _ConvTransposeNd):  # (in, out / groups, kernel…)
        grouped = weight.view(layer.groups, -1, *weight.shape[1:])
        grouped.mul_(factors.reshape(layer.groups, 1, -1, *(1,) * (weight.dim() - 2)))
    elif isinstance(layer, nn.Linear | _ConvNd):
        weight.mul_(factors.reshape(-1, *(1,) * (weight.dim() - 1)))
    else:  # locally connected: (positions…, out, in, kernel…)
        kernel = layer.kernel_size
        assert isinstance(kernel, tuple)
        weight.mul_(factors.reshape(-1, *(1,) * (1 + len(kernel))))


def by_channel(layer: nn.Module, answers: Tensor) -> Tensor:
    """A layer's answers as (channels, batch · positions)."""
    return answers.movedim(-1 if isinstance(layer, nn.Linear) else 1, 0).flatten(1)


def in_order(net: nn.Module, inputs: Tensor, adjust: Adjust, *, further: bool = False) -> Tensor:
    """One pass in which each layer is adjusted to what reaches it, before its answer goes on.

    In evaluation mode: dropout is off, and batch norm uses the running averages it starts with, which change nothing.

    Args:
        net: any module that takes one tensor.
        inputs: a batch of preprocessed inputs (batch, …).
        adjust: called with a layer and what reaches it.
        further: run a network with further classifiers in training (``auxiliary_weight``) so that they get their inputs too.

    Returns:
        What the network answered, its own answer where there are several.
    """
    done: set[Tensor] = set()

    def hook(layer: nn.Module, arguments: tuple[Tensor, ...], answer: Tensor) -> Tensor:
        weight = weights_of(layer)[0]
        if weight in done:  # called before, or its weight serves two layers
            return answer
        done.add(weight)
        adjust(layer, arguments[0])
        adjusted: Tensor = layer.forward(arguments[0])
        return adjusted

    handles = [layer.register_forward_hook(hook) for layer in net.modules() if weights_of(layer)]
    place = next(net.parameters(), inputs)
    try:
        with evaluating(net, further=further):
            answers = net(inputs.to(place.device))
        own: Tensor = answers[0] if isinstance(answers, tuple) else answers
        return own
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def evaluating(net: nn.Module, *, further: bool = False) -> Iterator[None]:
    """Every module in evaluation mode; with ``further``, all but the outermost one of a network with further classifiers in training."""
    before = {module: module.training for module in net.modules()}
    try:
        for module in before:
            module.training = further and module is net and bool(getattr(net, "auxiliary_weight", 0))
        yield
    finally:
        for module, training in before.items():
            module.training = training


def check_finite(layer: nn.Module, figure: Tensor) -> None:
    """Refuse to go on with answers that are not finite.

    Raises:
        ModelError: so they are.
    """
    if not figure.isfinite():
        raise ModelError(
            "the starting weights cannot be fitted to the inputs",
            where=f"initialisation, {layer}",
            got="answers that are not finite",
            fix="standardise the inputs, or take an initialisation that does not look at them, such as he",
        )


def left_as_drawn(net: nn.Module) -> str:
    """In words, which trained weights no initialisation by data scales, and why; empty where there are none.

    Norm layers, embeddings, single numbers a channel (the coefficients of a subsampling, slopes) and biases are no such weights.
    """
    told = []
    for path, module in net.named_modules():
        own = [p for name, p in module.named_parameters(recurse=False) if p.dim() >= 2 and p.requires_grad]
        reason = getattr(module, "start_is_its_own", "")
        if isinstance(module, UNTOUCHED) or weights_of(module) or not (own or reason):
            continue
        if not reason:
            reason = _reason(module)
        told.append(f"{path or 'the network itself'} ({type(module).__name__}: {reason})")
    return ", ".join(told)


def _reason(module: nn.Module) -> str:
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        return "its gates and its steps through time share their inputs, so that no one scale fits"
    if isinstance(module, nn.MultiheadAttention):
        return "its answers are averages, whose spread its weights do not set"
    return "its answers need not be its weights times its inputs"
