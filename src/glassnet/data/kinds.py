"""The kinds of data there are, a row each: who adds a kind begins here.

What a kind is to other rooms stands in tables there, under the same name: what the audit tells of its inputs (``audit/ranges.py``), how they are prepared
(``preprocess/fitting.py``), which network is taken (``zoo/choice.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from glassnet.data.tree import FIELDS
from glassnet.data.tree_schema import TreeSchema
from glassnet.errors import ModelError


@dataclass(frozen=True, slots=True)
class Kind:
    """What everybody may ask about a kind of data.

    Attributes:
        schema: makes its schema of the plain values that it was saved as.
        sample: what one sample is called.
        told: one input in words, by its shape.
        places: whether a number of a raw input is a quantity that stands at the same place in every input, such as a pixel or a column, and so can be
            compared between inputs; False where the numbers are codes, or inputs differ in length.
        needs: what only some networks can do with it; empty where any network can read the prepared inputs.
    """

    schema: Callable[[dict[str, Any]], Schema]
    sample: str
    told: Callable[[tuple[int, ...]], str]
    places: bool = False
    needs: str = ""


def _array_told(shape: tuple[int, ...]) -> str:
    return f"array {_sides(shape)}" if len(shape) > 1 else f"array of {_counted(shape[0], 'number')}"


def _series_told(shape: tuple[int, ...]) -> str:
    channels, steps = shape
    return f"windows of {steps:,} steps with {_counted(channels, 'channel')}"


KINDS: dict[str, Kind] = {
    "image": Kind(ImageSchema.from_json, "image", lambda shape: f"image {_sides(shape)}", places=True),
    "table": Kind(TableSchema.from_json, "row", lambda shape: f"table of {_counted(shape[0], 'column')}", places=True),
    "array": Kind(ArraySchema.from_json, "sample", _array_told, places=True),
    "graph": Kind(GraphSchema.from_json, "node", lambda shape: "nodes of a graph", needs="read nodes of a graph"),
    "graphs": Kind(GraphsSchema.from_json, "graph", lambda shape: "graphs", needs="read whole graphs"),
    "pairs": Kind(
        PairSchema.from_json, "pair", lambda shape: f"pairs of texts of up to {shape[1]:,} tokens", needs="translate"
    ),
    "series": Kind(SeriesSchema.from_json, "window", _series_told, places=True),
    "sound": Kind(SoundSchema.from_json, "sound", lambda shape: f"sounds of up to {shape[0]:,} samples"),
    "stream": Kind(
        StreamSchema.from_json,
        "window",
        lambda shape: f"one text, in windows of {shape[0]:,} tokens",
        needs="say what comes next in a text",
    ),
    "tags": Kind(
        TagSchema.from_json, "sentence", lambda shape: f"sentences of up to {shape[0]:,} words", needs="tag words"
    ),
    "text": Kind(TextSchema.from_json, "text", lambda shape: f"texts of up to {shape[0]:,} tokens", needs="read texts"),
    "tree": Kind(
        TreeSchema.from_json, "tree", lambda shape: f"trees of up to {shape[0] // FIELDS:,} nodes", needs="read trees"
    ),
}


def schema_from_json(values: dict[str, Any]) -> Schema:
    """The schema whose ``to_json`` gave ``values``.

    Raises:
        ModelError: the kind is unknown, or the values do not describe a schema of that kind.
    """
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ModelError(
            "the model's input schema is of an unknown kind", got=repr(kind), expected="one of " + ", ".join(KINDS)
        )
    try:
        return KINDS[kind].schema(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"the model's {kind} schema is damaged",
            got=f"{type(error).__name__}: {error}",
            fix="copy the model folder again from where it came from, or train again with 'glassnet train --recipe' and the recipe.toml of its run",
        ) from error


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _sides(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
