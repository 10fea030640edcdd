"""Glassnet trains neural networks on your own data, watches over the training, and shows what happens inside.

    import glassnet

    result = glassnet.train("digits", epochs=5)
    print(result.figures["figures"]["accuracy"])
    print(result.model.predict("digit.png"))

Importing this package imports nothing heavy; PyTorch comes with the first name that needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glassnet.api import check, resume, train
    from glassnet.data.opening import open_data
    from glassnet.errors import GlassnetError
    from glassnet.glassbox import open_model as open  # noqa: A004 - glassnet.open(net, inputs) is what one types
    from glassnet.glassbox.gradient_check import gradient_check
    from glassnet.hyperparameters import search
    from glassnet.joining import ensemble
    from glassnet.model import Model, Prediction, load
    from glassnet.recipe import Recipe
    from glassnet.story import Result
    from glassnet.test_time import many_views

__version__ = "0.1.0"

_PUBLIC = {
    "train": "glassnet.api",
    "check": "glassnet.api",
    "resume": "glassnet.api",
    "load": "glassnet.model",
    "open": "glassnet.glassbox:open_model",
    "gradient_check": "glassnet.glassbox",
    "ensemble": "glassnet.joining",
    "many_views": "glassnet.test_time",
    "open_data": "glassnet.data.opening",
    "search": "glassnet.hyperparameters",
    "Model": "glassnet.model",
    "Prediction": "glassnet.model",
    "Recipe": "glassnet.recipe",
    "Result": "glassnet.story",
    "GlassnetError": "glassnet.errors",
}

__all__ = [
    "GlassnetError",
    "Model",
    "Prediction",
    "Recipe",
    "Result",
    "__version__",
    "check",
    "ensemble",
    "gradient_check",
    "load",
    "many_views",
    "open",
    "open_data",
    "resume",
    "search",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'glassnet' has no attribute '{name}'")
    module, _, attribute = _PUBLIC[name].partition(":")
    return getattr(import_module(module), attribute or name)
