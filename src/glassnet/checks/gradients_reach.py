"""Whether the loss has a say in every parameter that is to be trained."""

from __future__ import annotations

import torch

from glassnet.checks.check import Check
from glassnet.checks.subject import Subject, reading
from glassnet.events import Checked
from glassnet.training.state import State
from glassnet.training.step import optimise

STEPS = 8
NAMED = 5


def judge(subject: Subject) -> Checked:
    """Fails where a parameter never gets a gradient that is not exactly zero, and where the optimiser does not know a parameter."""
    look = subject.look()
    parameters = len(look.gradients)
    if look.hidden:
        return CHECK.failed(
            f"the loss depends on {len(look.hidden)} parameters that are in no parameters() of the network: {named(look.hidden)}",
            {"hidden": float(len(look.hidden))},
            why="layers in a plain Python list, tuple or dict are invisible to PyTorch: they are not trained, not moved to a GPU and not saved with the network",
            advice="keep them in nn.ModuleList, nn.ModuleDict or nn.ParameterList",
        )
    figures = {"parameters": float(parameters), "frozen": float(len(look.frozen))}
    if not parameters:
        return CHECK.failed(
            "no parameter is to be trained",
            figures,
            why="every parameter has requires_grad off, or the network has none",
            advice="let at least the last layer learn: parameter.requires_grad_(True)",
        )
    silent = [name for name, norm in look.gradients.items() if not norm]
    late = 0
    if silent:
        still, unknown = after_steps(subject, set(silent))
        late = len(silent) - len(still)
        silent = [name for name in silent if name in still]
    else:
        with subject.trial() as net:
            unknown = unknown_to(subject.plan.optimizer(net), net)
    figures |= {"silent": float(len(silent)), "late": float(late), "not_optimised": float(len(unknown))}
    if silent:
        never = [name for name in silent if look.gradients[name] is None]
        what = f"{len(silent)} of {parameters} parameters get no gradient: {named(silent)}"
        if len(silent) == parameters:
            return CHECK.failed(
                "no gradient reaches any parameter",
                figures,
                why="the outputs do not depend on the parameters: something between them and the loss cuts the graph, or every path carries a zero",
                advice="look for .detach(), torch.no_grad(), .item(), argmax or a constant in forward and loss, and for weights that are all zero",
            )
        if never:
            return CHECK.failed(what, figures)
        if cancelled(silent, look.gradients):
            return CHECK.warning(
                f"{what} (it is exactly zero, also after some steps, while the weights beside have one)",
                figures,
                why="what is added to all alike is gone where a difference or a softmax over them is taken, as between two embeddings: such a bias has no effect",
                advice="nothing is wrong; leave the bias out (bias=False)",
            )
        return CHECK.failed(
            what + " (it is exactly zero, also after some steps)",
            figures,
            why="every path from these parameters to the loss goes through a zero: weights that are all zero, units that are dead from the start, or a factor of zero",
            advice="begin with random weights (--init he), and look at the layers behind the ones named",
        )
    if unknown:
        return CHECK.failed(
            f"{len(unknown)} of {parameters} parameters are unknown to the optimiser: {named(unknown)}",
            figures,
            why="the optimiser was given some of the parameters only, or those of another copy of the network",
            advice="make the optimiser from net.parameters() of the very network that is trained",
        )
    told = f"gradients reach all {parameters} parameters"
    if late:
        told += f" ({late} of them after the first steps: what stands behind them begins at zero)"
    if look.frozen:
        told += f" ({len(look.frozen)} more are frozen: the network or the recipe keeps them as they are)"
    return CHECK.passed(told, figures)


def cancelled(silent: list[str], gradients: dict[str, float | None]) -> bool:
    """Whether those that get nothing are biases, each beside a weight of its own layer that gets something."""
    return all(
        "bias" in name.rpartition(".")[2]
        and any(other.rpartition(".")[0] == name.rpartition(".")[0] and norm for other, norm in gradients.items())
        for name in silent
    )


def after_steps(subject: Subject, names: set[str]) -> tuple[set[str], list[str]]:
    """Those of the parameters that have no gradient even within some steps, and the ones unknown to the optimiser.

    A layer behind a factor that begins at zero (a zero-initialised branch or head) gets its first gradient once that factor has moved; a
    layer that is skipped at random gets it with another batch.
    """
    waiting = set(names)
    with subject.trial() as net, reading(subject.batches) as batches:
        state = State(net, subject.plan)
        unknown = unknown_to(state.optimizer, net)
        if isinstance(state.optimizer, torch.optim.LBFGS) or not any(p.requires_grad for p in net.parameters()):
            return waiting, unknown
        net.train()
        for number, (inputs, targets) in enumerate(batches):
            if number >= STEPS or not waiting:
                break
            if not subject.plan.loss(net(inputs), targets).requires_grad:
                break
            optimise(state, subject.plan, inputs, targets)
            waiting -= {name for name, p in net.named_parameters() if p.grad is not None and bool((p.grad != 0).any())}
    return waiting, unknown


def unknown_to(optimizer: torch.optim.Optimizer, net: torch.nn.Module) -> list[str]:
    """Names of the trainable parameters that an optimiser does not hold."""
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return [name for name, p in net.named_parameters() if p.requires_grad and id(p) not in known]


def named(names: list[str]) -> str:
    """Some names and how many more."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


CHECK = Check(
    id="gradients-reach",
    title="Gradients reach every parameter",
    threshold=f"fails where a trainable parameter gets no gradient, or one that is exactly zero in each of {STEPS} steps, or is unknown to the optimiser, or to the network itself",
    source="no threshold is needed; torch-audit and neural_net_checklist look for the same",
    explanation=(
        "Backpropagation carries the loss backward along every way that a parameter has had an influence on it. A parameter that gets no gradient has had none: a call such as .detach() has cut the way, or "
        "forward does not use the layer. A gradient that is exactly zero everywhere means that every way goes through a zero, as with weights that all begin at zero. Such parameters "
        "stay what they are for the whole training, and the loss still falls, only less far, so that nobody notices."
    ),
    why="forward does not use these parameters, or something such as .detach() or torch.no_grad() cuts the way from them to the loss",
    advice="follow forward from these layers to the output; freeze or remove what is not meant to learn",
    judge=judge,
)
