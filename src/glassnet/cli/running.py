"""Running a training for the command line: progress, signals, and the few lines at the end."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from glassnet.cli.progress import Progress
from glassnet.cli.result_lines import result_lines
from glassnet.cli.signals import interruption
from glassnet.data.split import folds
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder, new_run
from glassnet.story import read_data, run


def run_new(recipe: Recipe, out: str | None, how: str) -> int:
    """A new run in a new folder; returns the exit code."""
    return _run(recipe, new_run(Path(recipe.data.path).stem or "run", out), how)


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
        result = run(recipe, folder, listen=progress.see, tell=progress.say, stop=lambda: bool(asked))
        if result.model is None:
            progress.say(f"stopped and saved; go on with: glassnet resume {folder.path}")
            return asked.exit_code
        _show(folder, result.figures, progress)
    return 0


def _show(folder: RunFolder, figures: dict[str, Any], progress: Progress) -> None:
    if progress.how == "json":
        print(json.dumps({"event": "result", "run": str(folder.path)} | figures, ensure_ascii=False))  # noqa: T201
    for line in result_lines(figures):
        progress.say(line)
    progress.say(f"run    {folder.path}  (report: {folder.report})")


def cross_validate(recipe: Recipe, count: int, out: str | None, how: str) -> int:
    """Train once for each fold, validated on that fold; tells mean and spread of the validation figure."""
    whole = read_data(recipe)
    name = Path(recipe.data.path).stem or "run"
    place = new_run(f"{name}-folds", out).path
    figures: list[float] = []
    with interruption() as asked, Progress(how) as progress:
        for number, data in enumerate(folds(whole, count, recipe.train.seed), start=1):
            progress.say(f"fold {number} of {count}", "bold")
            result = run(
                recipe,
                RunFolder(place / f"fold-{number}"),
                data=data,
                listen=progress.see,
                tell=progress.say,
                stop=lambda: bool(asked),
            )
            if result.model is None:
                progress.say(f"stopped; go on with this fold: glassnet resume {result.folder.path}")
                return asked.exit_code
            best = [event.best for event in result.folder.events() if type(event).__name__ == "Finished"]  # type: ignore[union-attr]
            figures += [float(value) for value in best[-1:] if value is not None]
        if len(figures) > 1:
            progress.say(
                f"cross-validation over {count} folds: {statistics.mean(figures):.4f} ± {statistics.stdev(figures):.4f} "
                f"(mean and standard deviation of the best validation figure)"
            )
    return 0
