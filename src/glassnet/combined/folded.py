"""Batch norm taken into the weights of the layer before it: one layer less to compute, and the same answers."""

from __future__ import annotations

import copy
import weakref
from collections import Counter, defaultdict
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
SAMPLES = 8  # of the example that must be answered as before
TOLERANCE = 1e-4  # how far answers may be from what they were, as a share of the largest


def fold(net: nn.Module, example: Tensor) -> int:
    """Take every batch norm into the convolution or dense layer whose output it alone reads; the network is changed.

    With w and b of the layer, μ, σ², γ and β of the batch norm: w' = w·γ/√(σ² + ε) and b' = (b − μ)·γ/√(σ² + ε) + β (Jacob et al. 2018,
    Quantization and Training of Neural Networks, eq. 14). Which follow each other is seen while the example passes, whatever the code of the network is.
    Where another reader of the layer's output was hidden, the answers change, and everything is put back.

    Args:
        net: a finished network in evaluation mode; a copy of its own, in float32.
        example: inputs as the network takes them; the first eight are used.

    Returns:
        How many were folded.
    """
    # Inference mode would not count how often a tensor was written to.
    with torch.inference_mode(mode=False), torch.no_grad():
        example = example[:SAMPLES].clone()
        pairs, before = _followers(net, example)
        places = {module: name for name, module in net.named_modules()}
        try:
            for layer, norm in pairs:
                net.set_submodule(places[layer], _joined(layer, norm))
                net.set_submodule(places[norm], nn.Identity())
            if not pairs or _same(before, net(example)):
                return len(pairs)
        except Exception:  # noqa: S110 - a network's own code may ask a batch norm for what an identity does not have
            pass
        for layer, norm in pairs:
            net.set_submodule(places[layer], layer)
            net.set_submodule(places[norm], norm)
    return 0


def _followers(net: nn.Module, example: Tensor) -> tuple[list[tuple[Any, Any]], object]:
    """Layers and the batch norms that read their outputs, whenever either is called; and the network's answer."""
    # Outputs, how often each had been written to, and whose it is.
    made: list[tuple[weakref.ref[Tensor], int, nn.Module]] = []
    calls: Counter[nn.Module] = Counter()
    read: defaultdict[nn.Module, list[nn.Module | None]] = defaultdict(list)

    def layer_made(module: nn.Module, _: object, output: Tensor) -> None:
        calls[module] += 1
        made.append((weakref.ref(output), output._version, module))

    def norm_reads(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        found = [maker for output, version, maker in made if output() is inputs[0] and inputs[0]._version == version]
        read[module].append(found[0] if found else None)

    hooks = [
        module.register_forward_hook(layer_made)
        for module in net.modules()
        if isinstance(module, (*CONVOLUTIONS, nn.Linear)) and not is_parametrized(module)
    ]
    hooks += [module.register_forward_pre_hook(norm_reads) for module in net.modules() if _foldable(module)]
    try:
        answer = net(example)
    finally:
        for hook in hooks:
            hook.remove()
    pairs = [
        (makers[0], norm)
        for norm, makers in read.items()
        if makers[0] is not None and len(set(makers)) == 1 and calls[makers[0]] == len(makers)
    ]
    return pairs, answer


def _joined(layer: Any, norm: Any) -> nn.Module:
    """The layer with the batch norm in its weights, which are computed in float64."""
    scale = torch.rsqrt(norm.running_var.double() + norm.eps)
    shift = -norm.running_mean.double() if layer.bias is None else layer.bias.double() - norm.running_mean.double()
    if norm.affine:
        scale = scale * norm.weight
    shift = shift * scale + (norm.bias if norm.affine else 0.0)
    joined: nn.Module = copy.deepcopy(layer)
    weight = layer.weight.double() * scale.reshape(-1, *[1] * (layer.weight.ndim - 1))
    kind = layer.weight.dtype
    joined.weight, joined.bias = nn.Parameter(weight.to(kind)), nn.Parameter(shift.to(kind))
    return joined


def _foldable(module: nn.Module) -> bool:
    return type(module) in NORMS and module.running_mean is not None and not module.training


def _same(before: object, after: object) -> bool:
    if isinstance(before, Tensor) and isinstance(after, Tensor):
        apart = (before.float() - after.float()).abs().max()
        return bool(apart <= TOLERANCE * before.float().abs().max().clamp_min(1e-12))
    if isinstance(before, tuple | list) and isinstance(after, tuple | list):
        return all(_same(one, other) for one, other in zip(before, after, strict=True))
    return before is after
