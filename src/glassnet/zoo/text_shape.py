"""Does an input fit a network that reads sequences?"""

from __future__ import annotations

from glassnet.errors import ModelError, UsageError
from glassnet.zoo.shape import written


def text_shape(shape: tuple[int, ...], vocabulary: int, *, net: str) -> int:
    """The longest text's tokens, where the inputs are texts.

    Args:
        shape: of one input: (tokens,).
        vocabulary: size of the vocabulary, which only texts have.
        net: name of the network, for the message.

    Raises:
        ModelError: the inputs are no texts.
    """
    if vocabulary < 2 or len(shape) != 1:
        raise ModelError(
            "this net reads texts, and these inputs are none",
            where=net,
            got=f"inputs of shape {written(shape)}",
            expected="texts, cut into tokens",
            fix="choose a net that reads any shape, such as mlp",
        )
    return shape[0]


def at_least_one(net: str, **options: int) -> None:
    """Refuse sizes below 1.

    Raises:
        UsageError: one is.
    """
    wrong = {name: value for name, value in options.items() if value < 1}
    if wrong:
        raise UsageError(
            "a size must be 1 or more",
            where=f"net {net}, option {', '.join(wrong)}",
            got=", ".join(f"{name} {value}" for name, value in wrong.items()),
            expected="1 or more",
        )
