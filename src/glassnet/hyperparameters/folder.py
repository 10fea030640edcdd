"""The search folder: what is written of a search, and how one is opened again."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

from glassnet.errors import UsageError
from glassnet.files import write_file
from glassnet.hyperparameters.asked import Search, Stage
from glassnet.recipe import Recipe
from glassnet.searching import Choice, Only, Parameter, Range, Trial

PLAIN = (
    *("method", "pruner", "widen", "finalists", "repeats", "jobs", "threads", "seed", "budget", "winner", "cluster"),
    "together",
)


def new_folder(recipe: Recipe) -> Path:
    """The next free ``searches/NAME-N``."""
    name = Path(recipe.data.path).stem or "search"
    return next(path for number in count(1) if not (path := Path("searches") / f"{name}-{number}").exists())


def reopened(folder: Path) -> Search:
    """The search that was begun in a folder.

    Raises:
        UsageError: there is none.
    """
    path = folder / "search.json"
    if not path.exists():
        raise UsageError(
            "this is no search folder", where=folder, expected="a folder that 'glassnet search' has written"
        )
    tree = json.loads(path.read_text(encoding="utf-8"))
    space = tuple(_parameter(each) for each in tree.pop("space"))
    stages = tuple(Stage(**each) for each in tree.pop("stages"))
    return Search(Recipe.from_toml(folder / "base.toml"), space, stages, **tree)


def asked_before(search: Search, folder: Path) -> bool:
    """Whether this is what the search in a folder was asked for, word by word."""
    path = folder / "asked.json"
    if not path.exists():
        return False
    before = {"together": "auto"} | json.loads(path.read_text(encoding="utf-8"))  # older searches do not say
    return bool(before == json.loads(words_of(search)))


def words_of(search: Search) -> str:
    """What was asked for, before anything was chosen."""
    own = {name: getattr(search, name) for name in PLAIN} | {
        "recipe": search.recipe.to_toml(),
        "space": None if search.space is None else [_words(each) for each in search.space],
        "stages": None if search.stages is None else [vars(each) for each in search.stages],
    }
    return json.dumps(own, indent=1, ensure_ascii=False)


def _words(parameter: Parameter) -> str:
    said = {
        name: value for name, value in vars(parameter).items() if name != "only" or value
    }  # older searches have none
    return str(said)


def _parameter(tree: dict[str, Any]) -> Parameter:
    only = tree.pop("only", None)
    belongs = Only(only["key"], tuple(only["values"])) if only else None
    return Range(**tree, only=belongs) if "low" in tree else Choice(tree["key"], tuple(tree["values"]), belongs)


def plain(search: Search) -> dict[str, Any]:
    """A search as ``search.json`` holds it; its recipe has a file of its own."""
    assert search.space is not None
    assert search.stages is not None
    own = {name: getattr(search, name) for name in PLAIN}
    return {"space": [asdict(each) for each in search.space], "stages": [vars(each) for each in search.stages], **own}


def write_trials(folder: Path, trials: Sequence[Trial]) -> None:
    """``trials.csv``: a row a trial, a column a setting."""
    keys = list(dict.fromkeys(key for trial in trials for key in trial.settings))
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["stage", "number", "end", "value", "epochs", "seconds", *keys, "why"])
    for trial in sorted(trials, key=lambda each: (each.stage, each.number)):
        value = f"{trial.value:.6g}" if math.isfinite(trial.value) else ""
        own = [
            json.dumps(trial.settings[key])
            if isinstance(trial.settings.get(key), list)
            else trial.settings.get(key, "")
            for key in keys
        ]
        rows.writerow([trial.stage, trial.number, trial.end, value, trial.epochs, trial.seconds, *own, trial.why])
    write_file(folder / "trials.csv", text.getvalue())
