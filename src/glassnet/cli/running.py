"""Running a training for the command line: progress, signals, and the few lines at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from glassnet.cli.progress import Progress
from glassnet.cli.result_lines import result_lines
from glassnet.cli.signals import interruption
from glassnet.errors import UsageError
from glassnet.evaluate.interval import spread
from glassnet.events import Finished, Started, finite
from glassnet.members import run
from glassnet.recipe import Recipe
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
        if result.model is None:
            progress.say(f"stopped and saved; go on with: glassnet resume {folder.path}")
            return asked.exit_code
        _show(folder, result.figures, progress)
    return 0


def _show(folder: RunFolder, figures: dict[str, Any], progress: Progress) -> None:
    progress.program(json.dumps({"event": "result", "run": str(folder.path)} | finite(figures), ensure_ascii=False))
    for line in result_lines(figures):
        progress.say(line)
    progress.say(f"run    {folder.path}  (report: {folder.report})")


def cross_validate(recipe: Recipe, count: int, out: str | None, how: str) -> int:
    """Train once for each fold, validated on that fold; tells mean and spread of the validation figure."""
    if recipe.ensemble.members > 1 or recipe.ensemble.snapshots:
        raise UsageError(
            "folds are of single trainings, and several networks are to answer together",
            where="--folds",
            fix="leave out --folds, or --members and --snapshots",
        )
    place = new_run(f"{run_name(recipe)}-folds", out).path
    figures: list[float] = []
    with interruption() as asked, Progress(how) as progress:
        for fold in range(1, count + 1):
            progress.say(f"fold {fold} of {count}", "bold")
            chosen = recipe.changed({"data.folds": count, "data.fold": fold})
            folder = RunFolder(place / f"fold-{fold}")
            result = run(
                chosen, folder, listen=progress.see, tell=progress.say, stop=lambda: bool(asked) or progress.unread
            )
            if result.model is None:
                progress.say(f"stopped; go on with this fold: glassnet resume {folder.path}")
                return asked.exit_code
            figures += [
                event.best for event in folder.events() if isinstance(event, Finished) and event.best is not None
            ]
        seen = spread(figures)
        progress.say(
            f"cross-validation over {count} folds: {seen.plain(4)} "
            "(mean and standard deviation of the best figure on the fold that was left out)"
        )
    return 0


def run_name(recipe: Recipe) -> str:
    """The first part of a run folder's name."""
    name = Path(recipe.data.path).stem or "run"
    return f"{name}-ensemble" if recipe.ensemble.of else name
