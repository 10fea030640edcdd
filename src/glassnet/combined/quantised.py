"""A finished network in whole numbers of 8 bits."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError


def quantised(net: nn.Module, example: Tensor) -> nn.Module:
    """A copy that multiplies whole numbers: x ≈ s·(q − z) with q of 8 bits, one scale s a channel for weights and one a tensor for what passes.

    Scales of what passes come from the example (the range of each tensor, cut where that loses least); batch norm is folded, and a ReLU is part of the
    layer before it (Jacob et al. 2018, Quantization and Training of Neural Networks, eq. 1). PyTorch's tools do it. Layers without a form in whole
    numbers stay in float32, and so does the last one, whose outputs are what is asked for.

    Args:
        net: a finished network in evaluation mode, on the CPU.
        example: inputs as the network takes them, some hundreds.

    Raises:
        UsageError: this PyTorch or processor has no 8 bit kernels, or the network's code is such that its steps cannot be listed.
    """
    engine = torch.backends.quantized.engine
    if engine == "none":
        raise UsageError("this PyTorch has no kernels for int8", where="--precision", fix="--precision bfloat16")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of later versions' other tools
        from torch.ao.quantization import get_default_qconfig_mapping
        from torch.ao.quantization.fx.custom_config import PrepareCustomConfig
        from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

        # A layer without layers inside is one step, whatever its code does.
        own = {type(m) for m in net.modules() if not list(m.children()) and not type(m).__module__.startswith("torch.")}
        custom = PrepareCustomConfig().set_non_traceable_module_classes(list(own))
        try:
            kinds = get_default_qconfig_mapping(engine).set_module_name(_last(net, example[:1]), None)
            watched = prepare_fx(net, kinds, (example[:1],), prepare_custom_config=custom)
            with torch.no_grad():
                watched(example)
            made: nn.Module = convert_fx(watched)
        except Exception as error:
            raise UsageError(
                "this network cannot be computed in int8",
                where="--precision",
                got=f"{type(error).__name__}: {str(error).partition('. ')[0]}",
                expected="a network whose steps do not depend on its inputs",
                fix="--precision bfloat16",
            ) from error
    return made


def _last(net: nn.Module, example: Tensor) -> str:
    """Name of the layer with weights that is called last; of none where there is none."""
    called = [""]
    hooks = [
        module.register_forward_hook(lambda *_, name=name: called.append(name))
        for name, module in net.named_modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    ]
    try:
        with torch.no_grad():
            net(example)
    finally:
        for hook in hooks:
            hook.remove()
    return called[-1]
