"""From events to findings: what goes wrong in a training, said in words with the figures behind it. No torch here.

Each rule is one file with a function ``rule(history, event) -> Finding | None``; :data:`RULES` lists them.
"""

from glassnet.diagnose.doctor import RULES, Doctor

__all__ = ["RULES", "Doctor"]
