"""Initial weights from which learning cannot get going."""

from __future__ import annotations

from glassnet.diagnose.history import History
from glassnet.diagnose.look import middle, number
from glassnet.diagnose.rule import Rule
from glassnet.diagnose.signs import fallen, share
from glassnet.events import Described, Event, Finding, Measured

SMALL, LARGE = 0.25, 4.0  # gain of the weights: root mean square times the root of the inputs
SILENT = 1e-3  # spread of the outputs over samples, at which nobody need wait: an input that does not arrive would be told first
HELD = 0.05
LOOK = 0.025


def judge(history: History, event: Event) -> Finding | None:
    """Found before the first step where all units are alike; soon after it where weights are far from the size that keeps signals alive."""
    if isinstance(event, Described):
        return _alike(event)
    if not isinstance(event, Measured) or len(history.measured) < 3:
        return None
    gains = [
        number(record["gain"])
        for record in history.measured[0].parameters
        if "gain" in record and not _recurrent(record["name"])
    ]
    gain, down = middle(gains[:-1] or gains), fallen(history)
    silent = number(event.batch.get("between_samples")) < SILENT
    if not (gain < SMALL or gain > LARGE) or not down < HELD:
        return None
    if share(history) < LOOK and not (gain < SMALL and silent):
        return None
    return RULE.finding(
        event.step,
        f"weights began at {gain:.2g} times the size that keeps signals as they are, and after {event.step} steps the loss has fallen by {max(down, 0.0):.1%}",
        {"gain": gain, "fallen": down},
    )


def _alike(event: Described) -> Finding | None:
    """Units that begin alike get the same gradient and stay alike; a last layer of zeros is no trouble."""
    names = event.net.get("identical_units") or []
    layers = max(int(event.net.get("weight_layers", 0)), 1)
    if len(names) < max(2, layers - 1):
        return None
    return RULE.finding(
        0,
        f"all units of {len(names)} layers begin with the same weights ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})",
        {"layers": float(len(names))},
        why="all weights were set to one number, such as zero: units that are alike get the same gradient and stay alike",
        advice="draw the weights at random (--init he or xavier)",
    )


def _recurrent(name: str) -> bool:
    return "_ih_l" in name or "_hh_l" in name or name.endswith(("weight_ih", "weight_hh"))


RULE = Rule(
    id="slow-start",
    title="A bad start: initial weights",
    threshold=(
        f"all units of nearly all layers alike; or weights whose root mean square times the root of their inputs is below {SMALL:g} or above {LARGE:g} in the median, and a loss that has fallen by less than {HELD:.0%} after "
        f"{LOOK:.1%} of the run"
    ),
    source="Glorot and Bengio 2010, He et al. 2015 for the size that keeps the variance (1 to 1.4); limits calibrated on benchmarks/diagnosis",
    explanation=(
        "A unit adds up its inputs. With n inputs and weights of size 1/√n the sum is as large as one input, and signals keep their size through many layers. With smaller weights every layer shrinks them, until the outputs "
        "no longer depend on the input; with larger ones they grow, saturate, and gradients do the same on the way back. With equal weights all units of a layer compute the same thing for ever."
    ),
    why="initial weights that do not fit the network's layers",
    advice="weights of variance 2/inputs behind ReLU (--init he) or 1/inputs behind tanh (--init xavier)",
    judge=judge,
    remedies=({"net.init": "he"}, {"net.init": "xavier"}),
    explains=(
        "lr-too-low",
        "plateau",
        "vanishing-gradient",
        "outputs-collapsed",
        "underfitting",
        "dead-units",
        "saturation",
        "initial-loss-high",
        "lr-too-high",
    ),
)
