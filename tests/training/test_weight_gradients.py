"""Weight gradients as products: those of the library, and only where they are wanted."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.training.losses import cross_entropy
from glassnet.training.plan import Plan
from glassnet.training.state import State
from glassnet.training.step import optimise
from glassnet.training.weight_gradients import AsProducts, pays, weight_gradient

SHAPES = [
    # batch, channels, height, width, out_channels, kernel, stride, padding
    (3, 64, 4, 4, 8, (3, 3), (1, 1), (1, 1)),
    (2, 70, 5, 4, 6, (3, 3), (1, 1), (1, 1)),
    (2, 64, 9, 7, 5, (3, 3), (2, 2), (1, 1)),
    (2, 100, 6, 9, 4, (2, 4), (2, 3), (0, 2)),
    (4, 5, 6, 7, 3, (1, 1), (1, 1), (0, 0)),
    (4, 5, 7, 6, 3, (1, 1), (2, 2), (0, 0)),
    (1, 200, 3, 3, 2, (3, 3), (1, 1), (0, 0)),
]


@pytest.mark.parametrize("last", [True, False], ids=["channels-last", "channels-first"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_product_is_the_gradient_of_the_weights(shape: tuple[int, ...], last: bool) -> None:
    batch, channels, height, width, outs, kernel, stride, padding = shape
    generator = torch.Generator().manual_seed(0)
    layout = torch.channels_last if last else torch.contiguous_format
    inputs = torch.randn(batch, channels, height, width, generator=generator, dtype=torch.float64)
    inputs = inputs.contiguous(memory_format=layout)
    weight = torch.randn(outs, channels, *kernel, generator=generator, dtype=torch.float64, requires_grad=True)  # type: ignore[misc]
    outputs = F.conv2d(inputs, weight, stride=stride, padding=padding)  # type: ignore[call-overload]
    gradient = torch.randn(outputs.shape, generator=generator, dtype=torch.float64).contiguous(memory_format=layout)
    (expected,) = torch.autograd.grad(outputs, weight, gradient)
    found = weight_gradient(inputs, gradient, kernel, stride, padding)  # type: ignore[arg-type]
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


class Some(nn.Module):
    """A convolution that gains, one of 1×1, one on too large a map, one of groups, one with holes, one that pads by name, one that is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.large = nn.Conv2d(2, 64, 3, padding=1)
        self.small = nn.Conv2d(64, 64, 3, stride=2)
        self.pointwise = nn.Conv2d(64, 80, 1, bias=False)
        self.groups = nn.Conv2d(80, 80, 3, padding=1, groups=2)
        self.holes = nn.Conv2d(80, 80, 3, padding=2, dilation=2)
        self.named = nn.Conv2d(80, 80, 3, padding="same")
        self.frozen = nn.Conv2d(80, 80, 3, padding=1)
        self.frozen.requires_grad_(False)
        self.last = nn.Linear(80, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pointwise(self.small(self.large(x).relu()).relu()).relu()
        x = self.frozen(self.named(self.holes(self.groups(x).relu()).relu()).relu())
        return self.last(x.mean((2, 3)))  # type: ignore[no-any-return]


def gradients(module: nn.Module, inputs: Tensor, products: bool) -> tuple[dict[str, Tensor], int]:
    module.zero_grad()
    context = AsProducts() if products else nullcontext()
    with torch.autocast("cpu", torch.bfloat16), context:
        outputs = module(inputs)
    F.cross_entropy(outputs.float(), torch.tensor([0, 1, 2, 0])).backward()
    found = {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}
    return found, context.taken if isinstance(context, AsProducts) else 0


def batch() -> Tensor:
    return torch.randn(4, 2, 9, 9, generator=torch.Generator().manual_seed(1)).contiguous(
        memory_format=torch.channels_last
    )


def test_all_gradients_are_the_library_s_to_rounding_and_of_the_weights_type() -> None:
    torch.manual_seed(0)
    module = Some().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = batch().requires_grad_()
    library, _ = gradients(module, inputs, products=False)
    assert inputs.grad is not None
    of_inputs = inputs.grad.clone()
    inputs.grad = None
    product, taken = gradients(module, inputs, products=True)
    assert taken == 2, "the small one and the pointwise one"
    assert product.keys() == library.keys()
    assert torch.equal(inputs.grad, of_inputs), "what is not a weight's gradient is the library's own"
    for name, expected in library.items():
        assert product[name].dtype == expected.dtype == torch.float32
        scale = expected.abs().max()
        assert (product[name] - expected).abs().max() <= 0.01 * scale, name


def test_nothing_is_taken_in_float32_nor_without_gradients() -> None:
    module = Some()
    with AsProducts() as seen:
        module(batch())
    assert seen.taken == 0
    with AsProducts() as seen, torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        module(batch())
    assert seen.taken == 0


def test_it_pays_for_few_places_and_many_channels() -> None:
    def asked(channels: int, side: int, kernel: int, padding: int) -> bool:
        weight = torch.empty(4, channels, kernel, kernel)
        return pays(torch.empty(1, channels, side, side), weight, (1, 1), (padding, padding))

    assert [side for side in range(1, 20) if asked(64, side, 3, 1)] == [1, 2, 3, 4]
    assert [side for side in range(1, 20) if asked(512, side, 3, 1)] == list(range(1, 13))
    assert asked(1, 200, 1, 0)
    assert not asked(1, 200, 1, 1), "padding a map for one pixel is nothing to lay out"


def test_a_step_makes_products_where_the_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from glassnet.training import weight_gradients

    made: list[Tensor] = []

    def counted(*arguments: object) -> Tensor:
        made.append(weight_gradient(*arguments))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(weight_gradients, "weight_gradient", counted)
    for products in (False, True):
        plan = Plan(
            cross_entropy,
            lambda net: torch.optim.SGD(net.parameters(), lr=0.1),
            epochs=1,
            precision="bfloat16",
            weight_gradients="products" if products else "library",
        )
        optimise(State(Some(), plan), plan, batch(), torch.tensor([0, 1, 2, 0]))
        assert len(made) == 2 * products
