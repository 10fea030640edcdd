"""The figures of a finished model on a part of data, whatever it has learned to do."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from glassnet.data.dataset import Data
from glassnet.data.pair_schema import PairSchema
from glassnet.data.preprocess import Preprocess
from glassnet.errors import ModelError
from glassnet.evaluate import Figures, Forecast, compared_forecasts, entity_figures, judge
from glassnet.generating import measure_language
from glassnet.model import Model
from glassnet.translating import measure_translation


def said_of(model: Model, data: Data, name: str) -> Tensor | None:
    """What a model says of a part; None of a language model and a translator, which are not judged by single answers."""
    tasks = {model.task, data.task}
    return None if tasks & {"language", "translation"} else model.raw_outputs(data.parts[name].inputs)


def figures_of(model: Model, data: Data, name: str, said: Tensor | None) -> Figures:
    """How good a model is on a part.

    Args:
        model: the finished one.
        data: of its kind.
        name: of the part.
        said: as :func:`said_of` gives it.

    Raises:
        ModelError: the model reads other data.
    """
    part = data.parts[name]
    if said is not None:
        return judge(said, part.answers, task=data.task, classes=model.classes, outputs=model.outputs)
    if "language" in (model.task, data.task):
        return measure_language(model, data, name)
    if not isinstance(model.schema, PairSchema) or data.schema.kind != model.schema.kind:
        raise ModelError("the model reads other data", got=data.schema.kind, expected=model.schema.kind)
    return measure_translation(model.net, model.preprocess, model.schema, part)


def forecast_beside(said: Tensor | None, data: Data, name: str, preprocess: Preprocess) -> dict[str, Any]:
    """Of a series ``forecast``: its forecasts beside the plain ones; nothing of other data."""
    if said is None or data.schema.kind != "series":
        return {}
    return {"forecast": compared_forecasts([Forecast(said, data, preprocess)], name)}


def entities_in(said: Tensor | None, data: Data, name: str) -> dict[str, Any]:
    """Of tags ``entities``: how well whole stretches of them are found; nothing of other data, and of tags that stand alone."""
    if said is None or data.schema.kind != "tags":
        return {}
    found = entity_figures(said.argmax(1), data.parts[name], data.classes)
    return {"entities": found} if found else {}
