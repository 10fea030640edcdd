"""A language model at work: writing on from a beginning, and saying how likely each token of a text is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from glassnet.data.dataset import Data
from glassnet.data.stream import BEGIN, NAMES, Stream, below, codes_of, joined, part_of, pieces
from glassnet.data.stream_batches import StreamBatches
from glassnet.data.stream_schema import StreamSchema
from glassnet.data.tokens import UNKNOWN
from glassnet.errors import DataError, ModelError, UsageError
from glassnet.evaluate.language import LanguageFigures, language_report
from glassnet.layers.through_time import carried_of, carry, carrying_on
from glassnet.model import Model

SAMPLE = 400  # tokens of the sample that a run shows
SAMPLE_TEMPERATURE = 0.8
MOST_LENGTH = 1_000_000


def schema_of(model: Model) -> StreamSchema:
    """How the model reads text.

    Raises:
        ModelError: it is no language model.
    """
    if model.task != "language" or not isinstance(model.schema, StreamSchema):
        raise ModelError(
            "this model does not write texts",
            got=f"a model for {model.schema.kind} data, task {model.task}",
            expected="one that was trained on a text, such as glassnet train FILE.txt",
            fix="use 'glassnet predict'",
        )
    return model.schema


def unknown_of(model: Model, prompt: str) -> list[str]:
    """The tokens of a beginning that the model does not know, each once; it reads them as one unknown token."""
    schema = schema_of(model)
    known = set(schema.known)
    return [token for token in dict.fromkeys(pieces(prompt, schema.unit)) if token not in known]


def write(
    model: Model, prompt: str = "", *, length: int = 500, temperature: float = 1.0, seed: int = 0
) -> Iterator[str]:
    """Tokens that the model writes behind a beginning, one by one, each drawn from P(x) ∝ softmax(s / temperature).

    The beginning is read from the start of a text, so that without one the model begins a text of its own.

    Args:
        model: a language model.
        prompt: the beginning.
        length: tokens to write.
        temperature: below 1 the likely become likelier, above 1 the unlikely; 0 takes the most probable each time.
        seed: of the draws; the same seed writes the same.

    Raises:
        ModelError: the model is no language model.
        UsageError: a negative temperature, or a length out of range.
    """
    schema = schema_of(model)
    if not 0 <= temperature < float("inf"):
        raise UsageError("no temperature", where="temperature", got=temperature, expected="0 or more, such as 0.8")
    if not 1 <= length <= MOST_LENGTH:
        raise UsageError("the length is out of range", where="length", got=length, expected=f"1 to {MOST_LENGTH:,}")
    return _written(model, schema, prompt, length, temperature, seed)


def _written(
    model: Model, schema: StreamSchema, prompt: str, length: int, temperature: float, seed: int
) -> Iterator[str]:
    generator = torch.Generator().manual_seed(seed)
    unread = torch.cat([torch.tensor([BEGIN]), codes_of(pieces(prompt, schema.unit))])
    states: dict[str, Tensor] = {}
    for _ in range(length):
        scores, states = _read_on(model, unread, schema.window, states)
        scores[[BEGIN, UNKNOWN]] = float("-inf")
        if temperature == 0:
            chosen = int(scores.argmax())
        else:
            chosen = int(torch.multinomial(torch.softmax(scores / temperature, 0), 1, generator=generator))
        token = schema.known[chosen - len(NAMES)]
        yield token
        unread = codes_of([token])


def _read_on(model: Model, codes: Tensor, window: int, states: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Read some tokens from where the states are; the scores of what comes next, float64 (vocabulary,), and the states behind."""
    device = next((p.device for p in model.net.parameters()), torch.device("cpu"))
    model.net.eval()
    # Not kept open between two tokens: whoever takes them may do something else with the model in between.
    with torch.inference_mode(), carrying_on(model.net):
        for piece in torch.split(codes, window):
            if states:
                carry(model.net, states)
            scores = model.net(model.preprocess(piece[None].to(device)))[0, -1]
            states = carried_of(model.net)
    return scores.double().cpu(), states


def measure_language(model: Model, data: Data, name: str, *, sample: bool = True) -> LanguageFigures:
    """The figures of a language model on a part of a text, read through from its beginning.

    Args:
        model: a language model.
        data: whose part is read; its tokens need not be numbered as the model's.
        name: of the part.
        sample: whether it also writes some text.

    Raises:
        ModelError: the model is no language model, or reads other units.
        DataError: the part has no tokens.
    """
    schema = schema_of(model)
    if not isinstance(data.schema, StreamSchema) or data.schema.unit != schema.unit:
        raise ModelError("the model reads other data", got=data.schema.kind, expected=f"one text of {schema.unit}")
    stream = below(data.parts[name].inputs)
    assert stream is not None, "a language model's data are a stream"
    losses, right = losses_of(model, stream)
    text = joined((stream.lexicon[code] for code in stream.values.tolist()), schema.unit)
    written = joined(write(model, length=SAMPLE, temperature=SAMPLE_TEMPERATURE), schema.unit) if sample else ""
    return language_report(losses, right, schema.unit, len(text), written)


def losses_of(model: Model, stream: Stream) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """−ln P of every token of a text, and whether it was held to be the most probable, in the order of the text.

    Raises:
        DataError: there are no tokens.
    """
    schema = schema_of(model)
    if not len(stream.values):
        raise DataError("the text is empty", expected="some text")
    stream = replace(stream, window=schema.window)
    part = part_of(stream, schema.known, "text")
    device = next((p.device for p in model.net.parameters()), torch.device("cpu"))
    batches = StreamBatches(part, 1, measured=True, prepare=lambda raw, _: cast(Tensor, model.preprocess(raw)))
    batches.device = device
    losses = torch.zeros(part.targets.shape, dtype=torch.float64)
    right = torch.zeros(part.targets.shape, dtype=torch.bool)
    order = batches.order(0).reshape(-1, batches.lanes)
    model.net.eval()
    with torch.inference_mode(), carrying_on(model.net):
        for windows, (inputs, targets) in zip(order, batches.epoch(0), strict=True):
            scores = model.net(inputs)
            loss = functional.cross_entropy(scores.transpose(1, 2).double(), targets, reduction="none")
            counted = (targets >= 0).any(dim=1).cpu()
            losses[windows[counted]] = loss.cpu()[counted]
            right[windows[counted]] = (scores.argmax(2) == targets).cpu()[counted]
    counts = part.targets >= 0
    return losses[counts].numpy(), right[counts].numpy()
