"""The gradient grows on its way back."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called, middle, number
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding, Measured

LAYERS = 200.0
TIME = 300.0
AT_START = 9.0  # through time, before the first step
WHOLE = 300.0  # norm of the whole gradient over the loss
LOOKS = 3
SAME = 1e-6  # spread of the outputs over samples


def judge(history: History, event: Event) -> Finding | None:
    """Found at the third look by the growth of the gradient through layers or time, or its size, in the first three."""
    if isinstance(event, Described):
        ratio = number(event.net.get("time_ratio"))
        if not ratio > AT_START:
            return None
        told = f"before the first step the gradient at the first time step is {ratio:,.0f} times that at the last"
        return RULE.finding(0, told, {"time": ratio})
    if not isinstance(event, Measured) or len(history.measured) != LOOKS:
        return None
    looks = history.measured
    # Where nothing comes in, whatever comes back is noise.
    if all(number(each.batch.get("between_samples")) < SAME for each in looks):
        return None
    # With the weights as they were drawn, and still so afterwards: what grows later only has been thrown there by the steps.
    grown = min(_through_layers(looks[0]), middle(_through_layers(each) for each in looks))
    times, name = _through_time(looks[:1])
    sizes = [number(each.batch.get("grad_norm")) / max(number(each.batch.get("before")), 1e-6) for each in looks]
    size = min(sizes[0], middle(sizes))
    if not (grown > LAYERS or times > TIME or size > WHOLE):
        return None
    told = (
        f"in {name} the gradient at the first time step is {times:,.0f} times that at the last"
        if times > TIME
        else f"the gradient at the first layer is {grown:,.0f} times that at the last"
        if grown > LAYERS
        else f"the gradient's norm is {size:,.0f} times the loss"
    )
    return RULE.finding(event.step, told, {"layers": grown, "time": times, "norm_over_loss": size})


def _through_layers(event: Measured) -> float:
    sizes = [
        number(record["gradient"])
        for record in event.layers
        if record.get("gradient") is not None and record["kind"] in ("dense", "conv", "norm")
    ]
    return sizes[0] / sizes[-1] if len(sizes) > 2 and sizes[-1] > 0 else math.nan


def _through_time(looks: list[Measured]) -> tuple[float, str]:
    found = [
        (number(record["norms"][0]) / number(record["norms"][-1]), called(record["name"]))
        for event in looks
        for record in event.through_time
        if len(record["norms"]) > 2 and number(record["norms"][-1]) > 0
    ]
    return max(((value, name) for value, name in found if math.isfinite(value)), default=(math.nan, ""))


RULE = Rule(
    id="exploding-gradient",
    title="Exploding gradients",
    threshold=f"at the first step and in the middle of the first {LOOKS} looks, {LAYERS:g} times as large at the first layer as at the last, {TIME:g} times as large at the first time step as at the last, or a norm {WHOLE:g} times the loss; not where the outputs are the same for all samples",
    source="Pascanu, Mikolov, Bengio 2013; AutoTrainer takes a ratio of 70; limits calibrated on benchmarks/diagnosis",
    explanation=(
        "Backpropagation multiplies the gradient by each layer's weights, and in a recurrent network by the same weights at every time step. Where they enlarge, the product grows without bound: the first layers, or the earliest times, "
        "dominate every step, and one such step can throw all weights away."
    ),
    why="weights that are too large, above all recurrent ones",
    advice="clip the gradient (--clip-norm 1), and begin with smaller or orthogonal recurrent weights (--init orthogonal)",
    judge=judge,
    remedies=({"clip.norm": 1.0}, {"net.init": "orthogonal"}),
    explains=(
        "lr-too-high",
        "lr-much-too-high",
        "loss-exploding",
        "loss-not-finite",
        "divergence",
        "loss-spike",
        "plateau",
        "saturation",
        "clipping-always",
        "initial-loss-high",
        "underfitting",
        "slow-start",
    ),
)
