"""Signs that several rules read from a history."""

from __future__ import annotations

import math
from statistics import median

from glassnet.diagnose.history import History
from glassnet.diagnose.look import middle, number, reach

FIGURES = {"classes": "accuracy", "values": "r2"}  # what an epoch says of a task
SETTLED = 0.05  # share of the run before which the size of steps and losses says little: optimisers and weights find their size first
FEWEST_STEPS = 15  # before which nothing has settled, however short the run
ABOVE = 1.02  # times what naming the most frequent class gives
PART = 0.8  # of the correlation of neighbours' values
DROPPED = 1.05  # loss with dropout over that without
NARROW = 3  # units of a hidden layer that lets through next to nothing
MUCH = 0.03  # usual update over weight: thirty times what the lectures call a good size
SPENT = 0.01  # of the highest rate
PASSES = 6.0  # through the data at the highest rate: a network may be done by then
LACKS = 0.05  # of accuracy or R² that simple means know more
FEW = 4  # looks, below which a median says little


def share(history: History) -> float:
    """How much of the planned run has been made, 0 to 1; 1 where nothing was announced."""
    last = max(
        history.steps[-1].step if history.steps else 0,
        history.measured[-1].step if history.measured else 0,
        history.epochs[-1].step if history.epochs else 0,
    )
    return last / history.total_steps if history.total_steps else 1.0


def settled(history: History) -> bool:
    """Whether optimiser and weights have had time to find their size."""
    last = history.measured[-1].step if history.measured else 0
    steps = max(history.steps[-1].step if history.steps else 0, last)
    return share(history) >= SETTLED and (steps >= FEWEST_STEPS or not history.total_steps >= 4 * FEWEST_STEPS)


def first_loss(history: History) -> float:
    """The first training loss; NaN before it and where it was not finite.

    Of values one batch says little, so there it is the loss of the look before the first step, which took more, where that is larger.
    """
    first = history.first.loss if history.first else None
    if first is not None and history.described is not None and history.described.task == "values":
        looked = number(history.described.start.get("train_loss"))
        return max(first, looked) if math.isfinite(looked) else first
    return math.nan if first is None else first


def recent_loss(history: History, count: int = 5) -> float:
    """Median of the last recorded losses; NaN before the first."""
    losses = history.losses.last[-count:]
    return median(losses) if losses else math.nan


def fallen(history: History) -> float:
    """By which share of itself the training loss has fallen; below 0 where it has risen, NaN where nobody knows."""
    first = first_loss(history)
    return 1 - recent_loss(history) / first if first > 0 else math.nan


def fallen_on_a_sample(history: History) -> float:
    """By which share of the untrained network's loss that of the training samples has fallen: steadier than single batches, and without dropout."""
    before = number(history.described.start.get("loss")) if history.described else math.nan
    now = number(history.epochs[-1].train.get("loss")) if history.epochs else math.nan
    return 1 - now / before if before > 0 and math.isfinite(now) else math.nan


def learned(history: History) -> float:
    """What has been learned, 0 to 1: of values R² on training samples once it is known, else by which share of itself the loss has fallen."""
    r2 = number(history.epochs[-1].train.get("r2")) if history.epochs else math.nan
    return r2 if math.isfinite(r2) else fallen(history)


def reaches(history: History, last: int = 5) -> list[float]:
    """The reaches of the last looks, those that are reliable."""
    return [value for event in history.measured[-last:] if math.isfinite(value := reach(event))]


def lasting_reaches(history: History, after: float, rate: float = 0.0) -> list[float]:
    """The reaches of all looks after a share of the run, at a share of the highest learning rate or more; none where fewer than ``FEW`` are reliable.

    What single looks say hangs on their batch; what all of them say does not.
    """
    values = [
        value
        for event in history.measured
        if event.step >= after * history.total_steps
        and event.lr >= rate * history.highest_rate
        and math.isfinite(value := reach(event))
    ]
    return values if len(values) >= FEW else []


def known_simply(history: History) -> tuple[float, str]:
    """What training samples tell of each other, and by which means: the larger of the accuracy (R²) of kernel ridge regression and the agreement with the nearest neighbour (Cover and Hart 1967; of values the correlation); NaN where nobody knows."""
    told = history.described.targets if history.described is not None else {}
    means = {
        "kernel ridge regression": number(told.get("kernel_knows")),
        "the nearest neighbour": number(told.get("neighbour_agreement")),
    }
    finite = {name: value for name, value in means.items() if math.isfinite(value)}
    best = max(finite, key=finite.__getitem__, default="")
    return (finite[best], best) if finite else (math.nan, "")


def lacking(history: History) -> tuple[float, str]:
    """How much less the network knows of its training samples than simple means tell of them, in accuracy or R², and by which means; NaN where nobody knows.

    A network without a nonlinearity is measured by ridge regression, which has none either.
    """
    if history.described is None or not history.epochs:
        return math.nan, ""
    figure = FIGURES.get(history.described.task, "")
    straight = number(history.described.targets.get("linear_knows"))
    known, means = (straight, "ridge regression") if is_linear(history) else known_simply(history)
    return known - number(history.epochs[-1].train.get(figure)), means


def passes(history: History) -> float:
    """How many times through the data all rates of the schedule together come to, each as a share of the highest; 0 where nobody knows."""
    rates = history.described.plan.get("rates") or [] if history.described is not None else []
    highest = max(rates, default=0.0)
    return sum(rates) / highest / len(rates) * history.started.epochs if highest > 0 and history.started else 0.0


def done_early(history: History) -> bool:
    """Whether a schedule that is known to spend the rate goes through the data often enough before, and the network knows as much of its training samples as simple means: then it may rest."""
    rates = history.described.plan.get("rates") or [0.0] if history.described is not None else [0.0]
    planned = rates[-1] <= SPENT * max(rates)
    return planned and passes(history) >= PASSES and not lacking(history)[0] > LACKS


def usual_update(history: History) -> float:
    """Median of the update sizes once the run has settled; NaN where there is none."""
    looks = zip(history.measured, history.update_sizes, strict=True)
    return middle(size for event, size in looks if event.step >= SETTLED * history.total_steps)


def largest_update(history: History) -> float:
    """The largest of the update sizes so far; NaN where there is none."""
    return max(filter(math.isfinite, history.update_sizes), default=math.nan)


def knows(history: History) -> bool:
    """Whether the network knows as much as the nearest neighbour's target tells (Cover and Hart 1967): then a loss that has fallen by little may be all there is.

    Of classes the accuracy after the last epoch beside the share of samples whose neighbour has their class, of values R² beside the correlation with the neighbour's value.
    """
    if history.described is None or not history.epochs:
        return False
    last, agreement = history.epochs[-1], number(history.described.targets.get("neighbour_agreement"))
    figures = last.val or last.train
    if history.described.task == "values":
        knows = number(history.described.targets.get("kernel_knows"))
        return number(figures.get("r2")) >= PART * (knows if math.isfinite(knows) else agreement) > 0
    counts = history.described.targets.get("counts") or [1]
    return bool(number(figures.get("accuracy")) >= max(agreement, ABOVE * max(counts) / max(sum(counts), 1)))


def with_dropout(history: History) -> bool:
    """Whether the network drops units already, so that it is no advice to begin with it."""
    return history.described is not None and number(history.described.net.get("dropout", 0.0)) > 0


def dropping(history: History) -> bool:
    """Whether dropout alone, before the first step, makes the loss clearly higher than it is without: then it may be dropout that holds the loss up."""
    if history.described is None or not history.described.net.get("dropouts"):
        return False
    start = history.described.start
    return number(start.get("train_loss")) > DROPPED * number(start.get("loss"))


def is_linear(history: History) -> bool:
    """Whether the network is known to have no nonlinearity: its loss has one valley, and it stops at the bottom."""
    net = history.described.net if history.described is not None else {}
    # Functions such as torch.relu are no modules: where it was tried, that counts.
    return net.get("nonlinearities") == 0 and net.get("recurrents") == 0 and bool(net.get("affine", True))


def rate_is_rising(history: History) -> bool:
    """Whether the learning rate of the last look is above that of the look before: a warm-up is under way."""
    rates = [event.lr for event in history.measured[-2:]]
    return len(rates) == 2 and rates[1] > 1.01 * rates[0]


def kind_of(history: History, name: str) -> str:
    """Kind of a module as the last look has it; empty where there was none."""
    layers = history.measured[-1].layers if history.measured else []
    return next((str(record["kind"]) for record in layers if record["name"] == name), "")
