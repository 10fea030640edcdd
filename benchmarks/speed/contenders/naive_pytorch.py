"""The loop as people write it: eager, float32, a shuffling DataLoader, Adam."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.speed.contenders import Contender
from benchmarks.speed.contenders.timed import in_turns
from benchmarks.speed.rows import Row


def start(row: Row) -> Contender:
    """The training of a row."""
    return Contender(in_turns(_steps(row)))


def _steps(row: Row) -> Iterator[int]:
    inputs, targets = row.floats()
    loader = DataLoader(
        TensorDataset(torch.from_numpy(inputs), torch.from_numpy(targets)), batch_size=row.batch, shuffle=True
    )
    net = row.by_hand()
    optimizer = torch.optim.Adam(net.parameters())
    while True:
        net.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(first(net(x)), y)
            loss.backward()
            optimizer.step()
            yield len(y)


def first(outputs: object) -> torch.Tensor:
    """The main output of a network that has auxiliary ones as well."""
    made = outputs[0] if isinstance(outputs, tuple | list) else outputs
    assert isinstance(made, torch.Tensor)
    return made
