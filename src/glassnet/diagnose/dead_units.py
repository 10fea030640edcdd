"""Rectified units that answer nothing."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import called, fallen, number
from glassnet.events import Event, Finding, Measured

SHARE = 0.5
LOOKS = 4
FEWEST = 8  # units of a layer, below which half of them is chance


def judge(history: History, event: Event) -> Finding | None:
    """Found at the fourth look when more than half of the units of a layer were silent for every sample of each of them."""
    if not isinstance(event, Measured) or len(history.measured) < LOOKS:
        return None
    early = len(history.measured) == LOOKS
    looks = history.measured[-LOOKS:]
    worst: tuple[float, str] = (0.0, "")
    for record in event.layers:
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
    if worst[0] < (SHARE if early else 0.95) or (not early and fallen(history) > 0.5):
        return None
    return RULE.finding(
        event.step,
        f"{worst[0]:.0%} of the units of {worst[1]} put out 0 for every sample, at each of {LOOKS} looks",
        {"dead": worst[0]},
    )


RULE = Rule(
    id="dead-units",
    title="Dead units",
    threshold=f"in each of the first {LOOKS} looks at least {SHARE:.0%} of the units (maps) of a rectified layer are 0 for the whole batch; later at least 95 %, while the loss has not halved",
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
