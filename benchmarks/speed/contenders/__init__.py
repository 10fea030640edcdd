"""Who is compared: one file each, with ``start(row) -> Contender``. A file is imported only in the process that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class NotWrittenError(Exception):
    """This contender has no such row; says why."""


@dataclass
class Contender:
    """A training that can be carried on for a while.

    Attributes:
        advance: trains for about that many seconds; returns samples trained on, and the seconds that took.
        precision: of most of the arithmetic: ``float32`` or ``bfloat16``.
        note: what it chose, in words.
    """

    advance: Callable[[float], tuple[int, float]]
    precision: str = "float32"
    note: str = ""


# name -> (module in this folder, package that must be installed, what is set before the process begins)
CONTENDERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "glassnet": ("of_glassnet", "glassnet", {}),
    "pytorch, naive": ("naive_pytorch", "torch", {}),
    "pytorch, tuned": ("tuned_pytorch", "torch", {}),
    "lightning": ("of_lightning", "lightning", {}),
    "keras on jax": ("of_keras", "keras", {"KERAS_BACKEND": "jax"}),
    "keras on torch": ("of_keras", "keras", {"KERAS_BACKEND": "torch"}),
    "keras on tensorflow": ("of_keras", "tensorflow", {"KERAS_BACKEND": "tensorflow"}),
    "jax": ("of_jax", "jax", {}),
    "scikit-learn": ("of_sklearn", "sklearn", {}),
}
