"""Processes that try settings side by side, each with the data read once, and one thread each.

The process that asks keeps the study; a worker only computes. So a worker that is killed loses nothing but the time since its trial's last checkpoint.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from glassnet.errors import GlassnetError
from glassnet.searching.crew import Crew, Job, Objective, Report


class Pool(Crew):
    """Worker processes on this machine.

    Args:
        maker: ``module:function``; called in the worker with ``config``, returns the objective.
        config: plain values.
        jobs: processes.
        threads: of each.
    """

    def __init__(self, maker: str, config: dict[str, Any], jobs: int, threads: int = 1) -> None:
        super().__init__(jobs)
        self._new: Callable[[], _Worker] = lambda: _Worker(maker, config, threads)
        self._free = [self._new() for _ in range(jobs)]  # at once: they load their libraries while others still prepare
        self._busy: dict[Any, tuple[_Worker, Job]] = {}

    def close(self) -> None:
        """End the processes, whatever they do. Closing once more does nothing."""
        for worker in [*self._free, *(worker for worker, _ in self._busy.values())]:
            worker.end()
        self._free.clear()
        self._busy.clear()

    def _begin(self, job: Job) -> None:
        worker = self._free.pop() if self._free else self._new()
        worker.send(("run", job))
        self._busy[worker.connection] = worker, job

    def _ended(self, report: Report) -> Iterator[tuple[Job, dict[str, Any] | None]]:
        for connection in multiprocessing.connection.wait(list(self._busy), timeout=0.5):
            worker, job = self._busy[connection]
            kind, *told = worker.receive()
            if kind == "report":
                worker.send(("go on", report(job, *told)))
            elif kind == "error":
                raise told[0]
            else:
                del self._busy[connection]
                if kind == "died":
                    worker.end()
                    yield job, None
                else:
                    self._free.append(worker)
                    yield job, told[0]


class _Worker:
    def __init__(self, maker: str, config: dict[str, Any], threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        kept: dict[str, Any] = {name: os.environ.get(name) for name in THREAD_NAMES}
        os.environ.update(dict.fromkeys(THREAD_NAMES, str(threads)))  # read when the numerical libraries are loaded
        try:
            self._process = context.Process(target=_serve, args=(other, maker, config), daemon=True)
            with nullcontext() if config.get("net") is not None else _without_script():
                self._process.start()
        finally:
            for name, value in kept.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
        other.close()

    def send(self, message: Any) -> None:
        with contextlib.suppress(OSError):  # its death is noticed when it should answer
            self.connection.send(message)

    def receive(self) -> Any:
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return ("died",)

    def end(self) -> None:
        self.connection.close()
        self._process.join(timeout=0.2)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(timeout=5)


@contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are begun within the block do not run the script that begins them once more, as Python's do where it has no ``if __name__ == "__main__":``.

    A network of the user's own may be defined in that script, and is found by running it.
    """
    script = sys.modules["__main__"]
    kept: dict[str, Any] = {name: script.__dict__[name] for name in ("__file__", "__spec__") if name in script.__dict__}
    script.__dict__.pop("__file__", None)
    script.__spec__ = None
    try:
        yield
    finally:
        script.__dict__.update(kept)


THREAD_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")


def _serve(connection: Any, maker: str, config: dict[str, Any]) -> None:
    """The worker's life: make the objective once, then a trial at a time, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks decides what Ctrl-C means
    module, _, function = maker.partition(":")
    made = getattr(importlib.import_module(module), function)
    objective: Objective | None = None

    def report(epoch: int, value: float) -> bool:
        connection.send(("report", epoch, value))
        return bool(connection.recv()[1])

    try:
        while True:
            _, job = connection.recv()
            try:
                if objective is None:
                    objective = made(config)
                connection.send(("end", objective(job, report)))
            except GlassnetError as error:
                connection.send(("error", type(error)(error.message())))
    except (EOFError, OSError):
        return
