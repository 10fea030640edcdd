"""One pixel of a convolution's map taken apart into the window that it sees, the weights, and their products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from glassnet.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.model import Model


def window(model: Model, raw: Tensor, layer: str, channel: int, row: int, column: int) -> dict[str, Any]:
    """One pixel of a convolution's map taken apart: value = Σ over input channels and the k × k window of weight · input, + bias.

    Args:
        model: reads images.
        raw: uint8 (1, channels, height, width).
        layer: name of a 2D convolution.
        channel: of its output.
        row: of the pixel.
        column: of the pixel.

    Returns:
        ``channels``: of the input channels that add most, their window, weights, products and sum; ``rest``: what all others add; ``bias``;
        ``value``: the pixel as the network computed it.

    Raises:
        UsageError: no such convolution or pixel.
    """
    import torch
    from torch import nn
    from torch.nn.functional import pad

    from glassnet.explain.looking import looking
    from glassnet.explain.subject import subject

    module = dict(model.net.named_modules()).get(layer)
    if not isinstance(module, nn.Conv2d):
        raise UsageError(
            "this layer is no convolution",
            where="layer",
            got=layer[:80],
            expected="the name of a Conv2d of this network",
        )
    if module.padding_mode != "zeros":
        raise UsageError(
            "only convolutions that pad with zeros are taken apart",
            where=layer,
            got=module.padding_mode,
            expected="zeros",
        )
    told = subject(model, raw)
    kept: list[Tensor] = []
    handle = module.register_forward_hook(lambda _, given, out: kept.extend((given[0].detach(), out.detach())))
    try:
        with looking(model.net), torch.no_grad():
            told.answer(told.x)
    finally:
        handle.remove()
    given, out = kept[0][0], kept[1][0]  # (in, height, width), (out, height, width)
    if not (0 <= channel < out.shape[0] and 0 <= row < out.shape[1] and 0 <= column < out.shape[2]):
        raise UsageError(
            "there is no such pixel", got=f"map {channel}, row {row}, column {column}", expected=str(tuple(out.shape))
        )
    weights = module.weight[channel].detach()  # (in / groups, k, k)
    each = weights.shape[0]
    first = channel // (out.shape[0] // module.groups) * each
    padded = pad(given[first : first + each], module._reversed_padding_repeated_twice)
    (down, right), (dy, dx) = module.stride, module.dilation
    rows = row * down + dy * torch.arange(weights.shape[1])
    columns = column * right + dx * torch.arange(weights.shape[2])
    patch = padded[:, rows][:, :, columns]  # (in / groups, k, k)
    products = (patch * weights).double()
    sums = products.sum((1, 2))
    order = sums.abs().argsort(descending=True)[:4].tolist()
    bias = 0.0 if module.bias is None else float(module.bias[channel].detach())
    return {
        "layer": layer,
        "channel": channel,
        "row": row,
        "column": column,
        "channels": [
            {
                "input": first + at,
                "window": _rounded(patch[at]),
                "weights": _rounded(weights[at]),
                "products": _rounded(products[at]),
                "sum": float(sums[at]),
            }
            for at in order
        ],
        "count": each,
        "rest": float(sums.sum() - sums[order].sum()),
        "bias": bias,
        "value": float(out[channel, row, column]),
    }


def _rounded(values: Tensor) -> list[list[float]]:
    return [[float(f"{each:.4g}") for each in row] for row in values.tolist()]
