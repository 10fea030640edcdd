"""Whether the network can learn twenty samples by heart (requirement T2)."""

from __future__ import annotations

import math
import time

from torch import Tensor

from glassnet.checks.check import Check
from glassnet.checks.descent import unregularised, ways, without_dropout
from glassnet.checks.ignorance import ROW_SUM, Ignorance, ignorance, task_of
from glassnet.checks.look import first
from glassnet.checks.subject import Subject
from glassnet.checks.twenty import POOL, TWENTY, twenty
from glassnet.events import Checked
from glassnet.training.evaluate import accuracy, explained
from glassnet.training.losses import Loss
from glassnet.training.measure.direction import are_no_scores
from glassnet.training.measure.kinds import RECURRENT

STEPS = 400  # of each way
NEAR_ZERO = 0.02  # of the loss of a net that knows nothing
R2 = 0.99
FEWEST = 4  # samples
HALF, RECENT, FALLING = (
    0.5,
    100,
    0.1,
)  # of the loss of not knowing; steps, and by how much of itself the cost still falls within them
SECONDS = 30.0  # of each way, for large networks
HOPELESS = 100  # steps after which a way is given up that has not brought the loss down by a hundredth


def judge(subject: Subject) -> Checked:
    """Fails where neither plain descent, the plan's optimiser nor Adam brings twenty samples to accuracy 1 and a cost near zero."""
    inputs, targets = twenty(*subject.samples(POOL, plain=True), most=as_many_as(subject))
    if len(targets) < 2:
        return CHECK.skipped("there are not two different samples")
    loss = unregularised(subject.plan.loss)
    best: tuple[float, dict[str, float], dict[str, list[float]], str] | None = None
    blank: Ignorance | None = None
    twice = hurried = False
    scores = True
    for name, way in ways(subject.plan):
        with subject.trial() as net:
            if not any(p.requires_grad for p in net.parameters()):
                return CHECK.skipped("no parameter is to be trained; see gradients-reach")
            costs: list[float] = []
            figure, label = math.nan, "loss"
            reached = False
            begun = time.monotonic()
            for step, (cost, outputs) in enumerate(way(without_dropout(net), loss, inputs, targets)):
                costs.append(cost)
                if step == 0 and blank is None:
                    blank = ignorance(loss, outputs, targets)
                    twice = softmax_twice(loss, first(outputs), targets)
                    scores = not are_no_scores(loss, outputs, targets)
                label, figure = learned(first(outputs), targets) if scores else ("loss", math.nan)
                zero = NEAR_ZERO * (blank.loss if blank else costs[0])
                if label == "r2":  # under another loss than the squared one the outputs need not be the targets
                    reached = figure > R2 or (blank is not None and cost <= (1 - R2) * blank.loss)
                else:
                    reached = (figure == 1.0 or label == "loss") and cost <= zero
                stuck = step >= HOPELESS and min(costs) > 0.99 * costs[0]
                late = time.monotonic() - begun > SECONDS
                if reached or step >= STEPS or stuck or late or not math.isfinite(cost):
                    hurried |= late and not reached
                    break
        figures = {
            "samples": float(len(targets)),
            "cost": costs[-1],
            "initial_cost": costs[0],
            "steps": float(len(costs) - 1),
            label: figure,
        }
        if reached:
            shown = "R² above 0.99" if label == "r2" else "accuracy 1.0" if label == "accuracy" else "a loss near zero"
            return CHECK.passed(
                f"{len(targets)} samples learned by heart: {shown}, cost {costs[0]:.3g} to {costs[-1]:.2g} in {len(costs) - 1} steps of {name}",
                figures,
                {"cost": costs},
            )
        if math.isfinite(costs[-1]) and (best is None or costs[-1] < best[0]):
            best = (costs[-1], figures, {"cost": costs}, name)
        if twice:
            break  # no optimiser comes below that floor
    recurrent = any(isinstance(module, RECURRENT) for module in subject.net.modules())
    return failure(best, blank, len(targets), twice=twice, slow=recurrent, hurried=hurried)


def as_many_as(subject: Subject) -> int:
    """Twenty; fewer where a few parameters cannot hold so many values: two parameters for each is plenty."""
    _, targets = subject.samples(1)
    if not targets.is_floating_point():
        return TWENTY
    parameters = sum(p.numel() for p in subject.net.parameters() if p.requires_grad)
    return min(TWENTY, max(parameters // (2 * max(targets.numel(), 1)), FEWEST))


def softmax_twice(loss: Loss, outputs: Tensor, targets: Tensor) -> bool:
    """Whether the outputs are probabilities already, and the loss takes logits: it does not mind a number added to all of them."""
    if task_of(outputs, targets) != "classes" or outputs.ndim != 2 or outputs.shape[1] < 2:
        return False
    rows = outputs.detach().double()
    if bool((rows < 0).any()) or float((rows.sum(1) - 1).abs().max()) > ROW_SUM:
        return False
    return math.isclose(float(loss(rows, targets)), float(loss(rows + 1, targets)), rel_tol=1e-6)


def learned(outputs: Tensor, targets: Tensor) -> tuple[str, float]:
    """Name and value of the figure that tells whether the samples are known."""
    task = task_of(outputs, targets)
    if task == "classes":
        return "accuracy", accuracy(outputs, targets)["accuracy"]
    if task == "values" and outputs.numel() == targets.numel():
        return "r2", explained(outputs, targets)["r2"]
    return "loss", math.nan


def failure(
    best: tuple[float, dict[str, float], dict[str, list[float]], str] | None,
    blank: Ignorance | None,
    samples: int,
    *,
    twice: bool,
    slow: bool,
    hurried: bool,
) -> Checked:
    """Why not.

    Args:
        best: lowest cost, figures, curves and name of the way that came nearest; None where none has a finite cost.
        blank: what not knowing costs.
        samples: how many.
        twice: whether softmax is applied twice.
        slow: whether the net is one that may stand still for hundreds of steps, and go on then.
        hurried: whether a way was ended because it took too long.
    """
    if best is None:
        return CHECK.failed(f"the loss of {samples} samples is not finite whatever is tried")
    cost, figures, curves, name = best
    what = f"{samples} samples are not learned by heart: cost {figures['initial_cost']:.3g} to {cost:.3g} in {int(figures['steps'])} steps of {name}"
    if "accuracy" in figures:
        what += f", accuracy {figures['accuracy']:.2f}"
    if "r2" in figures:
        what += f", R² {figures['r2']:.2f}"
    costs = curves["cost"]
    known = costs[-1] < HALF * (blank.loss if blank else costs[0]) and not twice
    falling = len(costs) > RECENT and costs[-1] < (1 - FALLING) * costs[-1 - RECENT]
    if figures.get("r2", 0.0) < 0 and cost < figures["initial_cost"] and not twice:
        return CHECK.warning(
            f"{what}, and R² is below 0 though the cost has fallen",
            figures,
            curves,
            why="the loss does not ask for outputs like the targets, as those of counts and of probabilities do not, and may have a floor above zero: then nothing is wrong",
            advice="compare the cost with the lowest that these targets allow",
        )
    if known and (falling or slow):
        return CHECK.warning(
            f"{what}; it {'is still falling' if falling else 'has fallen far'}",
            figures,
            curves,
            why="this net needs more steps to fit even these samples, as recurrent nets and inputs that are much alike do; nothing seems to stop it",
            advice="look how far training loss falls in the first epochs; a higher rate, inputs of spread 1 or normalisation may make it faster",
        )
    if blank is None and cost < HALF * figures["initial_cost"]:
        return CHECK.warning(
            f"{what}, and nobody knows how low this loss can come",
            figures,
            curves,
            why="outputs that are not compared with the targets one by one, as embeddings, mixtures and several tasks at once are not, have a loss whose lowest value is not zero",
            advice="compare the cost with the lowest that these samples allow; where it is near, nothing is wrong",
        )
    if hurried and not twice and cost < figures["initial_cost"]:
        return CHECK.warning(
            f"{what}; no more than {SECONDS:.0f} seconds were spent on each way",
            figures,
            curves,
            why="a large net makes few steps in that time",
            advice="look how far training loss falls in the first epochs, or check with smaller inputs first",
        )
    if twice:
        classes = blank.classes if blank else 2
        floor = math.log(1 + (classes - 1) / math.e)
        return CHECK.failed(
            what,
            figures,
            curves,
            why=f"softmax is applied twice, once in the network and once in the loss: so the cost cannot come below ln(1 + {classes - 1}/e) = {floor:.3f}",
            advice="let the network end with logits, without softmax: the loss applies it",
        )
    return CHECK.failed(what, figures, curves)


CHECK = Check(
    id="overfit-twenty",
    title="Twenty samples can be learned by heart",
    threshold=(
        f"passes at accuracy 1.0 and a cost of at most {NEAR_ZERO:.0%} of not knowing (values: R² above {R2}), within {STEPS} steps and {SECONDS:.0f} seconds of plain gradient descent, or else of the plan's "
        f"optimiser or Adam; warns where the cost is below {HALF:.0%} of not knowing and has fallen by {FALLING:.0%} in the last {RECENT} steps (at any pace in a recurrent net), where time ran out, or where the lowest value of the loss is not known and half of it is gone; of values fewer samples where the net has fewer than two parameters for each; without penalty, weight decay, label smoothing, dropout and augmentation"
    ),
    source="Stanford CS231n, Babysitting the learning process: 20 examples of CIFAR-10 to accuracy 1.0 and a cost of 0.0026",
    explanation=(
        f"A network with thousands of weights can remember {TWENTY} samples without understanding anything. If it cannot even do that, no amount of data and patience will help: something between input and loss is "
        "broken. All that works against learning by heart is switched off for the attempt, and all twenty samples take part in every step, so that the loss must fall steadily. Plain gradient descent is tried "
        "first, with a step length that adapts itself; then the plan's own optimiser, then Adam."
    ),
    why="something between inputs and loss keeps the net from fitting even these: a wrong loss for these outputs, an output that cannot reach the targets, a layer too narrow, or labels that are read wrongly",
    advice="look at the outputs and targets of these samples side by side; try the same with a net of one linear layer (--net linear)",
    judge=judge,
)
