"""Trials on the machines of a Ray cluster (requirement H6), by the same calls as :class:`glassnet.searching.workers.Pool`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

from glassnet.errors import GlassnetError, UsageError
from glassnet.searching.crew import Crew, Job, Report
from glassnet.searching.workers import THREAD_NAMES

HERE = "local"


class Cluster(Crew):
    """So many Ray actors of one core each. A context manager.

    A trial is ended a moment after it was found hopeless, and not at once as on one machine, so figures of trials that were ended early may come from an
    epoch more; the settings of all trials are the same.

    Args:
        maker: ``module:function``; called in the actor with ``config``, returns the objective.
        config: plain values; paths in it must mean the same on every machine.
        jobs: trials at a time.
        address: of the cluster, as ``ray start`` told it; ``local`` starts one on this machine.
    """

    def __init__(self, maker: str, config: dict[str, Any], jobs: int, address: str) -> None:
        super().__init__(jobs)
        try:
            ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise UsageError("--cluster needs Ray", fix="pip install 'glassnet[cluster]'") from error
        self._ray = ray
        try:
            ray.init(
                address=None if address == HERE else address,
                num_cpus=jobs if address == HERE else None,
                include_dashboard=False if address == HERE else None,
                log_to_driver=False,
                configure_logging=False,
                runtime_env={"env_vars": dict.fromkeys(THREAD_NAMES, "1")},
            )
        except Exception as error:  # Ray raises nothing narrower where its processes do not start in time
            raise UsageError(
                "Ray did not start on this machine" if address == HERE else "there is no Ray cluster at this address",
                where="--cluster",
                got=f"{address}: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
                fix="try again when the machine is less busy, or leave out --cluster" if address == HERE else None,
            ) from error
        hand = ray.remote(num_cpus=1, max_concurrency=2)(Hand)
        self._new: Any = lambda: hand.remote(maker, config, list(sys.path))
        self._free: list[Any] = [
            self._new() for _ in range(jobs)
        ]  # at once: a machine of the cluster may take its time
        self._busy: dict[Any, tuple[Any, Job]] = {}

    def close(self) -> None:
        """Leave the cluster; one of our own ends."""
        self._ray.shutdown()

    def _begin(self, job: Job) -> None:
        hand = self._free.pop()
        self._busy[hand.make.remote(job)] = hand, job

    def _ended(self, report: Report) -> Iterator[tuple[Job, dict[str, Any] | None]]:
        ended, _ = self._ray.wait(list(self._busy), timeout=0.3)
        for reference, (hand, job) in self._busy.items():
            if not self._told(hand, job, report) and reference not in ended:
                hand.stop.remote()
        for reference in ended:
            hand, job = self._busy.pop(reference)
            try:
                kind, answer = self._ray.get(reference)
            except self._ray.exceptions.RayError:  # its process or its machine is gone
                self._free.append(self._new())
                yield job, None
                continue
            if kind == "error":
                raise answer
            self._free.append(hand)
            yield job, answer

    def _told(self, hand: Any, job: Job, report: Report) -> bool:
        """Pass on what a trial has reported since; whether it shall go on."""
        try:
            news = self._ray.get(hand.news.remote(job.stage, job.number))
        except self._ray.exceptions.RayError:
            return True
        going = True
        for epoch, value in news:  # all of them are told, even where one ends it
            going = report(job, epoch, value) and going
        return going


class Hand:
    """The actor: makes one trial at a time, and answers in between."""

    def __init__(self, maker: str, config: dict[str, Any], path: list[str]) -> None:
        sys.path += [each for each in path if each not in sys.path]
        self._maker, self._config = maker, config
        self._objective: Any = None
        self._reported: dict[tuple[int, int], list[tuple[int, float]]] = {}
        self._stopped = False

    def make(self, job: Job) -> tuple[str, Any]:
        """Make a trial."""
        self._stopped = False
        reported = self._reported.setdefault((job.stage, job.number), [])

        def report(epoch: int, value: float) -> bool:
            reported.append((epoch, value))
            return not self._stopped

        try:
            if self._objective is None:
                module, _, function = self._maker.partition(":")
                self._objective = getattr(importlib.import_module(module), function)(self._config)
            return "end", self._objective(job, report)
        except GlassnetError as error:
            return "error", type(error)(error.message())

    def news(self, stage: int, number: int) -> list[tuple[int, float]]:
        """What was reported since it was asked last."""
        reported = self._reported.get((stage, number), [])
        told, reported[:] = list(reported), []
        return told

    def stop(self) -> None:
        """End the trial at its next report."""
        self._stopped = True
