"""What each word, column or moment of an input counts for, as plain values for a page. Nothing here knows of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.captions import number, shortest_half
from glassnet.web.maps import finite_or_none, map_of

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.data.dataset import Part
    from glassnet.explain import Attribution
    from glassnet.model import Model

STEPS = 32  # of the integral
FEW_STEPS = 12  # of that of a long text
LONG = 150  # tokens
LARGEST_SOUND = 160  # pixels a side of a spectrogram


def words_of(model: Model, text: Part, target: str | None = None) -> dict[str, Any]:
    """Integrated gradients of each token.

    Returns:
        ``parts``: name, share and whether the network knows it; ``target``; ``sentence``; ``gap``: what the shares miss of the output's change.

    Raises:
        UsageError: there is no such class, or the network has no embedding.
    """
    from glassnet.explain import integrated_gradients

    long = len(text.inputs.take(_first())[0]) > LONG
    told = integrated_gradients(model, text, target, steps=FEW_STEPS if long else STEPS)
    tokens, values = told.tokens[0], told.values[0]
    parts = [
        {"name": token.strip("⟨⟩"), "share": finite_or_none(float(value)), "known": not token.startswith("⟨")}
        for token, value in zip(tokens, values, strict=False)
    ]
    return _told(told, parts, "a text of words without meaning")


def columns_of(model: Model, row: Tensor, target: str | None = None) -> dict[str, Any]:
    """Integrated gradients of each column, from a row of which nothing is known to this one.

    Returns:
        As :func:`words_of`; ``parts`` have besides ``value``, what the row holds in words, empty where it is missing.

    Raises:
        UsageError: there is no such class, or Captum is not installed.
    """
    import torch

    from glassnet.data.table_schema import TableSchema
    from glassnet.explain import integrated_gradients

    assert isinstance(model.schema, TableSchema)
    with torch.no_grad():
        nothing = model.preprocess(model.schema.nothing_known()[None].to(row))
    told = integrated_gradients(model, row, target, baseline=nothing, steps=STEPS)
    parts = [
        {
            "name": name,
            "share": finite_or_none(float(share)),
            "value": "" if value is None else number(value) if isinstance(value, float) else value,
        }
        for (name, value), share in zip(model.schema.show(row[0]).items(), told.values[0], strict=True)
    ]
    whole = _told(told, parts, "a row of which nothing is known")
    shown = [part for part, lacks in zip(parts, model.schema.lacks_word(row[0]), strict=True) if not lacks]
    return whole | {"parts": shown}


def moments_of(model: Model, sound: Part, target: str | None = None) -> dict[str, Any]:
    """Saliency over what the network hears.

    Returns:
        ``heard``: the spectrogram, or None where the network reads the wave; ``map``: the saliency, the lowest band in the last row; ``seconds``;
        ``target``; ``sentence``.

    Raises:
        UsageError: there is no such class.
    """
    from glassnet.explain import saliency

    told = saliency(model, sound, target)
    values = told.values[0]
    over_time = values.sum(0) if values.ndim == 2 else values
    first, last = shortest_half(over_time)
    step = told.seconds / len(over_time)
    spectrogram = values.ndim == 2
    return {
        "heard": map_of(told.inputs[0][0][::-1], LARGEST_SOUND) if spectrogram else None,
        "map": map_of(values[::-1] if spectrogram else over_time[None], LARGEST_SOUND),
        "seconds": told.seconds,
        "target": told.targets[0],
        "sentence": f"Half of all that moves the output for {told.targets[0]} lies between {number(first * step)} and {number(last * step)} s of {number(told.seconds)} s.",
    }


def _told(told: Attribution, parts: list[dict[str, Any]], nothing: str) -> dict[str, Any]:
    assert told.against is not None
    values = told.values[0][: len(parts)]
    target = told.targets[0]
    words = f"From {nothing} to this one the output for {target} goes from {_minus(told.against[0])} to {_minus(told.scores[0])}"
    if len(values) and np.any(values):
        most = int(np.abs(values).argmax())
        words += f": “{parts[most]['name']}” moves it most, by {_signed(values[most])}"
        against = int((values * np.sign(values[most])).argmin())
        if values[against] * values[most] < 0:
            words += f"; “{parts[against]['name']}” moves it the other way, by {_signed(values[against])}"
    return {"parts": parts, "target": target, "sentence": words + ".", "gap": finite_or_none(float(told.gap[0]))}


def _minus(value: Any) -> str:
    return number(float(value)).replace("-", "−")


def _signed(value: Any) -> str:
    return ("+" if value > 0 else "") + _minus(value)


def _first() -> Tensor:
    import torch

    return torch.zeros(1, dtype=torch.int64)
