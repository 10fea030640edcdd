"""The optimisers of torch.optim under their own names and defaults (requirement S1), with sensible parameter groups."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "lbfgs": torch.optim.LBFGS,
}
_FUSED = {"sgd", "adagrad", "adam", "adamw"}  # one kernel over all parameters, the same mathematics


def make_optimizer(
    name: str,
    net: nn.Module,
    *,
    lr: float,
    weight_decay: float = 0.0,
    bias_lr: float = 1.0,
    options: Mapping[str, Any] | None = None,
) -> torch.optim.Optimizer:
    """An optimiser over the trainable parameters, in two groups.

    Weights (two dimensions or more) decay; biases and the parameters of norm layers do not, since pulling a scale or an offset
    towards zero regularises nothing. L-BFGS knows one group only and no decay.

    Args:
        name: a key of ``OPTIMIZERS``.
        net: the network.
        lr: learning rate of the weights.
        weight_decay: as the optimiser defines it (decoupled for adamw).
        bias_lr: factor on ``lr`` for parameters of one dimension.
        options: further options under torch.optim's names, such as ``momentum`` or ``betas``.

    Raises:
        UsageError: unknown name or options, or values out of range, all at once; nothing to train.
    """
    if name not in OPTIMIZERS:
        raise unknown("optimizer", name, OPTIMIZERS)
    options = dict(options or {})
    known = set(inspect.signature(OPTIMIZERS[name]).parameters) - {"params", "self"}
    mistakes: list[GlassnetError] = [
        unknown(f"option of {name}", key, known, where=f"optimizer.{key}") for key in options if key not in known
    ]
    if weight_decay and "weight_decay" not in known:
        mistakes.append(
            UsageError(f"{name} has no weight decay", where="optimizer.weight_decay", fix="use regularise.l2")
        )
    if mistakes:
        raise all_at_once(mistakes)
    trained = [p for p in net.parameters() if p.requires_grad]
    if not trained:
        raise UsageError("the network has nothing to train", where=type(net).__name__, got="every parameter is frozen")
    if name == "lbfgs":
        options.setdefault("line_search_fn", "strong_wolfe")  # without it a step may go uphill
        return torch.optim.LBFGS(trained, lr=lr, **options)
    weights = [p for p in trained if p.ndim >= 2]
    rest = [p for p in trained if p.ndim < 2]
    groups = [
        {"params": group, "lr": rate, "weight_decay": decay}
        for group, rate, decay in ((weights, lr, weight_decay), (rest, lr * bias_lr, 0.0))
        if group
    ]
    if options.get("nesterov") and not options.get("momentum"):
        raise UsageError("nesterov needs a momentum", where="optimizer.nesterov", fix="--momentum 0.9")
    if name in _FUSED:
        options["fused"] = True
    try:
        return OPTIMIZERS[name](groups, lr=lr, **options)
    except ValueError as error:
        raise UsageError(f"{name} does not take these options", where="optimizer", got=error) from error
