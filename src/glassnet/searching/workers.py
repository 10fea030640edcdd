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
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from glassnet.errors import GlassnetError

# (stage, number, settings, report) -> record of the trial's end; report(epoch, value) -> whether to go on
Objective = Callable[["Job", Callable[[int, float], bool]], dict[str, Any]]
ATTEMPTS = 2  # a trial whose worker dies twice is a failed one


@dataclass(frozen=True)
class Job:
    """A trial to be made.

    Attributes:
        stage: from 1.
        number: within the stage.
        settings: by dotted key.
        extra: what else the objective is told: epochs, seed.
    """

    stage: int
    number: int
    settings: dict[str, Any]
    extra: dict[str, Any]


class Pool:
    """So many worker processes. A context manager.

    Args:
        maker: ``module:function``; called in the worker with ``config``, returns the objective.
        config: plain values.
        jobs: processes.
        threads: of each.
    """

    def __init__(self, maker: str, config: dict[str, Any], jobs: int, threads: int = 1) -> None:
        self.maker, self.config, self.jobs, self.threads = maker, config, jobs, threads
        self._free: list[_Worker] = []
        self._busy: dict[Any, tuple[_Worker, Job, int]] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in [*self._free, *(worker for worker, _, _ in self._busy.values())]:
            worker.end()

    def run(
        self,
        jobs: Iterator[Job],
        report: Callable[[Job, int, float], bool],
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Job, dict[str, Any]]]:
        """Make the jobs and yield each with its record as it ends.

        Args:
            jobs: asked for the next one whenever a worker is free, so that it may depend on what has ended.
            report: called with (job, epoch, value) as they come; False ends the trial.
            stop: asked often; True ends everything, and what runs stays begun.

        Raises:
            GlassnetError: the objective cannot be made, for example since the data cannot be read.
        """
        again: deque[tuple[Job, int]] = deque()
        done = False
        while True:
            while not done and len(self._busy) < self.jobs and not stop():
                job, attempt = again.popleft() if again else (next(jobs, None), 1)
                if job is None:
                    done = True
                    break
                worker = self._free.pop() if self._free else _Worker(self.maker, self.config, self.threads)
                worker.send(("run", job))
                self._busy[worker.connection] = worker, job, attempt
            if stop() or (not self._busy and done and not again):
                return
            for connection in multiprocessing.connection.wait(list(self._busy), timeout=0.5):
                worker, job, attempt = self._busy[connection]
                message = worker.receive()
                if message is None:  # it died
                    del self._busy[connection]
                    worker.end()
                    if attempt < ATTEMPTS:
                        again.append((job, attempt + 1))
                        done = False
                    else:
                        yield (
                            job,
                            {
                                "end": "failed",
                                "value": None,
                                "epochs": 0,
                                "seconds": 0.0,
                                "why": "its process died twice",
                            },
                        )
                elif message[0] == "report":
                    worker.send(("go on", report(job, message[1], message[2])))
                elif message[0] == "error":
                    raise message[1]
                else:
                    del self._busy[connection]
                    self._free.append(worker)
                    yield job, message[1]


class _Worker:
    def __init__(self, maker: str, config: dict[str, Any], threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        kept = {name: os.environ.get(name) for name in THREAD_NAMES}
        os.environ.update(dict.fromkeys(THREAD_NAMES, str(threads)))  # read when the numerical libraries are loaded
        try:
            self._process = context.Process(target=_serve, args=(other, maker, config), daemon=True)
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
            return None

    def end(self) -> None:
        self.connection.close()
        self._process.join(timeout=0.2)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(timeout=5)


THREAD_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")


def _serve(connection: Any, maker: str, config: dict[str, Any]) -> None:
    """The worker's life: make the objective once, then a trial at a time, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks decides what Ctrl-C means
    module, _, function = maker.partition(":")
    objective: Objective | None = None

    def report(epoch: int, value: float) -> bool:
        connection.send(("report", epoch, value))
        return bool(connection.recv()[1])

    try:
        while True:
            _, job = connection.recv()
            try:
                if objective is None:
                    objective = getattr(importlib.import_module(module), function)(config)
                connection.send(("end", objective(job, report)))
            except GlassnetError as error:
                connection.send(("error", type(error)(error.message())))
    except (EOFError, OSError):
        return
