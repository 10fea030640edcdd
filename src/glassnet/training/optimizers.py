"""The optimisers of torch.optim under their own names and defaults (requirement S1), with sensible parameter groups."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from glassnet.errors import GlassnetError, UsageError, all_at_once, unknown
from glassnet.training.fused import FusedAdam, FusedAdamW, FusedSGD
from glassnet.training.weights import divided

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "lbfgs": torch.optim.LBFGS,
}
# One kernel over all parameters, the same mathematics; three of them by a shorter way.
_FUSED: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": FusedSGD,
    "adagrad": torch.optim.Adagrad,
    "adam": FusedAdam,
    "adamw": FusedAdamW,
}


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
    options = dict(options or {})
    if mistakes := option_mistakes(name, lr=lr, weight_decay=weight_decay, bias_lr=bias_lr, options=options):
        raise all_at_once(mistakes)
    trained = [p for p in net.parameters() if p.requires_grad]
    if not trained:
        raise UsageError(
            "the network has nothing to train",
            where=type(net).__name__,
            got="no parameter that requires a gradient",
            fix="let some learn, as in layer.requires_grad_(True)",
        )
    if name == "lbfgs":
        options.setdefault("line_search_fn", "strong_wolfe")  # without it a step may go uphill
        return _built(name, trained, lr, options)
    weights, rest = divided(net)
    groups = [
        {"params": group, "lr": rate, "weight_decay": decay}
        for group, rate, decay in ((weights, lr, weight_decay), (rest, lr * bias_lr, 0.0))
        if group
    ]
    if name in _FUSED and not {"foreach", "fused", "differentiable"} & options.keys():
        options["fused"] = True
    return _built(name, groups, lr, options)


def option_mistakes(
    name: str, *, lr: float, weight_decay: float, bias_lr: float, options: Mapping[str, Any]
) -> list[GlassnetError]:
    """What :func:`make_optimizer` refuses of these, whatever the network is."""
    if name not in OPTIMIZERS:
        return [unknown("optimizer", name, OPTIMIZERS)]
    known = _options_of(name)
    mistakes: list[GlassnetError] = [_not_taken(name, key, known) for key in options if key not in known]
    for key, value in (("lr", lr), ("weight_decay", weight_decay), ("bias_lr", bias_lr)):
        if not (math.isfinite(value) and value >= 0):  # torch looks at its defaults only, never at a group's own values
            mistakes.append(
                UsageError(
                    f"{key} cannot be negative or infinite", where=f"optimizer.{key}", got=value, expected="0 or above"
                )
            )
    if name == "lbfgs" and options.get("line_search_fn") not in (None, "strong_wolfe"):
        mistakes.append(
            UsageError(
                "lbfgs knows one line search",
                where="optimizer.line_search_fn",
                got=options["line_search_fn"],
                expected="strong_wolfe",
            )
        )
    if options.get("nesterov") and not options.get("momentum"):
        mistakes.append(UsageError("nesterov needs a momentum", where="optimizer.nesterov", fix="--momentum 0.9"))
    if weight_decay and "weight_decay" not in inspect.signature(OPTIMIZERS[name]).parameters:
        mistakes.append(
            UsageError(f"{name} has no weight decay", where="optimizer.weight_decay", fix="use regularise.l2")
        )
    return mistakes


def _options_of(name: str) -> set[str]:
    # Rate and decay have arguments of their own; given again as options, one of the two would silently lose.
    return set(inspect.signature(OPTIMIZERS[name]).parameters) - {"params", "lr", "weight_decay"}


def _not_taken(name: str, key: str, known: Iterable[str]) -> UsageError:
    others = [other for other in OPTIMIZERS if key in _options_of(other)]
    if not others:
        return unknown(f"option of {name}", key, known, where=f"optimizer.{key}")
    fix = f"leave it out, or take {' or '.join(others)}"
    return UsageError(f"{name} takes no {key}", where=f"optimizer.{key}", fix=fix)


def _built(name: str, parameters: Any, lr: float, options: Mapping[str, Any]) -> torch.optim.Optimizer:
    try:
        kind = _FUSED[name] if options.get("fused") and name in _FUSED else OPTIMIZERS[name]
        return kind(parameters, lr=lr, **options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(
            f"{name} does not take these options",
            where="optimizer",
            got=error,
            expected=f"values that torch.optim.{OPTIMIZERS[name].__name__} takes",
        ) from error
