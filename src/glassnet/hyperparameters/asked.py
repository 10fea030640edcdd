"""What a search is decided by, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from glassnet.assembly import assemble
from glassnet.data.dataset import Data
from glassnet.hyperparameters.own import Maker, made, refuse_fixed
from glassnet.hyperparameters.spaces import as_resolved, fitted
from glassnet.hyperparameters.usual import default_space
from glassnet.hyperparameters.watch import LIKELIHOOD
from glassnet.recipe import Recipe
from glassnet.resolve import resolve
from glassnet.searching import Space, Trial
from glassnet.training.execution import prepare_process

SHARES = (0.25, 0.5)  # of the epochs of a whole training: the coarse stage and the next
TRIALS = (24, 12)
FINALISTS, REPEATS = 3, 3
TOGETHER = ("auto", "processes", "stacked")


@dataclass(frozen=True)
class Stage:
    """How many trials of how many epochs."""

    trials: int
    epochs: int


@dataclass(frozen=True)
class Search:
    """What a search is decided by.

    Attributes:
        recipe: what stays the same in all trials; ``auto`` is chosen as for a training.
        space: what is searched; None chooses it by the net.
        stages: from coarse to fine; None makes two, of a quarter and of half the epochs.
        method: a key of ``glassnet.searching.METHODS``.
        pruner: a key of ``glassnet.searching.PRUNERS``.
        widen: widen a range at whose end the best trial lies.
        finalists: the best settings that are trained again.
        repeats: fresh seeds with which each of them is.
        jobs: trials at a time; None measures which number is the fastest, and takes a process a core in short searches.
        threads: of each trial; None gives one where ``jobs`` is given, and measures otherwise.
        seed: of the draws, the division of the data and the trials.
        budget: seconds for stages, finalists and winner; None takes what it takes.
        winner: whether the winner is trained once more, measured on the test part and kept.
        cluster: address of a Ray cluster that makes the trials, ``local`` for Ray on this machine; None makes them here. All its machines must
            see the data and the search folder under the same paths.
        together: a key of ``TOGETHER``: ``processes`` makes each trial in a process of its own; ``stacked`` makes several step by step in one process, with
            one pass for those of one network; ``auto`` is the first on the CPU, and on a GPU the second where measuring finds it faster.
    """

    recipe: Recipe
    space: Space | None = None
    stages: tuple[Stage, ...] | None = None
    method: str = "random"
    pruner: str = "median"
    widen: bool = False
    finalists: int = FINALISTS
    repeats: int = REPEATS
    jobs: int | None = None
    threads: int | None = None
    seed: int = 0
    budget: float | None = None
    winner: bool = True
    cluster: str | None = None
    together: str = "auto"


@dataclass
class Found:
    """What a search found.

    Attributes:
        folder: with everything in plain files.
        trials: all that ended, stage by stage.
        finalists: records with ``settings``, ``values`` (one a seed), ``mean`` and ``std``, best mean first; the recipe without changes among them.
        stages: what each stage found: its space, best trial, edges, importances, narrowed ranges.
        winner: settings of the first finalist; empty where nothing beat the recipe as it was.
        figures: ``result.json`` of the winner's run; empty without one.
        together: ``result.json`` of the best finalists as one model, with what that gains; empty where there are not two.
        stopped: whether it was interrupted; the same folder goes on.
    """

    folder: Path
    trials: list[Trial] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)
    finalists: list[dict[str, Any]] = field(default_factory=list)
    winner: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    together: dict[str, Any] = field(default_factory=dict)
    stopped: bool = False


def settled(search: Search, data: Data, own: Maker | None = None) -> tuple[Search, Recipe]:
    """With everything chosen that was left open, and the recipe that stays the same in all trials.

    Args:
        search: as asked for.
        data: divided.
        own: what makes the network, where it is the user's own.
    """
    fixed = {
        "train.seed": search.seed,
        "data.split_seed": search.seed if search.recipe.data.split_seed is None else search.recipe.data.split_seed,
        "train.threads": search.threads or 1,
        "train.check": False,
        "train.measure": "never",
    }
    recipe = search.recipe.changed(fixed)
    resolved, _ = resolve(recipe, data)
    module = made(own, resolved)  # a mistake in it is told now, and not by every trial
    if recipe.train.precision == "auto":  # measured once, and not anew by every trial beside others
        prepare_process(1)
        measured = assemble(resolved, data, module).recipe.train
        ways = ("precision", "layout", "weight_gradients")
        recipe = recipe.changed({f"train.{way}": getattr(measured, way) for way in ways})
    space = search.space or default_space(search.recipe, resolved, data)
    refuse_fixed(own, space)
    space = fitted(space, as_resolved(recipe, resolved, space))
    if resolved.net.name != "auto" and recipe.net.name == "auto" and all(each.key != "net.name" for each in space):
        recipe = recipe.changed({"net.name": resolved.net.name})
    whole = int(resolved.train.epochs)
    stages = search.stages or tuple(
        Stage(trials, max(1, round(share * whole))) for trials, share in zip(TRIALS, SHARES, strict=True)
    )
    return replace(search, recipe=recipe, space=space, stages=stages), recipe


def figure_of(data: Data) -> str:
    """What is made as large as possible: accuracy of classes and of a translation's tokens, R² of values, and of a language model the log-likelihood of a token."""
    return {"values": "r2", "language": LIKELIHOOD}.get(data.task, "accuracy")


def final_trainings(search: Search) -> int:
    """Trainings of finalists: each, and the recipe as it was, with every fresh seed."""
    return (search.finalists + 1) * search.repeats if search.finalists and search.repeats else 0


def planned_epochs(search: Search, whole: int) -> int:
    """Epochs of all trainings of a search together, where none is ended early.

    Args:
        search: with its stages.
        whole: epochs of a whole training.
    """
    assert search.stages is not None
    stages = sum(stage.trials * stage.epochs for stage in search.stages)
    return stages + whole * (final_trainings(search) + search.winner)
