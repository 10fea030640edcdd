"""The beginning of the very run that is planned, watched by the diagnosis."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from glassnet.checks.check import Check
from glassnet.checks.subject import Subject
from glassnet.diagnose import Doctor
from glassnet.events import Checked, Epoch, Finding, Step
from glassnet.training.loop import train
from glassnet.training.measure import Meter

FEWEST, MOST = 50, 300  # steps, where there is time
LEAST = 10  # whatever the time
EPOCHS = 3
LOOK_EVERY = 20
SECONDS = 60.0  # after which it ends, for large networks


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
        plan = replace(subject.plan, record_every=1, meter=subject.plan.meter or Meter(LOOK_EVERY))
        for event in train(net, subject.batches, plan, validation=subject.validation, sample=subject.plain):
            if isinstance(event, Step) and event.loss is not None:
                losses.append(event.loss)
            if isinstance(event, Epoch):
                figures |= {f"train_{name}": value for name, value in event.train.items()}
                figures |= {f"val_{name}": value for name, value in event.val.items()}
            findings += doctor.see(event)
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
    serious = [finding for finding in findings if finding.severity in ("stop", "warning")]
    if serious:
        worst = next((finding for finding in serious if finding.severity == "stop"), serious[0])
        tell = CHECK.failed if worst.severity == "stop" or strange is not None else CHECK.warning
        return tell(f"{told}; {worst.rule}: {worst.what}", figures, curves, why=worst.why, advice=worst.advice)
    if strange is not None:
        return CHECK.failed(told, figures, curves)
    return CHECK.passed(f"{told}; nothing was found amiss", figures, curves)


CHECK = Check(
    id="trial-run",
    title="The first steps of the planned run",
    threshold=f"fails where a rule of diagnosis would stop the run, warns where one warns; the first {EPOCHS} epochs, but {FEWEST} to {MOST} steps and about {SECONDS:.0f} seconds at most",
    source="the rules of diagnosis; 'glassnet check --rules' lists them",
    explanation=(
        "At last the plan itself: the first steps of the run, with everything as it will be, watched from inside at every twentieth step. What the diagnosis would say during the training it says here, before you have waited. "
        "The real run begins anew afterwards, with the weights it would have had."
    ),
    why="the planned run goes wrong in its first steps",
    advice="change what the finding names, and check again",
    judge=judge,
)
