"""Running whatever a recipe asks for: one training, one for each fold or each seed, or finished runs that are joined."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from glassnet import story
from glassnet.data.dataset import Data
from glassnet.members.folds import cross_validate
from glassnet.members.from_seeds import train_members
from glassnet.members.joined import join
from glassnet.recipe import Recipe
from glassnet.runs import RunFolder
from glassnet.story import Listener, Result, Teller


def run(
    recipe: Recipe,
    folder: RunFolder,
    *,
    net: nn.Module | None = None,
    data: Data | None = None,
    listen: Listener = lambda event: None,
    tell: Teller = lambda text: None,
    stop: Callable[[], bool] = lambda: False,
) -> Result:
    """As :func:`glassnet.story.run`, for every recipe; goes on with what it finds in the folder, and trains nothing twice.

    Raises:
        GlassnetError: of the kind that fits.
    """
    if recipe.ensemble.of:
        return join(recipe, folder, tell=tell)
    if recipe.data.folds is not None and recipe.data.fold is None:
        return cross_validate(recipe, folder, net=net, data=data, listen=listen, tell=tell, stop=stop)
    if recipe.ensemble.members > 1:
        return train_members(recipe, folder, net=net, data=data, listen=listen, tell=tell, stop=stop)
    return story.run(recipe, folder, net=net, data=data, listen=listen, tell=tell, stop=stop)
