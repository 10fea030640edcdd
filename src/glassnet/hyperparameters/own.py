"""A network of a user's own in a search: made anew for every trial."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any, TypeAlias

from torch import nn

from glassnet.errors import GlassnetError, ModelError, UsageError
from glassnet.layers.twin import twin
from glassnet.recipe import Recipe
from glassnet.searching import Space
from glassnet.training.state import random_kept, seed_generators

Maker: TypeAlias = "nn.Module | Callable[..., nn.Module]"


def made(own: Maker | None, recipe: Recipe) -> nn.Module | None:
    """The network of one trial; None where it is one of the zoo.

    A module is copied with its weights, which may be pretrained. A class or function is called with the options of the recipe's net, such as ``width`` of the
    setting ``net.width``, after the generators have been given the trial's seed.

    Raises:
        ModelError: it cannot be made with these options, or no network comes of it.
    """
    if own is None:
        return None
    if isinstance(own, nn.Module):
        return twin(own)
    name = getattr(own, "__name__", type(own).__name__)
    told = ", ".join(f"{key}={value!r}" for key, value in recipe.net.options.items())
    try:
        with random_kept():
            seed_generators(int(recipe.train.seed))
            net = own(**recipe.net.options)
    except GlassnetError:
        raise
    except Exception as error:
        raise ModelError(
            f"{name}({told}) makes no network: {type(error).__name__}: {error}",
            where="net",
            expected="a module, also with nothing but the settings net.… of the recipe",
            fix="give its arguments default values, and name in the space only what it takes",
        ) from error
    if not isinstance(net, nn.Module):
        raise ModelError(f"{name}({told}) makes no network", where="net", got=type(net).__name__, expected="a module")
    return net


def refuse_fixed(own: Maker | None, space: Space) -> None:
    """Refuse to search what a module that is made already does not heed.

    Raises:
        UsageError: the space has options of the net.
    """
    names = [each.key for each in space if each.key.startswith("net.") or each.key == "regularise.dropout"]
    if isinstance(own, nn.Module) and names:
        raise UsageError(
            "a module that is made already has no options to search",
            where="space",
            got=", ".join(names),
            fix=f"give what makes it: net={type(own).__name__}, or a function that takes {names[0].rpartition('.')[2]}",
        )


def refuse_unsendable(config: dict[str, Any]) -> None:
    """Refuse what cannot be handed to other processes, before they are begun.

    Raises:
        UsageError: so it is.
    """
    try:
        pickle.dumps((config.get("net"), config.get("data")))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UsageError(
            "this network or these data cannot be handed to other processes",
            where="jobs, together",
            got=str(error).splitlines()[0],
            fix="define the class or function in a module of its own, or leave out jobs and together: trials are then made one after the other",
        ) from error
