"""Batches of other people's making: what fits is gone through, what does not is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from glassnet.checks.given import as_batches
from glassnet.errors import DataError


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
