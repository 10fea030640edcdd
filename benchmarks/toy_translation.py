"""Pairs for a toy translation: dates as people write them into ISO dates, or numbers in words into digits.

python benchmarks/toy_translation.py dates 10000 dates.csv
glassnet train dates.csv
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

FIRST, LAST = date(1900, 1, 1), date(2049, 12, 31)
ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
MOST = 999_999


def ending(day: int) -> str:
    """1st, 2nd, 3rd, 4th … as English says them."""
    return "th" if day % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def a_date(rng: random.Random) -> tuple[str, str]:
    """A date in one of twelve ways of writing (day before month where both are numbers), and as ISO 8601."""
    day = FIRST + timedelta(days=rng.randrange((LAST - FIRST).days + 1))
    long, short = f"{day:%B}", f"{day:%b}"
    ways = (
        f"{day.day} {long} {day.year}",
        f"{day.day} {short} {day.year}",
        f"{long} {day.day}, {day.year}",
        f"{short} {day.day} {day.year}",
        f"{day.day}{ending(day.day)} of {long} {day.year}",
        f"{long} the {day.day}{ending(day.day)}, {day.year}",
        f"{day:%A}, {day.day} {long} {day.year}",
        f"{day:%a} {short} {day.day} {day.year}",
        f"{day:%d.%m.%Y}",
        f"{day:%d/%m/%Y}",
        f"{day.day}.{day.month}.{day.year}",
        f"{day.year}, {day.day} {long.upper()}",
    )
    return rng.choice(ways), day.isoformat()


def in_words(number: int) -> str:
    """A number below a million in English words."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % size
    join = " " if rest >= 100 else " and "
    return f"{in_words(number // size)} {name}" + (f"{join}{in_words(rest)}" if rest else "")


def a_number(rng: random.Random) -> tuple[str, str]:
    """A number in words and in digits; small ones are as frequent as large ones."""
    number = rng.randrange(10 ** rng.randint(1, 6))
    return in_words(number), str(number)


KINDS: dict[str, Callable[[random.Random], tuple[str, str]]] = {"dates": a_date, "numbers": a_number}


def pairs(kind: str, count: int, seed: int = 0) -> list[tuple[str, str]]:
    """As many pairs as can be had without reading the same twice, ``count`` at most."""
    rng, found = random.Random(seed), dict[str, str]()
    for _ in range(20 * count):
        if len(found) == count:
            break
        read, written = KINDS[kind](rng)
        found.setdefault(read, written)
    return list(found.items())


def main(kind: str, count: str, path: str) -> None:
    """Write them as a table of two columns."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["written", "iso"] if kind == "dates" else ["words", "digits"])
        writer.writerows(pairs(kind, int(count)))


if __name__ == "__main__":
    main(*sys.argv[1:])
