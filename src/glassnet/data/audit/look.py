"""What the rules of the audit look at, and what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from glassnet.data.dataset import Data, InMemory, Part

Severity = Literal["error", "warning", "info"]
NAMED = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about a data set that may spoil training or its figures.

    Attributes:
        rule: stable id, such as ``duplicates-across-parts``.
        severity: ``error`` (training cannot work), ``warning`` (figures or training suffer) or ``info``.
        what: what is the matter, with the figures.
        advice: what to do.
        evidence: the figures and names behind it, as plain values.
    """

    rule: str
    severity: Severity
    what: str
    advice: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """What the rules may look at.

    Attributes:
        data: the data set.
        parts: what is looked at of its parts: everything, or an even sample where inputs are decoded from disk or filled up to one length.
        digests: of every input of each part, None where too costly.
    """

    data: Data
    parts: Mapping[str, Part]
    digests: Mapping[str, list[bytes] | None]

    def inputs(self, part: str) -> Tensor:
        """The looked-at raw inputs of a part, (samples, ...)."""
        source = self.parts[part].inputs
        return source.values if isinstance(source, InMemory) else source.take(torch.arange(len(source)))


def names_where(part: Part, wrong: Tensor) -> list[str]:
    """Names of the samples for which ``wrong``, bool (samples,), is true."""
    return [part.names[place] for place in torch.nonzero(wrong).flatten().tolist()]


def counted(count: int, one: str, many: str) -> str:
    """``3 sounds are silent`` of 3, "sound is silent" and "sounds are silent"."""
    return f"{count:,} {one if count == 1 else many}"


def first_few(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")
