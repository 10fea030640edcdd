"""Choosing how the arithmetic runs: what was asked is done, and measuring leaves no trace."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from glassnet.errors import UsageError
from glassnet.training import choosing
from glassnet.training.choosing import choose_execution
from glassnet.training.execution import choose_device, machine
from glassnet.training.losses import cross_entropy


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3)
    )


def example() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0])


@pytest.mark.parametrize("threads", [None, 1])
@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_measuring_leaves_network_and_random_states_bit_for_bit(precision: str, threads: int | None) -> None:
    module = net()
    before = copy.deepcopy(module.state_dict())
    states = torch.get_rng_state(), random.getstate()
    chosen = choose_execution(module, example(), cross_entropy, device="cpu", precision=precision, threads=threads)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
    assert module.training
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert chosen.threads == torch.get_num_threads()
    assert chosen.precision in {"float32", "bfloat16"}
    assert chosen.reason


def test_what_was_asked_is_done() -> None:
    chosen = choose_execution(net(), example(), cross_entropy, device="cpu", precision="bfloat16", threads=1)
    assert (str(chosen.device), chosen.precision, chosen.threads) == ("cpu", "bfloat16", 1)


def test_images_through_convolutions_are_laid_out_as_asked_and_nothing_else_is() -> None:
    def last(module: nn.Module, batch: tuple[torch.Tensor, torch.Tensor], layout: str) -> bool:
        chosen = choose_execution(
            module, batch, cross_entropy, device="cpu", precision="float32", threads=1, layout=layout
        )
        return chosen.channels_last

    assert last(net(), example(), "channels-last")
    assert not last(net(), example(), "channels-first")
    rows = torch.rand(4, 5), torch.tensor([0, 1, 2, 0])
    assert not last(nn.Linear(5, 3), rows, "channels-last")
    assert not last(nn.Linear(5, 3), rows, "auto")


def test_convolutions_are_as_asked_and_products_only_where_there_is_one_to_make() -> None:
    def products(module: nn.Module, asked: str, precision: str = "bfloat16") -> bool:
        chosen = choose_execution(
            module, example(), cross_entropy, device="cpu", precision=precision, threads=1, weight_gradients=asked
        )
        return chosen.weight_gradients == "products"

    assert products(net(), "products")
    assert not products(net(), "library")
    assert not products(net(), "auto"), "six places and one channel: nothing to gain"
    pointwise = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Flatten(), nn.Linear(256, 3))
    assert not products(pointwise, "auto", "float32"), "in float32 the library is fast"
    rows = torch.rand(4, 5), torch.tensor([0, 1, 2, 0])
    chosen = choose_execution(nn.Linear(5, 3), rows, cross_entropy, device="cpu", threads=1)
    assert chosen.weight_gradients == "library"


def test_a_network_without_convolutions_stays_in_float32() -> None:
    rows = torch.rand(4, 5), torch.tensor([0, 1, 2, 0])
    assert choose_execution(nn.Linear(5, 3), rows, cross_entropy, device="cpu", threads=1).precision == "float32"


@pytest.mark.parametrize(("remembered", "optimizers"), [(10**6, 1), (100, 0)])
def test_measuring_threads_takes_one_copy_and_adam_of_small_networks_alone(
    remembered: int, optimizers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of AlexNet each further copy, and what Adam remembers of it, would be hundreds of MiB more than training needs."""
    copies, made = list[object](), list[object]()
    prepared, adam = choosing._Measurer._prepared, choosing.FusedAdam

    def counted(self: choosing._Measurer, way: choosing.Way, *, update: bool = False) -> object:
        copies.append(way)
        return prepared(self, way, update=update)

    def remembering(*parts: Any, **options: Any) -> torch.optim.Optimizer:
        made.append(parts)
        return adam(*parts, **options)

    monkeypatch.setattr(choosing.Crowd, "there", lambda *_: False)
    monkeypatch.setattr(choosing, "MOST_REMEMBERED", remembered)
    monkeypatch.setattr(choosing._Measurer, "_prepared", counted)
    monkeypatch.setattr(choosing, "FusedAdam", remembering)
    measurer = choosing._Measurer(net(), example(), cross_entropy, torch.device("cpu"), images=True)
    way = choosing.Way("float32", channels_last=True, threads=2)
    measurer.in_turns((way, replace(way, threads=1)), update=True)
    assert (len(copies), len(made)) == (1, optimizers)
    measurer.in_turns((way, replace(way, channels_last=False)))
    assert len(copies) == 3


def test_the_angle_between_long_gradients() -> None:
    long = torch.full((3 * 2**20 + 5,), 0.1)
    long[::2] *= 1000
    one = [long, torch.tensor([[1.0, 2.0]])]
    assert choosing._cosine(one, [2 * each for each in one]) == pytest.approx(1, abs=1e-12)
    assert choosing._cosine([torch.tensor([[1.0, 2.0]])], [torch.tensor([[2.0, -1.0]])]) == 0
    assert choosing._cosine([torch.zeros(3)], [torch.ones(3)]) == 0


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(UsageError, match="unknown device 'gpu'"):
        choose_device("gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_told_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"no CUDA device[\s\S]*--device cpu"):
        choose_device("cuda:0")


def test_the_machine_is_described_in_plain_values() -> None:
    described = machine()
    assert {"python", "torch", "system", "processor", "cores", "threads", "cuda"} == set(described)
    assert all(isinstance(value, str | int) and value != "" for value in described.values())
