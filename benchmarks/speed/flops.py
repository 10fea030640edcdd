"""How much arithmetic a training step of a row is: counted, forward and backward, in matrix products and convolutions alone."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed.contenders.naive_pytorch import first
from benchmarks.speed.rows import Row


def flops_per_sample(row: Row) -> float:
    """Floating-point operations of a training step, for each sample of the batch."""
    net = row.build()
    recurrent = [module for module in net.modules() if isinstance(module, nn.LSTM)]
    if recurrent:  # the counter does not see into them: 4 gates of (input + state) products, backward twice the forward
        return float(sum(3 * 2 * 4 * m.hidden_size * (m.input_size + m.hidden_size) * row.shape[1] for m in recurrent))
    with FlopCounterMode(display=False) as counter:
        first(net(torch.zeros(2, *row.shape))).sum().backward()
    return counter.get_total_flops() / 2
