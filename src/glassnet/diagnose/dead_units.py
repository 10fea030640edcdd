"""Rectified units that answer nothing."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called, most, number, own_layers
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import largest_update
from glassnet.events import Event, Finding, Measured

SHARE = 0.6
LOOKS = 4
ALIVE, LARGE = (
    0.25,
    0.12,
)  # dead at the first look, and update over weight: where units that were alive died of steps as long, the rate is the cause
FEWEST = 8  # units of a layer, below which half of them is chance


def judge(history: History, event: Event) -> Finding | None:
    """Found at the fourth look when most of the units of a layer were silent for every sample of each of them."""
    if not isinstance(event, Measured) or len(history.measured) != LOOKS:
        return None
    looks = history.measured
    worst: tuple[float, str] = (0.0, "")
    for record in own_layers(event):
        if record.get("dead") is None or record.get("units", FEWEST) < FEWEST:
            continue
        values = [
            number(other["dead"])
            for each in looks
            for other in each.layers
            if other["name"] == record["name"] and other.get("dead") is not None
        ]
        if len(values) == LOOKS and min(values) > worst[0]:
            worst = min(values), called(record["name"], record["kind"])
    if worst[0] < SHARE:
        return None
    if most(history.measured[0], "dead")[0] < ALIVE and largest_update(history) > LARGE:
        return None
    if not _reads(history):
        return None
    return RULE.finding(
        event.step,
        f"{worst[0]:.0%} of the units of {worst[1]} put out 0 for every sample, at each of {LOOKS} looks",
        {"dead": worst[0]},
    )


def _reads(history: History) -> bool:
    """Whether the first layer with weights tells samples apart: where nothing comes in, its units are not to blame."""
    for record in history.measured[0].layers:
        if record["kind"] in ("dense", "conv", "recurrent"):
            return number(record.get("between", 1.0)) != 0
    return True


RULE = Rule(
    id="dead-units",
    title="Dead units",
    threshold=f"in each of the first {LOOKS} looks at least {SHARE:.0%} of the units (maps) of a rectified layer are 0 for the whole batch; not where the first layer says the same of every sample, nor where fewer than {ALIVE:.0%} were dead at the first look and steps changed the weights by more than {LARGE:.0%}",
    source="SageMaker Debugger's DeadRelu takes 50 % of units active less than 1 %; calibrated on benchmarks/diagnosis",
    explanation=(
        "A ReLU passes what is above zero and nothing else, and where it passes nothing its gradient is zero too. A unit that is below zero for every sample gets no gradient at all: it cannot come back, and the network is "
        "smaller than it looks. About half of all values being zero is normal; the same unit being zero for all samples is not."
    ),
    why="negative biases, weights that are too large, or earlier steps that were too large",
    advice="biases of 0 (--set net.init_bias=0), He's weights (--init he), a leaky ReLU (--set net.activation=leaky_relu), or a lower learning rate",
    judge=judge,
    remedies=({"net.init_bias": 0.0}, {"net.activation": "leaky_relu"}),
    explains=(
        "plateau",
        "underfitting",
        "outputs-collapsed",
        "vanishing-gradient",
        "slow-start",
        "lr-too-low",
        "lr-too-high",
    ),
)
