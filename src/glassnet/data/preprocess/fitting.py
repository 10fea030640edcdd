"""Which preprocessing there is for which kind of data, and fitting it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glassnet.data.dataset import Part, Schema, Source
from glassnet.data.pair_schema import PairSchema
from glassnet.data.preprocess.as_is import AsIs
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.decorrelate import Decorrelate, fit_decorrelate
from glassnet.data.preprocess.graph import FORMS as GRAPH_FORMS
from glassnet.data.preprocess.graph import GraphInputs, fit_graph
from glassnet.data.preprocess.normalise import FIXED, Normalise, fit_normalise, fixed_normalise
from glassnet.data.preprocess.pairs import PairNumbers
from glassnet.data.preprocess.series import FORMS as SERIES_FORMS
from glassnet.data.preprocess.series import SeriesInputs, fit_series
from glassnet.data.preprocess.sound import FORMS as SOUND_FORMS
from glassnet.data.preprocess.sound import SoundInputs, fit_sound
from glassnet.data.preprocess.table import TableInputs, fit_table
from glassnet.data.preprocess.trees import TreeInputs, fit_trees
from glassnet.data.preprocess.vocabulary import Vocabulary, fit_vocabulary
from glassnet.data.preprocess.word_features import FORMS as TAG_FORMS
from glassnet.data.preprocess.word_features import WordFeatures, fit_word_features
from glassnet.errors import ModelError, UsageError, unknown

PREPROCESSING: dict[str, tuple[str, ...]] = {
    "image": ("standardise", "none", "mean-image", "channel-mean", "pca", "whiten", *FIXED),
    "array": ("standardise", "none", "pca", "whiten"),
    "table": ("quantile", "tree-bins", "standardise", "none"),
    "series": SERIES_FORMS,
    "graph": GRAPH_FORMS,
    "graphs": ("none", "standardise", "rows"),
    "sound": SOUND_FORMS,
    "tags": TAG_FORMS,
    "pairs": ("every-token",),
    "stream": ("every-token",),
    "text": ("vocabulary", "every-token"),
    "tree": ("vocabulary", "every-token"),
}
"""For each kind of data the names of its preprocessing; the first is what ``auto`` takes."""

FORMS: dict[str, Callable[[dict[str, Any]], Preprocess]] = {
    "as-is": AsIs.from_json,
    "normalise": Normalise.from_json,
    "decorrelate": Decorrelate.from_json,
    "table": TableInputs.from_json,
    "series": SeriesInputs.from_json,
    "graph": GraphInputs.from_json,
    "sound": SoundInputs.from_json,
    "tree": TreeInputs.from_json,
    "pairs": PairNumbers.from_json,
    "vocabulary": Vocabulary.from_json,
    "word-features": WordFeatures.from_json,
}

IMAGE_SCALE = 255.0


def _fit_numbers(name: str, source: Source, shape: tuple[int, ...], scale: float, *, keep_shape: bool) -> Preprocess:
    if name in ("pca", "whiten"):
        return fit_decorrelate(name, source, shape, scale, keep_shape=keep_shape)
    if name in FIXED:
        return fixed_normalise(name, shape, scale)
    return fit_normalise(name, source, shape, scale)


def _pair_numbers(name: str, part: Part, schema: PairSchema) -> PairNumbers:
    read, written = schema.known
    return PairNumbers(name, (list(read), list(written)), schema.shape)


FITTED: dict[str, Callable[[str, Part, Any], Preprocess]] = {
    "image": lambda name, part, schema: _fit_numbers(name, part.inputs, schema.shape, IMAGE_SCALE, keep_shape=True),
    "array": lambda name, part, schema: _fit_numbers(name, part.inputs, schema.shape, 1.0, keep_shape=False),
    "table": fit_table,
    "series": lambda name, part, schema: fit_series(name, part.inputs, schema),
    "graph": lambda name, part, schema: fit_graph(name, part.inputs),
    "graphs": lambda name, part, schema: fit_graph(name, part.inputs),
    "sound": lambda name, part, schema: fit_sound(name, part.inputs, schema.rate),
    "tags": lambda name, part, schema: fit_word_features(name, part.inputs),
    "pairs": _pair_numbers,
    "stream": lambda name, part, schema: Vocabulary(name, list(schema.known), schema.window),
    "text": lambda name, part, schema: fit_vocabulary(name, part.inputs),
    "tree": lambda name, part, schema: fit_trees(name, part.inputs),
}
"""For each kind of data how its preprocessing is made of a name, the training part and its schema."""


def fit(name: str, part: Part, schema: Schema) -> Preprocess:
    """Fit a preprocessing on one part, which should be the training part.

    Args:
        name: one of ``PREPROCESSING[schema.kind]``, or ``auto`` for the first of them.
        part: what to fit on; only ``tree-bins`` looks at its targets.
        schema: of the part's inputs.

    Raises:
        UsageError: no such preprocessing for this kind of data.
    """
    kind = schema.kind
    if kind not in PREPROCESSING:
        raise UsageError(
            f"there is no preprocessing for data of kind '{kind}'", expected="one of " + ", ".join(PREPROCESSING)
        )
    if name == "auto":
        name = PREPROCESSING[kind][0]
    if name not in PREPROCESSING[kind]:
        raise unknown(f"{kind} preprocessing", name, ("auto", *PREPROCESSING[kind]), where="preprocess.name")
    return FITTED[kind](name, part, schema)


def preprocess_from_json(values: dict[str, Any]) -> Preprocess:
    """The module whose ``to_json`` gave ``values``; its buffers come from ``load_state_dict``.

    Raises:
        ModelError: the values describe no preprocessing.
    """
    form = values.get("form")
    if not isinstance(form, str) or form not in FORMS:
        raise ModelError(
            "the model's preprocessing is of an unknown form", got=repr(form), expected="one of " + ", ".join(FORMS)
        )
    try:
        return FORMS[form](values)
    except (KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
        raise ModelError(
            "the model's preprocessing is damaged",
            got=f"{type(error).__name__}: {error}",
            fix="copy the model folder again from where it came from, or train again with 'glassnet train --recipe' and the recipe.toml of its run",
        ) from error
