"""Where a strange loss came from: looked for on the very batch that showed it, by what the network said of it before the step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.events import Traced
from glassnet.training.measure.kinds import leaves
from glassnet.training.measure.restoring import untouched
from glassnet.training.plan import Plan
from glassnet.training.state import State

SPIKE = 4.0  # a recorded loss this many times the running mean of those before is looked into
MOST_ROWS = 5
WILD = 5.0  # times the batch's usual size of an input
MOST_SAMPLES = 2_048  # of a batch whose losses are taken one by one


def strange(loss: float | None, usual: float | None) -> str:
    """``not-finite``, ``spike`` or an empty text.

    Args:
        loss: of a recorded step.
        usual: running mean of the recorded losses before it; None at the start.
    """
    if loss is None:
        return ""
    if not math.isfinite(loss):
        return "not-finite"
    return "spike" if usual is not None and usual > 0 and loss > SPIKE * usual else ""


def trace(
    state: State,
    plan: Plan,
    inputs: Tensor,
    targets: Tensor,
    outputs: Tensor | None = None,
    *,
    kind: str,
    loss: float,
    usual: float | None,
    index: Tensor | None = None,
) -> Traced:
    """Look for the first place where something is wrong: inputs, targets, weights, activations, the loss; or the samples to blame.

    Args:
        state: of the training; everything is put back.
        plan: of the training.
        inputs: of the batch.
        targets: of the batch.
        outputs: of the step itself; computed anew, with the weights behind it, where they were not kept.
        kind: as :func:`strange` says.
        loss: of the batch.
        usual: running mean of the recorded losses before.
        index: of the batch's samples within the training part, where known.
    """
    figures: dict[str, float] = {"loss": loss} | ({} if usual is None else {"usual": usual})

    def found(
        place: str, name: str = "", rows: list[int] | None = None, column: int | None = None, **more: float
    ) -> Traced:
        rows = (rows or [])[:MOST_ROWS]
        samples = [int(index[row]) for row in rows] if index is not None and len(index) == len(targets) else []
        return Traced(state.step, kind, place, name, rows, samples, column, figures | more)

    with untouched(state.net), torch.no_grad():
        flat = inputs.reshape(len(inputs), -1) if isinstance(inputs, Tensor) else None
        if flat is not None and flat.is_floating_point():
            bad = ~torch.isfinite(flat)
            if bool(bad.any()):
                rows = bad.any(1).nonzero()[:, 0].tolist()
                return found("inputs", rows=rows, column=int(bad[rows[0]].nonzero()[0]))
        if targets.is_floating_point() and not bool(torch.isfinite(targets).all()):
            rows = (~torch.isfinite(targets)).reshape(len(targets), -1).any(1).nonzero()[:, 0].tolist()
            return found("targets", rows=rows)
        # Not buffers: batch normalisation's averages have taken in what this very step put out, which is no cause.
        for name, tensor in state.net.named_parameters():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                return found("weights", name)
        if kind == "not-finite":
            return _first_bad_layer(state.net, inputs, found)
        if outputs is None:
            state.net.eval()
            made = state.net(inputs[:MOST_SAMPLES])
            outputs = made[0] if isinstance(made, tuple) else made
        return _worst_samples(plan, outputs[:MOST_SAMPLES], targets, found, flat)


def _first_bad_layer(net: nn.Module, inputs: Tensor, found: Any) -> Traced:
    """The first module whose output is not finite, and the largest size that came in."""
    met: list[tuple[str, list[int], float]] = []

    def hook(name: str) -> Any:
        def out(_: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            y = output[0] if isinstance(output, tuple) else output
            if met or not isinstance(y, Tensor) or not y.is_floating_point() or bool(torch.isfinite(y).all()):
                return
            rows = (~torch.isfinite(y)).reshape(len(y), -1).any(1).nonzero()[:, 0].tolist()
            came = args[0] if args and isinstance(args[0], Tensor) and args[0].is_floating_point() else None
            met.append((name, rows, float(came.abs().max()) if came is not None and came.numel() else math.nan))

        return out

    handles = [module.register_forward_hook(hook(name or type(module).__name__)) for name, module in leaves(net)]
    try:
        net.train()
        net(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if met:
        name, rows, largest = met[0]
        return found("activations", name, rows, largest=largest)  # type: ignore[no-any-return]
    size, name = max(
        ((float(p.abs().max()), name) for name, p in net.named_parameters() if p.numel()), default=(0.0, "")
    )
    return found("loss", name, largest=size)  # type: ignore[no-any-return]


def _worst_samples(plan: Plan, outputs: Tensor, targets: Tensor, found: Any, flat: Tensor | None) -> Traced:
    """The samples with the largest loss of their own; where one is wild itself, it comes first."""
    own = torch.tensor([float(plan.loss(outputs[i : i + 1], targets[i : i + 1])) for i in range(len(outputs))])
    blame = own.nan_to_num(nan=math.inf)
    sizes = flat[: len(own)].abs().amax(1) if flat is not None and flat.is_floating_point() else torch.ones(len(own))
    # In batch normalisation one wild sample spoils the losses of all others, so the largest loss need not be its own.
    wild = sizes.cpu() > WILD * sizes.median().cpu()
    finite = blame[torch.isfinite(blame)]
    above = 2 * float(finite.max().clamp_min(1)) if len(finite) else 0.0
    worst = (blame + wild * (above + sizes.cpu())).argsort(descending=True)[:MOST_ROWS]
    top = int(worst[0])
    more = {
        "share": float(own[top] / own.sum().clamp_min(1e-12)),
        "worst_loss": float(own[top]),
        "median_loss": float(own.median()),
    }
    if flat is not None and flat.is_floating_point():
        more |= {"largest": float(sizes[top]), "usual_size": float(sizes.median())}
    if targets.is_floating_point():
        sizes = targets[: len(own)].reshape(len(own), -1).abs().amax(1)
        more |= {"target": float(sizes[top]), "usual_target": float(sizes.median())}
    return found("samples", rows=worst.tolist(), **more)  # type: ignore[no-any-return]
