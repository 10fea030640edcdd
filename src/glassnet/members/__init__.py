"""Running whatever a recipe asks for: one network, several members of an ensemble, or finished runs that are joined."""

from glassnet.members.joined import agree_on_data, join
from glassnet.members.running import run

__all__ = ["agree_on_data", "join", "run"]
