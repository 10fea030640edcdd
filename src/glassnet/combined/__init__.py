"""Modules made of finished networks: several that answer together, one that looks several times, one that answers sooner."""

from glassnet.combined.answering import PRECISIONS, Answering
from glassnet.combined.ensemble import ANSWERS, Ensemble
from glassnet.combined.member import Member
from glassnet.combined.views import ManyViews, Views

__all__ = ["ANSWERS", "PRECISIONS", "Answering", "Ensemble", "ManyViews", "Member", "Views"]
