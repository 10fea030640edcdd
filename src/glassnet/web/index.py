"""Which runs there are, and what the list tells of each: read from their folders, and only again where a file changed."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from glassnet.web.locks import held_inodes
from glassnet.web.reading import open_regular, read_bytes, read_object

DEEPEST = 6  # folders below the root: searches/digits-1/trials/1-0012 has three
MOST_RUNS = 20_000
FRESH = 1.0  # seconds for which a listing is not made again
LARGEST_RECIPE = 1 << 20
ENDS = {
    "diverged": "failed",
    "completed": "trained",
    "early stop": "trained",
}  # of runs without a result, such as trials
TAIL = 16_384  # bytes at the end of the events, within which the last epoch stands
LOOKED_AT = ("asked.toml", "recipe.toml", "result.json", "metrics.jsonl", "net.json", "data.json", "run.lock", "report.html")  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """What the list tells of a run.

    Attributes:
        key: opaque id; the only name of a run that a browser may send.
        name: path below the root, as people read it.
        state: ``running``, ``finished`` (it has a result), ``trained`` (it came to its end and was not judged, as trials are not), ``stopped`` or ``failed``.
        changed: seconds since 1970 of the last change.
        settings: recipe as dotted keys.
        facts: what is known besides: ``data``, ``net``, ``parameters``, ``metric``, ``figure``, ``low``, ``high``, ``part``, ``epochs``,
            ``val_loss``, ``val_figure``, ``ended``; what is not known is left out.
        report: whether there is a report.
    """

    key: str
    name: str
    state: str
    changed: float
    settings: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    report: bool = False


@dataclass
class _Known:
    path: Path
    entry: Entry
    signature: tuple[Any, ...]


class Index:
    """The runs below a folder, by their ids. Reading is safe from several threads.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, _Known] = {}
        self._searches: dict[str, Path] = {}
        self._looked = -1e9
        self._lock = threading.Lock()

    def entries(self) -> list[Entry]:
        """All runs, the newest change first."""
        self.refresh()
        return sorted((known.entry for known in list(self._known.values())), key=lambda entry: -entry.changed)

    def entry(self, key: str) -> Entry | None:
        """What is known of one run; None where there is no such id."""
        self.refresh()
        known = self._known.get(key)
        return None if known is None else known.entry

    def look_at(self, key: str) -> Entry | None:
        """What is known of one run, looked at now and at no other; cheap enough for ten times a second."""
        known = self._known.get(key)
        if known is None:
            return self.entry(key)
        signature = _signature(known.path, held_inodes())
        if signature != known.signature:
            known = _Known(known.path, _entry(known.path, key, self.root, signature), signature)
            self._known[key] = known
        return known.entry

    def path(self, key: str) -> Path | None:
        """Where a run lies; None where there is no such id."""
        if key not in self._known:
            self.refresh()
        known = self._known.get(key)
        return None if known is None or not _stays_within(known.path, self.root) else known.path

    def searches(self) -> dict[str, Path]:
        """Folders of ``glassnet search`` by their ids."""
        self.refresh()
        return dict(self._searches)

    def refresh(self, now: bool = False) -> None:
        """Look which runs came, went or changed, unless that was done within the last second.

        Args:
            now: look in any case.
        """
        with self._lock:
            if not now and time.monotonic() - self._looked < FRESH:
                return
            held = held_inodes()
            found: dict[str, _Known] = {}
            searches: dict[str, Path] = {}
            for path, is_search in _folders(self.root):
                key = key_of(path, self.root)
                if is_search:
                    searches[key] = path
                    continue
                signature = _signature(path, held)
                old = self._known.get(key)
                if old is not None and old.signature == signature:
                    found[key] = old
                else:
                    found[key] = _Known(path, _entry(path, key, self.root, signature), signature)
                if len(found) >= MOST_RUNS:
                    break
            self._known, self._searches = found, searches
            self._looked = time.monotonic()


def key_of(path: Path, root: Path) -> str:
    """The id of a folder: a hash of its place below the root, so that an address stays the same from day to day."""
    return hashlib.blake2b(os.fsencode(path.relative_to(root)), digest_size=9).hexdigest()


def _stays_within(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _folders(root: Path) -> Iterator[tuple[Path, bool]]:
    """(folder, whether it is a search's) of every run and search below the root, links not followed."""
    stack = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        try:
            with os.scandir(folder) as listing:
                inside = list(listing)
        except OSError:
            continue
        names = {each.name for each in inside}
        if "search.db" in names or {"trials.csv", "stages.json"} & names:
            yield folder, True
        elif "asked.toml" in names or "recipe.toml" in names:
            yield folder, False
        if depth < DEEPEST:
            stack += [
                (folder / each.name, depth + 1)
                for each in inside
                if each.name not in ("checkpoints", "model", "plots")
                and not each.name.startswith(".")
                and each.is_dir(follow_symlinks=False)
            ]


def _signature(path: Path, held: set[int]) -> tuple[Any, ...]:
    """What changes whenever the entry would: time, size and number of each file, or None, and last whether a process writes the run."""
    states: list[Any] = []
    running = False
    for name in LOOKED_AT:
        try:
            state = os.stat(path / name, follow_symlinks=False)  # noqa: PTH116 - ten thousand of them are made
        except OSError:
            states.append(None)
            continue
        states.append((state.st_mtime_ns, state.st_size, state.st_ino))
        running = running or (name == "run.lock" and state.st_ino in held)
    return (*states, running)


def _entry(path: Path, key: str, root: Path, signature: tuple[Any, ...]) -> Entry:
    running = signature[-1]
    name = str(path.relative_to(root))
    settings = flat(_recipe(path))
    result, about = read_object(path / "result.json"), read_object(path / "data.json")
    facts: dict[str, Any] = {}
    if isinstance(about.get("name"), str):
        facts["data"] = about["name"]
    last, ended = _last_events(path / "metrics.jsonl")
    facts |= last
    facts |= headline(result)
    if ended:
        facts["ended"] = ended
    state = "running" if running else "finished" if result else ENDS.get(ended, "stopped")
    changed = max((state[0] for state in signature[:-1] if state is not None), default=0) / 1e9
    return Entry(
        key,
        (name if name != "." else root.resolve().name).encode("utf-8", "replace").decode(),
        state,
        changed,
        settings,
        facts,
        (path / "report.html").is_file(),
    )


def _recipe(path: Path) -> dict[str, Any]:
    for name in ("recipe.toml", "asked.toml"):
        content = read_bytes(path / name, LARGEST_RECIPE)
        if content is not None:
            try:
                return tomllib.loads(content.decode("utf-8", errors="replace"))
            except (ValueError, RecursionError):
                return {}
    return {}


def flat(tree: dict[str, Any], before: str = "") -> dict[str, Any]:
    """A recipe's sections as dotted keys; lists become text, and what is not a number, a truth value or text is left out."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{before}{name}"
        if isinstance(value, dict):
            found |= flat(value, f"{key}.") if before.count(".") < 3 else {}
        elif isinstance(value, bool | int | float | str):
            found[key] = value[:200] if isinstance(value, str) else value
        elif isinstance(value, list):
            found[key] = json.dumps(value, ensure_ascii=False, default=str)[:200]
    return found


# For tasks that are judged by something else than accuracy or R²: what it is called here, and its key among the figures.
HEADLINES = {"language": {"nats": "loss"}, "translation": {"exact": "exact"}}


def headline(result: dict[str, Any]) -> dict[str, Any]:
    """The one figure of ``result.json``: ``metric`` (accuracy, r2, nats of a language model, exact of a translator), ``figure``, ``low``, ``high`` and ``part``."""
    figures = result.get("figures")
    if not isinstance(figures, dict):
        return {}
    named = HEADLINES.get(str(result.get("task")), {"accuracy": "accuracy", "r2": "r2"})
    for metric, key in named.items():
        figure, interval = figures.get(key), figures.get(f"{key}_interval")
        if isinstance(figure, int | float):
            found = {"metric": metric, "figure": figure, "part": str(result.get("part", "test"))[:20]}
            if isinstance(interval, list) and len(interval) == 2 and all(isinstance(e, int | float) for e in interval):
                found |= {"low": interval[0], "high": interval[1]}
            return found
    return {}


def _last_events(path: Path) -> tuple[dict[str, Any], str]:
    """Figures of the last epoch, and why the run ended; both empty where the events do not say."""
    file = open_regular(path)
    if file is None:
        return {}, ""
    with file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(size - TAIL, 0))
        lines = file.read(TAIL).split(b"\n")
    ended = ""
    for line in reversed(lines):
        kind = line[:24]
        if b'"finished"' not in kind and b'"epoch"' not in kind:
            continue
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if event.get("event") == "finished":
            ended = str(event.get("reason", ""))[:40]
        elif event.get("event") == "epoch" and isinstance(event.get("val"), dict):
            return _of_epoch(event), ended
    return {}, ended


def _of_epoch(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(event.get("epoch"), int):
        found["epochs"] = event["epoch"] + 1
    for name in ("loss", "accuracy", "r2"):
        value = event["val"].get(name)
        if isinstance(value, int | float):
            found[f"val_{name}"] = value
    return found
