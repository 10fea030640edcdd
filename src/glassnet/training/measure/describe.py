"""What is about to be trained on what: looked at once, before the first step, on batches of the first epoch as they come."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from glassnet.events import Described
from glassnet.training.losses import LOSSES
from glassnet.training.measure import looks
from glassnet.training.measure.activations import Activations
from glassnet.training.measure.direction import led_away, no_scores
from glassnet.training.measure.evaluating import in_evaluation
from glassnet.training.measure.hidden import taking_part
from glassnet.training.measure.kernel_ridge import known
from glassnet.training.measure.kinds import DROPOUTS, NONLINEARITIES, NORMS, RECURRENT, in_order, kind_of, leaves
from glassnet.training.measure.restoring import untouched
from glassnet.training.plan import Plan

SAMPLES = 2_000
MOST_NUMBERS = 2_000 * 3_072  # of all inputs looked at: as many as 2,000 images of 32×32 pixels in colour
MOST_BATCHES = 20
FEWEST_BATCHES = 2
STRAIGHT = (
    "absolute",
    "l1",
    "huber",
    "smoothl1",
)  # losses of values that grow with a mistake as it is, and not as its square
POINTS = 101  # at which the schedule is asked what it will do
LAYING_OUT = (
    "View",
    "UnsafeView",
    "ReshapeAlias",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Permute",
    "TBackward",
    "Clone",
    "Alias",
    "Select",
    "Slice",
    "ToCopy",
)
CLASS_WEIGHTS = ("weight", "pos_weight")
STEP_SAMPLES = 256  # in the one backward pass that tells which parameters a gradient reaches


class Batches(Protocol):
    """What is looked at; see :class:`glassnet.training.loop.Batches`."""

    steps_per_epoch: int
    samples: int

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The (inputs, targets) of an epoch from a position on."""
        ...


@dataclass
class Seen:
    """Some batches, kept."""

    inputs: list[Tensor] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """How many samples they hold."""
        return sum(map(len, self.targets))


def describe(
    net: nn.Module,
    batches: Batches,
    plan: Plan,
    validation: Batches | None = None,
    *,
    samples: int = SAMPLES,
) -> Described:
    """Look at the first batches, at what the untrained network makes of them, and at how it is put together.

    Everything is put back: weights, buffers, gradients, modes and random states.

    Args:
        net: to be trained.
        batches: the training part, as training will see it.
        plan: what the training is decided by.
        validation: the validation part.
        samples: of each part, at most; of large inputs fewer, but two batches at least.
    """
    with untouched(net):
        seen = some_of(batches, samples)
        # What augmentation changes the network must bear; what inputs have to do with targets, and with other parts, is asked of them as they are.
        plain = getattr(batches, "plain", None)
        own = seen if plain is None else some_of(plain, samples)
        unseen = some_of(validation, samples) if validation is not None else None
        optimizer = plan.optimizer(net)
        task = task_of(seen.targets)
        try:
            result, start = starting(net, plan, seen, unseen, task)
            outputs = int(result.pop("outputs", 0))
            about_net = structure(net, plan, optimizer, seen)
            start |= {key: about_net.pop(key) for key in ("grad_norm", "away") if key in about_net}
            if task == "classes" and no_scores(start.get("away", 0.0)):
                task = "other"
        except (RuntimeError, IndexError, ValueError):
            # Targets that the loss refuses: the first step will say so in PyTorch's words; what can be seen without a loss is told here.
            result, start, about_net, outputs = {}, {}, {}, width(net, seen)
        validation_figures: dict[str, Any] = {}
        if unseen is not None and unseen.samples:
            validation_figures = {"samples": unseen.samples, "loss": result.pop("validation_loss", None)}
            if getattr(validation, "later", False):
                validation_figures["later"] = True
            validation_figures |= looks.compared(own.inputs, own.targets, unseen.inputs, unseen.targets, task)
        result.pop("validation_loss", None)
        about_targets = looks.of_targets(own.inputs, own.targets, task, outputs)
        others = (unseen.inputs, unseen.targets) if unseen is not None else ([], [])
        if simply := known(own.inputs, own.targets, *others, task):
            about_targets |= {
                "kernel_knows": simply.training,
                "linear_knows": simply.linear,
                "kernel_samples": simply.samples,
            }
            if task == "classes":
                about_targets |= {"kernel_wrong": simply.wrong, "kernel_sure": simply.sure}
            if math.isfinite(simply.place):
                about_targets["kernel_place"] = simply.place
            if simply.validation is not None:
                validation_figures["kernel_knows"] = simply.validation
        return Described(
            task=task,
            outputs=outputs,
            plan=about_plan(plan, optimizer, batches, seen),
            net=about_net,
            inputs=looks.of_inputs(seen.inputs) | looks.telling(own.inputs, own.targets, task),
            targets=about_targets,
            result=result,
            start=start,
            validation=validation_figures,
        )


def width(net: nn.Module, seen: Seen) -> int:
    """Numbers in one output row; 0 where the network itself fails."""
    net.eval()
    try:
        with torch.no_grad():
            made = _first(net(seen.inputs[0][:2]))
    except (RuntimeError, IndexError, ValueError):
        return 0
    return int(made.shape[1]) if made.ndim > 1 else 1


def some_of(batches: Batches, samples: int) -> Seen:
    """Batches from all over the first epoch, since data that are sorted look alike at its beginning."""
    seen = Seen()
    total = batches.steps_per_epoch
    first = _batch(batches, 0)
    if first is None:
        return seen
    size, length = max(len(first[1]), 1), max(first[0].numel(), 1)
    wanted = min(-(-samples // size), MOST_NUMBERS // length, MOST_BATCHES)
    wanted = min(max(wanted, FEWEST_BATCHES), total)
    places = [round(number * (total - 1) / max(wanted - 1, 1)) for number in range(wanted)]
    if getattr(batches, "anew", False):
        found = _in_one_pass(batches, places)
    else:
        found = [first, *filter(None, (_batch(batches, place) for place in places[1:]))]
    seen.inputs += [inputs for inputs, _ in found]
    seen.targets += [targets for _, targets in found]
    return seen


def _in_one_pass(batches: Batches, places: list[int]) -> list[tuple[Tensor, Tensor]]:
    """The batches at some positions of an epoch that would be another if it were entered again, such as that of a DataLoader that shuffles: a sample must not come twice."""
    iterator = iter(batches.epoch(0))
    try:
        return [batch for place, batch in zip(range(max(places) + 1), iterator, strict=False) if place in places]
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


def _batch(batches: Batches, position: int) -> tuple[Tensor, Tensor] | None:
    """One batch of the first epoch, by its position; None where there is none."""
    iterator = iter(batches.epoch(0, start=position))
    try:
        return next(iterator, None)
    finally:
        close = getattr(iterator, "close", None)  # a generator may hold a thread that reads ahead
        if close is not None:
            close()


def task_of(targets: list[Tensor]) -> str:
    """``classes`` for one whole number a sample, ``values`` for floating point, else ``other``."""
    if not targets:
        return "other"
    first = targets[0]
    if first.is_floating_point():
        return "values"
    return "classes" if first.ndim == 1 else "other"


def loss_name(loss: Any) -> str:
    """``cross-entropy`` for ours, ``CrossEntropyLoss`` for a module, the function's name else."""
    if isinstance(loss, partial):
        return loss_name(loss.func)
    if isinstance(loss, nn.Module):
        return type(loss).__name__
    for name, ours in LOSSES.items():
        if ours is loss:
            return name
    name = str(getattr(loss, "name", getattr(loss, "__name__", type(loss).__name__)))
    return name.replace("_", "-") if getattr(loss, "__module__", "").startswith("glassnet.") else name


def about_plan(plan: Plan, optimizer: torch.optim.Optimizer, batches: Batches, seen: Seen) -> dict[str, Any]:
    """What the training is decided by, as plain values."""
    group = optimizer.param_groups[0]
    momentum = group.get("momentum", group.get("betas", (0.0,))[0])
    smoothing = (
        plan.loss.keywords.get("label_smoothing", 0.0)
        if isinstance(plan.loss, partial)
        else getattr(plan.loss, "label_smoothing", 0.0)
    )
    return {
        "optimizer": type(optimizer).__name__,
        "lr": float(group["lr"]),
        "momentum": float(momentum),
        "weight_decay": max(float(each.get("weight_decay", 0.0)) for each in optimizer.param_groups),
        "batch_size": max((len(targets) for targets in seen.targets), default=0),
        "micro_batches": plan.micro_batches,
        "epochs": plan.epochs,
        "steps_per_epoch": batches.steps_per_epoch,
        "loss": loss_name(plan.loss),
        "label_smoothing": float(smoothing),
        "weighted": weighted(plan.loss),
        "clip": plan.clip is not None,
        "penalty": plan.penalty is not None,
        "precision": plan.precision,
        "rates": rates_to_come(plan, batches.steps_per_epoch),
    }


def weighted(loss: Any) -> bool:
    """Whether a loss has weights for classes."""
    if isinstance(loss, partial):
        return any(loss.keywords.get(name) is not None for name in CLASS_WEIGHTS) or weighted(loss.func)
    return any(isinstance(getattr(loss, name, None), Tensor) for name in CLASS_WEIGHTS)


def rates_to_come(plan: Plan, steps_per_epoch: int) -> list[float]:
    """What the schedule will multiply the rate by, at ``POINTS`` steps from the first to the last, with four digits.

    Of one that waits for losses, such as ``plateau``, what it does while it has seen none.
    """
    total = plan.epochs * steps_per_epoch
    steps = [round(point * (total - 1) / (POINTS - 1)) for point in range(POINTS)] if total else []
    return [float(f"{plan.schedule.factor(step, steps_per_epoch, total):.4g}") for step in steps]


def starting(
    net: nn.Module, plan: Plan, seen: Seen, unseen: Seen | None, task: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and losses of the untrained network."""
    if not seen.samples:
        return {}, {}
    with torch.no_grad():
        net.train()
        with untouched(net):
            trained = _loss(net, plan, seen.inputs[:1], seen.targets[:1])
        net.eval()
        outputs = [_first(net(inputs)).float() for inputs in seen.inputs]
        evaluated = _mean_loss(plan, outputs, seen.targets)
        together = torch.cat([_rows(made) for made in outputs])
        result = looks.of_outputs(together)
        if unseen is not None and unseen.samples:
            result["validation_loss"] = _mean_loss(
                plan, [_first(net(x)).float() for x in unseen.inputs], unseen.targets
            )
        penalty = float(plan.penalty(net)) if plan.penalty is not None else 0.0
    start: dict[str, Any] = {"loss": evaluated, "train_loss": trained, "penalty": penalty}
    name = loss_name(plan.loss).lower().replace("-", "").replace("_", "").removesuffix("loss")
    if task == "classes":
        counts = torch.bincount(torch.cat(seen.targets).clamp_min(0)).double()
        entropy = float(torch.special.entr(counts / counts.sum()).sum())
        if name == "crossentropy" and together.shape[1] > 1:
            start |= {"expected": math.log(together.shape[1]), "constant": entropy}
        elif name in ("binary", "bcewithlogits", "binarycrossentropy"):
            start |= {"expected": math.log(2), "constant": entropy}
        elif name == "hinge":
            start["expected"] = float(together.shape[1] - 1)
    elif task == "values" and name in ("squared", "mse"):
        values = torch.cat(seen.targets).double()
        start["constant"] = float(values.var(0, correction=0).mean())
        start["expected"] = float(values.square().mean())  # of a network that says about 0
    elif task == "values" and name in STRAIGHT and together.shape == (targets := torch.cat(seen.targets)).shape:
        start["constant"] = float(plan.loss(targets.mean(0).expand_as(targets), targets))
        start["expected"] = float(plan.loss(torch.zeros_like(targets), targets))
    return result, start


def _rows(made: Tensor) -> Tensor:
    """Outputs as rows: of every step of a sequence, (batch, time, classes), each step one."""
    return made.flatten(0, 1) if made.ndim == 3 else made.reshape(len(made), -1)


def structure(net: nn.Module, plan: Plan, optimizer: torch.optim.Optimizer, seen: Seen) -> dict[str, Any]:
    """Which parameters learn, which modules do not follow the mode, and what the network is made of."""
    named = list(net.named_parameters())
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    net.eval()
    stuck_in_train = [name for name, module in net.named_modules() if module.training and name]
    ran: list[tuple[str, nn.Module]] = []
    hidden: list[str] = []
    with in_order(net, ran), Activations(net) as activations, taking_part(net, hidden):
        passed_back = reached(net, plan, seen, named)
    modules = [module for _, module in leaves(net)]
    evaluated = in_evaluation(net, seen.inputs[0]) if seen.samples else {}
    return (
        {
            "parameters": sum(p.numel() for _, p in named),
            "trainable": sum(p.numel() for _, p in named if p.requires_grad),
            "frozen": [name for name, p in named if not p.requires_grad],
            "frozen_layers": frozen_layers(net),
            "not_optimised": [name for name, p in named if p.requires_grad and id(p) not in known],
            "hidden": hidden,
            "identical_units": [name for name, p in named if p.ndim > 1 and len(p) > 1 and bool((p == p[:1]).all())],
            "stuck_in_train": stuck_in_train,
            "batch_norms": sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in modules),
            "norms": sum(isinstance(m, NORMS) for m in modules),
            "dropouts": sum(isinstance(m, DROPOUTS) and m.p > 0 for m in modules),
            "dropout": max((float(m.p) for m in modules if isinstance(m, DROPOUTS)), default=0.0),
            "recurrents": sum(isinstance(m, RECURRENT) for m in modules),
            "weight_layers": sum(kind_of(m) in ("dense", "conv", "recurrent") for m in modules),
            "nonlinearities": sum(
                isinstance(m, NONLINEARITIES) or kind_of(m) in ("relu", "tanh", "sigmoid") for m in modules
            ),
            "first": type(ran[0][1]).__name__ if ran else "",
            "last": type(ran[-1][1]).__name__ if ran else "",
        }
        | passed_back
        | evaluated
        | at_start(activations)
    )


def frozen_layers(net: nn.Module) -> list[str]:
    """Names of the modules that have weights (more than a vector of them) of their own, none of which is to be trained; not of those that the network computes (``computed``)."""
    own = {name: list(module.parameters(recurse=False)) for name, module in net.named_modules()}
    computed = getattr(net, "computed", ())
    return [
        name or type(net).__name__
        for name, parameters in own.items()
        if name not in computed and any(p.ndim > 1 for p in parameters) and not any(p.requires_grad for p in parameters)
    ]


def at_start(activations: Activations) -> dict[str, Any]:
    """How saturated the untrained network is, and how the gradient changes through time."""
    found: dict[str, Any] = {}
    squashed = [(record["saturated"], record["name"]) for record in activations.records if "saturated" in record]
    if squashed:
        found["saturated"], found["saturated_layer"] = max(squashed)
    ratios = [
        record["norms"][0] / record["norms"][-1]
        for record in activations.through_time
        if len(record["norms"]) > 2 and record["norms"][-1] > 0
    ]
    if ratios:
        found["time_ratio"] = max(ratios)
    return found


def reached(net: nn.Module, plan: Plan, seen: Seen, named: list[tuple[str, nn.Parameter]]) -> dict[str, Any]:
    """One backward pass: ``stuck_in_eval`` (names of modules that are in evaluation mode after it), ``unreached`` and ``zero_gradient`` (names of trainable parameters that get no gradient, or one that is exactly zero), ``grad_norm`` of the whole, ``ends_in`` (the outputs' last operation), and ``away`` of :func:`led_away`, where it is known."""
    if not seen.samples:
        return {"stuck_in_eval": [], "unreached": [], "zero_gradient": [], "grad_norm": 0.0, "ends_in": ""}
    net.train()
    net.zero_grad(set_to_none=True)
    inputs, targets = seen.inputs[0][:STEP_SAMPLES], seen.targets[0][:STEP_SAMPLES]
    with torch.enable_grad():
        outputs = net(inputs)
        own = _first(outputs)
        if own.requires_grad:
            own.retain_grad()
        loss = plan.loss(outputs, targets)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
    switched = [name for name, module in net.named_modules() if name and not module.training]  # by forward itself, too
    trainable = [(name, p) for name, p in named if p.requires_grad]
    total = sum(float(p.grad.double().square().sum()) for _, p in trainable if p.grad is not None)
    found: dict[str, Any] = {
        "stuck_in_eval": switched,
        "unreached": [name for name, p in trainable if p.grad is None],
        "zero_gradient": [name for name, p in trainable if p.grad is not None and not bool(p.grad.any())],
        "grad_norm": math.sqrt(total) if math.isfinite(total) else math.inf,
        "ends_in": last_operation(own),
    }
    if own.grad is not None and math.isfinite(away := led_away(own.grad, targets)):
        found["away"] = away
    return found


def last_operation(outputs: Tensor) -> str:
    """What autograd calls the last operation that made numbers, such as ``Sigmoid``; what only lays them out otherwise is passed over."""
    node = outputs.grad_fn
    while node is not None and node.name().startswith(LAYING_OUT):
        node = node.next_functions[0][0]
    return "" if node is None else node.name().partition("Backward")[0]


def _loss(net: nn.Module, plan: Plan, inputs: list[Tensor], targets: list[Tensor]) -> float:
    total = sum(float(plan.loss(net(x), t)) * len(t) for x, t in zip(inputs, targets, strict=True))
    return total / max(sum(map(len, targets)), 1)


def _mean_loss(plan: Plan, outputs: list[Tensor], targets: list[Tensor]) -> float:
    total, counted = 0.0, 0
    for made, wanted in zip(outputs, targets, strict=True):
        # A piece of a text in which nothing is left to be said has no loss.
        if count := len(wanted) if wanted.is_floating_point() else int((wanted >= 0).sum()):
            total, counted = total + float(plan.loss(made, wanted)) * count, counted + count
    return total / counted if counted else math.nan


def _first(made: Any) -> Tensor:
    """A network's own output, where it gives further ones beside it."""
    own: Tensor = made[0] if isinstance(made, tuple) else made
    return own
