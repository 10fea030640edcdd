"""Dividing one long text: its end is what a network is measured on, for pieces drawn from its midst would be told by what stands around them."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from glassnet.data.dataset import Data, Part
from glassnet.data.parts import SPOKEN
from glassnet.data.stream import NAMES, Stream, below, part_of, vocabulary_of
from glassnet.data.stream_schema import StreamSchema
from glassnet.errors import DataError, UsageError

VAL = 0.1
LEAST_TOKENS = 200


def is_stream(data: Data) -> bool:
    """Whether the data are one long text."""
    return isinstance(data.schema, StreamSchema)


def split_stream(data: Data, *, val: float | None, test: float | None, window: int) -> Data:
    """The text's first part to learn from, then its validation part, and a test part at its end where one is asked for.

    The vocabulary is that of the training part. What files of their own gave is kept.

    Args:
        data: one stream, or several that came as parts.
        val: share of the text, strictly between 0 and 1; the last tenth without it.
        test: share of the text, likewise; none without it.
        window: tokens through which the gradient goes back.

    Raises:
        DataError: the text is too short.
        UsageError: a share is out of range, or both leave nothing to learn from.
    """
    schema = cast(StreamSchema, data.schema)
    streams = {name: cast(Stream, below(part.inputs)) for name, part in data.parts.items()}
    total = len(streams["train"].values)
    shares = {}
    if "val" not in streams:
        shares["val"] = VAL if val is None else val
    if "test" not in streams and test is not None:
        shares["test"] = test
    if any(not 0 < share < 1 for share in shares.values()) or sum(shares.values()) >= 1:
        raise UsageError(
            "the shares of the parts leave nothing to learn from",
            where=" and ".join(f"data.{name}_fraction" for name in shares),
            got=", ".join(f"{share:g}" for share in shares.values()),
            expected="above 0, and below 1 together",
        )
    if total < LEAST_TOKENS:
        raise DataError(
            "the text is too short to learn from",
            where=data.origin,
            got=f"{total:,} {schema.unit}",
            expected=f"{LEAST_TOKENS:,} or more; a network that writes well needs some hundred thousand",
        )
    begin = end = total - sum(int(share * total) for share in shares.values())
    cut = {"train": streams["train"].cut(0, end)}
    for name, share in shares.items():
        begin, end = end, end + int(share * total)
        cut[name] = streams["train"].cut(begin, end)
    cut |= {name: stream for name, stream in streams.items() if name != "train"}
    known = vocabulary_of(cut["train"], schema.unit)
    if not known:
        raise DataError(
            "no word occurs twice in the training part of the text", where=data.origin, fix="--tokens characters"
        )
    length = min(window, *(len(stream.values) for stream in cut.values()))
    parts: dict[str, Part] = {
        name: part_of(replace(cut[name], window=length), known, f"{data.name} {name}")
        for name in ("train", "val", "test")
        if name in cut
    }
    return replace(
        data.with_parts(parts, *_notes(cut, shares, known, schema.unit)),
        classes=(*NAMES, *known),
        schema=replace(schema, window=length, known=known),
    )


def _notes(cut: dict[str, Stream], shares: dict[str, float], known: tuple[str, ...], unit: str) -> list[str]:
    counts = ", ".join(f"{len(stream.values):,} {SPOKEN[name]}" for name, stream in cut.items())
    notes = [f"{len(known):,} different {unit} in the training part; {unit} of the parts: {counts}."]
    if shares:
        told = " and ".join(f"the {SPOKEN[name]} part takes {share:.0%}" for name, share in shares.items())
        notes.append(f"The text is divided in its own order: {told}, at its end.")
    if "test" not in cut:
        notes.append(
            "There is no test part (--set data.test_fraction=0.1 makes one): figures on the validation part are a little too good, because "
            "training chooses its best weights by them."
        )
    return notes
