"""Running whatever a recipe asks for: one network, several members of an ensemble, one for each fold of a cross-validation, or finished runs that are joined."""

from glassnet.members.folds import read_folds
from glassnet.members.joined import agree_on_data, join
from glassnet.members.running import run

__all__ = ["agree_on_data", "join", "read_folds", "run"]
