"""Whether a network can be trained on these data: told before anything is, with the layer and the sizes."""

from __future__ import annotations

import json

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from glassnet.errors import GlassnetError, ModelError, all_at_once
from glassnet.layer_table import layer_table
from glassnet.recipe import Recipe

NAMED = 5


def check_own(net: nn.Module) -> None:
    """Refuse a user's own module of which it is clear at once that it cannot be trained here.

    Raises:
        ModelError: it is scripted, or has nothing to learn, numbers of another type than float32, or a state that cannot be saved; all at once.
    """
    kind = type(net).__name__
    if isinstance(net, torch.jit.ScriptModule):
        raise ModelError(
            "a scripted network cannot be trained here",
            where=kind,
            fix="give the module that was scripted; torch.compile(net) is taken too",
        )
    wrong: list[GlassnetError] = []
    parameters = {name: p for name, p in net.named_parameters() if not is_lazy(p)}
    if not any(parameter.requires_grad for parameter in net.parameters()):
        wrong.append(
            ModelError(
                "the network has nothing to learn",
                where=kind,
                got="no parameter" if not list(net.parameters()) else "parameters that are all frozen",
                expected="at least one parameter with requires_grad",
                fix="net.requires_grad_()" if list(net.parameters()) else None,
            )
        )
    kept = [name for name, parameter in parameters.items() if parameter.is_inference()]
    if kept:
        wrong.append(
            ModelError(
                "these parameters were made within torch.inference_mode, where nothing can be learned",
                where=kind,
                got=_some(kept),
                fix="make the network outside of it",
            )
        )
    other = [
        f"{name}: {p.dtype}" for name, p in parameters.items() if p.is_floating_point() and p.dtype != torch.float32
    ]
    if other:
        wrong.append(
            ModelError(
                "the network's parameters are of another type than its inputs will be",
                where=kind,
                got=_some(other),
                expected="torch.float32; where bfloat16 is faster, it is used for products",
                fix="net.float()",
            )
        )
    strange = []
    for name, value in net.state_dict().items():
        try:
            isinstance(value, Tensor) or json.dumps(value)
        except (TypeError, ValueError) as error:
            strange.append(f"{name}: {error}")
    if strange:
        wrong.append(
            ModelError(
                "what a module tells by get_extra_state cannot be saved",
                where=kind,
                got=_some(strange),
                expected="a tensor, or numbers, texts, lists and dicts of them",
            )
        )
    if wrong:
        raise all_at_once(wrong)


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def check_fit(net: nn.Module, inputs: Tensor, outputs: int, recipe: Recipe) -> None:
    """Show the network two samples, so that a misfit is told before anything is trained.

    Raises:
        ModelError: a layer does not accept what reaches it, or the outputs have the wrong shape, hang on nothing that learns or let no gradient through; names the layer and the size.
    """
    was_training = net.training
    net.eval()
    try:
        # A gradient is taken below, and cuDNN's recurrent layers give none in evaluation mode.
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
            made = net(inputs[:2])
    except GlassnetError:
        raise
    except Exception as error:
        failed = layer_table(net, tuple(inputs.shape[1:]), inputs.dtype).failed
        if failed:
            raise failed.error() from error
        raise ModelError(
            "the network fails on these inputs",
            where=type(net).__name__,
            got=f"{type(error).__name__}: {error}",
            expected=f"a net for inputs of shape {tuple(inputs[:2].shape)} and type {inputs.dtype}",
        ) from error
    finally:
        net.train(was_training)
    steps: tuple[int, ...] = ()
    if isinstance(made, Tensor) and made.ndim == 3:  # one row for each step
        steps = (made.shape[1],) if inputs.dtype == torch.int64 else (inputs.shape[1],) if inputs.ndim == 3 else ()
    wanted = (len(inputs[:2]), *steps, outputs)
    if not isinstance(made, Tensor) or tuple(made.shape) != wanted:
        got = tuple(made.shape) if isinstance(made, Tensor) else f"a {type(made).__name__}"
        raise ModelError(
            "the network's output has the wrong shape",
            where=type(net).__name__,
            got=got,
            expected=f"{wanted}: one {'logit' if recipe.loss.name != 'squared' else 'value'} for each of {outputs} outputs",
            fix="let forward return the outputs alone"
            if not isinstance(made, Tensor)
            else f"let the last layer have {outputs} outputs"
            + (
                ", or ask for one logit of two classes: settings={'loss.name': 'binary'}"
                if outputs == 2 and isinstance(made, Tensor) and made.shape[-1] == 1
                else ""
            ),
        )
    if not made.requires_grad:
        raise ModelError(
            "the network's outputs hang on nothing that learns",
            where=type(net).__name__,
            got="outputs without a gradient",
            expected="outputs computed from the parameters by PyTorch's operations",
            fix="take .detach(), .item(), .numpy() and torch.no_grad() out of forward",
        )
    try:
        torch.autograd.grad(made.sum(), [p for p in net.parameters() if p.requires_grad], allow_unused=True)
    except GlassnetError:
        raise
    except Exception as error:
        said = str(error).partition(" Hint:")[0]
        raise ModelError(
            "no gradient can be taken through the network",
            where=type(net).__name__,
            got=f"{type(error).__name__}: {said}",
            expected="a forward pass whose results stay as they are until the gradient is taken, and backward functions that work",
            fix="write y = y + 1 for y += 1 and y = torch.relu(y) for inplace=True; torch.autograd.set_detect_anomaly(True) shows the line",
        ) from error
