"""Tagged sentences as text in columns, CSV or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from glassnet.cli.csv_text import csv_text

if TYPE_CHECKING:
    from glassnet.model import Prediction


def tagged(predictions: list[Prediction], form: str) -> str:
    """A word a line with its tag behind a tab, and an empty line between sentences; CSV and JSON have the probabilities too."""
    if form == "json":
        rows = [
            [{"word": word, "tag": tag, "probability": share} for word, tag, share in each.tags] for each in predictions
        ]
        return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    if form == "csv":
        words = ((number, *each) for number, sentence in enumerate(predictions, start=1) for each in sentence.tags)
        return csv_text(["sentence", "word", "tag", "probability"], words)
    return "\n".join("".join(f"{word}\t{tag}\n" for word, tag, _ in each.tags) for each in predictions)
