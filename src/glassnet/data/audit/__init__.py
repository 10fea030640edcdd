"""What is in a data set, and what about it may spoil training."""

from __future__ import annotations

from glassnet.data.audit.look import Trouble
from glassnet.data.audit.overview import Audit, audit
from glassnet.data.audit.ranges import Range

__all__ = ["Audit", "Range", "Trouble", "audit"]
