"""The parts of a data set: what files and folders and sentences call them, and the share that one may have."""

from __future__ import annotations

from glassnet.errors import UsageError

SPELLINGS: dict[str, tuple[str, ...]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
"""In lower case; the first is tried first."""

OTHERS = {part: words for part, words in SPELLINGS.items() if part != "train"}
"""Of the parts that lie beside a training part."""

SPOKEN = {"train": "training", "val": "validation", "test": "test"}
"""Said before the word part."""


def checked_share(share: float, part: str) -> float:
    """A part's share of the samples.

    Raises:
        UsageError: it is not strictly between 0 and 1.
    """
    if not 0.0 < share < 1.0:
        raise UsageError(
            f"the share of the {SPOKEN[part]} part is out of range",
            where=f"data.{part}_fraction",
            got=share,
            expected="between 0 and 1",
        )
    return share
