"""Measures what docs/web.md tells of the page.

    python -m benchmarks.web [sizes] [start] [first] [list] [chart] [latency] [report] [pad] [beginner] [cost] [memory] [flows] [--rounds 5] [--minutes 60] [--repeats 50]

Without a name all but ``cost``, ``memory``, ``beginner`` and ``flows`` are measured. The browser's part needs Playwright and Chromium. ``cost`` counts the
steps of a training, on one thread and then on all, in turns of two seconds: with the page's process stopped, with it running and nobody looking, and with the
run's page open in a browser; it needs a machine with nothing else to do. ``memory`` watches a growing run for an hour. ``flows`` repeats every test that uses
a browser. ``beginner`` needs GLASSNET_DATA, a folder that holds ``notmnist`` as idx files.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import compiled
from benchmarks.web.cost import cost, memory
from benchmarks.web.flows import flows
from benchmarks.web.people import beginner, pad, report
from benchmarks.web.speed import chart, first, latency, list_runs, sizes, start

LONG = ("cost", "memory", "beginner", "flows")
MEASURED: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "sizes": sizes,
    "start": start,
    "first": first,
    "list": list_runs,
    "chart": chart,
    "latency": latency,
    "report": report,
    "pad": pad,
    "beginner": beginner,
    "cost": cost,
    "memory": memory,
    "flows": flows,
}


def main() -> None:
    """Measure what was asked for and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", choices=[[], *MEASURED])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="of watching, for memory; of each training, for cost"
    )
    parser.add_argument("--repeats", type=int, default=50, help="of each flow")
    parser.add_argument("--only", default="", help="words in the names of flows")
    chosen = parser.parse_args()
    compiled()
    for name in chosen.what or [name for name in MEASURED if name not in LONG]:
        with tempfile.TemporaryDirectory() as place:
            MEASURED[name](Path(place), chosen)


if __name__ == "__main__":
    main()
