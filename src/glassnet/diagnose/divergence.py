"""The loss rises and goes on rising."""

from __future__ import annotations

import math
from statistics import median

from glassnet.diagnose.history import History
from glassnet.diagnose.look import number
from glassnet.diagnose.rule import Rule
from glassnet.events import Event, Finding, Measured, Step

LOOKS = 4
TIMES = 1.8
FALLEN, EXPLODED = 0.6, 3.0  # of the first loss: it had learned, and is now three times worse than at the start
NEARLY = 1.05
WINDOW = 11  # recorded losses
SHARE = 0.08  # of the run since the lowest point


def judge(history: History, event: Event) -> Finding | None:
    """Found when the steps themselves point uphill, or when the smoothed loss has risen by half and stays up."""
    if isinstance(event, Measured) and len(history.measured) == LOOKS:
        promised = [number(each.batch.get("predicted")) for each in history.measured]
        gained = [number(each.batch.get("after")) - number(each.batch.get("before")) for each in history.measured]
        if all(value > 0 for value in promised) and all(value > 0 for value in gained):
            return RULE.finding(
                event.step,
                f"each of the {LOOKS} steps looked at goes uphill: the update has the direction of the gradient, and its batch's loss is higher after it",
                {"promised": promised[-1]},
                why="the optimiser is told to maximise, or the loss has the wrong sign",
                advice="minimise the loss: maximize=False, and a loss that is small for good answers",
            )
    if not isinstance(event, Step) or event.loss is None or not history.total_steps:
        return None
    return _risen(history, event)


def _risen(history: History, event: Step) -> Finding | None:
    losses = history.losses
    if losses.count < 3 * WINDOW:
        return None
    first = losses.first
    if history.described is not None and history.described.task == "values" and _best_epoch(history):
        return None  # losses of single batches of values scatter widely
    smooth = history.notes.setdefault(RULE.id, {"best": math.inf, "at": 0})
    now = median(losses.last[-WINDOW:])
    if now < smooth["best"]:
        smooth |= {"best": now, "at": event.step}
    since = (event.step - smooth["at"]) / history.total_steps
    lowest = min(losses.last[-WINDOW:])
    if smooth["best"] < FALLEN * first and median(losses.last[-5:]) > EXPLODED * first:
        return _told(event, smooth, now, "stop")
    if since < SHARE or now < TIMES * smooth["best"] or now - smooth["best"] < 0.25 * first or lowest < smooth["best"]:
        return None
    return _told(event, smooth, now, None)


def _best_epoch(history: History) -> bool:
    """Whether the training figures of the last epoch are the best so far, or nearly."""
    losses = [loss for epoch in history.epochs if math.isfinite(loss := number(epoch.train.get("loss")))]
    return bool(losses) and losses[-1] <= NEARLY * min(losses)


def _told(event: Step, smooth: dict[str, float], now: float, severity: str | None) -> Finding:
    return RULE.finding(
        event.step,
        f"the loss was {smooth['best']:.3g} around step {smooth['at']:,} and is {now:.3g} now, at learning rate {event.lr:.3g}",
        {"best": smooth["best"], "loss": now, "lr": event.lr},
        severity=severity,
    )


RULE = Rule(
    id="divergence",
    title="The training loss rises",
    threshold=f"the first {LOOKS} steps looked at go uphill; or the median of {WINDOW} recorded losses is {TIMES:g} times its lowest value, by at least a quarter of the first loss, for {SHARE:.0%} of the run (at once, and training is stopped, where it is {EXPLODED:g} times the first loss)",
    source="calibrated on benchmarks/diagnosis",
    explanation=(
        "The loss of the training samples themselves should fall, with some noise. If it rises for a long stretch, the steps lead away from what was found: their rate has become too high for where the "
        "weights are now, or they point the wrong way."
    ),
    why="a learning rate that is, or has become, too high for where the weights are",
    advice="a lower rate (--lr) or one that falls (--schedule cosine); go back to the best checkpoint",
    judge=judge,
    remedies=({"optimizer.lr": "*0.1"}, {"schedule.name": "cosine"}),
    explains=(
        "lr-too-low",
        "loss-exploding",
        "lr-much-too-high",
        "overfitting",
        "loss-spike",
        "lr-too-high",
        "loss-not-finite",
        "plateau",
        "underfitting",
        "dead-units",
        "saturation",
        "outputs-collapsed",
    ),
)
