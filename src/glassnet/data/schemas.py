"""The schema of any kind of data from the plain values it was saved as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glassnet.data.array_schema import ArraySchema
from glassnet.data.dataset import Schema
from glassnet.data.graph_schema import GraphSchema
from glassnet.data.graphs_schema import GraphsSchema
from glassnet.data.image_schema import ImageSchema
from glassnet.data.pair_schema import PairSchema
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.sound_schema import SoundSchema
from glassnet.data.stream_schema import StreamSchema
from glassnet.data.table_schema import TableSchema
from glassnet.data.tag_schema import TagSchema
from glassnet.data.text_schema import TextSchema
from glassnet.data.tree_schema import TreeSchema
from glassnet.errors import ModelError

SCHEMAS: dict[str, Callable[[dict[str, Any]], Schema]] = {
    "image": ImageSchema.from_json,
    "table": TableSchema.from_json,
    "array": ArraySchema.from_json,
    "graph": GraphSchema.from_json,
    "graphs": GraphsSchema.from_json,
    "pairs": PairSchema.from_json,
    "series": SeriesSchema.from_json,
    "sound": SoundSchema.from_json,
    "stream": StreamSchema.from_json,
    "tags": TagSchema.from_json,
    "text": TextSchema.from_json,
    "tree": TreeSchema.from_json,
}


def schema_from_json(values: dict[str, Any]) -> Schema:
    """The schema whose ``to_json`` gave ``values``.

    Raises:
        ModelError: the kind is unknown, or the values do not describe a schema of that kind.
    """
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in SCHEMAS:
        raise ModelError(
            "the model's input schema is of an unknown kind", got=repr(kind), expected="one of " + ", ".join(SCHEMAS)
        )
    try:
        return SCHEMAS[kind](values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"the model's {kind} schema is damaged", got=f"{type(error).__name__}: {error}") from error
