"""One long text as a stream of tokens, cut into windows that are read one after the other; what comes next is what is to be said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glassnet.data.dataset import Part, Source, beneath
from glassnet.data.ragged import PADDING
from glassnet.data.tokens import UNKNOWN, Unit, code

BEGIN = PADDING  # what stands before the first token; a network that meets it forgets what it carried
IGNORED = -100  # a target that is not counted, as in torch.nn.functional.cross_entropy
NAMES = ("<begin>", "<unknown>")  # of the numbers that are no tokens
LEAST_OCCURRENCES = 2  # of a word; rarer ones are one unknown word, so that the network learns what to make of such
MOST_WORDS = 20_000
CLOSING = frozenset("\n.,;:!?)]}…'’”%")  # no blank before these
OPENING = ("\n", "(", "[", "{", "“")  # nor behind these
_PIECE = re.compile(r"\w+(?:['’]\w+)*|\n|[^\w\s]")


@dataclass(frozen=True)
class Stream:
    """A source of windows that lie side by side: window k holds the tokens k·window − 1 to (k + 1)·window − 2, its targets those one later.

    So the first token of a stream is to be said from nothing (``BEGIN``), and every token is said once.

    Attributes:
        values: codes of the tokens, int64 (tokens,).
        window: tokens of a window, at least 1; the last may have fewer, and is filled with ``PADDING``.
        lexicon: what the codes stand for.
    """

    values: Tensor
    window: int
    lexicon: Mapping[int, str] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return -(-len(self.values) // self.window)

    def take(self, index: Tensor) -> Tensor:
        """The windows at ``index``: what the network reads, int64 (batch, window)."""
        return self._at(index, -1, BEGIN)

    def following(self, index: Tensor) -> Tensor:
        """What should be said to each: codes, int64 (batch, window), 0 behind the end."""
        return self._at(index, 0, PADDING)

    def _at(self, index: Tensor, shift: int, outside: int) -> Tensor:
        place = index[:, None] * self.window + torch.arange(self.window) + shift
        inside = (place >= 0) & (place < len(self.values))
        return torch.where(inside, self.values[place.clamp(0, max(len(self.values) - 1, 0))], outside)

    def cut(self, begin: int, end: int) -> Stream:
        """The tokens from ``begin`` up to ``end`` as a stream of their own."""
        return Stream(self.values[begin:end], self.window, self.lexicon)


def pieces(text: str, unit: Unit) -> list[str]:
    """A text cut so that it can be put together again: its characters, or its words, signs and line ends, in the case they are written in."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return list(text) if unit == "characters" else _PIECE.findall(text)


def joined(tokens: Iterable[str], unit: Unit) -> str:
    """Tokens as a text: words with a blank before each, none before closing signs and after opening ones."""
    if unit == "characters":
        return "".join(tokens)
    text = ""
    for piece in tokens:
        close = piece in CLOSING or text.endswith(OPENING)
        text += piece if close or not text else f" {piece}"
    return text


def codes_of(tokens: Iterable[str], lexicon: dict[int, str] | None = None) -> Tensor:
    """Codes of tokens, int64 (tokens,); new ones are written into the lexicon."""
    known: dict[str, int] = {}
    found = []
    for token in tokens:
        number = known.get(token)
        if number is None:
            number = known[token] = code(token)
            if lexicon is not None:
                lexicon.setdefault(number, token)
        found.append(number)
    return torch.tensor(found, dtype=torch.int64)


def vocabulary_of(stream: Stream, unit: Unit) -> tuple[str, ...]:
    """The tokens that a network learns to say, the most frequent first: every character of the stream, or words that occur twice or more."""
    codes, counts = torch.unique(stream.values, return_counts=True)
    least = 1 if unit == "characters" else LEAST_OCCURRENCES
    kept = (counts >= least) & (codes != UNKNOWN)
    codes, counts = codes[kept], counts[kept]
    order = torch.argsort(counts, descending=True, stable=True)[:MOST_WORDS]
    return tuple(stream.lexicon[number] for number in codes[order].tolist())


def part_of(stream: Stream, known: tuple[str, ...], name: str) -> Part:
    """A stream with its targets: places in ``NAMES`` + ``known``, int64 (windows, window), ``IGNORED`` behind the end."""
    codes, order = codes_of(known).sort()
    raw = stream.following(torch.arange(len(stream)))
    at = torch.searchsorted(codes, raw).clamp_max(len(codes) - 1)
    targets = torch.where(codes[at] == raw, order[at] + len(NAMES), UNKNOWN)
    targets = torch.where(raw == PADDING, IGNORED, targets)
    return Part(stream, targets, [f"{name}@{begin}" for begin in range(0, len(stream.values), stream.window)])


def stream_of(source: Source) -> Stream | None:
    """The stream that a source is; None for any other source, samples drawn from a stream included."""
    return source if isinstance(source, Stream) else None


def below(source: Source) -> Stream | None:
    """The stream below any subsets; None where there is none."""
    return stream_of(beneath(source)[0])


def stretch(part: Part, begin: int, windows: int) -> Part:
    """Windows of a stream's part that lie side by side, as a part of its own."""
    stream = stream_of(part.inputs)
    assert stream is not None, "only a stream has stretches"
    end = begin + windows
    own = stream.cut(begin * stream.window, end * stream.window)
    return Part(own, part.targets[begin:end], part.names[begin:end])
