"""Rules of the audit on the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from glassnet.data.audit.look import Look, Trouble, first_few
from glassnet.data.columns import DATE_PARTS
from glassnet.data.leaks import correlation, one_column_accuracy
from glassnet.data.split import DRAWN
from glassnet.data.table_schema import TableSchema

MOSTLY_MISSING = 0.5
LEAK_ERROR = 0.01
LEAK_CORRELATION = 0.999
LEAST_FOR_LEAKS = 50


def missing_values(look: Look) -> Iterator[Trouble]:
    """Columns with missing values, most of all those with hardly any other."""
    schema = look.data.schema
    if not isinstance(schema, TableSchema):
        return
    share = look.inputs("train").isnan().to(torch.float64).mean(dim=0).tolist()
    some = {name: value for name, value in zip(schema.names, share, strict=True) if value > 0}
    most = {name: value for name, value in some.items() if value > MOSTLY_MISSING}
    if most:
        yield Trouble(
            "mostly-missing",
            "warning",
            "more than half of the values are missing in "
            + first_few([f"{name} ({value:.0%})" for name, value in most.items()]),
            "leave these columns out unless being missing means something by itself",
            {"columns": most},
        )
    if some:
        yield Trouble(
            "missing-values",
            "info",
            "values are missing in " + first_few([f"{name} ({value:.1%})" for name, value in some.items()]),
            "numbers are filled with the median and flagged; a missing category is a category of none",
            {"columns": some},
        )


def leaks(look: Look) -> Iterator[Trouble]:
    """A single column that all but gives the target away."""
    schema, part = look.data.schema, look.parts["train"]
    if not isinstance(schema, TableSchema) or len(part) < LEAST_FOR_LEAKS:
        return
    raw = look.inputs("train")
    for position, column in enumerate(schema.columns):
        values = raw[:, position]
        if look.data.task == "classes":
            right, trivial = one_column_accuracy(values, part.targets, len(look.data.classes))
            found = 1 - right <= min(LEAK_ERROR, 0.1 * (1 - trivial))
            figure, told = right, f"column '{column.name}' alone tells the class in {right:.2%} of the rows"
        else:
            figure = max((abs(correlation(values, target)) for target in part.targets.T), default=0.0)
            found = column.kind != "category" and figure > LEAK_CORRELATION
            told = f"column '{column.name}' is all but the target itself (correlation {figure:.5f})"
        if found:
            yield Trouble(
                "leaking-column",
                "warning",
                told,
                "ask whether it will be known when the model is used; if it is made from the target, remove it",
                {"column": column.name, "figure": figure},
            )


def times_at_random(look: Look) -> Iterator[Trouble]:
    """Rows with a date, divided at random: what is then measured is filling gaps, not telling the future."""
    schema = look.data.schema
    if not isinstance(schema, TableSchema) or not any(DRAWN in note for note in look.data.notes):
        return
    dates = list(dict.fromkeys(column.source for column in schema.columns if column.kind in DATE_PARTS))
    if dates:
        yield Trouble(
            "times-at-random",
            "warning",
            f"column {first_few(dates)} holds dates, and the parts are drawn at random: the network is measured on rows between those that it has seen, not on later ones",
            "if it is to tell the future, keep the latest rows in a file of their own (--test FILE); a series with equal steps is divided in time by itself (--time COLUMN)",
            {"columns": dates},
        )
