"""Running a training for the command line: progress, signals, and the few lines at the end."""

from __future__ import annotations

import json
from typing import Any

from glassnet.cli.progress import Progress
from glassnet.cli.result_lines import result_lines
from glassnet.cli.signals import interruption
from glassnet.events import Started, finite
from glassnet.members import run
from glassnet.recipe import Recipe, run_name
from glassnet.runs import RunFolder, new_run


def run_new(recipe: Recipe, out: str | None, how: str) -> int:
    """A new run in a new folder; returns the exit code."""
    return _run(recipe, new_run(run_name(recipe), out), how)


def run_on(folder: RunFolder, how: str) -> int:
    """Go on with a run; returns the exit code."""
    if folder.finished:
        with Progress(how) as progress:
            progress.say(f"{folder.path} has come to its end already; its result:")
            _show(folder, folder.read_json("result"), progress)
        return 0
    return _run(Recipe.from_toml(folder.recipe if folder.recipe.exists() else folder.asked), folder, how)


def _run(recipe: Recipe, folder: RunFolder, how: str) -> int:
    with interruption() as asked, Progress(how) as progress:
        progress.started = next(
            (event for event in folder.events() if isinstance(event, Started)), None
        )  # of a resumed run
        result = run(
            recipe, folder, listen=progress.see, tell=progress.say, stop=lambda: bool(asked) or progress.unread
        )
        if not result.figures:
            progress.say(f"stopped and saved; go on with: glassnet resume {folder.path}")
            return asked.exit_code
        _show(folder, result.figures, progress)
    return 0


def _show(folder: RunFolder, figures: dict[str, Any], progress: Progress) -> None:
    progress.program(json.dumps({"event": "result", "run": str(folder.path)} | finite(figures), ensure_ascii=False))
    for line in result_lines(figures):
        progress.say(line)
    progress.say(f"run    {folder.path}  (report: {folder.report})")
