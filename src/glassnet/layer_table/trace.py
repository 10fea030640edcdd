"""One pass of one input through a network, watched operation by operation.

The pass runs on PyTorch's ``meta`` device, where tensors have a shape and no values, so that it costs next to nothing even for a
large network. Where a network cannot run there (its code asks for values, or keeps tensors that are not registered), a copy of it
runs for real on zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from glassnet.layer_table.counts import COUNTS
from glassnet.layer_table.field_rules import follow
from glassnet.layer_table.receptive_field import Field, field_of_input
from glassnet.layers.twin import twin

# An operation called in a way that no rule foresaw must not look like a fault of the network: its figures are left open.
UNFORESEEN = (IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError)

SMALL = 30_000_000  # parameters


@dataclass
class Call:
    """What was seen of one call of a module, or of one function called by a module's own code.

    Attributes:
        path: the module's place in the network.
        module: the module.
        function: the function's name; empty for a call of the module itself.
        inputs: shapes of the tensors that came in, the batch included.
        output: shape of the (first) tensor that went out.
        kernel: window of a function that has one.
        connections: inputs drawn on, summed over all outputs, biases counted.
        multiply_adds: products of two numbers that are summed up.
        activation_bytes: memory of all results.
        sees: field of the output; None where not known or where the output does not depend on the input.
    """

    path: str
    module: nn.Module
    function: str = ""
    inputs: list[tuple[int, ...]] = field(default_factory=list)
    output: tuple[int, ...] | None = None
    kernel: tuple[int, ...] = ()
    connections: int = 0
    multiply_adds: int = 0
    activation_bytes: int = 0
    sees: Field | None = None


@dataclass
class Trace:
    """The whole pass.

    Attributes:
        calls: calls of modules without parts of their own, of modules with weights of their own, and of functions that count.
        activation_bytes: memory of all results of the pass.
        largest_step_bytes: the largest sum of what one operation reads and writes, weights left out.
        failed: the innermost call that did not end, and its error.
    """

    calls: list[Call] = field(default_factory=list)
    activation_bytes: int = 0
    largest_step_bytes: int = 0
    failed: tuple[Call, Exception] | None = None


def trace(net: nn.Module, shape: tuple[int, ...], dtype: torch.dtype) -> Trace:
    """Watch one input of zeros pass through a network in evaluation mode; the network is left as it was.

    Args:
        net: any module that takes one tensor.
        shape: shape of one input.
        dtype: its type.
    """
    if any(is_lazy(tensor) for tensor in (*net.parameters(), *net.buffers())):
        return _watch(net, shape, dtype, on_meta=False)  # cannot be copied before its weights have a shape
    if not _quickly_run(net):
        seen = _watch(net, shape, dtype, on_meta=True)
        if not seen.failed:
            return seen
    seen = _watch(twin(net), shape, dtype, on_meta=False)
    for call in seen.calls if seen.failed is None else [*seen.calls, seen.failed[0]]:
        call.module = net.get_submodule(call.path)  # of the network itself, not of its copy
    return seen


def _quickly_run(net: nn.Module) -> bool:
    """Whether one input with values shows all that there is to see, in some hundredths of a second.

    Without values, on PyTorch's meta device, any network takes neither time nor memory, but PyTorch loads its compiler for the first convolution there, which
    takes a second or more. With values, attention and recurrent layers take short ways past their parts.
    """
    short = any(isinstance(module, nn.MultiheadAttention | nn.RNNBase) for module in net.modules())
    return not short and sum(tensor.numel() for tensor in net.parameters()) <= SMALL


def is_atomic(module: nn.Module) -> bool:
    """Whether a module is told in one row: it has no parts, or its parts are not called by themselves."""
    if isinstance(module, nn.MultiheadAttention) or is_parametrized(module):
        return True
    return next(module.children(), None) is None


def _watch(net: nn.Module, shape: tuple[int, ...], dtype: torch.dtype, on_meta: bool) -> Trace:
    watcher = _Watcher()
    device = "meta" if on_meta else next((tensor.device for tensor in net.parameters()), torch.device("cpu"))
    x = torch.zeros((1, *shape), dtype=dtype, device=device)
    watcher.follow_input(x)
    with torch.random.fork_rng(devices=[]), torch.no_grad(), _evaluating(net), _hooked(net, watcher):
        try:
            if on_meta:
                tensors = {**dict(net.named_parameters()), **dict(net.named_buffers())}
                stand_ins = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
                with watcher:
                    torch.func.functional_call(net, stand_ins, (x,))
            else:
                with watcher:
                    net(x)
        except Exception as error:  # a network's own code may raise anything, and the table tells it
            innermost = watcher.open[-1] if watcher.open else Call("", net, inputs=[tuple(x.shape)])
            watcher.seen.failed = (innermost, error)
    return watcher.seen


@contextmanager
def _evaluating(net: nn.Module) -> Iterator[None]:
    """Evaluation mode, set on each module itself because a network's own ``train`` may do more than set a flag."""
    before = {module: module.training for module in net.modules()}
    try:
        for module in before:
            module.training = False
        yield
    finally:
        for module, training in before.items():
            module.training = training


@contextmanager
def _hooked(net: nn.Module, watcher: _Watcher) -> Iterator[None]:
    handles: list[Any] = []
    try:
        _hook(net, "", watcher, handles, set())
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(module: nn.Module, path: str, watcher: _Watcher, handles: list[Any], done: set[nn.Module]) -> None:
    if module in done:
        return
    done.add(module)

    def before(module: nn.Module, arguments: Any, keywords: Any) -> None:
        watcher.enter(path, module, (arguments, keywords))

    def after(module: nn.Module, arguments: Any, output: Any) -> None:
        watcher.leave(module, output)

    handles.append(module.register_forward_pre_hook(before, with_kwargs=True))
    handles.append(module.register_forward_hook(after))
    if not is_atomic(module):
        for name, child in module.named_children():
            _hook(child, f"{path}.{name}" if path else name, watcher, handles, done)


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts every operation to the module that is running, and follows the receptive field through it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen = Trace()
        self.open: list[Call] = []
        # Tensors are held so that their ids stay theirs. On the meta device this costs no memory.
        self.fields: dict[int, tuple[Tensor, Field | None]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: else PyTorch would load its compiler to keep it away, for a second or more. No compiled code runs under this."""
        return False

    def follow_input(self, x: Tensor) -> None:
        self.fields[id(x)] = (x, field_of_input(x.shape))

    def enter(self, path: str, module: nn.Module, arguments: Any) -> None:
        self.open.append(Call(path, module, inputs=[tuple(x.shape) for x in _tensors(arguments)]))

    def leave(self, module: nn.Module, output: Any) -> None:
        while (call := self.open.pop()).module is not module:
            pass  # calls that ended in an error which the network's own code caught
        if not is_atomic(module) and next(module.parameters(recurse=False), None) is None:
            return
        for out in _tensors(output)[:1]:
            call.output = tuple(out.shape)
            call.sees = self.fields.get(id(out), (out, None))[1]
        self.seen.calls.append(call)

    def __torch_dispatch__(  # type: ignore[no-untyped-def]
        self, func, types, args=(), kwargs=None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        inputs, outputs = _tensors((args, kwargs)), _tensors(result)
        self._follow(func, args, inputs, outputs)
        fresh = _bytes(outputs) if func._schema.returns and func._schema.returns[0].alias_info is None else 0
        if func._schema.name == "aten::_unsafe_view":
            fresh = 0
        read = _bytes([tensor for tensor in inputs if id(tensor) in self.fields])
        self.seen.activation_bytes += fresh
        self.seen.largest_step_bytes = max(self.seen.largest_step_bytes, read + fresh)
        if self.open and outputs:
            self._count(func, args, outputs[0], fresh)
        return result

    def _follow(self, func: Any, args: Sequence[Any], inputs: list[Tensor], outputs: list[Tensor]) -> None:
        fields = {id(tensor): self.fields[id(tensor)][1] for tensor in inputs if id(tensor) in self.fields}
        if fields:
            for out in outputs:
                try:
                    sees = follow(func, args, fields, out)
                except UNFORESEEN:
                    sees = None
                self.fields[id(out)] = (out, sees)

    def _count(self, func: Any, args: Sequence[Any], out: Tensor, fresh: int) -> None:
        name = func._schema.name.removeprefix("aten::")
        try:
            connections, multiply_adds, kernel = COUNTS[name](args, out) if name in COUNTS else (0, 0, ())
        except UNFORESEEN:
            connections, multiply_adds, kernel = 0, 0, ()
        call = self.open[-1]
        if connections and not is_atomic(call.module):
            call = Call(call.path, call.module, name.strip("_").removesuffix("_with_indices"), kernel=kernel)
            call.output, call.sees = tuple(out.shape), self.fields.get(id(out), (out, None))[1]
            self.seen.calls.append(call)
        call.connections += connections
        call.multiply_adds += multiply_adds
        call.activation_bytes += fresh


def _tensors(nested: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(nested) if isinstance(leaf, Tensor)]


def _bytes(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
