"""Training: the loop and its parts. Knows modules and batches, not data sets, nets by name or run folders."""

from glassnet.training.loop import train
from glassnet.training.plan import Plan
from glassnet.training.state import State

__all__ = ["Plan", "State", "train"]
