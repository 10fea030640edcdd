"""Forecasts in words: how good they are beside plain ones, and what comes next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from glassnet.cli.csv_text import csv_text
from glassnet.events import finite

if TYPE_CHECKING:
    from glassnet.data.series_schema import SeriesSchema
    from glassnet.model import Prediction

SURELY = 0.05
MOST_COLUMNS = 12


def forecast_lines(forecast: dict[str, Any]) -> list[str]:
    """The network's mean absolute error of each column beside that of plain forecasts, with an honest word on who is better."""
    lines: list[str] = []
    horizon = forecast["horizon"]
    for column in forecast["columns"][:MOST_COLUMNS]:
        steps = column["mae_by_step"]
        by_step = "" if horizon == 1 else f"  (step 1: {steps[0]:.4g}, step {horizon}: {steps[-1]:.4g})"
        lines.append(f"  {column['name']}: MAE {column['mae']:.4g}, RMSE {column['rmse']:.4g}{by_step}")
        width = max(len(each["name"]) for each in column["plain"])
        lines += [
            f"    {each['name']:<{width}}  MAE {each['mae']:<8.4g} RMSE {each['rmse']:<8.4g} {_verdict(column, each)}"
            for each in column["plain"]
        ]
        best = min(column["plain"], key=lambda each: float(each["mae"]))
        if best["mae"] < column["mae"]:
            sure = "" if best["p"] < SURELY else ", though it may be chance"
            lines.append(f"    plain and better here: {best['name']}{sure}")
    if len(forecast["columns"]) > MOST_COLUMNS:
        lines.append(f"  ... and {len(forecast['columns']) - MOST_COLUMNS} more columns, in result.json")
    return lines


def _verdict(column: dict[str, Any], other: dict[str, Any]) -> str:
    """Who is better, by how much, and whether that may be chance."""
    if other["mae"] == column["mae"]:
        return "as good"
    if other["mae"] > column["mae"]:
        share = f"the network is better by {1 - column['mae'] / other['mae']:.0%}"
    else:
        share = f"better than the network by {1 - other['mae'] / column['mae']:.0%}"
    if other["p"] < SURELY:
        return share
    return f"{share}, which may be chance (p {other['p']:.2f})"


def table_of(schema: SeriesSchema, prediction: Prediction) -> list[tuple[str, tuple[float, ...]]]:
    """The next steps: their times, and a value for each column that is forecast."""
    columns = [
        prediction.values[place * schema.horizon : (place + 1) * schema.horizon] for place in range(len(schema.targets))
    ]
    return list(zip(schema.next_times(prediction.name), zip(*columns, strict=True), strict=True))


def next_steps(schema: SeriesSchema, predictions: list[Prediction], form: str) -> str:
    """The forecasts as text, CSV or JSON, a line a step."""
    if form == "json":
        rows = [
            {
                "input": each.name,
                "forecast": [
                    {"time": when, **dict(zip(schema.targets, values, strict=True))}
                    for when, values in table_of(schema, each)
                ],
            }
            for each in predictions
        ]
        return json.dumps(finite(rows), indent=1, ensure_ascii=False) + "\n"
    if form == "csv":
        several = ["input"] if len(predictions) > 1 else []
        rows_of = (
            [*([each.name] if several else []), when, *values]
            for each in predictions
            for when, values in table_of(schema, each)
        )
        return csv_text([*several, schema.time or "step", *schema.targets], rows_of)
    lines = []
    for each in predictions:
        table = table_of(schema, each)
        width = max(len(when) for when, _ in table)
        lines.append(f"{each.name}\n")
        for when, values in table:
            told = "  ".join(f"{name} {value:.6g}" for name, value in zip(schema.targets, values, strict=True))
            lines.append(f"  {when:<{width}}  {told}\n")
    return "".join(lines)
