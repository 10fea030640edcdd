"""From events to findings: what goes wrong in a training, said in words with the figures behind it. No torch here.

Each rule is one file with a :class:`~glassnet.diagnose.rule.Rule` called ``RULE``; :data:`RULES` lists them, causes before consequences.
"""

from glassnet.diagnose.doctor import BY_ID, RULES, Doctor
from glassnet.diagnose.rule import Rule

__all__ = ["BY_ID", "RULES", "Doctor", "Rule"]
