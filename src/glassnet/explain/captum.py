"""Captum, where it is installed: the one place that imports it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from glassnet.errors import UsageError


def captum(method: str) -> Any:
    """Captum's attribution methods.

    Args:
        method: what needs it, in words.

    Raises:
        UsageError: the extra is not installed.
    """
    try:
        return import_module("captum.attr")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("captum", "tqdm"):
            raise
        raise UsageError(
            f"{method} needs Captum", got="not installed", fix="pip install 'glassnet[explain]'"
        ) from error
