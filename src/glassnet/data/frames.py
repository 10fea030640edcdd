"""polars, imported when the first table is touched: images, texts and sounds need not wait for it.

Modules that read tables take ``pl`` from here, and from polars itself for type checkers.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    def __getattr__(self, name: str) -> Any:
        value = getattr(importlib.import_module(self.__name__), name)
        setattr(self, name, value)
        return value


pl = _Later("polars")
