"""Checks before training, the tutor's whole recipe: is there anything wrong that can be known before hours are spent?

Each check is one file with a :class:`~glassnet.checks.check.Check` called ``CHECK``; :data:`CHECKS` lists them in their order.
"""

from glassnet.checks.check import Check
from glassnet.checks.runner import BY_ID, CHECKS, quick, run_checks, run_on
from glassnet.checks.subject import Subject

__all__ = ["BY_ID", "CHECKS", "Check", "Subject", "quick", "run_checks", "run_on"]
