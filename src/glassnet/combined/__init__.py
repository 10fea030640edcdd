"""Modules made of finished networks: several that answer together, and one that looks several times."""

from glassnet.combined.ensemble import ANSWERS, Ensemble
from glassnet.combined.member import Member
from glassnet.combined.views import ManyViews, Views

__all__ = ["ANSWERS", "Ensemble", "ManyViews", "Member", "Views"]
