"""Whether the network learns more from its inputs than from no inputs at all."""

from __future__ import annotations

import math
from statistics import mean, stdev

import torch
from torch import Tensor, nn

from glassnet.checks.check import Check
from glassnet.checks.ignorance import prior_answer, task_of
from glassnet.checks.look import first
from glassnet.checks.replaced import repeated, says_nothing
from glassnet.checks.subject import Subject
from glassnet.events import Checked
from glassnet.training.state import random_kept

MOST_SAMPLES = 4_000
UNSEEN_SHARE = 0.25
MOST_UNSEEN = 500
FEWEST = 50  # unseen samples; of fewer, no gain is no reason to stop the training
PIECES = 10  # of the unseen samples; how their losses differ is the noise
BATCH = 64
LOOKS = (10, 20, 40, 80, 160, 320)  # steps after which both are measured
RATE = 1e-3  # Adam's own; whether the plan's rate is right is another check's matter
CLEAR, DOUBTFUL = 3.0, 1.0  # standard errors
LEAST_GAIN = 0.005  # of the loss without inputs


def judge(subject: Subject) -> Checked:
    """Trains briefly on real inputs, and on inputs that say nothing, and compares on samples that neither has seen."""
    inputs, targets = subject.samples(MOST_SAMPLES)
    unseen = min(int(len(targets) * UNSEEN_SHARE), MOST_UNSEEN)
    if unseen < PIECES:
        return CHECK.skipped(f"{len(targets)} samples are too few to keep some back")
    kept = (inputs[:unseen], targets[:unseen])
    seen = (inputs[unseen:], targets[unseen:])
    blank = says_nothing(inputs)
    curves: dict[str, list[float]] = {"steps": [], "real": [], "blank": []}
    floor = constant_loss(subject, kept[0], seen[1], kept[1])
    figures: dict[str, float] = {}
    best_real, best_blank = math.inf, math.inf
    told = ""
    with subject.trial() as with_inputs, random_kept():
        if with_inputs is subject.net:
            return CHECK.skipped("the network cannot be copied, and two are needed")
        with subject.trial() as without:
            real, empty = Learner(with_inputs, subject, None), Learner(without, subject, blank)
            if not real.learns:
                return CHECK.skipped("no parameter is to be trained; see gradients-reach")
            done = 0
            for steps in LOOKS:
                for number in range(done, steps):
                    real.step(*piece(seen, number))
                    empty.step(*piece(seen, number))
                done = steps
                losses, blanks = real.losses(*kept), empty.losses(*kept)
                curves["steps"].append(float(steps))
                curves["real"].append(mean(losses))
                curves["blank"].append(mean(blanks))
                if mean(losses) > best_real and steps > LOOKS[-1] // 4 and mean(losses) > 2 * best_real:
                    break  # the few samples are known by heart
                best_real = min(best_real, mean(losses))
                best_blank = min(best_blank, mean(blanks))
                reference = blanks if floor is None or mean(blanks) < mean(floor) else floor
                gains = [a - b for a, b in zip(reference, losses, strict=True)]
                gain, error = mean(gains), stdev(gains) / math.sqrt(len(gains))
                figures = {
                    "real": mean(losses),
                    "blank": mean(reference),
                    "gain": gain,
                    "standard_error": error,
                    "steps": float(steps),
                    "unseen": float(unseen),
                }
                told = f"after {steps} steps the loss on {unseen} unseen samples is {mean(losses):.3g}, and {mean(reference):.3g} without seeing the inputs"
                if gain > CLEAR * error and gain > LEAST_GAIN * abs(mean(reference)):
                    return CHECK.passed(told, figures, curves)
    if figures and figures["gain"] > DOUBTFUL * figures["standard_error"]:
        return CHECK.warning(
            f"{told}: hardly a difference",
            figures,
            curves,
            why="the inputs say little about the targets, or the net needs longer than this to find out",
            advice="look whether a simple model (the linear one that 'glassnet train' measures beside) finds anything in these inputs",
        )
    if unseen < FEWEST:
        return CHECK.warning(
            f"{told}: so few samples tell little",
            figures,
            curves,
            why="of inputs of different lengths the first batch is looked at, and of few samples a few; what a net learns from them need not help with others",
            advice="look at the validation accuracy of the first epochs, beside the simple models that 'glassnet train' measures",
        )
    return CHECK.failed(told, figures, curves)


class Learner:
    """A copy of the network that learns from inputs as they are, or from inputs that say nothing.

    Args:
        net: the copy.
        subject: whose loss is learned by.
        blank: what stands for every input; None leaves them as they are.
    """

    def __init__(self, net: nn.Module, subject: Subject, blank: Tensor | None) -> None:
        self.net, self.loss, self.blank = net.train(), subject.plan.loss, blank
        trained = [p for p in net.parameters() if p.requires_grad]
        self.learns = bool(trained)
        self.optimizer = torch.optim.Adam(trained, lr=RATE) if trained else None

    def step(self, inputs: Tensor, targets: Tensor) -> None:
        """One step of Adam."""
        assert self.optimizer is not None
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.net(self._shown(inputs)), targets)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()

    def losses(self, inputs: Tensor, targets: Tensor) -> list[float]:
        """The loss on each tenth of some samples, in training mode as it was learned, nothing learned from them.

        The net sees them in batches of the size it learns from: in tenths of few samples the statistics of batch normalisation would be noise.
        """
        pieces = max(1, len(targets) // BATCH)
        with torch.no_grad():
            said = [self.net(self._shown(some)) for some in inputs.chunk(pieces)]
            if not all(isinstance(each, Tensor) for each in said) or len({each.shape[1:] for each in said}) > 1:
                tenths = [self.net(self._shown(some)) for some in inputs.chunk(PIECES)]
            else:
                tenths = list(torch.cat(said).chunk(PIECES))
            return [float(self.loss(some, wanted)) for some, wanted in zip(tenths, targets.chunk(PIECES), strict=True)]

    def _shown(self, inputs: Tensor) -> Tensor:
        return inputs if self.blank is None else repeated(self.blank, inputs)


def piece(samples: tuple[Tensor, Tensor], number: int) -> tuple[Tensor, Tensor]:
    """The ``number``-th batch of some samples gone through again and again, always of the same size."""
    inputs, targets = samples
    size = min(BATCH, len(targets))
    pieces = max(len(targets) // size, 1)
    start = number % pieces * size
    return inputs[start : start + size], targets[start : start + size]


def constant_loss(subject: Subject, inputs: Tensor, seen: Tensor, unseen: Tensor) -> list[float] | None:
    """The loss of the best constant answer to each tenth of the unseen samples; None where there is none to be named."""
    with subject.trial() as net, torch.no_grad():
        net.train()
        outputs = net(inputs[:BATCH])
    if not isinstance(outputs, Tensor):
        return None
    own = first(outputs)
    task = task_of(own, seen)
    if task == "other":
        return None
    answer = prior_answer(own[:1].expand(len(seen), *own.shape[1:]), seen, task)[:1]
    with torch.no_grad():
        found = [
            float(subject.plan.loss(answer.expand(len(wanted), *answer.shape[1:]), wanted))
            for wanted in unseen.chunk(PIECES)
        ]
    return found if all(map(math.isfinite, found)) else None


CHECK = Check(
    id="input-independent",
    title="Inputs help",
    threshold=(
        f"passes as soon as the loss on unseen samples is {CLEAR:g} standard errors and {LEAST_GAIN:.1%} below that of the same net trained on inputs that say nothing, within "
        f"{LOOKS[-1]} steps; fails below {DOUBTFUL:g} standard error on {FEWEST} samples or more, warns in between"
    ),
    source="Karpathy, A recipe for training neural networks, 2019: input-independent baseline",
    explanation=(
        "Two copies of the net are trained for a moment: one on the data, one on inputs that are all the same, from which nothing can be learned but how frequent the classes are. On samples that neither has seen, the first "
        "must be better. If it is not, the net does not use its inputs: they are constant or cut off somewhere, or they belong to other targets, as when inputs and labels have been shuffled "
        "apart. Such a net still learns something, and its curve looks like a slow beginning."
    ),
    why="what the net is shown says nothing about the targets: the labels do not belong to these inputs, the inputs are spoiled on the way, or the net cannot see them",
    advice="print some inputs with their targets right before they enter the net, and look whether they belong together",
    judge=judge,
)
