"""The gradient shrinks on its way back to the first layers."""

from __future__ import annotations

import math
from typing import Any

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called, middle, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import learned, share
from glassnet.events import Event, Finding, Measured

LAYERS = 1e-3  # first layer's share of the last one's gradient, per weight
SIGNAL = 2e-3  # spread of the outputs over samples, over that of the first layer
TIME = 0.3  # what a step back through time leaves of it, in the mean over all steps
HELD = 0.12
RISEN = -0.5  # of the loss: what has risen by more was thrown up by the steps
LOOK = 0.04
RECTIFIED: dict[str, Any] = {
    "why": "many layers whose first weights are too small",
    "advice": "He's weights (--init he), batch normalisation, or residual connections",
    "remedies": ({"net.init": "he"},),
}


def judge(history: History, event: Event) -> Finding | None:
    """Found when little of the gradient reaches the first layer, or the first time step, and the loss does not fall."""
    if not isinstance(event, Measured) or len(history.measured) < 3 or share(history) < LOOK:
        return None
    down = learned(history)
    looks = history.measured[:5]
    # With the weights as they were drawn, or over the first looks: an adaptive optimiser enlarges small weights within some steps, too late for the first layers.
    ratio = min(through_layers(looks[0]), middle(through_layers(each) for each in looks))
    signal = min(_through_signal(looks[0]), middle(_through_signal(each) for each in looks))
    if through_layers(looks[0]) == 0:  # nothing comes in, or nothing is trained there: no matter of depth
        return None
    if RISEN < down < HELD and (ratio < LAYERS or signal < SIGNAL) and math.isfinite(ratio):
        what = (
            f"weights of the first layer get {ratio:.1g} of the gradient that those of the last get"
            if ratio < LAYERS
            else f"of what the first layer tells samples apart by {signal:.1g} is left at the last"
        )
        return RULE.finding(
            event.step,
            f"{what}, and the loss has fallen by {max(down, 0.0):.1%} in {event.step} steps",
            {"ratio": ratio, "signal": signal, "fallen": down},
            **(RECTIFIED if _rectified(event) else {}),
        )
    times, steps, name = _through_time(looks[:1])
    if times < TIME**steps and share(history) > 0.1:
        return RULE.finding(
            event.step,
            f"in {name} the loss's gradient at the first time step is {times:.1g} of that at the last: what came early cannot be learned from",
            {"time_ratio": times, "fallen": down},
            why="at each step back through time the gradient is multiplied by the recurrent weights and the slope of the squashing function",
            advice="an LSTM or GRU in place of a plain recurrent layer, orthogonal recurrent weights, or shorter sequences",
        )
    return None


def _rectified(event: Measured) -> bool:
    """Whether the layers are rectified and none squashes, so that ReLU would change nothing."""
    return any("dead" in record for record in event.layers) and not any(
        "saturated" in record for record in event.layers
    )


def through_layers(event: Measured) -> float:
    """Gradient of the first layer's weights over that of the last one's; NaN where there are fewer than three."""
    gradients = [number(record["gradient"]) for record in event.parameters if record["dims"] > 1]
    return gradients[0] / gradients[-1] if len(gradients) > 2 and gradients[-1] > 0 else math.nan


def _through_signal(event: Measured) -> float:
    """What the last layer tells samples apart by, over what the first does."""
    between = [
        number(record["between"])
        for record in event.layers
        if record["kind"] in ("dense", "conv") and "between" in record
    ]
    return between[-1] / between[0] if len(between) > 2 and between[0] > 0 else math.nan


def _through_time(looks: list[Measured]) -> tuple[float, int, str]:
    """Gradient at the first time step over that at the last, the steps between, and the layer, where it is largest."""
    found: list[tuple[float, int, str]] = []
    for event in looks:
        for record in event.through_time:
            norms = [number(norm) for norm in record["norms"]]
            if len(norms) > 2 and max(norms[0], norms[-1]) > 0:
                ratio = norms[0] / norms[-1] if norms[-1] > 0 else math.inf
                found.append((ratio, len(norms) - 1, called(record["name"])))
    return max(found, default=(math.inf, 1, ""))


RULE = Rule(
    id="vanishing-gradient",
    title="Vanishing gradients",
    threshold=(
        f"in the first looks, first-layer weights get less than {LAYERS:g} of the last layer's gradient (or the outputs differ between samples by less than {SIGNAL:g} of what the first layer does) and the loss has fallen by less than "
        f"{HELD:.0%} and not risen by {-RISEN:.0%}; or the gradient becomes less than {TIME:g} times as large with each step back through time, in the mean"
    ),
    source="Bengio, Simard, Frasconi 1994; Glorot and Bengio 2010; SageMaker Debugger takes a mean gradient of 1e-7; limits calibrated on benchmarks/diagnosis",
    explanation=(
        "Backpropagation multiplies the gradient by each layer's weights and by the slope of its nonlinearity. The slope of a sigmoid is at most a quarter: after ten such layers less than a millionth is left. The last layers learn, "
        "the first stay as they were drawn, and the last ones get noise to learn from."
    ),
    why="many layers of sigmoids or tanh, small weights, or many time steps",
    advice="ReLU (--set net.activation=relu) with He's weights (--init he), batch normalisation, or residual connections",
    judge=judge,
    remedies=({"net.activation": "relu", "net.init": "he"}, {"net.init": "xavier"}),
    explains=("lr-too-low", "plateau", "underfitting", "outputs-collapsed", "slow-start"),
)
