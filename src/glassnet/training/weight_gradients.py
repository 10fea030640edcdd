"""Weight gradients of convolutions as one product of matrices, where the library is slow at them.

The gradient of a convolution's weights sums over every place of every map of the batch: with the windows of the input as the rows of a matrix X
(im2col; Chellapilla et al. 2006, section 2) and the gradients of the outputs as the rows of D it is Dᵀ X. oneDNN blocks the loops over the places instead, and in bfloat16 reaches a tenth of the
machine's speed where there are few places and many channels: 512 channels on maps of 4×4 take 41 ms, as a product 8 ms. On large maps laying the windows out costs more than it saves.
Outputs, and gradients of inputs, are the library's in any case, so nothing changes but how the sums are rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

aten = torch.ops.aten

MOST_PLACES = 0.3
"""Places of a map for each input channel up to which windows larger than 1×1 are laid out. Measured in bfloat16 on a processor with AMX (docs/speed.md):
at 64, 128, 256 and 512 channels the product wins up to 4×4, 7×7, 8×8 and 12×12."""


def pays(inputs: Tensor, weight: Tensor, stride: tuple[int, int], padding: tuple[int, int]) -> bool:
    """Whether the product is the faster way for a convolution of these shapes; for kernels of 1×1, which have nothing to lay out, it is always.

    Args:
        inputs: (batch, channels, height, width).
        weight: (out_channels, channels, rows, columns).
        stride: of the windows, downwards and to the right.
        padding: zeros on each side, likewise.
    """
    rows, columns = weight.shape[2:]
    if rows == columns == 1:
        return padding == (0, 0)
    places = ((inputs.shape[2] + 2 * padding[0] - rows) // stride[0] + 1) * (
        (inputs.shape[3] + 2 * padding[1] - columns) // stride[1] + 1
    )
    return places <= MOST_PLACES * weight.shape[1]


def weight_gradient(
    inputs: Tensor, gradient: Tensor, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> Tensor:
    """The sum over all samples n and places p of gradient[n, o, p] · inputs[n, c, stride · p + k − padding], for all o, c and k.

    Args:
        inputs: (batch, channels, height, width), fastest with channels last in memory.
        gradient: (batch, out_channels, rows, columns), of the loss by the convolution's outputs.
        kernel: rows and columns of the windows.
        stride: of the windows, downwards and to the right.
        padding: zeros on each side, likewise.

    Returns:
        (out_channels, channels, *kernel), channels last.
    """
    down, right = padding
    padded = F.pad(inputs, (right, right, down, down)) if down or right else inputs
    by_place = padded.permute(0, 2, 3, 1)
    sample, row, column, channel = by_place.stride()
    count, out_channels, rows, columns = gradient.shape
    windows = by_place.as_strided(
        (count, rows, columns, *kernel, by_place.shape[3]),
        (sample, row * stride[0], column * stride[1], row, column, channel),
    )
    places = count * rows * columns
    outer = gradient.permute(0, 2, 3, 1).reshape(places, out_channels)
    product = outer.t() @ windows.reshape(places, -1)
    return product.view(out_channels, *kernel, -1).permute(0, 3, 1, 2)


class _Convolution(Function):
    """A convolution whose weight gradient is one product."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None, stride: tuple[int, int], padding: tuple[int, int]
    ) -> Tensor:
        ctx.save_for_backward(inputs, weight)
        ctx.stride, ctx.padding = stride, padding
        return torch.conv2d(inputs, weight, bias, stride, padding)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None, None]:
        (gradient,), (inputs, weight) = gradients, ctx.saved_tensors
        for_inputs, for_weight, for_bias, *_ = ctx.needs_input_grad
        of_inputs, _, of_bias = aten.convolution_backward(
            gradient, inputs, weight, [len(weight)] if for_bias else None, ctx.stride, ctx.padding,
            [1, 1], False, [0, 0], 1, [for_inputs, False, for_bias],
        )  # fmt: skip
        kernel = weight.shape[2], weight.shape[3]
        of_weight = weight_gradient(inputs, gradient, kernel, ctx.stride, ctx.padding) if for_weight else None
        return of_inputs, of_weight, of_bias, None, None


class AsProducts(TorchFunctionMode):
    """A context in which convolutions of images under autocast to bfloat16 on the CPU get their weight gradients as products, where that :func:`pays`.

    Attributes:
        taken: convolutions of which that was so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: int = 0

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if function is torch.conv2d and not kwargs and _is_plain(*args):
            inputs, weight, bias, stride, padding, *_ = args
            if pays(inputs, weight, stride, padding):
                self.taken += 1
                low = [None if each is None else each.to(torch.bfloat16) for each in (inputs, weight, bias)]
                return _Convolution.apply(*low, stride, padding)  # type: ignore[no-untyped-call]
        return function(*args, **(kwargs or {}))


def _is_plain(
    inputs: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = None,
    padding: Any = None,
    dilation: Any = None,
    groups: Any = None,
) -> bool:
    """As ``nn.Conv2d`` calls it, on one group, without holes, where autocast would take bfloat16 and a gradient of the weights is wanted."""
    return (
        (dilation, groups) == ((1, 1), 1)
        and isinstance(stride, tuple)
        and isinstance(padding, tuple)
        and inputs.ndim == 4
        and inputs.device.type == "cpu"
        and weight.requires_grad
        and torch.is_grad_enabled()
        and torch.is_autocast_enabled("cpu")
        and torch.get_autocast_dtype("cpu") is torch.bfloat16
    )
