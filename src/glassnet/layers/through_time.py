"""Truncated backpropagation through time (Williams and Peng 1990): a sequence is read in pieces of ``train.through_time`` steps.

The state in which a piece ends is where the next begins, as plain numbers: memory of the distant past is kept, but no gradient goes back beyond the piece. The
pieces come in one of two ways, and every recurrent network knows one of them.

*Batch by batch*, where one long text is the sample (language models): a batch holds a piece of every lane. The module has a buffer ``carried`` outside of its state
dict, and a flag ``carrying``. In training it always goes on from what it carried; in evaluation only within :func:`carrying_on`. The buffer is part of a
training's checkpoint, not of the model.

*Within a batch*, where a sample is a whole sequence: the module has a number ``through_time``, 0 for all steps, which :func:`cut_gradients` sets, and reads its input by
:func:`in_pieces`. It belongs to the training; a finished network reads any sequence in one piece, which says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

CARRIED, FLAG, STEPS = "carried", "carrying", "through_time"
State = Tensor | tuple[Tensor, Tensor]  # h, or of an LSTM h and c: (layers, batch, hidden)


def cut_off(state: State) -> State:
    """A state as plain numbers, through which no gradient flows."""
    return (state[0].detach(), state[1].detach()) if isinstance(state, tuple) else state.detach()


def in_pieces(recurrent: nn.RNNBase, steps: Tensor, most: int) -> Tensor:
    """Run a recurrent layer over whole sequences so that no gradient flows through more than ``most`` steps (Williams and Peng's BPTT(h; h')).

    The first piece is the shorter one where they do not come out even, so that the end, which is asked for, looks back through ``most`` steps.

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
    state: State | None = None
    for piece in torch.split(steps, [first, *[most] * ((time - first) // most)], dim=1):
        states, end = recurrent(piece, state)
        state = cut_off(end)
        made.append(states)
    return torch.cat(made, dim=1)


def cut_gradients(net: nn.Module, most: int) -> int:
    """Let the modules that read whole sequences read them in pieces of ``most`` steps; how many there are."""
    found = [module for module in net.modules() if isinstance(getattr(module, STEPS, None), int)]
    for module in found:
        setattr(module, STEPS, most)
    return len(found)


def carriers(net: nn.Module) -> dict[str, nn.Module]:
    """The modules of a network that carry a state from batch to batch, by name."""
    return {name: module for name, module in net.named_modules() if CARRIED in module._buffers}


def carried_of(net: nn.Module) -> dict[str, Tensor]:
    """What a network carries at present, by the names of its modules."""
    return {name: module.get_buffer(CARRIED).detach().clone() for name, module in carriers(net).items()}


def carry(net: nn.Module, states: dict[str, Tensor]) -> None:
    """Let a network carry what :func:`carried_of` gave."""
    for name, module in carriers(net).items():
        if name in states:
            own = module.get_buffer(CARRIED)
            module._buffers[CARRIED] = states[name].detach().to(own.device, own.dtype).clone()


@contextmanager
def carrying_on(net: nn.Module) -> Iterator[None]:
    """Within the block a network carries its state from batch to batch in evaluation too, from nothing; what it carried before is put back."""
    found = carriers(net)
    before = {name: (module._buffers[CARRIED], getattr(module, FLAG)) for name, module in found.items()}
    try:
        for module in found.values():
            module._buffers[CARRIED] = module.get_buffer(CARRIED)[:, :, :0]
            setattr(module, FLAG, True)
        yield
    finally:
        for name, module in found.items():
            module._buffers[CARRIED], flag = before[name]
            setattr(module, FLAG, flag)
