"""Rules of the audit on the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from glassnet.data.audit.look import Look, Trouble, counted, first_few, names_where
from glassnet.data.columns import DATE_PARTS
from glassnet.data.leaks import correlation, one_column_accuracy
from glassnet.data.series_schema import SeriesSchema
from glassnet.data.split import DRAWN
from glassnet.data.table_schema import TableSchema

MOSTLY_MISSING = 0.5
LEAK_ERROR = 0.01
LEAK_CORRELATION = 0.999
LEAST_FOR_LEAKS = 50
OUTLYING, LEAST_FOR_OUTLYING = 50.0, 50  # times as far from the median as 99 % of the values; values


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


def outlying_values(look: Look) -> Iterator[Trouble]:
    """Numbers of a column, or values to be learned, that lie so far from all others that they are mistakes, or decide everything by themselves."""
    schema, data = look.data.schema, look.data
    columns: list[tuple[str, dict[str, Tensor]]] = []
    if isinstance(schema, TableSchema):
        numbers = [(place, column.name) for place, column in enumerate(schema.columns) if column.kind == "number"]
        inputs = {part: look.inputs(part) for part in look.parts}
        columns += [(name, {part: raw[:, place] for part, raw in inputs.items()}) for place, name in numbers]
    if data.task == "values" and not isinstance(schema, SeriesSchema):
        targets = {name: part.targets.flatten(1) for name, part in look.parts.items()}
        columns += [
            (name, {part: values[:, place] for part, values in targets.items()})
            for place, name in enumerate(data.outputs)
        ]
    found: dict[str, list[str]] = {}
    farthest = ""
    for name, values in columns:
        middle, usual = middle_and_reach(values["train"])
        far = {part: (some - middle).abs() > OUTLYING * usual for part, some in values.items()} if usual > 0 else {}
        names = [f"{name} of {each}" for part, wrong in far.items() for each in names_where(look.parts[part], wrong)]
        if names:
            found[name] = names
            every = torch.cat(list(values.values())).nan_to_num(middle)
            most = float(every[(every - middle).abs().argmax()])
            farthest = farthest or (
                f"{most:g} lies {abs(most - middle) / usual:,.0f} times as far from the median ({middle:g}) as 99 % of the numbers do"
            )
    if found:
        rows = [each for names in found.values() for each in names]
        yield Trouble(
            "outlying-values",
            "warning",
            f"{counted(len(rows), 'number lies', 'numbers lie')} far outside of all others: {first_few(rows)}; {farthest}",
            "correct them if they are mistakes or marks for a missing value, or leave the rows out: one such number outweighs all others in means, spreads and losses",
            {"columns": {name: names[:50] for name, names in found.items()}},
        )


def middle_and_reach(values: Tensor) -> tuple[float, float]:
    """Median, and how far from it 99 % of the values lie at most; the second is 0 where there are too few values."""
    present = values[values.isfinite()].to(torch.float64)
    if len(present) < LEAST_FOR_OUTLYING:
        return 0.0, 0.0
    middle = present.median()
    apart = (present - middle).abs().sort().values
    return float(middle), float(apart[int(0.99 * (len(apart) - 1))])


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
