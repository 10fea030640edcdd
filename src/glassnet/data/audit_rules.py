"""The rules of the audit: each looks for one trouble, with its figures and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import torch
from torch import Tensor

from glassnet.data.columns import DATE_PARTS
from glassnet.data.dataset import Data, InMemory, Part, class_counts
from glassnet.data.duplicates import groups
from glassnet.data.leaks import correlation, one_column_accuracy
from glassnet.data.ragged import PADDING
from glassnet.data.sound_schema import SILENCE
from glassnet.data.split import DRAWN
from glassnet.data.table_schema import TableSchema

Severity = Literal["error", "warning", "info"]
NAMED = 5
IMBALANCE = 10.0
FEW_PER_CLASS = 20
MOSTLY_MISSING = 0.5
SILENT = 33  # of 32,768: a thousandth of the full range, -60 dB
SHIFT = 0.25
SHIFT_SAMPLES = 5_000
LEAK_ERROR = 0.01
LEAK_CORRELATION = 0.999
LEAST_FOR_LEAKS = 50
WITHOUT_PLACES = (
    "text",
    "tags",
    "sound",
    "graph",
    "graphs",
    "tree",
)  # kinds whose numbers have no fixed places that could be compared


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
        parts: its parts, or an even sample of each where inputs are decoded from disk.
        digests: of every input of each part, None where too costly.
    """

    data: Data
    parts: Mapping[str, Part]
    digests: Mapping[str, list[bytes] | None]

    def inputs(self, part: str) -> Tensor:
        """The looked-at raw inputs of a part, (samples, ...)."""
        source = self.parts[part].inputs
        return source.values if isinstance(source, InMemory) else source.take(torch.arange(len(source)))


def unreadable(look: Look) -> Iterator[Trouble]:
    """Files or rows were left out."""
    left_out = look.data.unreadable
    if left_out:
        yield Trouble(
            "unreadable",
            "warning",
            f"{len(left_out):,} files or rows could not be read and are left out: {_some([item.name for item in left_out])}",
            "mend or remove them; see the reasons",
            {"count": len(left_out), "reasons": {item.name: item.reason for item in left_out[:50]}},
        )


def not_finite(look: Look) -> Iterator[Trouble]:
    """Infinite numbers anywhere, or undefined ones where they do not mean a missing value."""
    table = look.data.schema.kind == "table"
    for name, part in look.parts.items():
        for what, values in (("inputs", look.inputs(name)), ("targets", part.targets)):
            if not values.is_floating_point():
                continue
            odd = values.isinf() if table and what == "inputs" else ~values.isfinite()
            rows = torch.nonzero(odd.flatten(1).any(dim=1)).flatten().tolist()
            if rows:
                samples = [part.names[row] for row in rows]
                yield Trouble(
                    "not-finite",
                    "error",
                    f"{len(rows):,} {what} of the {name} part are NaN or infinite: {_some(samples)}",
                    "correct or remove these samples: one of them makes the loss NaN",
                    {"part": name, "count": len(rows), "names": samples[:50]},
                )


def duplicates_within(look: Look) -> Iterator[Trouble]:
    """The same input several times within a part."""
    for name, keys in look.digests.items():
        found = list(groups(keys)) if keys else []
        extra = sum(len(positions) - 1 for positions in found)
        if extra:
            names = look.data.parts[name].names
            pairs = [[names[i] for i in positions[:NAMED]] for positions in found[:50]]
            yield Trouble(
                "duplicates-within",
                "info" if extra < 0.05 * len(names) else "warning",
                f"{extra:,} of {len(names):,} samples of the {name} part {'repeats' if extra == 1 else 'repeat'} an earlier input, for example {' = '.join(pairs[0])}",
                "remove repetitions unless they say how often an input occurs",
                {"part": name, "extra": extra, "groups": pairs},
            )


def duplicates_across(look: Look) -> Iterator[Trouble]:
    """The same input in the training part and in a part that measures, or in validation and test."""
    for first, second in (("train", "test"), ("train", "val"), ("val", "test")):
        keys, others = look.digests.get(first), look.digests.get(second)
        if not keys or not others:
            continue
        where = {key: position for position, key in reversed(list(enumerate(keys)))}
        shared = [(where[key], position) for position, key in enumerate(others) if key in where]
        if shared:
            a, b = look.data.parts[first].names, look.data.parts[second].names
            pairs = [[a[i], b[j]] for i, j in shared]
            yield Trouble(
                "duplicates-across-parts",
                "warning",
                f"{len(shared):,} of {len(others):,} {second} inputs also {'lies' if len(shared) == 1 else 'lie'} in the {first} part, for example "
                f"{pairs[0][0]} = {pairs[0][1]}",
                f"figures on the {second} part are too good by them: remove them from one of the two",
                {"parts": [first, second], "count": len(shared), "pairs": pairs[:50]},
            )


def contradicting(look: Look) -> Iterator[Trouble]:
    """The same input with different targets."""
    known = [name for name, keys in look.digests.items() if keys]
    keys = list(chain.from_iterable(look.digests[name] or [] for name in known))
    names = list(chain.from_iterable(look.data.parts[name].names for name in known))
    if not known or look.data.schema.kind == "tags":
        return
    targets = torch.cat([look.data.parts[name].targets for name in known])
    found = [positions for positions in groups(keys) if not bool((targets[positions] == targets[positions[0]]).all())]
    if found:
        examples = [
            [f"{names[i]} ({_target(look.data, targets[i])})" for i in positions[:NAMED]] for positions in found
        ]
        yield Trouble(
            "contradicting-targets",
            "warning",
            f"{len(found):,} {'input occurs' if len(found) == 1 else 'inputs occur'} with different targets, for example {' and '.join(examples[0])}",
            "correct the wrong ones; while they disagree no network can be right about both",
            {"inputs": len(found), "samples": sum(map(len, found)), "examples": examples[:50]},
        )


def imbalance(look: Look) -> Iterator[Trouble]:
    """One class far more frequent than another; of tags that is usual."""
    if look.data.task != "classes" or look.data.schema.kind == "tags":
        return
    counts = class_counts(look.data.train, len(look.data.classes))
    most, least = max(counts), min(counts)
    if least and most >= IMBALANCE * least:
        often, rare = look.data.classes[counts.index(most)], look.data.classes[counts.index(least)]
        share = most / sum(counts)
        yield Trouble(
            "imbalance",
            "warning",
            f"class '{often}' is {most / least:.0f} times as frequent as '{rare}' ({most:,} against {least:,})",
            f"read the figures of each class: always answering '{often}' is right {share:.1%} of the time; "
            "weight the loss by class or gather more of the rare ones",
            {"ratio": most / least, "most": often, "least": rare, "majority_share": share},
        )


def few_samples(look: Look) -> Iterator[Trouble]:
    """Classes with few training samples, or with none in a part that measures; of tags that is usual."""
    if look.data.task != "classes" or look.data.schema.kind == "tags":
        return
    counts = class_counts(look.data.train, len(look.data.classes))
    few = {name: count for name, count in zip(look.data.classes, counts, strict=True) if count < FEW_PER_CLASS}
    if few:
        yield Trouble(
            "few-samples",
            "warning",
            f"{len(few)} of {len(counts)} classes have fewer than {FEW_PER_CLASS} training samples: "
            + _some([f"{name} ({count})" for name, count in few.items()]),
            "gather more, or start from a network trained on other data",
            {"classes": few},
        )
    for part in ("val", "test"):
        if part in look.data.parts:
            there = class_counts(look.data.parts[part], len(counts))
            absent = [name for name, count in zip(look.data.classes, there, strict=True) if count == 0]
            if absent:
                yield Trouble(
                    "class-not-measured",
                    "warning",
                    f"the {part} part has no sample of {_some(absent)}",
                    "its figures say nothing about these classes",
                    {"part": part, "classes": absent},
                )


def constant_inputs(look: Look) -> Iterator[Trouble]:
    """Columns, or positions of an image or array, that never change."""
    if look.data.schema.kind in WITHOUT_PLACES:
        return
    raw = look.inputs("train")
    if len(raw) < 2:
        return
    flat = raw.reshape(len(raw), -1)
    same = (flat == flat[0]) | (flat.isnan() & flat[0].isnan()) if flat.is_floating_point() else flat == flat[0]
    constant = torch.nonzero(same.all(dim=0)).flatten().tolist()
    if not constant:
        return
    schema = look.data.schema
    if isinstance(schema, TableSchema):
        names = [schema.names[i] for i in constant]
        what = f"{len(names)} columns are the same in every training row: {_some(names)}"
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
        blank = torch.nonzero((low == high).all(dim=1)).flatten().tolist()
        if blank:
            names = [part.names[i] for i in blank]
            yield Trouble(
                "blank-images",
                "warning",
                f"{len(blank):,} images of the {name} part are of one colour: {_some(names)}",
                "look at them; most often they are faults",
                {"part": name, "count": len(blank), "names": names[:50]},
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
        silent = torch.nonzero(loudest <= SILENT).flatten().tolist()
        if silent:
            names = [part.names[i] for i in silent]
            yield Trouble(
                "silent-sounds",
                "warning",
                f"{len(silent):,} sounds of the {name} part are silent: {_some(names)}",
                "listen to them; most often they are faults",
                {"part": name, "count": len(silent), "names": names[:50]},
            )


def missing_values(look: Look) -> Iterator[Trouble]:
    """Columns with missing values, most of all those with hardly any other."""
    schema = look.data.schema
    if not isinstance(schema, TableSchema):
        return
    share = look.inputs("train").isnan().to(torch.float64).mean(dim=0).tolist()
    some = {name: value for name, value in zip(schema.names, share, strict=True) if value > 0}
    most = {name: value for name, value in some.items() if value > MOSTLY_MISSING}
    if most:
        yield Trouble(
            "mostly-missing",
            "warning",
            "more than half of the values are missing in "
            + _some([f"{name} ({value:.0%})" for name, value in most.items()]),
            "leave these columns out unless being missing means something by itself",
            {"columns": most},
        )
    if some:
        yield Trouble(
            "missing-values",
            "info",
            "values are missing in " + _some([f"{name} ({value:.1%})" for name, value in some.items()]),
            "numbers are filled with the median and flagged; a missing category is a category of none",
            {"columns": some},
        )


def leaks(look: Look) -> Iterator[Trouble]:
    """A single column that all but gives the target away."""
    schema, part = look.data.schema, look.parts["train"]
    if not isinstance(schema, TableSchema) or len(part) < LEAST_FOR_LEAKS:
        return
    raw = look.inputs("train")
    for position, column in enumerate(schema.columns):
        values = raw[:, position]
        if look.data.task == "classes":
            right, trivial = one_column_accuracy(values, part.targets, len(look.data.classes))
            found = 1 - right <= min(LEAK_ERROR, 0.1 * (1 - trivial))
            figure, told = right, f"column '{column.name}' alone tells the class in {right:.2%} of the rows"
        else:
            figure = max((abs(correlation(values, target)) for target in part.targets.T), default=0.0)
            found = column.kind != "category" and figure > LEAK_CORRELATION
            told = f"column '{column.name}' is all but the target itself (correlation {figure:.5f})"
        if found:
            yield Trouble(
                "leaking-column",
                "warning",
                told,
                "ask whether it will be known when the model is used; if it is made from the target, remove it",
                {"column": column.name, "figure": figure},
            )


def times_at_random(look: Look) -> Iterator[Trouble]:
    """Rows with a date, divided at random: what is then measured is filling gaps, not telling the future."""
    schema = look.data.schema
    if not isinstance(schema, TableSchema) or not any(DRAWN in note for note in look.data.notes):
        return
    dates = list(dict.fromkeys(column.source for column in schema.columns if column.kind in DATE_PARTS))
    if dates:
        yield Trouble(
            "times-at-random",
            "warning",
            f"column {_some(dates)} holds dates, and the parts are drawn at random: the network is measured on rows between those that it has seen, not on later ones",
            "if it is to tell the future, keep the latest rows in a file of their own (--test FILE); a series with equal steps is divided in time by itself (--time COLUMN)",
            {"columns": dates},
        )


def shifted_parts(look: Look) -> Iterator[Trouble]:
    """Columns or channels whose mean differs between training and test part."""
    if (
        look.data.schema.kind in WITHOUT_PLACES
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
            + _some([f"{name} ({value:.2f} standard deviations)" for name, value in found.items()]),
            "the parts come from different sources or times: test figures will be worse than validation figures",
            {"shift": found},
        )


RULES: tuple[Callable[[Look], Iterator[Trouble]], ...] = (
    unreadable,
    not_finite,
    duplicates_within,
    duplicates_across,
    contradicting,
    imbalance,
    few_samples,
    constant_inputs,
    blank_images,
    silent_sounds,
    missing_values,
    leaks,
    times_at_random,
    shifted_parts,
)


def _channel_means(raw: Tensor) -> Tensor:
    """Mean of each channel of each sample, float64 (samples, channels); of each number where there are no positions."""
    if raw.dim() < 3:
        return raw.to(torch.float64)
    # bytes are summed as whole numbers, without a copy of the whole set in another type
    total = raw.sum(dim=tuple(range(2, raw.dim())), dtype=None if raw.is_floating_point() else torch.int64)
    return total.to(torch.float64) / raw[0, 0].numel()


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def _target(data: Data, target: Tensor) -> str:
    if data.task == "classes":
        return data.classes[int(target)]
    return ", ".join(f"{value:g}" for value in target.tolist())
