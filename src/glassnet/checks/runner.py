"""The checks in their order, each only where those before it have passed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from glassnet.checks import (
    data_sane,
    gradient_check,
    gradients_reach,
    initial_loss,
    input_independent,
    lr_bracket,
    overfit_twenty,
    sane_sizes,
    trial_run,
)
from glassnet.checks.check import FAILED, WARNING, Check
from glassnet.checks.given import as_batches
from glassnet.checks.subject import Subject
from glassnet.errors import GlassnetError, ModelError, all_at_once, is_out_of_memory, unknown
from glassnet.events import Checked
from glassnet.training.plan import Plan
from glassnet.training.state import random_kept

# From what costs nothing to what costs most, and from causes to consequences.
CHECKS: tuple[Check, ...] = (
    data_sane.CHECK,
    initial_loss.CHECK,
    gradients_reach.CHECK,
    gradient_check.CHECK,
    input_independent.CHECK,
    overfit_twenty.CHECK,
    sane_sizes.CHECK,
    lr_bracket.CHECK,
    trial_run.CHECK,
)
BY_ID = {check.id: check for check in CHECKS}
# What makes these fail the diagnosis may know better: they see that the loss is not what it should be, and a rule sees why.
CONSEQUENCES = (initial_loss.CHECK, input_independent.CHECK, overfit_twenty.CHECK)
# What these rules find makes figures of unseen samples worse or too good; it keeps no network from learning.
NO_CAUSES = (
    "class-imbalance",
    "distribution-shift",
    "early-overfit",
    "leaking-input",
    "overfitting",
    "validation-leak",
)
QUICK: tuple[Check, ...] = (initial_loss.CHECK, gradients_reach.CHECK, gradient_check.CHECK, sane_sizes.CHECK)


def run_checks(
    net: nn.Module,
    batches: Any,
    plan: Plan,
    *,
    validation: Any = None,
    only: Sequence[str] = (),
) -> Iterator[Checked]:
    """Check a training of your own before it begins; nothing is changed by it.

        for checked in run_checks(net, loader, Plan(loss=F.cross_entropy, optimizer=make, epochs=5)):
            print(checked.verdict, checked.what)

    Args:
        net: any module that maps a batch of inputs to outputs.
        batches: of the training part: a DataLoader, a list of (inputs, targets), a pair of tensors, or Glassnet's own.
        plan: loss, optimiser and epochs at least.
        validation: the validation part, likewise.
        only: ids of the checks wanted; all without it.

    Yields:
        What each check found, in order; after one that failed, no more.

    Raises:
        UsageError: an unknown id.
        DataError: batches of another kind.
        ModelError: the network or the loss fails on the first samples.
    """
    with random_kept():  # a DataLoader that shuffles draws from the common generator
        training, unseen = as_batches(batches), None if validation is None else as_batches(validation)
    subject = Subject(net, training, plan, unseen)
    yield from run_on(subject, only=only)


def run_on(
    subject: Subject, *, only: Sequence[str] = (), announce: Callable[[Check], None] = lambda check: None
) -> Iterator[Checked]:
    """The same for a subject that has been made already.

    Args:
        subject: what is to be trained.
        only: ids of the checks wanted; all without it.
        announce: called with each check before it begins.
    """
    wanted = chosen(only)
    try:
        subject.probe()
    except ModelError:
        if data_sane.CHECK not in wanted or (found := said_by_the_data(subject)) is None:
            raise
        yield found
        return
    for check in wanted:
        announce(check)
        found = judged(check, subject)
        if found.verdict == FAILED and check in CONSEQUENCES:
            found = with_cause(found, subject)
        yield found
        if found.verdict == FAILED:
            return


def said_by_the_data(subject: Subject) -> Checked | None:
    """Why the loss breaks off, where the data say it in words, as a class beyond the outputs does; None where they do not."""
    try:
        found = data_sane.CHECK.judge(subject)
    except (RuntimeError, IndexError, ValueError, TypeError, ArithmeticError):
        return None
    return found if found.verdict == FAILED else None


def judged(check: Check, subject: Subject) -> Checked:
    """What a check finds; what the network or the loss raises meanwhile is told in words.

    Raises:
        ModelError: they fail.
    """
    try:
        return check.judge(subject)
    except (RuntimeError, IndexError, ValueError, TypeError, ArithmeticError) as error:
        if isinstance(error, GlassnetError) or is_out_of_memory(error):
            raise
        raise ModelError(
            f"the network or the loss fails in the check {check.id}",
            where=type(subject.net).__name__,
            got=f"{type(error).__name__}: {error}".splitlines()[0],
            expected="outputs and losses for every batch of the training part",
        ) from error


def with_cause(found: Checked, subject: Subject) -> Checked:
    """A failure with what the diagnosis finds in the first steps of the planned run, which then says why and what to do; as it was where it finds nothing."""
    trial_run.judge(subject)
    causes = (finding for finding in subject.findings if finding.severity != "info" and finding.rule not in NO_CAUSES)
    cause = next(causes, None)
    if cause is None and found.figures.get("accuracy") == 1.0:
        return replace(
            found,
            verdict=WARNING,
            why="all are told rightly, and the cost stays above zero: label smoothing within a loss of one's own, or outputs that are bounded",
            advice="nothing, where the loss smooths labels; else look at the largest outputs",
        )
    if cause is None:
        return found
    return replace(
        found,
        what=f"{found.what}; the first steps of the planned run show {cause.rule}: {cause.what}",
        why=cause.why,
        advice=cause.advice,
    )


def quick(subject: Subject) -> Iterator[Checked]:
    """The checks that cost a few seconds at most, all of them whatever they find."""
    subject.quick = True
    for check in QUICK:
        yield check.judge(subject)


def chosen(only: Sequence[str]) -> tuple[Check, ...]:
    """The checks of these ids, in their own order; all of them without ids.

    Raises:
        UsageError: unknown ids, all at once, with the nearest spelling.
    """
    mistakes: list[GlassnetError] = [unknown("check", name, BY_ID) for name in only if name not in BY_ID]
    if mistakes:
        raise all_at_once(mistakes)
    return tuple(check for check in CHECKS if not only or check.id in only)
