"""PyTorch's fused optimisers without the work around their kernels.

The update is one call of the kernel that ``fused=True`` uses, on the same tensors in the same order, so weights and remembered state are bit for bit
those of ``torch.optim``. What is left out: profiling records, grouping by device in every step, and the import of PyTorch's compiler, which
``torch.optim`` makes at the first optimiser of a process and which takes as long as that of PyTorch itself. For small networks the kernel
is a fifth of what ``torch.optim.Adam.step`` takes (``docs/speed.md``).

Whatever these classes do not know (closures, hooks, sparse gradients, AMSGrad, parameters of several devices) goes the way of ``torch.optim``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer

Group = dict[str, Any]


def _plain(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of PyTorch's without the decorator that keeps it out of compiled code, and imports the compiler for that."""
    plain: Callable[..., Any] = getattr(method, "__wrapped__", method)
    return plain


class _Lean(Optimizer):
    """The optimiser that it is mixed into, with a short way for ordinary steps."""

    _alike: bool | None = None

    def add_param_group(self, param_group: Group) -> None:
        """As in PyTorch."""
        self._alike = None
        _plain(Optimizer.add_param_group)(self, param_group)

    def state_dict(self) -> dict[str, Any]:
        """As in PyTorch."""
        tree: dict[str, Any] = _plain(Optimizer.state_dict)(self)
        return tree

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As in PyTorch."""
        _plain(Optimizer.load_state_dict)(self, state_dict)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As in PyTorch."""
        if not set_to_none:
            super().zero_grad(set_to_none=False)
            return
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def _ordinary(self) -> bool:
        """Whether the short way knows everything that is asked of this step."""
        if self._alike is None:
            every = [p for group in self.param_groups for p in group["params"]]
            self._alike = len({(p.device, p.dtype) for p in every}) == 1 and all(
                group["fused"] and not group.get("amsgrad") and not isinstance(group["lr"], Tensor)
                for group in self.param_groups
            )
        return self._alike and not (self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks)

    def _together(self, one: Group, other: Group) -> bool:
        """Whether two groups are updated in the same way; dampening makes a group's first update another one, whenever that is."""
        return not one.get("dampening") and all(one[name] == other[name] for name in self.defaults)

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One update of every parameter that has a gradient."""
        if closure is not None or not self._ordinary():
            return super().step(closure)
        updates = list[tuple[Group, list[Tensor], list[Tensor]]]()
        for group in self.param_groups:
            changed = [p for p in group["params"] if p.grad is not None]
            gradients = [p.grad for p in changed]
            if any(gradient.is_sparse for gradient in gradients):
                return super().step()
            if updates and self._together(group, updates[-1][0]):  # one call of the kernel for both
                updates[-1][1].extend(changed)
                updates[-1][2].extend(gradients)
            elif changed:
                updates.append((group, changed, gradients))
        with torch.no_grad():
            for update in updates:
                self._update(*update)
        return None

    # PyTorch wraps a class's step in a profiling record unless it is marked as wrapped already.
    step.hooked = True  # type: ignore[attr-defined]

    def _update(self, group: Group, changed: list[Tensor], gradients: list[Tensor]) -> None:
        raise NotImplementedError


class FusedSGD(_Lean, SGD):
    """``torch.optim.SGD(fused=True)``."""

    def _update(self, group: Group, changed: list[Tensor], gradients: list[Tensor]) -> None:
        momentum = group["momentum"]
        buffers: list[Tensor] = []
        fresh = False
        if momentum:
            known = [self.state[p].get("momentum_buffer") for p in changed]
            fresh = all(buffer is None for buffer in known)
            for parameter, gradient, buffer in zip(changed, gradients, known, strict=True):
                if buffer is None:  # the kernel writes it whole in the first step; one that comes later begins at zero
                    buffer = torch.empty_like(gradient) if fresh else torch.zeros_like(gradient)
                    self.state[parameter]["momentum_buffer"] = buffer
                buffers.append(buffer)
        torch._fused_sgd_(
            changed,
            gradients,
            buffers,
            weight_decay=group["weight_decay"],
            momentum=momentum,
            lr=group["lr"],
            dampening=group["dampening"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
            is_first_step=fresh,
        )


class FusedAdam(_Lean, Adam):
    """``torch.optim.Adam(fused=True)``; with decoupled decay ``torch.optim.AdamW``."""

    _kernel = staticmethod(torch._fused_adam_)

    def _update(self, group: Group, changed: list[Tensor], gradients: list[Tensor]) -> None:
        remembered = [self.state[p] for p in changed]
        for parameter, state in zip(changed, remembered, strict=True):
            if not state:
                state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
                state["exp_avg"] = torch.zeros_like(parameter)
                state["exp_avg_sq"] = torch.zeros_like(parameter)
        steps = _counted(remembered)
        self._kernel(
            changed,
            gradients,
            [state["exp_avg"] for state in remembered],
            [state["exp_avg_sq"] for state in remembered],
            [],
            steps,
            amsgrad=False,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=group["maximize"],
        )


def _counted(remembered: list[dict[str, Tensor]]) -> list[Tensor]:
    """The numbers of steps, one more each.

    They lie in one tensor, so that one addition is enough for all: six of them take longer than the whole update of a small network. Where they do not (at the start, after loading, where a
    parameter had no gradient), they are laid together first.
    """
    steps = [state["step"] for state in remembered]
    whole = steps[0]._base
    if whole is None or whole.numel() != len(steps) or any(step._base is not whole for step in steps):
        whole = torch.stack(steps)
        for place, state in enumerate(remembered):
            state["step"] = whole[place]
        steps = [state["step"] for state in remembered]
    whole.add_(1)
    return steps


class FusedAdamW(FusedAdam, torch.optim.AdamW):
    """``torch.optim.AdamW(fused=True)``."""

    _kernel = staticmethod(torch._fused_adamw_)
