"""Narrower and wider versions of a network."""

from __future__ import annotations

from glassnet.errors import UsageError


def check_width(net: str, width: float, narrowest: int) -> None:
    """Refuse a factor on the channels that would leave a layer without any.

    Args:
        net: name of the network.
        width: the factor.
        narrowest: channels of the narrowest layer at factor 1.

    Raises:
        UsageError: so it is.
    """
    if not round(width * narrowest) >= 1:
        raise UsageError(
            "every layer of the net needs at least one channel",
            where=f"net {net}, option width",
            got=f"{width:g} × {narrowest}",
            expected=f"a factor of at least {1 / narrowest:.3g}",
        )
