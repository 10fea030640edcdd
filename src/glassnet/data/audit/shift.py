"""The rule of the audit on parts that come from different sources or times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from glassnet.data.audit.look import Look, Trouble, first_few
from glassnet.data.kinds import KINDS
from glassnet.data.table_schema import TableSchema

SHIFT = 0.25
SHIFT_SAMPLES = 5_000


def shifted_parts(look: Look) -> Iterator[Trouble]:
    """Columns or channels whose mean differs between training and test part."""
    if (
        not KINDS[look.data.schema.kind].places
        or "test" not in look.parts
        or min(len(look.parts["train"]), len(look.parts["test"])) < 200
    ):
        return
    schema = look.data.schema
    means, spreads = [], []
    for name in ("train", "test"):
        raw = look.inputs(name)
        raw = raw[:: max(len(raw) // SHIFT_SAMPLES, 1)]
        columns = raw.to(torch.float64) if isinstance(schema, TableSchema) else _channel_means(raw)
        means.append(columns.nanmean(dim=0))
        spreads.append((columns - means[-1]).square().nanmean(dim=0).sqrt())
    far = ((means[1] - means[0]).abs() / spreads[0].clamp_min(1e-12)).tolist()
    kinds = [column.kind for column in schema.columns] if isinstance(schema, TableSchema) else ["number"] * len(far)
    names = schema.names if isinstance(schema, TableSchema) else [f"channel {i}" for i in range(len(far))]
    found = {
        name: value for name, value, kind in zip(names, far, kinds, strict=True) if kind != "category" and value > SHIFT
    }
    if found:
        yield Trouble(
            "parts-differ",
            "warning",
            "the test part differs from the training part in the mean of "
            + first_few([f"{name} ({value:.2f} standard deviations)" for name, value in found.items()]),
            "the parts come from different sources or times: test figures will be worse than validation figures",
            {"shift": found},
        )


def _channel_means(raw: Tensor) -> Tensor:
    """Mean of each channel of each sample, float64 (samples, channels); of each number where there are no positions."""
    if raw.dim() < 3:
        return raw.to(torch.float64)
    places = tuple(range(2, raw.dim()))
    if raw.is_floating_point():
        return raw.sum(dim=places).to(torch.float64) / raw[0, 0].numel()
    total = raw.numpy().sum(axis=places, dtype=np.int64)  # of bytes, fifteen times as fast as PyTorch's sum
    return torch.from_numpy(total).to(torch.float64) / raw[0, 0].numel()
