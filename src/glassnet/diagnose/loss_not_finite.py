"""The loss is infinite or not a number (requirement T6), and where that began."""

from __future__ import annotations

import math

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import kind_of
from glassnet.diagnose.softmax_twice import makes_probabilities
from glassnet.events import Event, Finding, Step, Traced


def judge(history: History, event: Event) -> Finding | None:
    """Found where a loss that is NaN or infinite has been traced, which comes just before its step; at the step itself where nobody looked."""
    if isinstance(event, Traced) and event.kind == "not-finite":
        return _traced(history, event)
    if not isinstance(event, Step) or event.loss is None or math.isfinite(event.loss):
        return None
    return RULE.finding(
        event.step,
        f"the loss became {'infinite' if math.isinf(event.loss) else 'not a number'} at step {event.step} (learning rate {event.lr:.3g}); {_before(history)}",
        {"step": float(event.step), "lr": event.lr, "last_finite_loss": _last(history)},
    )


def _traced(history: History, event: Traced) -> Finding:
    rows = ", ".join(map(str, event.samples[:3])) or ", ".join(f"{row} of the batch" for row in event.rows[:3])
    name = called(event.name, kind_of(history, event.name))
    by_hand = event.place == "activations" and history.described is not None and makes_probabilities(history.described)
    what = {
        "inputs": f"the inputs of sample {rows} hold a number that is not finite, first in column {event.column}",
        "targets": f"the target of sample {rows} is not finite",
        "weights": f"{event.name} holds numbers that are not finite",
        "activations": f"the output of {name} is not finite for sample {rows}, from inputs up to {number(event.figures.get('largest')):.3g}",
        "loss": f"all activations are finite; the largest weight, {number(event.figures.get('largest')):.3g}, is in {event.name}",
    }.get(event.place, f"it began in {name}")
    why = {
        "inputs": "missing values, a division by zero or an overflow while the data were prepared",
        "targets": "missing values, a division by zero or an overflow while the data were prepared",
        "activations": "the network computes softmax and its logarithm itself, and the exponentials overflow or a probability is rounded to zero"
        if by_hand
        else "a number has outgrown its type, or a logarithm, root or division met zero or less",
    }.get(event.place)
    advice = {
        "inputs": "replace or drop these values",
        "targets": "drop the samples without a target",
        "activations": "let the network end in logits and the loss do the rest (cross-entropy), or use torch.nn.functional.log_softmax, which subtracts the largest first"
        if by_hand
        else None,
    }.get(event.place)
    return RULE.finding(
        event.step,
        f"the loss is not finite at step {event.step}; {what}; {_before(history)}",
        {"step": float(event.step), "last_finite_loss": _last(history)},
        why=why,
        advice=advice,
    )


def _last(history: History) -> float:
    return history.losses.last[-1] if history.losses.count else 0.0


def _before(history: History) -> str:
    return f"the last finite loss was {_last(history):.4g}" if history.losses.count else "it was so from the first step"


RULE = Rule(
    id="loss-not-finite",
    title="The loss is infinite or not a number",
    threshold="the first recorded loss that is NaN or infinite",
    source="no threshold is needed (requirement T6 of the lectures: stop at NaN)",
    explanation=(
        "A loss that is not a number cannot get better: every gradient computed from it is not a number either, and one step with such a gradient "
        "destroys all weights. It comes from a number that has outgrown what the machine can hold, from the logarithm of zero, or from a missing value in the data."
    ),
    why="almost always a learning rate that is too high; otherwise inputs or targets that are infinite or missing",
    advice="divide the learning rate by 10 (--lr), or clip the gradient (--clip-norm 1)",
    judge=judge,
    severity="stop",
    remedies=({"optimizer.lr": "*0.1"}, {"clip.norm": 1.0}),
    explains=("lr-too-low", "loss-exploding", "divergence", "loss-spike", "plateau", "lr-too-high", "lr-much-too-high"),
)
