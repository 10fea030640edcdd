"""What a reader left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unreadable:
    """A file or row that was left out, and why."""

    name: str
    reason: str
