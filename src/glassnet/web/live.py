"""A run as it grows: its files are read by what was appended, once for all who watch it.

What the files hold is not trusted: whoever copied the run here may have written them. So every field is looked at before it is used.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeGuard

from glassnet.captions import (
    depth_sentence,
    figure_sentence,
    highest,
    last_of,
    loss_sentence,
    median_of,
    number,
    ratio_sentence,
    reach,
    reach_sentence,
)
from glassnet.events import Measured
from glassnet.runs import RunFolder
from glassnet.web.series import Series
from glassnet.web.tail import Tail

SHORTEST_PAUSE = 0.08  # seconds between two looks at the files, however many watch
MOST_LAYERS = 12  # whose update sizes are drawn one by one
MOST_FINDINGS = 200
LONGEST_TEXT = 2000
MOST_PIECES = 4096  # of a megabyte, read in one look

# Chart -> (heading, what x counts). The order is that of the page.
CHARTS: dict[str, tuple[str, str]] = {
    "loss": ("Loss", "epoch"),
    "figure": ("Accuracy", "epoch"),
    "batch": ("Loss of single batches", "step"),
    "rate": ("Learning rate", "step"),
    "ratio": ("Size of an update beside its weight", "step"),
    "norm": ("Size of the gradient", "step"),
    "reach": ("Gained beside promised", "step"),
    "silent": ("Dead and saturated units", "step"),
}


class LiveRun:
    """Curves, findings and progress of a run, up to date after each :meth:`look`.

    Attributes:
        version: grows whenever something is new.
        began: grows whenever everything began anew, because a resumed run was cut back.
        charts: chart -> name of a series -> its points.
        findings: as they were written, oldest first, fields looked at.
        tried: what trying an advice did, in words, by rule.
        facts: ``step``, ``epoch``, ``epochs``, ``steps_per_epoch``, ``samples``, ``parameters``, ``ended``, ``seconds``, ``speed``; what is not known is left out.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.version = 0
        self.began = 0
        self._lock = threading.Lock()
        self._looked = -1e9
        self._tails = [Tail(path) for path in (folder.metrics, folder.findings, folder.timing)]
        self._clear()

    def _clear(self) -> None:
        self.charts: dict[str, dict[str, Series]] = {name: {} for name in CHARTS}
        self.findings: list[dict[str, Any]] = []
        self.tried: dict[str, list[str]] = {}
        self.facts: dict[str, Any] = {}
        self.metric = "accuracy"
        self._depth: list[float] = []
        self._told: tuple[int, dict[str, str]] = (-1, {})

    def look(self) -> int:
        """Read what is new, unless that was done a moment ago; returns the version."""
        with self._lock:
            if time.monotonic() - self._looked < SHORTEST_PAUSE:
                return self.version
            pieces = [_all_new(tail) for tail in self._tails]
            if any(anew for anew, _ in pieces):
                self._begin_anew()
                pieces = [_all_new(tail) for tail in self._tails]
            for _, lines in pieces:
                for line in lines:
                    self._take(line)
                self.version += bool(lines)
            self._looked = time.monotonic()
            return self.version

    def _begin_anew(self) -> None:
        self._clear()
        self.began += 1
        self.version += 1
        self._tails = [Tail(path) for path in (self.folder.metrics, self.folder.findings, self.folder.timing)]

    def _take(self, line: str) -> None:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            return
        kind = event.get("event") if isinstance(event, dict) else None
        if isinstance(kind, str) and kind in TAKEN:
            TAKEN[kind](self, event)

    def series(self, chart: str, name: str) -> Series:
        """A series of a chart, made where it is not there yet."""
        return self.charts[chart].setdefault(name, Series())

    def _started(self, event: dict[str, Any]) -> None:
        for name in ("samples", "steps_per_epoch", "epochs", "parameters"):
            if _real(event.get(name)):
                self.facts[name] = int(event[name])

    def _step(self, event: dict[str, Any]) -> None:
        step = event.get("step")
        if not _real(step):
            return
        self.facts["step"] = int(step)
        self.series("batch", "loss of the batch").add(step, _number(event.get("loss")))
        self.series("rate", "learning rate").add(step, _number(event.get("lr")))
        if _real(event.get("grad_norm")):
            self.series("norm", "gradient norm").add(step, event["grad_norm"])

    def _epoch(self, event: dict[str, Any]) -> None:
        epoch, train, val = event.get("epoch"), event.get("train"), event.get("val")
        if not _real(epoch) or not isinstance(train, dict) or not isinstance(val, dict):
            return
        place = int(epoch) + 1
        self.facts["epoch"] = place
        if _real(event.get("step")):
            self.facts["step"] = int(event["step"])
        self.series("loss", "training").add(place, _number(train.get("loss")))
        if "loss" in val:
            self.series("loss", "validation").add(place, _number(val.get("loss")))
        self.series("loss", "while training").add(place, _number(event.get("running_loss")))
        metric = next((name for name in ("accuracy", "r2") if name in val or name in train), None)
        if metric is not None:
            self.metric = metric
            self.series("figure", "training").add(place, _number(train.get(metric)))
            if metric in val:
                self.series("figure", "validation").add(place, _number(val.get(metric)))

    def _measured(self, event: dict[str, Any]) -> None:
        step, batch = event.get("step"), event.get("batch")
        if not _real(step) or not isinstance(batch, dict):
            return
        if _real(batch.get("grad_norm")):
            self.series("norm", "measured steps").add(step, batch["grad_norm"])
        told = {key: _number(value) for key, value in batch.items() if isinstance(key, str)}
        gained = reach(Measured(0, int(step), 0.0, told, [], [], []))
        if math.isfinite(gained):
            self.series("reach", "gained / promised").add(step, gained)
        weights = [each for each in _records(event.get("parameters")) if _real(each.get("dims")) and each["dims"] > 1]
        for each in weights[:MOST_LAYERS]:
            self.series("ratio", each["name"]).add(step, _number(each.get("ratio")))
        if weights:
            self.series("ratio", "median").add(step, median_of([_number(each.get("ratio")) for each in weights]))
        layers = _records(event.get("layers"))
        self._depth = [_number(each.get("gradient")) for each in layers]
        for key in ("dead", "saturated"):
            shares = [_number(each.get(key)) for each in layers]
            finite = [share for share in shares if math.isfinite(share)]
            if finite:
                self.series("silent", f"{key}, worst layer").add(step, max(finite))

    def _finding(self, event: dict[str, Any]) -> None:
        if len(self.findings) >= MOST_FINDINGS:
            return
        found = {name: _text(event.get(name)) for name in ("rule", "severity", "what", "why", "advice")}
        evidence = event.get("evidence")
        self.findings.append(
            found
            | {
                "step": int(event["step"]) if _real(event.get("step")) else None,
                "evidence": [
                    (str(key)[:80].replace("_", " "), number(value)) for key, value in evidence.items() if _real(value)
                ][:20]
                if isinstance(evidence, dict)
                else [],
            }
        )

    def _tried_one(self, event: dict[str, Any]) -> None:
        words = self.tried.setdefault(_text(event.get("rule"))[:80], [])
        if len(words) < 20:
            words.append(_text(event.get("words")))

    def _finished(self, event: dict[str, Any]) -> None:
        self.facts["ended"] = _text(event.get("reason"))[:40]

    def _timing(self, event: dict[str, Any]) -> None:
        if _real(event.get("seconds")):
            more = event["evaluation_seconds"] if _real(event.get("evaluation_seconds")) else 0.0
            self.facts["seconds"] = self.facts.get("seconds", 0.0) + event["seconds"] + more
        if _real(event.get("images_per_second")):
            self.facts["speed"] = event["images_per_second"]

    def sentences(self) -> dict[str, str]:
        """What each chart says, in words; of charts without points nothing."""
        if self._told[0] != self.version:
            self._told = (self.version, {name: SENTENCES[name](self) for name in CHARTS if self.charts[name]})
        return self._told[1]

    def y(self, chart: str, name: str) -> list[float]:
        """Values of a series; empty where there is none."""
        series = self.charts[chart].get(name)
        return [] if series is None else list(series.y)

    @property
    def ended(self) -> bool:
        """Whether the events say that the training is over."""
        return "ended" in self.facts


TAKEN: dict[str, Callable[[LiveRun, dict[str, Any]], None]] = {
    "started": LiveRun._started,
    "step": LiveRun._step,
    "epoch": LiveRun._epoch,
    "measured": LiveRun._measured,
    "finding": LiveRun._finding,
    "tried": LiveRun._tried_one,
    "finished": LiveRun._finished,
    "timing": LiveRun._timing,
}


def _loss(run: LiveRun) -> str:
    return loss_sentence(run.y("loss", "training"), run.y("loss", "validation"), running=not run.ended)


def _figure(run: LiveRun) -> str:
    train, val = run.y("figure", "training"), run.y("figure", "validation")
    name = {"r2": "R²"}.get(run.metric, run.metric)
    return figure_sentence(name, run.metric == "accuracy", train, val, highest(val))


def _batch(run: LiveRun) -> str:
    values = [value for value in run.y("batch", "loss of the batch") if math.isfinite(value)]
    if len(values) < 6:
        return "Too few batches were recorded to tell where the loss goes."
    size = max(len(values) // 10, 3)
    first, late = median_of(values[:size]), median_of(values[-size:])
    text = f"The loss of a batch is about {number(late)} now; it began at about {number(first)}"
    top = max(range(len(values)), key=values.__getitem__)
    if top >= size and values[top] > 3 * max(first, late):
        text += f". Its highest peak is {number(values[top])}"
    return text + "."


def _rate(run: LiveRun) -> str:
    rates = [rate for rate in run.y("rate", "learning rate") if math.isfinite(rate)]
    if not rates:
        return "No learning rate was recorded."
    now, top = rates[-1], max(rates)
    if top <= min(rates) * (1 + 1e-9):
        return f"The learning rate stays at {number(now)}."
    if now >= top:
        return f"The learning rate is rising: {number(now)} now."
    return f"The learning rate is {number(now)} now; at most it was {number(top)}."


def _ratio(run: LiveRun) -> str:
    return ratio_sentence(run.y("ratio", "median"))


def _norm(run: LiveRun) -> str:
    values = run.y("norm", "gradient norm") or run.y("norm", "measured steps")
    last = last_of(values)
    if last is None:
        return "No size of the gradient was recorded."
    text = f"The gradient's norm is {number(last)} now, {number(median_of(values))} in the middle of all records."
    return f"{text} {depth_sentence(run._depth)}" if len(run._depth) > 1 else text


def _reach(run: LiveRun) -> str:
    return reach_sentence(run.y("reach", "gained / promised"))


def _silent(run: LiveRun) -> str:
    told = []
    for key in ("dead", "saturated"):
        last = last_of(run.y("silent", f"{key}, worst layer"))
        if last is not None:
            told.append(f"{100 * last:.0f} % {key}")
    return "In the worst layer, of all units, at the last measured step: " + " and ".join(told) + "." if told else ""


SENTENCES: dict[str, Callable[[LiveRun], str]] = {
    "loss": _loss,
    "figure": _figure,
    "batch": _batch,
    "rate": _rate,
    "ratio": _ratio,
    "norm": _norm,
    "reach": _reach,
    "silent": _silent,
}


def _all_new(tail: Tail) -> tuple[bool, list[str]]:
    lines: list[str] = []
    for _ in range(MOST_PIECES):
        before = tail.offset
        anew, piece = tail.new_lines()
        if anew:
            return True, []
        lines += piece
        if tail.offset == before:
            break
    return False, lines


def _real(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _number(value: object) -> float:
    return float(value) if _real(value) else math.nan


def _text(value: object) -> str:
    return value[:LONGEST_TEXT] if isinstance(value, str) else ""


def _records(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [
        each | {"name": each["name"][:80]}
        for each in value[:500]
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    ]
