"""A translator at work: the most probable sequence, found step by step or by following several beginnings at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassnet.data.dataset import Part, Source
from glassnet.data.pair_schema import PairSchema
from glassnet.data.pairs import BEGIN, END, MARKS, both_sides, pairs_of, put_together, targets_of
from glassnet.data.preprocess import Preprocess
from glassnet.data.ragged import PADDING
from glassnet.data.tokens import UNKNOWN
from glassnet.errors import ModelError, UsageError
from glassnet.evaluate.translation import TranslationFigures, translation_report
from glassnet.zoo import Translator

BATCH = 200
ROOM = 1.5  # times the longest of the training file that is written at most
MOST_BEAM = 100
LENGTH_POWER = 0.6


class Said(NamedTuple):
    """A translation and the probability of all its tokens together."""

    text: str
    probability: float


def translations(
    net: nn.Module, preprocess: Preprocess, schema: PairSchema, source: Source, beam: int = 1
) -> Iterator[Said]:
    """Translate all of a source.

    Args:
        net: a translator.
        preprocess: to its numbers.
        schema: of its texts.
        source: pairs, of which the first is read.
        beam: beginnings that are followed at once; 1 takes the most probable token each time.

    Raises:
        ModelError: the net cannot translate.
        UsageError: a beam out of range.
    """
    if not isinstance(net, Translator):
        raise ModelError(
            "this net cannot translate", got=type(net).__name__, expected="translator-gru or translator-lstm"
        )
    if not 1 <= beam <= MOST_BEAM:
        raise UsageError("the beam is out of range", where="beam", got=beam, expected=f"1 to {MOST_BEAM}")
    most = int(ROOM * schema.longest[1]) + 1
    device = next(p.device for p in net.parameters())
    net.eval()
    for start in range(0, len(source), BATCH):
        index = torch.arange(start, min(start + BATCH, len(source)))
        with torch.inference_mode():
            numbers, scores = search(net, preprocess(source.take(index).to(device))[:, 0], beam, most)
        for row, score in zip(numbers, scores.exp().tolist(), strict=True):
            tokens = [schema.known[1][number - len(MARKS)] for number in row]
            yield Said(put_together(tokens, schema.units[1]), score)


def search(net: Translator, read: Tensor, beam: int, most: int) -> tuple[list[list[int]], Tensor]:
    """Beam search (Graves 2012; Sutskever, Vinyals, Le 2014, section 3.2) over a batch.

    Of several finished ones that is taken whose log-probability over ((5 + length)/6)^0.6 is highest (Wu and others 2016, equation 14).

    Args:
        net: a translator.
        read: int64 (batch, time).
        beam: beginnings that are followed at once.
        most: tokens that are written at most.

    Returns:
        The numbers of each translation without its end, and its log-probability, float64 (batch,).
    """
    batch = len(read)
    memory = net.encode(read).rows(torch.arange(batch, device=read.device).repeat_interleave(beam))
    state = memory.start
    scores = torch.full((batch, beam), float("-inf"), dtype=torch.float64, device=read.device)
    scores[:, 0] = 0.0  # all beams begin alike: only one counts
    said = torch.full((batch * beam, 1), BEGIN, device=read.device)
    ended = torch.zeros(batch * beam, dtype=torch.bool, device=read.device)
    base = torch.arange(batch, device=read.device)[:, None] * beam
    for _ in range(most + 1):
        features, state, _ = net.say(memory, said[:, -1:], state)
        logs = torch.log_softmax(net.head(features)[:, 0].double(), dim=1)
        logs[:, [PADDING, UNKNOWN, BEGIN]] = float("-inf")
        logs[ended] = float("-inf")
        logs[ended, END] = 0.0
        every = (scores.reshape(-1, 1) + logs).reshape(batch, -1)
        scores, chosen = every.topk(beam, dim=1)
        origin = (base + chosen // logs.shape[1]).flatten()
        token = (chosen % logs.shape[1]).flatten()
        said = torch.cat([said[origin], token[:, None]], dim=1)
        ended = ended[origin] | (token == END)
        state = tuple(each[:, origin] for each in state)
        if bool(ended.all()):
            break
    written = (said[:, 1:] != END).sum(dim=1).reshape(batch, beam)
    best = (scores / ((5 + written) / 6) ** LENGTH_POWER).argmax(dim=1)
    rows = said.reshape(batch, beam, -1)[torch.arange(batch, device=read.device), best][:, 1:].tolist()
    kept = scores.gather(1, best[:, None])[:, 0].cpu()
    return [[number for number in row if number != END] for row in rows], kept


def measure_translation(
    net: nn.Module, preprocess: Preprocess, schema: PairSchema, part: Part, beam: int = 1
) -> TranslationFigures:
    """The figures of a translator on a part."""
    found = pairs_of(part.inputs)
    assert found is not None, "a translator's data are pairs"
    assert found[0].written is not None, "pairs to be measured have both sides"
    index = found[1]
    read, wanted = zip(*both_sides(part, schema.units), strict=True)
    said = [one.text for one in translations(net, preprocess, schema, part.inputs, beam)]
    targets = targets_of(found[0].written, schema.known[1])[index]
    total, right, count = 0.0, 0, 0
    device = next(p.device for p in net.parameters())
    with torch.inference_mode():
        for start in range(0, len(part), BATCH):
            places = torch.arange(start, min(start + BATCH, len(part)))
            scores = net(preprocess(part.inputs.take(places).to(device))).float().cpu()
            own = targets[places, : scores.shape[1]]
            counted = own >= 0
            total += float(functional.cross_entropy(scores[counted], own[counted], reduction="sum"))
            right += int((scores.argmax(2) == own)[counted].sum())
            count += int(counted.sum())
    return translation_report(
        read, said, wanted, token_accuracy=right / max(count, 1), loss=total / max(count, 1), beam=beam
    )
