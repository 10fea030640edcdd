"""The record that every attribution returns, and how columns of a table share what their encodings got."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from glassnet.data.preprocess.table import TableInputs
from glassnet.data.table_schema import TableSchema
from glassnet.errors import UsageError
from glassnet.explain.subject import Array, Subject, array
from glassnet.explain.tokens import TokenShares


@dataclass(frozen=True)
class Attribution:
    """How much each part of an input counts for one output.

    Attributes:
        method: its name in words.
        values: a map (batch, height, width) for images, (batch, bands, frames) for the spectrograms of sounds; (batch, columns) for tables;
            (batch, tokens) for texts, 0 behind their ends; else as the input.
        signed: whether negative values speak against the output; unsigned values only tell how much a part matters.
        inputs: as they are drawn, see :attr:`~glassnet.explain.subject.Subject.drawn`.
        names: of the inputs.
        columns: names of a table's columns; empty otherwise.
        targets: name of the explained output for each input.
        scores: the explained output (logit or scaled value) of each input.
        layer: where it was measured, for methods that use a layer.
        against: the output for the baseline, for methods that compare with one; NaN otherwise.
        tokens: of each text; empty otherwise.
        seconds: that a sound lasts; 0 otherwise.
    """

    method: str
    values: Array
    signed: bool
    inputs: Array
    names: tuple[str, ...]
    columns: tuple[str, ...]
    targets: tuple[str, ...]
    scores: Array
    layer: str = ""
    against: Array | None = None
    tokens: tuple[tuple[str, ...], ...] = ()
    seconds: float = 0.0

    @property
    def gap(self) -> Array:
        """Sum of the values less the difference of the outputs (batch,): 0 for a method that is complete; NaN without a baseline."""
        if self.against is None:
            return np.full(len(self.values), np.nan, dtype=np.float32)
        told: Array = self.values.reshape(len(self.values), -1).sum(1) - (self.scores - self.against)
        return told


def attribution(
    method: str,
    about: Subject,
    values: Tensor,
    chosen: Tensor,
    scores: Tensor,
    *,
    signed: bool,
    layer: str = "",
    against: Tensor | None = None,
) -> Attribution:
    """The record, with an image's channels and a column's encodings summed where the values still have them.

    Args:
        method: its name.
        about: what was explained.
        values: as the network's input, or (batch, height, width).
        chosen: indices of the explained outputs.
        scores: these outputs.
        signed: see :class:`Attribution`.
        layer: see :class:`Attribution`.
        against: outputs of the baseline.
    """
    columns, group = columns_of(about)
    if values.ndim == 4 or (about.seconds and values.ndim == 3 and values.shape[1] == 1):
        values = values.sum(1)
    elif columns and values.shape[1:] == about.x.shape[1:]:
        values = torch.zeros(len(values), len(columns), dtype=values.dtype).index_add_(1, group, values.detach().cpu())
    return Attribution(
        method,
        array(values),
        signed,
        about.drawn,
        about.names,
        columns,
        tuple(about.output_name(index) for index in chosen.tolist()),
        array(scores),
        layer,
        None if against is None else array(against),
        about.tokens if about.is_text else (),
        about.seconds,
    )


def of_tokens(method: str, about: Subject, told: TokenShares, *, signed: bool) -> Attribution:
    """The record of what tokens count for; of a module that is none of ours tokens are called by their numbers."""
    made = attribution(method, about, told.values, told.chosen, told.scores, signed=signed, against=told.against)
    if made.tokens:
        return made
    return replace(made, tokens=tuple(tuple(map(str, row)) for row in about.x.tolist()))


def columns_of(about: Subject) -> tuple[tuple[str, ...], Tensor]:
    """Names of a table's columns, and for each number that the network reads the column it comes from. Empty where the input is no row."""
    if about.x.ndim != 2 or about.is_text:
        return (), torch.zeros(0, dtype=torch.int64)
    model = about.model
    if model is not None and isinstance(model.preprocess, TableInputs) and isinstance(model.schema, TableSchema):
        encoding = model.preprocess
        numbers = encoding.numbers
        if encoding.bins:
            numbers = [at for at, count in zip(encoding.numbers, encoding.bins, strict=True) for _ in range(count)]
        levels = [at for at, count in encoding.levels for _ in range(count)]
        return model.schema.names, torch.tensor([*numbers, *encoding.flagged, *levels], dtype=torch.int64)
    return tuple(f"x{i + 1}" for i in range(about.x.shape[1])), torch.arange(about.x.shape[1])


def baseline_of(about: Subject, baseline: object, fallback: Tensor) -> Tensor:
    """The input to compare with, as the network reads it and as large as the batch.

    Raises:
        UsageError: it has another shape.
    """
    if baseline is None:
        return fallback.expand_as(about.x).clone()
    given = torch.as_tensor(baseline, dtype=about.x.dtype, device=about.x.device)
    try:
        return given.expand_as(about.x).clone()
    except RuntimeError as error:
        raise UsageError(
            "the baseline has another shape than the inputs", got=tuple(given.shape), expected=tuple(about.x.shape[1:])
        ) from error


def plain_inputs(about: Subject) -> Tensor:
    """Floating-point inputs that can be differentiated.

    Raises:
        UsageError: the network reads whole numbers, such as words, which have no gradient.
    """
    if not about.x.is_floating_point():
        raise UsageError(
            "attributions need inputs that are real numbers",
            got=str(about.x.dtype),
            expected="floating-point numbers, as inputs.float() makes them, or texts as whole numbers (batch, tokens)",
        )
    return about.x.detach().clone().requires_grad_(True)
