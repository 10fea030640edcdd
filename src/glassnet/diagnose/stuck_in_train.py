"""Modules that go on in training mode while the network is evaluated."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import called
from glassnet.diagnose.rule import Rule
from glassnet.events import Described, Event, Finding


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step when net.eval() leaves a module in training mode, two evaluations differ, or batch mates matter."""
    if not isinstance(event, Described):
        return None
    names = event.net.get("stuck_in_train") or []
    random, mixes = bool(event.net.get("random_in_eval")), bool(event.net.get("mixes_samples"))
    mixes = mixes and "mixed_after" not in event.net  # which samples-mixed tells
    if not names and not random and not mixes:
        return None
    told = []
    if names:
        told.append(
            f"net.eval() leaves {', '.join(map(called, names[:4]))}{' …' if len(names) > 4 else ''} in training mode"
        )
    if random:
        told.append("two evaluations of the same samples differ")
    if mixes:
        told.append("a sample's output depends on which samples it is evaluated with")
    return RULE.finding(
        0, "; ".join(told), {"modules": float(len(names)), "random": float(random), "mixes_samples": float(mixes)}
    )


RULE = Rule(
    id="stuck-in-train",
    title="Training mode while evaluating",
    threshold="a module that net.eval() does not switch, two evaluations of the same samples that differ, or an output that depends on batch mates where a batch normalisation goes by the batch",
    source="no threshold is needed; the same questions are asked by neural_net_checklist (batch independence)",
    explanation=(
        "After training, dropout must stop dropping and batch normalisation must use what it has learned about the data as a whole. If not, the same picture gets "
        "another answer every time, or one that depends on the pictures beside it, and the validation figures are worse than the network is."
    ),
    why="dropout called as a function without training=self.training, batch normalisation without running averages, noise that forward draws whatever the mode, or an eval() that is not passed on",
    advice="F.dropout(x, p, training=self.training), or nn.Dropout; BatchNorm with track_running_stats=True; call super().train(mode); where noise is wanted, as in a variational autoencoder, draw it under self.training and take the mean else",
    judge=judge,
    explains=("distribution-shift", "underfitting"),
)
