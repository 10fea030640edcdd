"""Measurements that take longer than tests may. Each is a module to be run: ``python -m benchmarks.NAME``."""

from __future__ import annotations

import compileall
from pathlib import Path


def compiled() -> None:
    """Compile Glassnet's Python files, as an installation does.

    A checkout that may not write them (PYTHONDONTWRITEBYTECODE) compiles hundreds at every start, while others' libraries are compiled already.
    """
    import glassnet

    compileall.compile_dir(Path(glassnet.__file__).parent, quiet=1)
