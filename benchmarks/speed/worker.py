"""One contender on one row, in a process of its own, that trains when it is told to.

``python -m benchmarks.speed.worker CONTENDER ROW THREADS`` answers on its standard output, a JSON object a line: first when its first step is
done, then for every number of seconds that it reads from its standard input.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints goes to the log

    def answer(**values: object) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    import torch

    from benchmarks.speed.contenders import CONTENDERS, NotWrittenError
    from benchmarks.speed.rows import ROWS

    contender, row, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    imported = time.time()
    try:
        begun = importlib.import_module(f"benchmarks.speed.contenders.{CONTENDERS[contender][0]}").start(ROWS[row])
    except NotWrittenError as error:
        answer(left_out=str(error))
        return
    begun.advance(0.0)
    answer(begun=time.time(), imported=imported, precision=begun.precision, note=begun.note)
    for line in sys.stdin:
        samples, seconds = begun.advance(float(line))
        answer(samples=samples, seconds=seconds, peak=peak_memory())


def peak_memory() -> int:
    """Most memory that this process ever held, in bytes. Not from getrusage, which begins with what the parent had when it forked."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
