"""The beginning of the very run that is planned, watched by the diagnosis."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from glassnet.checks.check import Check
from glassnet.checks.subject import Subject
from glassnet.diagnose import BY_ID, Doctor
from glassnet.diagnose.look import number
from glassnet.events import Checked, Epoch, Event, Finding, Step
from glassnet.training.loop import Batches, train
from glassnet.training.measure import Meter
from glassnet.training.plan import Plan

FEWEST, MOST = 50, 300  # steps, where there is time
LEAST = 10  # whatever the time
EPOCHS = 3
LOOK_EVERY = 20
STILL, RISEN = 0.98, 0.25  # of the loss of the best constant answer; of the highest rate
SECONDS = 40.0  # after which it ends, for large networks


def judge(subject: Subject) -> Checked:
    """Fails where the diagnosis would have stopped the run, warns with its warnings."""
    planned = subject.plan.epochs * subject.batches.steps_per_epoch
    steps = min(max(EPOCHS * subject.batches.steps_per_epoch, FEWEST), MOST, planned)
    begun = time.monotonic()
    doctor = Doctor()
    findings: list[Finding] = []
    losses: list[float] = []
    figures: dict[str, float] = {}
    with subject.trial() as net:
        if not any(p.requires_grad for p in net.parameters()):
            return CHECK.skipped("no parameter is to be trained; see gradients-reach")
        plan = replace(subject.plan, record_every=1, meter=Meter(LOOK_EVERY))
        for event in train(net, subject.batches, plan, validation=subject.validation, sample=subject.plain):
            if isinstance(event, Step) and event.loss is not None:
                losses.append(event.loss)
            if isinstance(event, Epoch):
                figures |= {f"train_{name}": value for name, value in event.train.items()}
                figures |= {f"val_{name}": value for name, value in event.val.items()}
            findings += doctor.see(as_recorded(event, subject.plan.record_every))
            if any(finding.severity == "stop" for finding in findings):
                break
            if isinstance(event, Step) and (
                event.step >= steps or (event.step >= LEAST and time.monotonic() - begun > SECONDS)
            ):
                break
    subject.findings[:] = findings
    tenth = max(len(losses) // 10, 1)
    first, last = losses[0], sum(losses[-tenth:]) / tenth
    strange = next((step for step, loss in enumerate(losses, 1) if not math.isfinite(loss)), None)
    figures = {
        "steps": float(len(losses)),
        "first_loss": first,
        "last_loss": last,
        "findings": float(len(findings)),
    } | figures
    curves = {"loss": losses}
    end = f"{last:.3g}" if strange is None else f"a number that is not finite, at step {strange},"
    told = f"loss {first:.3g} to {end} in the first {len(losses)} of {planned:,} steps"
    known = ", ".join(
        f"{label} {figures[key]:.3g}"
        for key, label in (("val_accuracy", "validation accuracy"), ("val_r2", "validation R²"))
        if key in figures
    )
    told += f", {known}" if known else ""
    if serious := by_weight(findings):
        worst, *others = serious
        stopped = any(finding.severity == "stop" for finding in serious)
        tell = CHECK.failed if stopped or strange is not None else CHECK.warning
        told += f"; {worst.rule}: {worst.what}"
        if others:
            told += f"; also {', '.join(finding.rule for finding in others)}"
        return tell(told, figures, curves, why=worst.why, advice=worst.advice)
    if strange is not None:
        return CHECK.failed(told, figures, curves)
    seen = doctor.history.described
    constant = number(seen.start.get("constant")) if seen is not None else math.nan
    ignorant = constant if math.isfinite(constant) else first
    if len(losses) >= FEWEST and last > STILL * ignorant and not rising(subject.plan, subject.batches, len(losses)):
        words = f"{ignorant:.3g}, the loss of the best constant answer" if ignorant == constant else "where it began"
        return CHECK.warning(
            f"{told}: nothing has been learned yet, it is no lower than {words}",
            figures,
            curves,
            why="the rate is too high or too low for this net, or the net needs longer than this to begin",
            advice="look at lr-bracket, and take a rate inside it (--lr find chooses one)",
        )
    return CHECK.passed(f"{told}; nothing was found amiss", figures, curves)


def as_recorded(event: Event, every: int) -> Event:
    """The event as the run itself would tell it: of most steps without the loss."""
    if not isinstance(event, Step) or (event.step - 1) % every == 0 or not math.isfinite(event.loss or 0.0):
        return event
    return replace(event, loss=None)


def rising(plan: Plan, batches: Batches, steps: int) -> bool:
    """Whether the schedule has not yet brought the rate to a quarter of its highest within some steps."""
    total = plan.epochs * batches.steps_per_epoch
    factors = [plan.schedule.factor(step, batches.steps_per_epoch, total) for step in range(total)]
    return max(factors[:steps]) < RISEN * max(factors)


def by_weight(findings: Sequence[Finding]) -> list[Finding]:
    """Warnings and stops, the one to act on first: what was told before the run was stopped and explains the stop, or else the stop, or else the first warning."""
    serious = [finding for finding in findings if finding.severity in ("stop", "warning")]
    stop = next((finding for finding in serious if finding.severity == "stop"), None)
    if stop is None:
        return serious
    cause = next((finding for finding in serious if stop.rule in BY_ID[finding.rule].explains), stop)
    return [cause, *([stop] if cause is not stop else []), *(each for each in serious if each not in (cause, stop))]


CHECK = Check(
    id="trial-run",
    title="The first steps of the planned run",
    threshold=f"fails where a rule of diagnosis would stop the run, warns where one warns, and where the loss stays above {STILL:.0%} of that of the best constant answer though the rate has reached {RISEN:.0%} of its highest; the first {EPOCHS} epochs, but {FEWEST} to {MOST} steps and about {SECONDS:.0f} seconds at most",
    source="the rules of diagnosis; 'glassnet check --rules' lists them",
    explanation=(
        "At last the plan itself: the first steps of the run, with everything as it will be, watched from inside at every twentieth step. What the diagnosis would say during the training it says here, before you have waited. "
        "The real run begins anew afterwards, with the weights it would have had."
    ),
    why="the planned run goes wrong in its first steps",
    advice="change what the finding names, and check again",
    judge=judge,
)
