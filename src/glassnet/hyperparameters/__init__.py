"""Searching over recipes: what the trials of :mod:`glassnet.searching` are when the objective is a training."""

from glassnet.hyperparameters.asked import TRIALS, Found, Search, Stage
from glassnet.hyperparameters.folder import asked_before, new_folder, reopened
from glassnet.hyperparameters.running import run, search
from glassnet.hyperparameters.spaces import full_key, space_of

__all__ = [
    "TRIALS",
    "Found",
    "Search",
    "Stage",
    "asked_before",
    "full_key",
    "new_folder",
    "reopened",
    "run",
    "search",
    "space_of",
]
