"""Batches of other people's making: what fits is gone through, what does not is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from glassnet.checks import run_checks
from glassnet.checks.given import as_batches
from glassnet.errors import DataError
from glassnet.training import Plan
from glassnet.training.measure.describe import some_of


def test_a_pair_of_tensors_is_cut_into_batches() -> None:
    inputs, targets = torch.arange(70.0)[:, None], torch.arange(70)
    batches = as_batches((inputs, targets))
    assert batches.steps_per_epoch == 2
    first, second = batches.epoch(0)
    assert torch.equal(torch.cat((first[1], second[1])), targets)


@pytest.mark.parametrize(
    ("given", "got"),
    [
        ((torch.ones(70, 2), torch.ones(200)), "70 and 200"),  # fall into 2 batches and 4
        ((torch.ones(70, 2), torch.ones(69)), "70 and 69"),  # into 2 batches each
        ([(torch.ones(4, 2), torch.ones(4)), (torch.ones(4, 2), torch.ones(3))], "4 and 3"),
        ((torch.ones(4, 2), torch.tensor(1.0)), "4 and 0"),
    ],
)
def test_inputs_and_targets_that_differ_in_number_are_told(given: Any, got: str) -> None:
    with pytest.raises(DataError, match="inputs and targets differ in number") as caught:
        as_batches(given)
    assert caught.value.got == got
    assert caught.value.expected == "a target for each input"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (torch.ones(4), "cannot be gone through again"),
        (iter([(torch.ones(4), torch.ones(4))]), "cannot be gone through again"),
        ([torch.ones(4)], "a batch is not a pair of tensors"),
        ([], "there are no batches"),
    ],
)
def test_what_are_no_batches(given: Tensor | list[Tensor], words: str) -> None:
    with pytest.raises(DataError, match=words):
        as_batches(given)


def test_a_loader_that_shuffles_gives_no_sample_twice() -> None:
    """Entering an epoch of it anew for every batch would look as if a third of the samples were copies."""
    inputs = torch.randn(640, 6, generator=torch.Generator().manual_seed(0))
    loader = DataLoader(TensorDataset(inputs, torch.arange(640) % 3), batch_size=16, shuffle=True)
    seen = some_of(as_batches(loader), 640)
    rows = torch.cat(seen.inputs)
    assert len(rows) == len(torch.unique(rows, dim=0)) == 320


def test_an_optimiser_that_takes_no_function_has_a_bracket() -> None:
    class Plain(torch.optim.Optimizer):
        def __init__(self, parameters: Any) -> None:
            super().__init__(parameters, {"lr": 0.1})

        def step(self) -> None:  # type: ignore[override]
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p -= group["lr"] * p.grad

    inputs, targets = torch.randn(640, 6), torch.arange(640) % 3
    plan = Plan(loss=nn.functional.cross_entropy, optimizer=lambda net: Plain(net.parameters()), epochs=5)
    (found,) = run_checks(nn.Linear(6, 3), (inputs, targets), plan, only=("lr-bracket",))
    assert found.verdict in ("passed", "warning")
