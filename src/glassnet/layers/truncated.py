"""Truncated backpropagation through time: states are carried on, gradients are not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def truncated(recurrent: nn.RNNBase, steps: Tensor, most: int) -> Tensor:
    """Run a recurrent layer so that no gradient flows through more than ``most`` steps.

    The sequence is read in pieces of ``most`` steps, the first one shorter where they do not come out even; each begins with the state in which the one before ended, as a
    plain number. The states are those of the whole sequence; only their gradients are cut, at the borders of the pieces, so that memory of the distant past is kept but not
    taught. Source: Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories", 1990 (there BPTT(h; h')).

    Args:
        recurrent: batch first, in one direction, any number of layers.
        steps: (batch, time, inputs).
        most: 1 or more.

    Returns:
        The last layer's state at every step, (batch, time, hidden).
    """
    time = steps.shape[1]
    first = time % most or most
    made: list[Tensor] = []
    state: Any = None
    for piece in torch.split(steps, [first, *[most] * ((time - first) // most)], dim=1):
        states, state = recurrent(piece, state)
        state = tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()
        made.append(states)
    return torch.cat(made, dim=1)
