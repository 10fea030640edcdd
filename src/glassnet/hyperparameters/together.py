"""The finalists as one model: they are trained already, and many are right more often together (Caruana et al. 2004, "Ensemble selection from libraries of models")."""

from __future__ import annotations

from pathlib import Path

from glassnet.hyperparameters.asked import figure_of
from glassnet.hyperparameters.under_way import UnderWay
from glassnet.members.joined import join, recipe_of
from glassnet.runs import RunFolder

MEMBERS = 5  # more gain little, and each makes every answer slower


def together(way: UnderWay) -> None:
    """Join the trainings of the finalists that are best in validation into a run of its own, and measure what that gains.

    Nothing is joined where there are fewer than two, where the task is not to tell classes or values, or where the network is of the user's own, which no file may name.
    """
    found, place = way.found, RunFolder(way.found.folder / "together")
    if way.data.task not in ("classes", "values") or way.own is not None or way.given is not None:
        return
    best = _best(found.folder / "finalists", figure_of(way.data))
    if len(best) < 2:
        return
    if not place.finished:
        join(recipe_of([str(path) for path in best], "mean"), place)
    found.together = place.read_json("result")


def _best(folder: Path, figure: str) -> list[Path]:
    """The trainings with the best figure in validation, at most ``MEMBERS``; equal ones by name."""
    ended = [run for run in (RunFolder(path) for path in sorted(folder.glob("*"))) if run.finished]
    ended.sort(key=lambda run: -float(run.read_json("result")["figures"][figure]))
    return [run.path for run in ended[:MEMBERS]]
