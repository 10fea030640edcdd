"""What is done to gradients and weights: penalties, clipping, averages, noise, max-norm."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from glassnet.errors import UsageError
from glassnet.training.averaging import Averager, make_averager, refresh_statistics, swa_begin
from glassnet.training.clipping import Clip
from glassnet.training.max_norm import MaxNorm
from glassnet.training.noise import add_activation_noise, weight_noise
from glassnet.training.penalties import Penalty, make_penalty


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).double()


def set_gradients(*gradients: list[float]) -> list[nn.Parameter]:
    parameters = [nn.Parameter(torch.zeros(len(g), dtype=torch.float64)) for g in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    return parameters


def grads(parameters: list[nn.Parameter]) -> list[float]:
    return torch.cat([p.grad for p in parameters if p.grad is not None]).tolist()


def test_a_penalty_is_its_formula_over_weights_without_biases_and_norms() -> None:
    module = net()
    value = Penalty(l2=0.3, l1=0.7)(module)
    weights = [module[0].weight, module[4].weight]
    by_hand = sum(0.3 * float(w.detach().square().sum()) + 0.7 * float(w.detach().abs().sum()) for w in weights)  # type: ignore[operator, union-attr]
    assert float(value.detach()) == pytest.approx(by_hand, rel=1e-6)
    value.backward()
    for weight in weights:
        assert torch.allclose(weight.grad, 2 * 0.3 * weight + 0.7 * weight.sign(), rtol=1e-6)  # type: ignore[arg-type, union-attr, operator]
    assert module[4].bias.grad is None
    assert module[1].weight.grad is None


def test_patterns_choose_what_is_penalised_biases_too_where_asked() -> None:
    module = net()
    assert [p is module[4].bias for p in Penalty(l2=1.0, on=("4.bias",)).chosen(module)] == [True]
    assert len(Penalty(l2=1.0, on=("4.*",)).chosen(module)) == 2
    module[4].requires_grad_(requires_grad=False)
    assert len(Penalty(l2=1.0).chosen(module)) == 1, "frozen ones are not penalised"
    with pytest.raises(UsageError, match=r"no parameter is penalised[\s\S]*nothing\.like"):
        Penalty(l2=1.0, on=("nothing.like",))(module)


def test_no_penalty_without_a_factor() -> None:
    assert make_penalty() is None
    assert make_penalty(l1=0.1, on=["a"]) == Penalty(0.0, 0.1, ("a",))


def test_clipping_by_norm_keeps_the_direction_and_tells_the_norm_before() -> None:
    parameters = set_gradients([3.0, 0.0], [0.0, 4.0])
    clip = Clip(norm=1.0)
    seen, clipped = clip(parameters)
    assert float(seen) == 5.0
    assert float(clipped) == 1.0
    assert grads(parameters) == pytest.approx([0.6, 0.0, 0.0, 0.8], rel=1e-5)


def test_gradients_within_the_limit_are_left_bit_for_bit() -> None:
    parameters = set_gradients([0.3, -0.1], [0.2])
    for clip in (Clip(norm=10.0), Clip(value=0.5), Clip(norm=10.0, value=0.5)):
        _, clipped = clip(parameters)
        assert float(clipped) == 0.0
        assert grads(parameters) == [0.3, -0.1, 0.2]


def test_clipping_by_value_bounds_each_component() -> None:
    parameters = set_gradients([3.0, -0.2], [-7.0])
    clip = Clip(value=0.5)
    seen, clipped = clip(parameters)
    assert float(seen) == pytest.approx((9 + 0.04 + 49) ** 0.5), "the norm of the whole, whatever the limit is on"
    assert float(clipped) == 1.0
    assert grads(parameters) == [0.5, -0.2, -0.5]


def test_with_both_limits_first_the_value_then_the_norm() -> None:
    parameters = set_gradients([100.0, 0.0], [0.0, 1.0])
    seen, clipped = Clip(norm=1.0, value=1.0)(parameters)
    assert float(seen) == pytest.approx(100.005, rel=1e-5)
    assert float(clipped) == 1.0
    assert grads(parameters) == pytest.approx([2**-0.5, 0, 0, 2**-0.5], rel=1e-5)


def change(module: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype))
            else:
                tensor.add_(1)


@pytest.mark.parametrize("decay", [0.5, 0.999])
def test_the_exponential_average_is_its_recursion(decay: float) -> None:
    module, generator = net(), torch.Generator().manual_seed(1)
    averager = Averager(module, decay=decay)
    expected = [tensor.clone() for tensor in module.state_dict().values()]
    for n in range(1, 30):
        change(module, generator)
        averager.update(module)
        d = min(decay, (1 + n) / (10 + n))
        expected = [d * a + (1 - d) * w if w.is_floating_point() else w.clone() for a, w in zip(expected, module.state_dict().values(), strict=True)]  # fmt: skip
    for ours, by_hand in zip(averager.average, expected, strict=True):
        assert torch.allclose(ours, by_hand, rtol=1e-12)


@pytest.mark.parametrize("begin_after", [0, 4])
def test_the_plain_average_is_the_mean_of_the_steps_it_begins_with(begin_after: int) -> None:
    module, generator = net(), torch.Generator().manual_seed(1)
    averager = Averager(module, decay=None, begin_after=begin_after)
    seen: list[list[Tensor]] = []
    for _ in range(10):
        change(module, generator)
        averager.update(module)
        seen.append([tensor.clone() for tensor in module.state_dict().values()])
    for place, ours in enumerate(averager.average):
        kept = [tensors[place] for tensors in seen[begin_after:]]
        mean = torch.stack(kept).mean(0) if ours.is_floating_point() else kept[-1]
        assert torch.allclose(ours, mean, rtol=1e-12)


def test_swapping_puts_the_average_in_and_the_weights_back_bit_for_bit_even_after_an_error() -> None:
    module, generator = net(), torch.Generator().manual_seed(1)
    averager = Averager(module, decay=0.5)
    change(module, generator)
    averager.update(module)
    before = copy.deepcopy(module.state_dict())
    with averager.swapped(module):
        for ours, average in zip(module.state_dict().values(), averager.average, strict=True):
            assert torch.equal(ours, average)
    with pytest.raises(ZeroDivisionError), averager.swapped(module):
        raise ZeroDivisionError
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize(("share", "epochs"), [(0.75, 8), (0.5, 3), (0.0, 4), (0.99, 5)])
def test_stochastic_weight_averaging_is_algorithm_1(share: float, epochs: int) -> None:
    per_epoch = 3
    module, generator = net(), torch.Generator().manual_seed(1)
    averager = Averager(module, decay=None, begin_after=swa_begin(share, epochs, per_epoch), every=per_epoch)
    mean: list[Tensor] | None = None
    k = 0
    for epoch in range(1, epochs + 1):
        for _ in range(per_epoch):
            change(module, generator)
            averager.update(module)
        weights = [tensor.clone() for tensor in module.state_dict().values() if tensor.is_floating_point()]
        if epoch >= max(1, math.ceil(share * epochs)):
            mean = weights if mean is None else [(a * k + w) / (k + 1) for a, w in zip(mean, weights, strict=True)]
            k += 1
        expected = weights if mean is None else mean
        ours = [tensor for tensor in averager.average if tensor.is_floating_point()]
        assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(ours, expected, strict=True)), epoch
        assert averager.averaged == k
        assert averager.asks_for_statistics == (k > 1)


def test_statistics_are_measured_anew_as_torch_does_it_and_nothing_else_changes() -> None:
    def fresh() -> nn.Sequential:
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3, momentum=0.3), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(3, 2, 2),
            nn.BatchNorm2d(2), nn.BatchNorm2d(2, track_running_stats=False),
        ).double()  # fmt: skip

    batches = [(torch.rand(5 + n, 1, 6, 6, dtype=torch.float64), torch.zeros(5 + n)) for n in range(4)]
    ours, theirs = fresh(), fresh()
    ours[0].eval()
    modes = {module: module.training for module in ours.modules()}
    torch.manual_seed(5)
    before = torch.get_rng_state()
    refresh_statistics(ours, batches)
    assert torch.equal(torch.get_rng_state(), before)
    assert modes == {module: module.training for module in ours.modules()}
    assert (ours[1].momentum, ours[5].momentum) == (0.3, 0.1)
    update_bn(batches, theirs)
    for (name, a), b in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert not torch.allclose(ours[1].running_mean, torch.zeros(3, dtype=torch.float64))


def test_a_net_without_batch_normalisation_needs_no_pass_over_the_data() -> None:
    refresh_statistics(nn.Linear(2, 2), iter(lambda: 1 / 0, None))


def test_averagers_by_name() -> None:
    assert make_averager("none") is None
    ema, swa = make_averager("ema", decay=0.9), make_averager("swa", decay=0.9, begin_after=3)
    assert ema is not None
    assert swa is not None
    assert (ema(net()).decay, swa(net()).decay, swa(net()).begin_after) == (0.9, None, 3)
    with pytest.raises(UsageError, match="unknown average"):
        make_averager("mean")


def test_max_norm_shortens_what_is_too_long_and_leaves_the_rest() -> None:
    module = net()
    with torch.no_grad():
        module[4].weight.copy_(torch.tensor([[3.0, 4.0] + [0.0] * 10, [0.3, 0.4] + [0.0] * 10], dtype=torch.float64))  # type: ignore[operator, union-attr]
        module[0].weight.mul_(100)  # type: ignore[operator, union-attr]
        before = module[0].weight.clone()  # type: ignore[operator, union-attr]
        bias = module[4].bias.clone()  # type: ignore[operator, union-attr]
    MaxNorm(2.0)(module)
    assert torch.allclose(module[4].weight[0, :2], torch.tensor([1.2, 1.6], dtype=torch.float64))  # type: ignore[index]
    assert torch.equal(module[4].weight[1, :2], torch.tensor([0.3, 0.4], dtype=torch.float64))  # type: ignore[index]
    assert module[0].weight.flatten(1).norm(dim=1).tolist() == pytest.approx([2.0] * 3)  # type: ignore[operator, union-attr]
    direction = torch.nn.functional.cosine_similarity(module[0].weight.flatten(), before.flatten(), dim=0)  # type: ignore[operator, union-attr]
    assert float(direction.detach()) > 0.9
    assert torch.equal(module[4].bias, bias)  # type: ignore[arg-type]


def test_max_norm_of_weights_that_are_zero() -> None:
    layer = nn.Linear(2, 2)
    nn.init.zeros_(layer.weight)
    MaxNorm(1.0)(layer)
    assert torch.equal(layer.weight.detach(), torch.zeros(2, 2))


def test_activation_noise_has_the_stated_spread_in_training_only() -> None:
    module = nn.Sequential(nn.Identity(), nn.Tanh())
    assert add_activation_noise(module, 0.5) == 1
    torch.manual_seed(0)
    noise = module(torch.zeros(100_000))
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.01)
    assert float(noise.std()) == pytest.approx(0.5, rel=0.02)
    assert torch.equal(module.eval()(torch.zeros(5)), torch.zeros(5))
    assert torch.equal(copy.deepcopy(module)(torch.zeros(5)), torch.zeros(5)), "a network with it can be copied"


def test_weight_noise_has_the_stated_spread_on_weights_only_and_goes_bit_for_bit() -> None:
    layer = nn.Linear(300, 300)
    before = copy.deepcopy(layer.state_dict())
    torch.manual_seed(0)
    with weight_noise(0.1)(layer):
        noise = layer.weight.detach() - before["weight"]
        assert float(noise.std()) == pytest.approx(0.1, rel=0.02)
        assert torch.equal(layer.bias, before["bias"])
    assert torch.equal(layer.weight, before["weight"])
