"""Inputs that say nothing: the same for every sample."""

from __future__ import annotations

from torch import Tensor


def says_nothing(inputs: Tensor) -> Tensor:
    """One input that stands for all: the mean of numbers; of whole numbers, such as tokens, those of the first sample.

    Args:
        inputs: (batch, ...).

    Returns:
        (1, ...), to be expanded to any batch.
    """
    if inputs.is_floating_point():
        return inputs.mean(0, keepdim=True)
    return inputs[:1].clone()


def repeated(one: Tensor, like: Tensor) -> Tensor:
    """The same input for every sample of a batch; where the batch is of another length, what stands for its own inputs."""
    if one.shape[1:] != like.shape[1:]:
        one = says_nothing(like)
    return one.expand_as(like).contiguous()
