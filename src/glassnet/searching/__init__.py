"""Searching for the settings that do best: spaces, drawing, stages, pruning, workers. Knows ``objective(settings)`` and no networks."""

from glassnet.searching.cluster import Cluster
from glassnet.searching.crew import Crew, Job
from glassnet.searching.space import Choice, Only, Parameter, Range, Space, grid, parse_space, read_space
from glassnet.searching.stages import Edge, Narrowed, edges, narrow
from glassnet.searching.study import METHODS, PRUNERS, Study
from glassnet.searching.trial import Trial
from glassnet.searching.workers import Pool

__all__ = [
    "METHODS",
    "PRUNERS",
    "Choice",
    "Cluster",
    "Crew",
    "Edge",
    "Job",
    "Narrowed",
    "Only",
    "Parameter",
    "Pool",
    "Range",
    "Space",
    "Study",
    "Trial",
    "edges",
    "grid",
    "narrow",
    "parse_space",
    "read_space",
]
