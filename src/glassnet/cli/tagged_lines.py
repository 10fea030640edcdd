"""Tagged sentences as text in columns, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

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
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["sentence", "word", "tag", "probability"])
        for number, each in enumerate(predictions, start=1):
            writer.writerows(
                [number, "'" + word if word.startswith(("=", "+", "-", "@")) else word, tag, share]
                for word, tag, share in each.tags
            )
        return text.getvalue()
    return "\n".join("".join(f"{word}\t{tag}\n" for word, tag, _ in each.tags) for each in predictions)
