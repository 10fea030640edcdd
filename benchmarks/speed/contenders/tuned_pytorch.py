"""The same loop by someone who knows the machine: bfloat16 and channels last for convolutions, a fused optimiser, no DataLoader, no denormals.

Where bfloat16 does not pay (nets without convolutions) float32 is used, as measured once by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.speed.contenders import Contender
from benchmarks.speed.contenders.naive_pytorch import first
from benchmarks.speed.contenders.timed import in_turns
from benchmarks.speed.rows import Row
from glassnet.training.execution import prepare_process


def start(row: Row) -> Contender:
    """The training of a row."""
    convolutional = any(isinstance(module, nn.Conv2d) for module in row.build().modules())
    recurrent = any(isinstance(module, nn.RNNBase) for module in row.build().modules())
    low = (convolutional and row.name.partition("-")[0] != "lenet5") or recurrent
    return Contender(in_turns(_steps(row, convolutional, low)), "bfloat16" if low else "float32")


def _steps(row: Row, convolutional: bool, low: bool) -> Iterator[int]:
    prepare_process()
    arrays = row.floats()
    inputs, targets = torch.from_numpy(arrays[0]), torch.from_numpy(arrays[1])
    layout = torch.channels_last if convolutional else torch.contiguous_format
    net = row.by_hand().to(memory_format=layout)
    if convolutional:
        inputs = inputs.contiguous(memory_format=layout)
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    while True:
        net.train()
        for index in torch.randperm(len(inputs)).split(row.batch):
            x = inputs.index_select(0, index)
            if convolutional:
                x = x.contiguous(memory_format=layout)
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16) if low else nullcontext():
                outputs = first(net(x))
            loss = F.cross_entropy(outputs.float(), targets[index])
            loss.backward()
            optimizer.step()
            yield len(index)
