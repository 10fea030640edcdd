"""Faults in what a net trains and in its modes: (net, strength) -> net. Frozen, cut off, never called, stuck in a mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.diagnosis.nets import last_dense

Spoiler = Callable[[nn.Module, float], nn.Module]


def frozen_all_but_head(net: nn.Module, strength: float) -> nn.Module:
    """Everything frozen but the last layer, as for transfer, though there is nothing to transfer."""
    kept = set(last_dense(net).parameters())
    for parameter in net.parameters():
        parameter.requires_grad_(parameter in kept)
    return net


def frozen_first(net: nn.Module, strength: float) -> nn.Module:
    """The first ``strength`` parameters frozen."""
    for parameter in list(net.parameters())[: int(strength)]:
        parameter.requires_grad_(False)
    return net


class Detach(nn.Module):
    """Cuts the gradient's way: ``x.detach()``, ``.data`` or a detour over numpy."""

    def forward(self, x: Tensor) -> Tensor:
        """The same numbers."""
        return x.detach()


def detached(net: nn.Module, strength: float) -> nn.Module:
    """In a sequential net: cut before module number ``strength``."""
    assert isinstance(net, nn.Sequential)
    layers = list(net)
    return nn.Sequential(*layers[: int(strength)], Detach(), *layers[int(strength) :])


class DetachedRecurrent(nn.Module):
    """A recurrent net whose last state is cut off before the head."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, features) → (batch, outputs)."""
        states, _ = self.inner.recurrent(x.squeeze(1) if x.ndim == 4 else x)  # type: ignore[operator]
        return self.inner.head(states[:, -1].detach())  # type: ignore[no-any-return,operator]


def detached_state(net: nn.Module, strength: float) -> nn.Module:
    """The state was detached to save memory."""
    return DetachedRecurrent(net)


class Forgetful(nn.Module):
    """Layers were made and never called: a sequential net without some of its modules, which it still owns."""

    def __init__(self, inner: nn.Sequential, first: int, last: int, width: int) -> None:
        super().__init__()
        self.inner = inner
        self.skipped = range(first, last)
        after = inner[last]
        assert isinstance(after, nn.Linear)
        self.fit = nn.Linear(width, after.in_features)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, …) → (batch, outputs)."""
        for place, layer in enumerate(self.inner):
            if place == self.skipped.start:
                x = self.fit(x)
            if place not in self.skipped:
                x = layer(x)
        return x


def forgotten_layers(net: nn.Module, strength: float) -> nn.Module:
    """All hidden layers of an ``mlp`` are skipped: what remains is linear."""
    assert isinstance(net, nn.Sequential)
    first = next(layer for layer in net if isinstance(layer, nn.Linear))
    return Forgetful(net, 1, len(net) - 1, first.in_features)


class StuckDropout(nn.Dropout):
    """A dropout that stays in training mode whatever the net is told."""

    def train(self, mode: bool = True) -> Self:
        """Always."""
        return super().train(True)


def norms_stuck_in_eval(net: nn.Module, strength: float) -> nn.Module:
    """Batch norm normalises by statistics that it never learns."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.__class__ = type("StuckNorm", (type(module),), {"train": lambda self, mode=True: _mode(self, False)})
            module.eval()
    return net


def dropouts_stuck_in_eval(net: nn.Module, strength: float) -> nn.Module:
    """Dropout never drops."""
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.__class__ = type("StuckOut", (nn.Dropout,), {"train": lambda self, mode=True: _mode(self, False)})
            module.eval()
    return net


def _mode(module: nn.Module, training: bool) -> nn.Module:
    module.training = training
    return module


class AlwaysDrops(nn.Module):
    """``F.dropout(x, p)``, whose default is to drop, in evaluation too."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Some of the numbers."""
        return F.dropout(x, self.p)


def dropout_function(net: nn.Module, strength: float) -> nn.Module:
    """Every dropout module became a call of the function."""
    return _replaced(net, nn.Dropout, lambda old: AlwaysDrops(strength))


def dropout_stuck_in_train(net: nn.Module, strength: float) -> nn.Module:
    """Every dropout module ignores ``eval()``."""
    return _replaced(net, nn.Dropout, lambda old: StuckDropout(strength))


def norms_without_memory(net: nn.Module, strength: float) -> nn.Module:
    """Batch norm uses the statistics of the batch in evaluation too."""

    def stuck(old: nn.Module) -> nn.Module:
        old.__class__ = type("RestlessNorm", (type(old),), {"train": lambda self, mode=True: _mode(self, True)})
        return old.train()

    return _replaced(net, nn.BatchNorm2d | nn.BatchNorm1d, stuck)


def _replaced(net: nn.Module, kind: object, new: Callable[[nn.Module], nn.Module]) -> nn.Module:
    for name, module in list(net.named_modules()):
        if isinstance(module, kind):  # type: ignore[arg-type]
            parent = net.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], new(module))
    return net


SPOILERS: dict[str, Spoiler] = {
    function.__name__.replace("_", "-"): function
    for function in (
        frozen_all_but_head,
        frozen_first,
        detached,
        detached_state,
        forgotten_layers,
        norms_stuck_in_eval,
        dropouts_stuck_in_eval,
        dropout_function,
        dropout_stuck_in_train,
        norms_without_memory,
    )
}
