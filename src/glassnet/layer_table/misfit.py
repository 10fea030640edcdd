"""Why an input does not fit a layer, in words, with the numbers and the line to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

BATCH_NORMS = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}  # by the input's dimensions
PLAIN_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Misfit(NamedTuple):
    """What a layer expected and what it got.

    Attributes:
        expected: what would have fitted; None where no rule knows.
        got: what came in, or the layer's own complaint.
        fix: what to write instead; None where no rule knows.
    """

    expected: str | None
    got: str
    fix: str | None


def explain(module: nn.Module, inputs: Sequence[tuple[int, ...]], error: Exception) -> Misfit:
    """Why a layer raised an error.

    Args:
        module: the layer.
        inputs: shapes of the tensors that came in, batch first.
        error: what it raised.
    """
    shape = inputs[0] if inputs else ()
    found: Misfit | None = None
    if len(shape) < 2:
        pass
    elif isinstance(module, nn.Linear):
        found = _linear(module, shape)
    elif isinstance(module, PLAIN_CONVOLUTIONS):
        found = _convolution(module, shape)
    elif isinstance(module, _BatchNorm):
        found = _batch_norm(module, shape)
    elif isinstance(module, nn.LayerNorm):
        found = _layer_norm(module, shape)
    elif isinstance(module, nn.RNNBase):
        found = _recurrent(module, shape)
    elif isinstance(module, nn.Embedding) and "scalar types" in str(error):
        found = Misfit(
            "whole numbers",
            "float32, as which arrays are handed over",
            "turn them back within forward: self.embedding(x.long())",
        )
    elif "Pool" in type(module).__name__ and "too small" in str(error):
        found = Misfit(
            "larger maps",
            f"maps of {_times(shape[2:])}",
            "take a larger input, or leave out one of the poolings before it",
        )
    return found or Misfit(None, f"an input of {_times(shape[1:])}; its answer: {_first_line(error)}", None)


def _linear(module: nn.Linear, shape: tuple[int, ...]) -> Misfit | None:
    features, outputs = module.in_features, module.out_features
    if shape[-1] == features:
        return None
    bias = "" if module.bias is not None else ", bias=False"
    if len(shape) == 2:
        return Misfit(f"{features} features", str(shape[-1]), f"use nn.Linear({shape[-1]}, {outputs}{bias})")
    inner = prod(shape[1:])
    got = f"{_times(shape[1:])}, not flattened"
    if inner == features:
        return Misfit(f"{features} features", got, "put nn.Flatten() before it")
    return Misfit(f"{features} features", got, f"use nn.Flatten() and nn.Linear({inner}, {outputs}{bias})")


def _convolution(module: _ConvNd, shape: tuple[int, ...]) -> Misfit | None:
    spatial = len(module.kernel_size)
    if len(shape) != spatial + 2:
        names = ("channels", "height", "width") if spatial == 2 else ("channels", *("positions",) * spatial)
        return Misfit(f"inputs of {'×'.join(names)}", _times(shape[1:]), None)
    if shape[1] != module.in_channels:
        kernel = module.kernel_size[0] if len(set(module.kernel_size)) == 1 else module.kernel_size
        fix = f"use nn.{type(module).__name__}({shape[1]}, {module.out_channels}, {kernel}, …)"
        return Misfit(f"{module.in_channels} channels", str(shape[1]), fix)
    if isinstance(module.padding, str):
        return None
    extents = [(size - 1) * gap + 1 for size, gap in zip(module.kernel_size, module.dilation, strict=True)]
    least = [max(1, extent - 2 * int(pad)) for extent, pad in zip(extents, module.padding, strict=True)]
    if any(size < needed for size, needed in zip(shape[2:], least, strict=True)):
        fix = "take a larger input, a smaller kernel, more padding, or one pooling fewer before it"
        return Misfit(f"maps of at least {_times(least)}", _times(shape[2:]), fix)
    return None


def _batch_norm(module: _BatchNorm, shape: tuple[int, ...]) -> Misfit | None:
    kind = type(module).__name__
    right = BATCH_NORMS.get(len(shape), kind)
    if kind in BATCH_NORMS.values() and kind != right:
        dimensions = " or ".join(str(count - 1) for count, name in BATCH_NORMS.items() if name == kind)
        return Misfit(f"inputs of {dimensions} dimensions", _times(shape[1:]), f"use nn.{right}({shape[1]})")
    if shape[1] != module.num_features:
        return Misfit(f"{module.num_features} channels", str(shape[1]), f"use nn.{kind}({shape[1]})")
    return None


def _layer_norm(module: nn.LayerNorm, shape: tuple[int, ...]) -> Misfit | None:
    size = tuple(module.normalized_shape)
    if shape[-len(size) :] == size:
        return None
    fix = f"use nn.LayerNorm({shape[-1]})" if len(size) == 1 else None
    return Misfit(f"inputs that end in {_times(size)}", _times(shape[1:]), fix)


def _recurrent(module: nn.RNNBase, shape: tuple[int, ...]) -> Misfit | None:
    if shape[-1] == module.input_size:
        return None
    fix = f"use nn.{type(module).__name__}({shape[-1]}, {module.hidden_size}, …)"
    return Misfit(f"{module.input_size} features", str(shape[-1]), fix)


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].removesuffix(".")
