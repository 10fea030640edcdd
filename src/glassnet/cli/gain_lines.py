"""What an ensemble, or a look from several sides, gained, in a few lines of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WIDTH = 26


def gain_lines(about: dict[str, Any]) -> list[str]:
    """What ``result.json`` says of the members and of all together (see :mod:`glassnet.gain`): the part that was judged last in full."""
    *earlier, judged = about["parts"].items()
    found = judged[1]
    classes = found["metric"] == "accuracy"
    how = {"mean": "probabilities averaged", "votes": "counting votes"}[about["answer"]]
    count = len(about["members"])
    lines = [f"what {count} networks together gain ({how if classes else 'values averaged'})"]
    lines += table(
        [
            ("one alone, mean ± spread", _mean(found["each"]), found["std"]),
            ("the best in validation", found["each"][found["chosen"]], None),
            ("all together", found["ensemble"], None),
        ],
        classes,
    )
    lines.append(f"  over one alone: {difference(found['gain'], found['interval'], classes)}")
    lines.append(
        f"  over {about['members'][found['chosen']]}, the best in validation: " + over(found["over_chosen"], classes)
    )
    for _, other in earlier:
        lines.append(f"  in validation, over one alone: {difference(other['gain'], other['interval'], classes)}")
    return lines


def table(rows: Sequence[tuple[str, dict[str, float], float | None]], classes: bool) -> list[str]:
    """Figures beside each other: a name, the figures, and their standard deviation where there are several."""
    head = ("accuracy", "loss", "calibration error") if classes else ("R²", "squared error")
    lines = [f"  {'':<{WIDTH}}" + "".join(f"{name:>19}" for name in head)]
    for name, figures, std in rows:
        if classes:
            first = f"{figures['accuracy']:.2%}" + ("" if std is None else f" ± {100 * std:.2f}")
            rest = f"{figures['loss']:>19.4f}{figures['calibration_error']:>19.2%}"
        else:
            first = f"{figures['r2']:.4f}" + ("" if std is None else f" ± {std:.4f}")
            rest = f"{figures['loss']:>19.5g}"
        lines.append(f"  {name:<{WIDTH}}{first:>19}{rest}")
    return lines


def difference(gain: float, interval: Sequence[float], classes: bool) -> str:
    """``+0.89 points (95 % interval +0.40 to +1.30)``; of R², without points."""
    low, high = interval
    chance = "; it may be chance" if low <= 0 <= high else ""
    unit = " points" if classes else " of R²"
    return f"{signed(gain, classes)}{unit} (95 % interval {signed(low, classes)} to {signed(high, classes)}{chance})"


def over(found: dict[str, Any], classes: bool) -> str:
    """The gain over one network, with McNemar's test where there are classes."""
    if not classes:
        return difference(found["gain"], found["interval"], classes)
    return (
        f"{signed(found['gain'], classes)} points: right on {found['gained']:,} {'sample' if found['gained'] == 1 else 'samples'} where it is wrong, "
        f"wrong on {found['lost']:,} where it is right (McNemar's p {found['p']:.2g})"
    )


def signed(value: float, classes: bool) -> str:
    """A difference with its sign, in points where it is one of shares; never minus zero."""
    shown = round(100 * value, 2) if classes else round(value, 4)
    return (f"{shown + 0.0:+.2f}" if classes else f"{shown + 0.0:+.4f}").replace("-", "−")


def _mean(each: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: sum(figures[name] for figures in each) / len(each) for name in each[0]}
