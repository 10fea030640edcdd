"""A sample's answer depends on the samples beside it."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when a part of a batch is answered otherwise alone than among the others, and no batch normalisation is there to blame."""
    if not isinstance(event, Described) or not event.net.get("mixes_samples") or "mixed_after" not in event.net:
        return None
    told = "a sample's output depends on which samples it is evaluated with"
    names = event.net.get("samples_as_time") or []
    if not names:
        return RULE.finding(0, f"{told}; it begins {_where(event)}", {"layers": 0.0})
    some = ", ".join(map(called, names[:4])) + (" …" if len(names) > 4 else "")
    return RULE.finding(
        0,
        f"{told}: {some} {'take' if len(names) > 1 else 'takes'} the axis of the samples for that of time",
        {"layers": float(len(names))},
        why="recurrent and attention layers expect (time, batch, features) unless they are made with batch_first=True, and are given the batch first (or the other way round): what one sample leaves behind is handed to the next",
        advice="make the layer with batch_first=True where the batch comes first, and take the last step of its output as output[:, -1]",
    )


def _where(event: Described) -> str:
    after, before = event.net["mixed_after"], event.net.get("mixed_before", "")
    if after and after == before:
        return f"in {called(after)}"
    if after and before:
        return f"between {called(after)} and {called(before)}"
    return f"behind {called(after)}" if after else f"before {called(before)}" if before else "somewhere in forward"


RULE = Rule(
    id="samples-mixed",
    title="Samples answer for each other",
    threshold="in evaluation mode, half of a batch alone is answered otherwise than among the other half, by more than a hundredth of the largest answer, and no batch normalisation goes by the statistics of the batch",
    source="Karpathy, A recipe for training neural networks, 2019: use backprop to chart dependencies",
    explanation=(
        "A batch is there to save time: what a network says of a sample must be the same whoever is in the batch with it. A softmax or a mean over the wrong axis, a reshape where two axes had to change places, or a recurrent layer that takes the batch for "
        "time let samples leak into each other. Such a network often still learns something, from the neighbours, so that nobody notices, and says something else when it is used on one sample alone."
    ),
    why="an operation runs over the axis of the samples: softmax, mean or a normalisation with dim=0, view or reshape in place of transpose or permute, or a product of matrices over the wrong axis",
    advice="look in forward for dim=0, and for view and reshape that change more than the last axes; ask the network for one sample alone and among others after each layer, and see where the two begin to differ",
    judge=judge,
    explains=(
        "distribution-shift",
        "underfitting",
        "initial-loss-high",
        "wrong-loss",
        "plateau",
        "overfitting",
        "early-overfit",
    ),
)
