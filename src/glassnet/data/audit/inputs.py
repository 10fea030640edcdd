"""Rules of the audit on inputs by themselves: what cannot be read, cannot be computed with, or says nothing."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from glassnet.data.audit.look import Look, Trouble, counted, first_few, names_where
from glassnet.data.kinds import KINDS
from glassnet.data.ragged import PADDING
from glassnet.data.sound_schema import SILENCE
from glassnet.data.table_schema import TableSchema
from glassnet.data.tokens import UNKNOWN

SILENT = 33  # of 32,768: a thousandth of the full range, -60 dB
MOST_UNKNOWN = 0.1  # share of the tokens


def unreadable(look: Look) -> Iterator[Trouble]:
    """Files or rows were left out."""
    left_out = look.data.unreadable
    if left_out:
        yield Trouble(
            "unreadable",
            "warning",
            f"{counted(len(left_out), 'file or row could not be read and is', 'files or rows could not be read and are')} left out: {first_few([item.name for item in left_out])}",
            "mend or remove them; see the reasons",
            {"count": len(left_out), "reasons": {item.name: item.reason for item in left_out[:50]}},
        )


def not_finite(look: Look) -> Iterator[Trouble]:
    """Infinite numbers anywhere, or undefined ones where they do not mean a missing value."""
    kind = look.data.schema.kind
    for name, part in look.parts.items():
        inputs = {"inputs": look.inputs(name)} if KINDS[kind].places else {}
        for what, values in (inputs | {"targets": part.targets}).items():
            if not values.is_floating_point():
                continue
            odd = values.isinf() if kind == "table" and what == "inputs" else ~values.isfinite()
            samples = names_where(part, odd.flatten(1).any(dim=1))
            if samples:
                yield Trouble(
                    "not-finite",
                    "error",
                    f"{len(samples):,} {what} of the {name} part are NaN or infinite: {first_few(samples)}",
                    "correct or remove these samples: one of them makes the loss NaN",
                    {"part": name, "count": len(samples), "names": samples[:50]},
                )


def constant_inputs(look: Look) -> Iterator[Trouble]:
    """Columns, or positions of an image or array, that never change."""
    if not KINDS[look.data.schema.kind].places:
        return
    raw = look.inputs("train")
    if len(raw) < 2:
        return
    flat = raw.reshape(len(raw), -1)
    if flat.is_floating_point():
        same = ((flat == flat[0]) | (flat.isnan() & flat[0].isnan())).all(dim=0)
    else:
        same = flat.amin(dim=0) == flat.amax(dim=0)
    constant = torch.nonzero(same).flatten().tolist()
    if not constant:
        return
    schema = look.data.schema
    if isinstance(schema, TableSchema):
        names = [schema.names[i] for i in constant if schema.columns[i].kind != "word"]
        if not names:
            return
        what = f"{len(names)} columns are the same in every training row: {first_few(names)}"
        yield Trouble("constant-columns", "warning", what, "leave them out of the file", {"columns": names})
    else:
        share = len(constant) / flat.shape[1]
        what = f"{len(constant):,} of {flat.shape[1]:,} numbers of an input are the same in all {len(raw):,} looked at"
        advice = "harmless at the border of an image; otherwise cut the inputs to what varies"
        yield Trouble("constant-positions", "info", what, advice, {"count": len(constant), "share": share})


def blank_images(look: Look) -> Iterator[Trouble]:
    """Images of one colour, and images whose numbers fill next to nothing of 0 to 255."""
    if look.data.schema.kind != "image":
        return
    for name, part in look.parts.items():
        raw = look.inputs(name)
        if raw.numel() == 0:
            continue
        flat = raw.reshape(len(raw), raw.shape[1], -1)
        low, high = flat.amin(dim=2), flat.amax(dim=2)  # (samples, channels)
        names = names_where(part, (low == high).all(dim=1))
        if names:
            yield Trouble(
                "blank-images",
                "warning",
                f"{counted(len(names), 'image', 'images')} of the {name} part {'is' if len(names) == 1 else 'are'} of one colour: {first_few(names)}",
                "look at what is named; most often it is a fault",
                {"part": name, "count": len(names), "names": names[:50]},
            )
        if name == "train" and 0 < int(high.max()) <= 15:
            yield Trouble(
                "narrow-range",
                "warning",
                f"pixels go from {int(low.min())} to {int(high.max())} only, out of 0 to 255",
                "the images look black to the eye; 'standardise' (the default preprocessing) evens this out",
                {"least": int(low.min()), "greatest": int(high.max())},
            )


def silent_sounds(look: Look) -> Iterator[Trouble]:
    """Sounds in which nothing is to be heard."""
    if look.data.schema.kind != "sound":
        return
    for name, part in look.parts.items():
        raw = look.inputs(name)
        loudest = torch.where(raw == PADDING, 0, (raw - SILENCE).abs()).amax(dim=1)
        names = names_where(part, loudest <= SILENT)
        if names:
            yield Trouble(
                "silent-sounds",
                "warning",
                f"{counted(len(names), 'sound', 'sounds')} of the {name} part {'is' if len(names) == 1 else 'are'} silent: {first_few(names)}",
                "listen to what is named; most often it is a fault",
                {"part": name, "count": len(names), "names": names[:50]},
            )


def unknown_tokens(look: Look) -> Iterator[Trouble]:
    """Tokens of a text that do not occur in its training part."""
    if look.data.schema.kind != "stream":
        return
    for name, part in look.data.parts.items():
        share = float((part.targets == UNKNOWN).sum() / (part.targets >= 0).sum())
        if share > 0:
            yield Trouble(
                "unknown-tokens",
                "warning" if share > MOST_UNKNOWN else "info",
                f"{share:.1%} of the {name} part are {look.data.outputs[0].removeprefix('next ')}s that the training part does not know",
                "what is not known is not said: give more text, or --tokens characters",
                {"part": name, "share": share},
            )
