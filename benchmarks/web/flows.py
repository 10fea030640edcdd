"""U13: every test that uses a browser, again and again in one process, and how often each came through."""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

TESTS = Path(__file__).parents[2] / "tests" / "web"


class Repeated:
    """A plugin of pytest: keeps the tests that use a browser, repeats them all in turn, and counts.

    Args:
        repeats: of each test.
        only: words that a test's name must hold; all without any.
    """

    def __init__(self, repeats: int, only: str) -> None:
        self.repeats, self.only = repeats, only.split()
        self.passed: Counter[str] = Counter()
        self.failed: defaultdict[str, list[str]] = defaultdict(list)
        self.skipped: set[str] = set()
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._bad: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Only browser tests, module by module in turn, so that no test follows itself."""
        flows = [each for each in items if "browser" in getattr(each, "fixturenames", ())]
        flows = [each for each in flows if all(word in each.nodeid for word in self.only)]
        items[:] = flows * self.repeats

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a test when it is torn down."""
        name = report.nodeid.partition("::")[2]
        if report.skipped:
            self.skipped.add(name)
        if report.failed:
            self._bad[name] = str(report.longrepr).strip().splitlines()[-1][:200]
        if report.when == "call":
            self.seconds[name].append(report.duration)
        if report.when == "teardown" and name not in self.skipped:
            if name in self._bad:
                self.failed[name].append(self._bad.pop(name))
            else:
                self.passed[name] += 1


def flows(_: Path, chosen: argparse.Namespace) -> None:
    """Run them, and print a table: name, how often it came through, seconds."""
    import pytest

    plugin, began = Repeated(chosen.repeats, chosen.only), time.monotonic()
    # the options of pyproject.toml are those of pytest's own display, which is replaced by the table below; no module's
    # assertions are rewritten, because some that would be (anyio) have been loaded by now
    options = ["-o", "addopts=", "--assert", "plain", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:xdist"]
    pytest.main([*options, str(TESTS)], plugins=[plugin])
    names = sorted({*plugin.passed, *plugin.failed})
    kinds = {name.partition("[")[0] for name in names}
    failures = sum(map(len, plugin.failed.values()))
    for name in names:
        worst = f"  {plugin.failed[name][0]}" if plugin.failed.get(name) else ""
        count = plugin.passed[name] + len(plugin.failed.get(name, ()))
        print(f"{plugin.passed[name]:>4} of {count:<4} {median(plugin.seconds[name] or [0.0]):6.2f} s  {name}{worst}")
    print(
        f"U13 {len(kinds)} flows, {len(names)} with their variants, each {chosen.repeats} times: {failures} of {sum(plugin.passed.values()) + failures} runs failed; "
        f"{len(plugin.skipped)} were skipped; {(time.monotonic() - began) / 60:.0f} minutes"
    )
    for name in sorted(plugin.skipped):
        print(f"    skipped: {name}")
