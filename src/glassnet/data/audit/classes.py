"""Rules of the audit on how often each class occurs."""

from __future__ import annotations

from collections.abc import Iterator

from glassnet.data.audit.look import Look, Trouble, first_few
from glassnet.data.dataset import class_counts

IMBALANCE = 10.0
FEW_PER_CLASS = 20


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
            + first_few([f"{name} ({count})" for name, count in few.items()]),
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
                    f"the {part} part has no sample of {first_few(absent)}",
                    "its figures say nothing about these classes",
                    {"part": part, "classes": absent},
                )
