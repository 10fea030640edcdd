"""Inputs that are preprocessed once, before the first epoch, instead of batch by batch in every one."""

from __future__ import annotations

from math import prod

import torch

from glassnet.data.dataset import InMemory, Part, beneath
from glassnet.data.preprocess import Preprocess

MOST_BYTES = 256 << 20  # of the preprocessed inputs: four times the room that the bytes of pictures took
# Of inputs that are floats as they are read: the same once more, for two operations saved, which a step on samples of so many numbers does not notice.
MOST_TWICE, MOST_NUMBERS_TWICE = 32 << 20, 2**11
MOST_NUMBERS = (
    2**14
)  # of a sample: what learns from larger ones takes a hundred times as long as their preprocessing, and needs the memory
PIECE = 2**20  # numbers that are preprocessed at a time: what is made on the way is small


def ready(part: Part, preprocess: Preprocess) -> Part | None:
    """The part with its inputs as the network reads them, bit for bit those that each batch would have got; None where that does not pay.

    It pays where the inputs lie in memory, are of fixed size, need no more than ``MOST_BYTES`` in all and ``MOST_NUMBERS`` each, and each number's result depends on its own sample by
    operations that round alike in any batch (``preprocess.alike_in_any_batch``). Where they are floats as they are, one of ``MOST_TWICE`` and ``MOST_NUMBERS_TWICE`` must hold besides. Only
    inputs that nothing changes at random may be taken so.
    """
    inputs, _ = beneath(part.inputs)
    if not (preprocess.alike_in_any_batch and isinstance(inputs, InMemory)):
        return None
    numbers = prod(preprocess.output_shape)
    taken = 4 * len(part) * numbers
    if numbers > MOST_NUMBERS or not 0 < taken <= MOST_BYTES:
        return None
    if inputs.values.is_floating_point() and numbers > MOST_NUMBERS_TWICE and taken > MOST_TWICE:
        return None
    done = torch.empty(len(part), *preprocess.output_shape, dtype=preprocess.output_dtype)
    with torch.no_grad():
        for index in torch.split(torch.arange(len(part)), max(1, PIECE // numbers)):
            done[index[0] : index[-1] + 1] = preprocess(part.inputs.take(index))
    return Part(InMemory(done), part.targets, part.names)
