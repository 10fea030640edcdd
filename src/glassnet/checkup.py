"""Checks before a training, from a recipe to a folder with the evidence; ``glassnet check`` and :func:`glassnet.check` as code.

recipe -> data -> parts -> checks, one after the other -> checks.json, lr_bracket.json, lr_bracket.png
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from glassnet.advice import helps, try_remedies
from glassnet.assembly import assemble
from glassnet.checks import Check, Subject, run_on
from glassnet.checks.check import FAILED, PASSED, WARNING
from glassnet.checks.runner import chosen
from glassnet.data.dataset import Data
from glassnet.errors import ModelError, UsageError, is_out_of_memory
from glassnet.events import Checked, Finding, Tried, finite
from glassnet.files import make_folder, translated, write_file
from glassnet.layers.twin import twin
from glassnet.plots import lr_range_plot, png
from glassnet.plots.style import ORANGE, legend, number
from glassnet.reading import divide, read_data
from glassnet.recipe import Recipe
from glassnet.recipe_mistakes import OWN_NET, check
from glassnet.resolve import resolve
from glassnet.runs import open_run
from glassnet.told import out_of_memory
from glassnet.training.checkpoint import load_newest
from glassnet.training.execution import prepare_process, process_kept
from glassnet.training.range_test import RangeTest
from glassnet.training.state import seed_generators


@dataclass(frozen=True)
class Checkup:
    """A training that is about to be checked.

    Attributes:
        subject: what the checks look at.
        recipe: as it was resolved.
        reasons: of the choices in it, by dotted key.
        data: as they were divided.
    """

    subject: Subject
    recipe: Recipe
    reasons: dict[str, str]
    data: Data


def prepare(recipe: Recipe, *, net: nn.Module | None = None, data: Data | None = None) -> Checkup:
    """Read the data and build everything as ``train`` would.

    Args:
        recipe: what the run is to be decided by.
        net: the user's own module, where ``recipe.net.name`` is ``own``; it is copied where it can be.
        data: already read and not yet divided; read from ``recipe.data.path`` without it.

    Raises:
        GlassnetError: as ``train`` would.
    """
    check(recipe)
    threads = recipe.train.threads
    prepare_process(None if threads == "auto" else int(threads))
    try:
        divided = read_data(recipe) if data is None else divide(data, recipe)
        resolved, reasons = resolve(recipe, divided)
        seed_generators(resolved.train.seed)
        parts = assemble(resolved, divided, _copied(net))
    except Exception as error:
        if is_out_of_memory(error):
            raise out_of_memory(recipe) from error
        raise
    subject = Subject(
        parts.net, parts.batches, parts.plan, validation=parts.validation, plain=parts.sample, data=divided
    )
    return Checkup(subject, parts.recipe, reasons | parts.reasons, divided)


def run(
    recipe: Recipe,
    *,
    net: nn.Module | None = None,
    data: Data | None = None,
    only: Sequence[str] = (),
    folder: Path | None = None,
    begin: Callable[[Checkup], None] = lambda checkup: None,
    announce: Callable[[Check], None] = lambda check: None,
) -> Iterator[Checked]:
    """Prepare and check. What was seen so far lies in the folder at any time.

    Args:
        recipe: what the run is to be decided by.
        net: the user's own module.
        data: already read.
        only: ids of the checks wanted; all without it.
        folder: where the evidence goes; nowhere without it.
        begin: called when everything is built.
        announce: called with each check before it begins.

    Yields:
        What each check found; after one that failed, no more.

    Raises:
        GlassnetError: of the kind that fits.
    """
    chosen(only)  # a misspelt id is told before any time is spent
    with process_kept():
        checkup = prepare(recipe, net=net, data=data)
        if folder is not None:
            make_folder(folder)
            write_file(folder / "recipe.toml", checkup.recipe.to_toml(checkup.reasons))
        begin(checkup)
        seen: list[Checked] = []
        try:
            for found in run_on(checkup.subject, only=only, announce=announce):
                seen.append(found)
                if folder is not None:
                    save(folder, checkup, seen)
                yield found
        except Exception as error:
            if is_out_of_memory(error):
                raise out_of_memory(checkup.recipe) from error
            raise


def try_findings(checkup: Checkup) -> Iterator[Finding | Tried]:
    """The rate that the range test proposes, and each finding of the trial run, with what the advice does in trials from the start."""
    with process_kept():
        for finding in (*checkup.subject.proposed, *checkup.subject.findings):
            yield finding
            yield from try_remedies(checkup.recipe, checkup.data, finding)


def best_of(trials: Sequence[Tried]) -> dict[str, Any]:
    """The changes after which the loss was lowest, of those that helped; none where none did."""
    helped = [tried for tried in trials if helps(tried)]
    return min(helped, key=lambda tried: tried.loss).changes if helped else {}


def findings_of(path: Path) -> list[Finding]:
    """What the diagnosis noticed in a run.

    Args:
        path: the run folder.
    """
    return [event for event in open_run(str(path)).events() if isinstance(event, Finding)]


def try_findings_of(path: Path) -> Iterator[Finding | Tried]:
    """Each finding of a run, and what its advice does on forks of it: from its newest checkpoint, or from the start where it has ended.

    Args:
        path: the run folder; nothing in it is changed.

    Raises:
        UsageError: the run trains a network of the user's own, which cannot be made again from the folder.
    """
    folder = open_run(str(path))
    recipe = Recipe.from_toml(folder.recipe)
    if recipe.net.name == OWN_NET:
        raise UsageError(
            "this run trains a network of your own",
            where=path,
            fix="train it with glassnet.train(..., settings={'train.try_advice': True})",
        )
    earlier = None if folder.finished else load_newest(folder.checkpoints)
    with process_kept():
        prepare_process(None if recipe.train.threads == "auto" else int(recipe.train.threads))
        data = read_data(recipe)
        for finding in findings_of(path):
            yield finding
            yield from try_remedies(recipe, data, finding, tree=earlier[0]["state"] if earlier else None)


def save(folder: Path, checkup: Checkup, seen: Sequence[Checked]) -> None:
    """Write ``checks.json``, and the learning-rate curve where there is one."""
    about = {
        "data": checkup.data.name,
        "net": checkup.recipe.net.name,
        "verdict": verdict(seen),
        "checks": [asdict(found) for found in seen],
        "findings": [asdict(finding) for finding in checkup.subject.findings],
    }
    write_file(folder / "checks.json", json.dumps(finite(about), indent=1, ensure_ascii=False))
    test = checkup.subject.range_test
    if test is not None and seen[-1].check == "lr-bracket":
        rate = seen[-1].figures["lr"]
        write_file(folder / "lr_bracket.json", json.dumps(finite(asdict(test) | {"lr": rate}), indent=1))
        write_file(folder / "lr_bracket.png", bracket_png(test, rate))


def verdict(seen: Sequence[Checked]) -> str:
    """The worst of the verdicts: ``failed``, ``warning`` or ``passed``."""
    verdicts = {found.verdict for found in seen}
    return next((word for word in (FAILED, WARNING) if word in verdicts), PASSED)


def bracket_png(test: RangeTest, rate: float) -> bytes:
    """The learning-rate curve with the plan's own rate marked."""
    drawing = lr_range_plot(test.lrs, test.losses, too_low=test.too_low, too_high=test.too_high)
    axes = drawing.figure.axes[0]
    axes.axvline(rate, color=ORANGE, linewidth=1.8, dashes=(4, 1.5), label=f"the plan's rate: {number(rate)}")
    legend(axes)
    return png(drawing)


def next_folder(name: str) -> Path:
    """The next free ``checks/NAME-N``, made."""
    place = Path("checks")
    make_folder(place)
    number = 1
    while True:
        path = place / f"{name}-{number}"
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
            continue
        except OSError as error:
            raise translated(error, path) from error
        return path


def _copied(net: nn.Module | None) -> nn.Module | None:
    """The user's module is brought to a device and a memory layout, which must not happen to the user's own."""
    try:
        return None if net is None else twin(net)
    except ModelError:
        return net
