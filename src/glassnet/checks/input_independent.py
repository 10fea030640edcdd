"""Whether the network learns more from its inputs than from no inputs at all."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from statistics import mean, stdev

import torch
from torch import Tensor, nn

from glassnet.checks.check import Check
from glassnet.checks.ignorance import prior_answer, task_of
from glassnet.checks.look import first
from glassnet.checks.pieces import SIZE, Groups, Pieces, length
from glassnet.checks.replaced import repeated, says_nothing
from glassnet.checks.subject import Subject
from glassnet.diagnose.labels_unrelated import SURER, TOLD
from glassnet.events import Checked
from glassnet.training.measure.direction import are_no_scores
from glassnet.training.measure.kernel_ridge import known
from glassnet.training.measure.kinds import RECURRENT

UNSEEN_SHARE = 0.25
MOST_UNSEEN = 1_000
# Unseen samples, and those of them outside the most frequent class: of fewer, no gain is no reason to stop.
FEWEST, FEWEST_RARE = 50, 25
TENTHS = 10  # of the unseen samples; how their losses differ is the noise
SECONDS = 20.0  # after which no further steps are made before a look, for large networks
BY_HEART = 2.0  # times the lowest loss
LOOKS = (10, 20, 40, 80, 160, 320)  # steps after which both are measured
RATE = 1e-3  # Adam's own; whether the plan's rate is right is another check's matter
CLEAR, FAIRLY, DOUBTFUL = 3.0, 2.0, 1.5  # standard errors
LEAST_GAIN, MUCH, NOTHING = 0.005, 0.1, 1e-4  # of the loss without inputs
SAME = 1e-6  # spread of the answers, of their size


def judge(subject: Subject) -> Checked:
    """Trains briefly on real inputs, and on inputs that say nothing, and compares on samples that neither has seen."""
    samples = subject.batches.samples
    with subject.told() as batches, subject.trial() as with_inputs, subject.trial() as without:
        if with_inputs is subject.net:
            return CHECK.skipped("the network cannot be copied, and two are needed")
        pieces = Pieces(batches)
        kept = pieces.read(min(int(samples * UNSEEN_SHARE), MOST_UNSEEN))
        unseen = sum(map(length, kept))
        if unseen < TENTHS or not pieces.piece(0):
            return CHECK.skipped(f"{samples} samples are too few to keep some back")
        blank = says_nothing(kept[0][0])
        real, empty = Learner(with_inputs, subject, None), Learner(without, subject, blank)
        if not real.learns:
            return CHECK.skipped("no parameter is to be trained; see gradients-reach")
        best, curves = compared(real, empty, kept, pieces, subject)
    if best is None:
        return CHECK.failed(
            f"after {LOOKS[0]} steps the loss on {unseen:,} unseen samples is not finite",
            {"unseen": float(unseen)},
            why="an operation such as a logarithm, a root or a division meets a number it is not made for, or numbers outgrow float32",
            advice="see trial-run (--only trial-run), which names the first layer or sample that is not finite",
        )
    figures = asdict(best) | {"unseen": float(unseen)}
    losses = f"{best.real:.3g}, and {best.blank:.3g} without seeing the inputs"
    if best.clear:
        told = f"after {best.steps:.0f} steps the loss on {unseen:,} unseen samples is {losses}"
        return CHECK.passed(told, figures, curves)
    told = f"within {curves['steps'][-1]:.0f} steps the loss on {unseen:,} unseen samples is at best {losses}"
    if best.gain > max(DOUBTFUL * best.standard_error, NOTHING * abs(best.blank)):
        return CHECK.warning(
            f"{told}: {best.gain:.2g} better, with a standard error of {best.standard_error:.2g}",
            figures,
            curves,
            why="the inputs say little about the targets, or the net needs longer than this to find out",
            advice="look whether a simple model (the linear one that 'glassnet train' measures beside) finds anything in these inputs",
        )
    if says_the_same(real, kept):
        return CHECK.failed(f"{told}, and the net gives the same answer to every sample", figures, curves)
    if simply := known_simply(kept, pieces):
        return CHECK.warning(
            f"{told}; {simply}: the inputs do say something, which this net has not found yet",
            figures,
            curves,
            why="the net needs longer than this to find it, or something in it stands in the way",
            advice="read the checks that follow; if they pass, look whether validation loss falls in the first epochs",
        )
    if few := too_little(subject.net, kept, curves["steps"][-1]):
        return CHECK.warning(
            f"{told}: {few} tell little",
            figures,
            curves,
            why="within moments a net learns little, and in a few samples that shows only by chance",
            advice="look at the validation accuracy of the first epochs, beside the simple models that 'glassnet train' measures",
        )
    return CHECK.failed(told, figures, curves)


@dataclass(frozen=True)
class Compared:
    """Losses on unseen samples after some steps.

    Attributes:
        steps: of each of the two learners.
        real: mean loss with inputs.
        blank: without, or of the best constant answer, where that is lower.
        gain: how much lower the first is.
        standard_error: of the gain, from how it differs between tenths of the samples.
    """

    steps: float
    real: float
    blank: float
    gain: float
    standard_error: float

    @property
    def clear(self) -> bool:
        """Whether inputs help beyond doubt: by many standard errors, or by much."""
        much = self.gain > FAIRLY * self.standard_error and self.gain > MUCH * abs(self.blank)
        return much or (self.gain > CLEAR * self.standard_error and self.gain > LEAST_GAIN * abs(self.blank))


def compared(
    real: Learner, empty: Learner, kept: Groups, pieces: Pieces, subject: Subject
) -> tuple[Compared | None, dict[str, list[float]]]:
    """The first look at which inputs help beyond doubt, or else the one at which they help most, None where no loss is finite; and the curves up to there."""
    curves: dict[str, list[float]] = {"steps": [], "real": [], "blank": []}
    best: Compared | None = None
    done = 0
    begun = time.monotonic()
    for steps in LOOKS:
        for number in range(done, steps):
            real.step(pieces.piece(number))
            empty.step(pieces.piece(number))
        done = steps
        losses, blanks = real.losses(kept), empty.losses(kept)
        constant = constant_loss(subject, kept, pieces.targets)
        reference = blanks if constant is None or mean(blanks) < mean(constant) else constant
        gains = [a - b for a, b in zip(reference, losses, strict=True)]
        if not all(map(math.isfinite, gains)):
            break
        look = Compared(float(steps), mean(losses), mean(reference), mean(gains), stdev(gains) / math.sqrt(len(gains)))
        for name, value in (("steps", look.steps), ("real", look.real), ("blank", mean(blanks))):
            curves[name].append(value)
        # A net that knows its samples by heart is worse with others than before: what counts is the best look.
        if best is None or look.gain * best.standard_error > best.gain * look.standard_error:
            best = look
        if look.clear:
            return look, curves
        by_heart = steps > LOOKS[-1] // 4 and look.real > BY_HEART * min(curves["real"])
        if by_heart or time.monotonic() - begun > SECONDS:
            break
    return best, curves


def says_the_same(learner: Learner, kept: Groups) -> bool:
    """Whether the trained copy gives the same answer to every sample: then it does not see its inputs."""
    with torch.no_grad():  # as it answers after training: dropout makes any answers differ
        said = first(learner.net.eval()(kept[0][0][:SIZE]))
    if not isinstance(said, Tensor) or len(said) < 2:
        return False
    said = said.float()
    return bool(said.std(0).max() <= SAME * said.abs().max().clamp_min(1e-12))


def known_simply(kept: Groups, pieces: Pieces) -> str:
    """What kernel ridge regression tells of the same samples, in words; empty where that may be chance."""
    groups = [*kept, *(group for piece in pieces.given for group in piece)]
    inputs, targets = [inputs for inputs, _ in groups], [targets for _, targets in groups]
    task = "values" if targets[0].is_floating_point() else "classes" if targets[0].ndim == 1 else "other"
    simply = known(inputs, targets, [], [], task)
    if simply is None:
        return ""
    if task == "values":
        return f"kernel ridge regression explains R² {simply.training:.2f} of them" if simply.training > TOLD else ""
    if not simply.sure > SURER:
        return ""
    return f"kernel ridge regression tells a sample's class from the others, {simply.sure:.0f} standard errors better than chance"


def too_little(net: nn.Module, kept: Groups, steps: float) -> str:
    """Why that inputs did not help is no reason to stop the training; empty where it is one."""
    unseen, rare = sum(map(length, kept)), outside_the_commonest(kept)
    if steps < LOOKS[-2]:
        return f"the steps of {SECONDS:.0f} seconds"
    if any(isinstance(module, RECURRENT) for module in net.modules()):
        return "to a net that reads sequences so few steps may"
    if unseen < FEWEST:
        return "so few samples"
    return f"{rare} of them outside the most frequent class" if rare < FEWEST_RARE else ""


def outside_the_commonest(groups: Groups) -> int:
    """Samples that are not of the most frequent class; all of them where there are no classes."""
    targets = torch.cat([targets.flatten() for _, targets in groups])
    if targets.is_floating_point():
        return sum(map(length, groups))
    return len(targets) - int(torch.unique(targets, return_counts=True)[1].max())


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

    def step(self, piece: Groups) -> None:
        """One step of Adam, by the mean loss of a piece."""
        assert self.optimizer is not None
        self.optimizer.zero_grad(set_to_none=True)
        samples = sum(map(length, piece))
        for inputs, targets in piece:
            loss = self.loss(self.net(self._shown(inputs)), targets) * (len(targets) / samples)
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()

    def losses(self, groups: Groups) -> list[float]:
        """The loss on each part of some samples, in training mode as it was learned, nothing learned from them; see :func:`parts_of`.

        The net sees them in batches of the size it learns from: in tenths of few samples the statistics of batch normalisation would be noise.
        """
        with torch.no_grad():
            if len(groups) > 1:
                return [float(self.loss(self.net(self._shown(some)), wanted)) for some, wanted in parts_of(groups)]
            inputs, targets = groups[0]
            said = [self.net(self._shown(some)) for some in inputs.chunk(max(1, len(targets) // SIZE))]
            if not all(isinstance(each, Tensor) for each in said):
                said = [self.net(self._shown(some)) for some in inputs.chunk(TENTHS)]
            else:
                said = list(torch.cat(said).chunk(TENTHS))
            return [float(self.loss(some, wanted)) for some, wanted in zip(said, targets.chunk(TENTHS), strict=True)]

    def _shown(self, inputs: Tensor) -> Tensor:
        return inputs if self.blank is None else repeated(self.blank, inputs)


def parts_of(groups: Groups) -> Groups:
    """Samples in parts, of which how the loss differs between them is the noise: tenths, or at least ten where there are inputs of different lengths."""
    tenths = -(-TENTHS // len(groups))
    return [
        part for inputs, targets in groups for part in zip(inputs.chunk(tenths), targets.chunk(tenths), strict=True)
    ]


def constant_loss(subject: Subject, groups: Groups, seen: Tensor) -> list[float] | None:
    """The loss of the best constant answer to each part of the unseen samples; None where there is none to be named."""
    with subject.trial() as net, torch.no_grad():
        net.train()
        outputs = net(groups[0][0][:SIZE])
    if not isinstance(outputs, Tensor):
        return None
    own = first(outputs)
    task = task_of(own, seen)
    if task == "other" or (task == "values" and own[0].numel() != seen[0].numel()):
        return None
    if task == "classes" and are_no_scores(subject.plan.loss, outputs, groups[0][1][:SIZE]):
        return None
    answer = prior_answer(own[:1].expand(len(seen), *own.shape[1:]), seen, task)[:1]
    with torch.no_grad():
        found = [
            float(subject.plan.loss(answer.expand(len(wanted), *answer.shape[1:]), wanted))
            for _, wanted in parts_of(groups)
        ]
    return found if all(map(math.isfinite, found)) else None


CHECK = Check(
    id="input-independent",
    title="Inputs help",
    threshold=(
        f"passes as soon as the loss on unseen samples is {CLEAR:g} standard errors and {LEAST_GAIN:.1%} ({FAIRLY:g} and {MUCH:.0%}) below that of the same net trained on inputs that say nothing, within "
        f"{LOOKS[-1]} steps; fails where no look gives {DOUBTFUL:g}, and kernel ridge regression finds nothing either (or the net says the same to all), on {FEWEST} samples or more with {FEWEST_RARE} or more outside the most frequent class, of a net without recurrent layers; warns otherwise"
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
