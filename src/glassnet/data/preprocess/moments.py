"""Means, variances and covariances over a training part, in float64 and a chunk at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from glassnet.data.dataset import InMemory, Source, spread

CHUNK_NUMBERS = 1 << 20  # in float64 and with what is made of them some 20 MB, which is little beside a training
STREAMED_SAMPLES = 10_000


def chunks(source: Source, numbers_each: int) -> Iterator[Tensor]:
    """The samples of a source in order, in chunks of about a million numbers.

    Of a source that is decoded anew from disk at most 10,000 samples, evenly spread, are read: more would change the third digit
    of a mean and cost a whole pass over the disk.

    Args:
        source: where the samples come from.
        numbers_each: numbers in one sample.
    """
    chosen = spread(len(source), len(source) if isinstance(source, InMemory) else STREAMED_SAMPLES)
    step = max(CHUNK_NUMBERS // max(numbers_each, 1), 1)
    for index in torch.split(chosen, step):
        yield source.take(index)


def mean_and_variance(source: Source, shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Mean and (population) variance over samples and over some dimensions of them.

    The chunks' moments are merged by the update of Chan, Golub and LeVeque (1983), which does not cancel:
    ``M ← M + m + δ²·n·N/(n+N)``.

    Args:
        source: samples of the given shape.
        shape: of one sample.
        dims: dimensions of a batch to average over, 0 among them.

    Returns:
        float64 tensors shaped like one sample, with 1 in the averaged dimensions.
    """
    if len(dims) == len(shape) and 0 in dims and 1 not in dims and in_bytes(source):
        return moments_of_bytes(source, shape)
    total = 0
    mean = squares = torch.zeros(())
    for raw in chunks(source, torch.Size(shape).numel()):
        values = raw.to(torch.float64)
        here = values.mean(dim=dims, keepdim=True)
        around = (values - here).square_().sum(dim=dims, keepdim=True)
        count = values.numel() // here.numel()
        if total == 0:
            mean, squares, total = here, around, count
            continue
        delta = here - mean
        squares = squares + around + delta.square() * (total * count / (total + count))
        mean = mean + delta * (count / (total + count))
        total += count
    return mean[0], squares[0] / max(total, 1)


def in_bytes(source: Source) -> bool:
    """Whether samples are images of bytes."""
    return len(source) > 0 and source.take(torch.zeros(1, dtype=torch.int64)).dtype == torch.uint8


def moments_of_bytes(source: Source, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel, from how often each of the 256 values occurs: exact, and several times as fast as in float64.

    Args:
        source: samples of bytes.
        shape: of one sample, channels first.
    """
    counts = torch.zeros(shape[0], 256, dtype=torch.int64)
    for raw in chunks(source, torch.Size(shape).numel()):
        for channel, seen in enumerate(counts):
            seen += torch.bincount(raw[:, channel].flatten(), minlength=256)
    shares = counts.double() / counts.sum(1, keepdim=True).clamp_min(1)
    values = torch.arange(256, dtype=torch.float64)
    mean = shares @ values
    variance = (shares * (values - mean[:, None]).square()).sum(1)
    form = (shape[0], *(1 for _ in shape[1:]))
    return mean.reshape(form), variance.reshape(form)


def covariance(source: Source, mean: Tensor) -> Tensor:
    """Population covariance of flattened samples around a given mean.

    Args:
        source: samples with d numbers each.
        mean: float64 (d,).

    Returns:
        float64 (d, d).
    """
    total, summed = 0, torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for raw in chunks(source, len(mean)):
        centred = raw.reshape(len(raw), -1).to(torch.float64) - mean
        summed.addmm_(centred.T, centred)
        total += len(centred)
    return summed / max(total, 1)
