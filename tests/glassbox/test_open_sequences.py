"""Sequences of different lengths as gates: packed and padded again, with rows that do not learn; against autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from autograd_reference import same_as_autograd
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from glassnet.glassbox import gradient_check, open_module
from glassnet.zoo import ZOO, build

# Texts of 5, 6, 1 and 2 tokens, not sorted by length; 0 is padding, 1 unknown.
TEXTS = torch.tensor([[5, 3, 7, 2, 4, 0], [4, 4, 1, 6, 8, 9], [3, 0, 0, 0, 0, 0], [2, 9, 0, 0, 0, 0]])
LENGTHS = torch.tensor([5, 6, 1, 2])
TARGETS = torch.tensor([0, 1, 2, 0])
NUMBERS = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


class Packed(nn.Module):
    """Says what PyTorch says of packed sequences: every output, padded again, and the last states."""

    def __init__(self, kind: type[nn.RNNBase], start: bool = False, padding: float = 0.0, **settings: Any) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.cells = kind(3, 2, **settings)
        self.first = bool(settings.get("batch_first"))
        ways = 2 if settings.get("bidirectional") else 1
        self.start = nn.Parameter(torch.randn(ways * settings.get("num_layers", 1), 1, 2)) if start else None
        self.padding = padding
        self.head = nn.Linear(2 * ways * 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        packed = pack_padded_sequence(
            x if self.first else x.transpose(0, 1), LENGTHS, batch_first=self.first, enforce_sorted=False
        )
        starts: Any = None
        if self.start is not None:
            state = self.start.expand(-1, len(x), -1).contiguous()
            starts = (state, state) if isinstance(self.cells, nn.LSTM) else state
        states, end = self.cells(packed, starts)
        padded, _ = pad_packed_sequence(states, self.first, padding_value=self.padding, total_length=7)
        mean = padded.mean(dim=1 if self.first else 0)
        last = end[0] if isinstance(end, tuple) else end
        ways = mean.shape[1] // 2
        return self.head(torch.cat([mean, last[-ways:].transpose(0, 1).flatten(1)], dim=1))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch_first": True, "bias": False, "padding": 0.5},
        {"batch_first": True, "bidirectional": True, "start": True},
        {"num_layers": 2, "bidirectional": True},
    ],
    ids=["time-first", "no-bias", "both-ways-with-a-learned-start", "stacked-both-ways"],
)
@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_packed_sequences(kind: type[nn.RNNBase], settings: dict[str, Any]) -> None:
    opened = same_as_autograd(Packed(kind, **settings), NUMBERS, TARGETS)
    last = [node for node in opened.graph.nodes if node.name == "cells.layer0.t5.h"]
    assert last[0].shape == (1, 2), "at the last step one sequence is left"


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("name", [name for name, entry in ZOO.items() if entry.kinds == ("text",)])
def test_networks_that_read_texts(name: str, training: bool) -> None:
    options: dict[str, Any] = {"vocabulary": 12, "embed": 4}
    if name in ("rnn", "lstm", "gru"):
        options |= {"hidden": 3, "layers": 2, "dropout": 0.0}
    net = build(name, (6,), 3, options, seed=4)
    same_as_autograd(net, TEXTS, TARGETS, training=training)


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_what_is_pooled_over_time_leaves_padding_out(pool: str) -> None:
    net = build("gru", (6,), 3, {"vocabulary": 12, "embed": 4, "hidden": 3, "pool": pool}, seed=4)
    same_as_autograd(net, TEXTS, TARGETS)


def test_the_row_of_padding_gets_no_gradient() -> None:
    net = nn.Sequential(nn.Embedding(12, 4, padding_idx=0), nn.Flatten(), nn.Linear(24, 3))
    gradients = same_as_autograd(net, TEXTS, TARGETS).graph.backward()
    assert not gradients["0.weight"][0].any()
    assert gradients["0.weight"][9].any()


def test_texts_pass_the_three_way_check() -> None:
    net = build("gru", (6,), 3, {"vocabulary": 12, "embed": 4, "hidden": 3}, seed=4).eval()
    assert gradient_check(net, TEXTS, TARGETS).passed


class Choosing(nn.Module):
    """Rows chosen by a list, some of them twice."""

    def forward(self, x: Tensor) -> Tensor:
        chosen = x.index_select(1, torch.tensor([2, 0, 2])) * x[torch.tensor([3, 1, -4, 1])][:, :3]
        return chosen.sum(dim=2).masked_fill(torch.tensor([False, True, False]), -2.0)


def test_numbers_chosen_by_lists() -> None:
    same_as_autograd(Choosing(), NUMBERS, TARGETS)


class Masked(nn.Module):
    """Brackets with yes and no."""

    def forward(self, x: Tensor) -> Tensor:
        return x[x > 0].sum()


def test_a_choice_by_yes_and_no_is_told() -> None:
    with pytest.raises(Exception, match="__getitem__"):
        open_module(Masked(), NUMBERS)


def test_a_batch_of_texts_has_the_numbers_of_each_text_alone() -> None:
    """Padding is no step: the graph of one text holds the same numbers."""
    net = build("lstm", (6,), 3, {"vocabulary": 12, "embed": 4, "hidden": 3}, seed=4)
    whole = open_module(net, TEXTS).output.value
    assert whole is not None
    for number, length in enumerate(LENGTHS):
        alone = open_module(net, TEXTS[number : number + 1, :length]).output.value
        np.testing.assert_allclose(alone, whole[number : number + 1], rtol=0, atol=1e-12)
