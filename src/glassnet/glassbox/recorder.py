"""The recorder: watches a network of PyTorch compute, and builds beside every tensor the node that computes the same.

The network runs as it is, on real numbers, so its ``forward`` may branch, loop and count as it likes. What it calls arrives here through
PyTorch's own door for such watching, ``torch.overrides.TorchFunctionMode``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from glassnet import gates
from glassnet.errors import GlassnetError, ModelError
from glassnet.gates import Array, Node, apply
from glassnet.glassbox.function_gates import FUNCTION_GATES
from glassnet.glassbox.further_gates import StopGradient
from glassnet.glassbox.module_gates import Handler, handler_of
from glassnet.glassbox.shape_gates import evaluated

AGREEMENT = 1e-9  # relative; two computations in float64 differ by rounding alone
OTHERWISE = (
    "write it with operations that have gates, or compare its gradients with glassnet.gradient_check, which needs none"
)
DROPOUT = ("dropout", "dropout1d", "dropout2d", "dropout3d")


@dataclass(frozen=True)
class _Seen:
    """A tensor, kept alive so that its id stays its own, its node, and what autograd held of it when it was made."""

    tensor: Tensor
    node: Node
    history: object


class Recorder(TorchFunctionMode):
    """Records what a network computes while it is the context.

    Attributes:
        module_of: of each gate, by name once :meth:`named` has run: the module whose forward it belongs to.
        missing: what has no gates, each once.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.missing: dict[str, GlassnetError] = {}
        self.module_of: dict[str, str] = {}
        self._net = net
        self._quiet = False
        self._places: list[tuple[str, int]] = [
            ("", 0)
        ]  # modules that are computing, and how many nodes there were before
        self._seen: dict[int, _Seen] = {}
        self._met: dict[int, int] = {}  # nodes that have their names, and which one they were
        self._lost: dict[int, Node] = {}
        self._owned: dict[int, tuple[str, Tensor]] = {}
        for name, tensor in (*net.named_parameters(), *net.named_buffers()):
            self._owned.setdefault(id(tensor), (name, tensor))
        self._parts = {name for name, _ in net.named_modules() if name}
        self._taken = {name for name, _ in self._owned.values()} | self._parts | {"loss", "target"}
        for name, part in list(net.named_modules()):
            part.register_forward_pre_hook(partial(self._enter, name))
            part.register_forward_hook(partial(self._leave, name))
            handler = handler_of(part)
            if handler is not None:
                part.forward = partial(self._layer, part, handler, part.forward)

    def input(self, tensor: Tensor, name: str) -> Tensor:
        """A tensor for the network that stands for an input of the graph."""
        node = gates.inputs(self._unique(name))[0]
        node.value = numbers(tensor)
        given = tensor.clone().requires_grad_() if tensor.is_floating_point() else tensor.clone()
        given = given.clone()  # no leaf, so that a first layer may work in place
        self._met[id(node)] = len(self._met)
        self._seen[id(given)] = _Seen(given, node, given.grad_fn)
        return given

    def node_of(self, tensor: Tensor) -> Node:
        """The node of a tensor; a constant for one that does not depend on inputs or parameters."""
        seen = self._seen.get(id(tensor))
        if seen is not None and seen.history is tensor.grad_fn:
            return seen.node
        if id(tensor) in self._owned and seen is None:
            return self._leaf(*self._owned[id(tensor)])
        if tensor.requires_grad:
            self._miss(
                unseen(tensor),
                fix="use PyTorch's own operations on registered parameters, and torch.cat or torch.where to put parts together",
            )
            self._keep_lost(tensor)
        else:
            self._seen[id(tensor)] = _Seen(tensor, gates.constant(numbers(tensor)), tensor.grad_fn)
        return self._seen[id(tensor)].node

    def mistakes(self, outputs: tuple[Node, ...]) -> list[GlassnetError]:
        """What has no gates, if anything of it has a part in the outputs' gradients."""
        waiting, told = list(outputs), set[int]()
        while waiting:
            node = waiting.pop()
            if id(node) in self._lost:
                return list(self.missing.values())
            if id(node) not in told and not isinstance(node.gate, StopGradient):
                told.add(id(node))
                waiting += node.inputs
        return []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What PyTorch calls instead of ``func``."""
        kwargs = kwargs or {}
        if self._quiet:
            return func(*args, **kwargs)
        with self._quietly():
            return self._call(func, called(func), args, kwargs)

    def _call(self, func: Callable[..., Any], name: str, args: Any, kwargs: Any) -> Any:
        handler = FUNCTION_GATES.get(name)
        going_in = [each for each in flat((args, kwargs)) if isinstance(each, Tensor)]
        linked = any(self._linked(each) for each in going_in)
        nodes = (replaced(args, self.node_of), replaced(kwargs, self.node_of)) if handler and linked else ((), {})
        wants = any(each.requires_grad for each in going_in)
        before = torch.get_rng_state() if name in DROPOUT else None
        result = func(*args, **kwargs)
        coming_out = [each for each in flat(result) if isinstance(each, Tensor)]
        if not coming_out:
            return result
        if handler is None or not linked:
            lost = [each for each in coming_out if each.requires_grad]
            if lost and linked and name not in ("requires_grad_", "retain_grad"):
                self._miss(f"the operation '{name}' has no gate", fix=OTHERWISE)
                for each in lost:
                    self._keep_lost(each)
            return result
        if before is not None:
            nodes[1]["mask"] = self._mask(func, args, kwargs, before)
        made = self._made(name, lambda: handler(*nodes[0], **nodes[1]))
        if made is None:
            for each in coming_out:
                self._keep_lost(each)
            return result
        for tensor, node in zip(coming_out, made, strict=False):
            if node is not None and (tensor.is_floating_point() or not tensor.requires_grad):
                stopped = wants and tensor.is_floating_point() and not tensor.requires_grad
                self._record(tensor, apply(StopGradient(), node) if stopped else node, name)
        return result

    def _layer(self, part: nn.Module, handler: Handler, forward: Callable[..., Tensor], x: Tensor) -> Tensor:
        """In place of the forward of a layer that is a gate of its own."""
        with self._quietly():
            node = self.node_of(x)
            result = forward(x)
            name = type(part).__name__
            made = self._made(name, lambda: handler(part, lambda own: self.node_of(getattr(part, own)), node))
            if made is not None and made[0] is not None:
                self._record(result, made[0], name)
            else:
                self._keep_lost(result)
        return result

    def _made(self, name: str, make: Callable[[], Any]) -> tuple[Node | None, ...] | None:
        """What a handler makes; None where it cannot, which is told."""
        try:
            made = make()
            several = made if isinstance(made, tuple) else (made,)
            for node in several:
                if node is not None:
                    evaluated(node)
        except GlassnetError as error:
            self._miss(error.problem, got=error.got, expected=error.expected, fix=error.fix)
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            self._miss(f"the operation '{name}' has no gate when it is called like this", got=error, fix=OTHERWISE)
        else:
            return several
        return None

    def _record(self, tensor: Tensor, node: Node, name: str) -> None:
        """Keep that a node stands for a tensor, after a look whether it computes the same."""
        value, wanted = evaluated(node).value, numbers(tensor)
        assert value is not None
        largest = float(np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0))
        if value.shape != wanted.shape or not np.allclose(value, wanted, 0, AGREEMENT * largest, equal_nan=True):
            self._miss(
                f"the gates of '{name}' do not compute what PyTorch computes",
                got=f"a value of shape {value.shape}" if value.shape != wanted.shape else None,
                fix="change no tensor in place of which a part is used elsewhere; open the network in evaluation mode",
            )
            self._keep_lost(tensor)
        else:
            node.value = (
                wanted  # so that each gate is judged by itself, and rounding does not grow through a hundred of them
            )
            self._keep(tensor, node)

    def _keep_lost(self, tensor: Tensor) -> None:
        """Keep a constant in place of a node that cannot be, so that what comes after is looked at too."""
        node = gates.constant(numbers(tensor))
        self._keep(tensor, node)
        self._lost[id(node)] = node

    def _keep(self, tensor: Tensor, node: Node) -> None:
        for each in fresh(node, self._met):
            self._met[id(each)] = len(self._met)
            self._name(each)
        self._seen[id(tensor)] = _Seen(tensor, node, tensor.grad_fn)

    def _name(self, node: Node) -> None:
        place = self._places[-1][0]
        if node.kind == "gate":
            assert node.gate is not None
            node.name = self._unique(f"{place}.{node.name or node.gate.name}".lstrip("."))
            self.module_of[node.name] = place
        elif node.kind == "constant" and (not node.name or node.shape != ()):
            node.name = self._unique(f"{place}.{node.name or 'constant'}".lstrip("."))

    def _leaf(self, name: str, tensor: Tensor) -> Node:
        learns = isinstance(tensor, nn.Parameter) and tensor.requires_grad
        node = (gates.parameter if learns else lambda n, v: gates.constant(v, n))(name, numbers(tensor))
        self._met[id(node)] = len(self._met)
        self._seen[id(tensor)] = _Seen(tensor, node, tensor.grad_fn)
        return node

    def _linked(self, tensor: Tensor) -> bool:
        """Whether a tensor depends on inputs or parameters."""
        seen = self._seen.get(id(tensor))
        if seen is not None and seen.history is tensor.grad_fn:
            return seen.node.kind != "constant" or tensor.requires_grad
        return id(tensor) in self._owned or tensor.requires_grad

    def _mask(self, func: Callable[..., Any], args: Any, kwargs: Any, before: Tensor) -> Node | None:
        """Zeros and ones as PyTorch has just drawn them, by drawing once more from the same place."""
        x, *rest = args if args else (kwargs.pop("input"),)
        settings = dict(zip(("p", "training", "inplace"), rest, strict=False)) | kwargs
        if not settings.get("training", True) or not settings.get("p", 0.5):
            return None
        torch.set_rng_state(before)
        kept = func(torch.ones_like(x), p=settings.get("p", 0.5), training=True)
        return gates.constant(np.where(numbers(kept) == 0, 0.0, 1.0), "mask")

    def _enter(self, name: str, part: nn.Module, args: Any) -> None:
        self._places.append((name, len(self._met)))

    def _leave(self, name: str, part: nn.Module, args: Any, result: Any) -> None:
        """Give the module's name to the gate that is its whole result, where nothing lies within."""
        _, before = self._places.pop()
        seen = self._seen.get(id(result)) if isinstance(result, Tensor) else None
        if seen is None or seen.node.kind != "gate" or any(True for _ in part.children()):
            return
        if name in self._parts and self._met.get(id(seen.node), -1) >= before:
            self._parts.discard(name)
            self.module_of[name] = self.module_of.pop(seen.node.name, name)
            self._taken.discard(seen.node.name)
            seen.node.name = name

    def _miss(self, problem: str, **more: Any) -> None:
        place = self._places[-1][0]
        part = type(self._net.get_submodule(place)).__name__
        where = f"module '{place}' ({part})" if place else f"the forward of {part}"
        told = self.missing.get(problem)
        if told is None:
            self.missing[problem] = ModelError(problem, where=where, **more)
        elif told.where is not None and where not in told.where.split(", "):
            self.missing[problem] = ModelError(
                problem, where=f"{told.where}, {where}", got=told.got, expected=told.expected, fix=told.fix
            )

    def _unique(self, stem: str) -> str:
        name, count = stem, 1
        while name in self._taken:
            count += 1
            name = f"{stem}{'_' if stem[-1:].isdigit() else ''}{count}"
        self._taken.add(name)
        return name

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


def called(func: Any) -> str:
    """The name of what is called: of a function, a method without its in-place mark, or a property."""
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        return str(getattr(getattr(func, "__self__", None), "__name__", name))
    return name.rstrip("_") if not name.startswith("__") else name


def unseen(tensor: Tensor) -> str:
    """What made a tensor that was not seen being made."""
    history: object = tensor.grad_fn
    function = "" if history is None else type(history).__name__
    if isinstance(history, torch.autograd.function.BackwardCFunction):
        return f"the autograd function '{function.removesuffix('Backward')}' has no gate"
    if function == "CopySlices":
        return "writing into a part of a tensor has no gate"
    if function:
        return f"a tensor was changed or made out of sight, by '{function}'"
    return "a tensor learns that is no registered parameter of the network"


def numbers(tensor: Tensor) -> Array:
    """A tensor's numbers, in an array of its own."""
    return np.array(tensor.detach().cpu().double().numpy())


def fresh(node: Node, met: dict[int, int]) -> list[Node]:
    """The nodes behind this one that have not been met, inputs before what takes them."""
    found: list[Node] = []
    told: set[int] = set()
    waiting: list[tuple[Node, bool]] = [(node, False)]
    while waiting:
        now, done = waiting.pop()
        if done:
            found.append(now)
        elif id(now) not in met and id(now) not in told:
            told.add(id(now))
            waiting.append((now, True))
            waiting += [(each, False) for each in reversed(now.inputs)]
    return found


def flat(value: Any) -> list[Any]:
    """Everything in a nest of arguments."""
    if isinstance(value, dict):
        return [each for item in value.values() for each in flat(item)]
    if isinstance(value, tuple | list):
        return [each for item in value for each in flat(item)]
    return [value]


def replaced(value: Any, of: Callable[[Tensor], Any]) -> Any:
    """The same nest of arguments with something else in place of every tensor."""
    if isinstance(value, Tensor):
        return of(value)
    if isinstance(value, dict):
        return {key: replaced(item, of) for key, item in value.items()}
    if isinstance(value, tuple | list) and not isinstance(value, torch.Size):
        made = [replaced(item, of) for item in value]
        return tuple(made) if isinstance(value, tuple) else made
    return value
