"""What is typed or given to networks that read texts, sounds or rows of tables, as they take it. Nothing here knows of requests, and nothing is read from disk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from glassnet.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from glassnet.data.dataset import Part
    from glassnet.model import Model

LONGEST_TEXT = 20_000  # characters
YES, NO = ("yes", "true", "1"), ("no", "false", "0")


def text_of(model: Model, given: str) -> Part:
    """A text as its codes; never taken for the name of a file.

    Raises:
        UsageError: there is no word in it.
    """
    import torch

    from glassnet.data.dataset import Part
    from glassnet.data.ragged import Ragged
    from glassnet.data.text_schema import TextSchema
    from glassnet.data.tokens import encode, tokens

    assert isinstance(model.schema, TextSchema)
    if not tokens(given, model.schema.unit):
        raise UsageError("there is no word to read yet", expected="at least one word")
    lexicon: dict[int, str] = {}
    codes = encode(given[:LONGEST_TEXT], model.schema.unit, lexicon)
    return Part(Ragged.of([codes], lexicon), torch.zeros(1), ["this text"])


def sound_of(model: Model, content: bytes) -> Part:
    """A WAV file's content, brought to the rate that the network hears.

    Raises:
        DataError: it is none that can be read.
    """
    import torch

    from glassnet.data.dataset import Part
    from glassnet.data.sound_file import NoSound, read_wav, resampled
    from glassnet.data.sound_schema import SoundSchema, ragged_sounds

    assert isinstance(model.schema, SoundSchema)
    try:
        sound = read_wav(content)
    except NoSound as error:
        raise DataError("this file cannot be read as a sound", got=str(error), expected="a WAV file") from error
    heard = ragged_sounds([resampled(sound.samples, sound.rate, model.schema.rate)])
    return Part(heard, torch.zeros(1), ["this sound"])


def row_of(model: Model, given: dict[str, Any]) -> Tensor:
    """A row, float32 (1, columns), from texts by the names of columns; what is not given or empty is missing.

    Raises:
        UsageError: a value is none that the column can have; all such at once.
    """
    import torch

    from glassnet.data.table_schema import TableSchema
    from glassnet.data.tokens import words

    assert isinstance(model.schema, TableSchema)
    wrong, values = [], []
    for column in model.schema.columns:
        cell = given.get(column.source if column.kind == "word" else column.name, "")
        text = cell.strip()[:LONGEST_TEXT] if isinstance(cell, str) else str(cell)[:80]
        if column.kind == "word":
            values.append(float(column.levels[0] in words(text)))
            continue
        text, value = text[:80], math.nan
        if column.kind == "category":
            if text in column.levels:
                value = float(column.levels.index(text))
            elif text:
                wrong.append(
                    f"{column.name} {text!r} (one of {', '.join(column.levels[:8])}{' …' if len(column.levels) > 8 else ''})"
                )
        elif column.kind == "bool" and text.lower() in (*YES, *NO):
            value = float(text.lower() in YES)
        elif text:
            try:
                value = float(text)
            except ValueError:
                value = math.inf
            if not abs(value) < 3e38:
                wrong.append(f"{column.name} {text!r} ({'yes or no' if column.kind == 'bool' else 'a number'})")
        values.append(value)
    if wrong:
        raise UsageError(
            "these values are none that their columns can have",
            got="; ".join(wrong[:5]),
            fix="leave a field empty where the value is not known",
        )
    return torch.tensor([values], dtype=torch.float32)
