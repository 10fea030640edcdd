"""Looking into a training: what it begins with, what single steps are like inside, and where a strange loss came from."""

from glassnet.training.measure.describe import describe
from glassnet.training.measure.meter import Meter
from glassnet.training.measure.trace import trace

__all__ = ["Meter", "describe", "trace"]
