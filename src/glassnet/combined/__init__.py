"""Modules made of finished networks: several that answer together, one that looks several times, one that answers in lower precision."""

from glassnet.combined.ensemble import ANSWERS, Ensemble
from glassnet.combined.lowered import PRECISIONS, Lowered
from glassnet.combined.member import Member
from glassnet.combined.views import ManyViews, Views

__all__ = ["ANSWERS", "PRECISIONS", "Ensemble", "Lowered", "ManyViews", "Member", "Views"]
