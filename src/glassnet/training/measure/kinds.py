"""What kind of layer a module is, for reading its activations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

WEIGHTED = ("dense", "conv", "recurrent")
RECTIFIERS = (nn.ReLU, nn.ReLU6)
SIGMOIDS = (nn.Sigmoid, nn.Hardsigmoid)
NONLINEARITIES = (
    *RECTIFIERS,
    *SIGMOIDS,
    nn.Tanh,
    nn.Hardtanh,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.SELU,
    nn.CELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Softplus,
    nn.Softsign,
    nn.LogSigmoid,
    nn.Softmax,
    nn.LogSoftmax,
)
NORMS = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
)
CONVOLUTIONS = (nn.modules.conv._ConvNd,)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
DROPOUTS = (nn.modules.dropout._DropoutNd, nn.AlphaDropout)


def kind_of(module: nn.Module) -> str:
    """``relu``, ``tanh``, ``sigmoid``, ``activation``, ``dense``, ``conv``, ``recurrent``, ``norm`` or ``other``."""
    if isinstance(module, RECTIFIERS):
        return "relu"
    if isinstance(module, nn.Tanh | nn.Hardtanh) or type(module).__name__ == "ScaledTanh":
        return "tanh"
    if isinstance(module, SIGMOIDS):
        return "sigmoid"
    if isinstance(module, NONLINEARITIES):
        return "activation"
    if isinstance(module, RECURRENT):
        return "recurrent"
    if isinstance(module, CONVOLUTIONS):
        return "conv"
    if isinstance(module, NORMS) or "Norm" in type(module).__name__:
        return "norm"
    if isinstance(module, nn.Linear | nn.Bilinear):
        return "dense"
    weight = getattr(module, "weight", None)
    return (
        "other"
        if weight is None or isinstance(module, nn.Embedding | nn.EmbeddingBag)
        else "conv"
        if weight.ndim > 2
        else "dense"
    )


def leaves(net: nn.Module) -> list[tuple[str, nn.Module]]:
    """(dotted name, module) of every module that holds no other, in the order of definition; the net itself where it is one."""
    return [(name, module) for name, module in net.named_modules() if next(module.children(), None) is None]


@contextmanager
def in_order(net: nn.Module, ran: list[tuple[str, nn.Module]]) -> Iterator[None]:
    """Every module without children is appended, with its name, whenever it has run."""
    hooks = [
        module.register_forward_hook(lambda *_, one=(name, module): ran.append(one)) for name, module in leaves(net)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
