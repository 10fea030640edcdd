"""The table's records, and how they are made of what a pass has shown."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from glassnet.errors import ModelError
from glassnet.layer_table.misfit import explain
from glassnet.layer_table.text import render
from glassnet.layer_table.trace import Call, is_atomic, trace


@dataclass(frozen=True, slots=True)
class Layer:
    """One row: a call of a layer.

    Attributes:
        path: the layer's place in the network, as for ``net.get_submodule``; empty for the network itself.
        kind: its class, or the name of a function called by the code of the module at ``path``.
        output: shape that goes out for one input, without the batch.
        kernel: window of a convolution or pooling; empty for others.
        connections: how many numbers all outputs together draw on, biases counted (LeCun et al., 1998, count so). A layer that
            computes in another way than it counts says so itself by ``count_connections(output)``, output without the batch.
        parameters: trainable and frozen numbers, counted at their first use.
        multiply_adds: products that are summed up, for one input: those of convolutions, dense layers and attention.
        receptive_field: input positions along each axis that one output sees, through the widest branch, positions in padding
            counted; no more than the input once all positions are mixed. Empty where the input has no positions, None where the
            path to here holds an operation whose field is not known.
        activation_bytes: memory of all that the layer computes for one input.
    """

    path: str
    kind: str
    output: tuple[int, ...]
    kernel: tuple[int, ...]
    connections: int
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, ...] | None
    activation_bytes: int


@dataclass(frozen=True, slots=True)
class Failure:
    """The layer that the input did not fit.

    Attributes:
        path: its place in the network; empty for the network itself.
        kind: its class.
        expected: what would have fitted; None where this is not known.
        got: what came in, or the layer's own complaint.
        fix: what to write instead, where this is known.
    """

    path: str
    kind: str
    expected: str | None
    got: str
    fix: str | None

    @property
    def layer(self) -> str:
        """The layer's place and class, such as ``classifier.0 (Linear)``."""
        return f"{self.path} ({self.kind})" if self.path else self.kind

    def __str__(self) -> str:
        said = f"expects {self.expected}, got {self.got}" if self.expected else f"does not accept {self.got}"
        return f"{self.layer} {said}" + (f": {self.fix}" if self.fix else "")

    def error(self) -> ModelError:
        """The same as an error, for who cannot go on."""
        return ModelError(
            "the network does not accept these inputs",
            where=self.layer,
            got=self.got,
            expected=self.expected,
            fix=self.fix,
        )


@dataclass(frozen=True, slots=True)
class LayerTable:
    """All rows and the sums.

    Attributes:
        net: class of the network.
        shape: shape of one input.
        rows: in the order of the calls; where the input does not fit, those before the misfit.
        failed: the misfit.
        parameters: numbers in the whole network, each once, whether used or not.
        trainable: those that are trained.
        unused: parameters that no row holds, by name: the pass did not come by them.
        weight_bytes: memory of parameters and buffers.
        trainable_bytes: memory of the trainable parameters.
        activation_bytes: memory of everything computed for one input.
        largest_step_bytes: the most that a single operation reads and writes for one input.
    """

    net: str
    shape: tuple[int, ...]
    rows: tuple[Layer, ...]
    failed: Failure | None
    parameters: int
    trainable: int
    unused: tuple[str, ...]
    weight_bytes: int
    trainable_bytes: int
    activation_bytes: int
    largest_step_bytes: int

    @property
    def multiply_adds(self) -> int:
        """Of the whole network, for one input."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def connections(self) -> int:
        """Of the whole network."""
        return sum(row.connections for row in self.rows)

    def forward_bytes(self, batch: int = 1) -> int:
        """Memory to predict a batch, estimated: the weights, and the operation that reads and writes most."""
        return self.weight_bytes + batch * self.largest_step_bytes

    def backward_bytes(self, batch: int = 1) -> int:
        """Memory to train on a batch, estimated: weights and their gradients, and all activations kept for the way back.

        An optimiser's own state comes on top: once the trainable weights for momentum, twice for Adam.
        """
        return self.weight_bytes + self.trainable_bytes + batch * self.activation_bytes

    def text(self, width: int = 100) -> str:
        """The table in plain text of at most ``width`` characters a line, repeated blocks told once."""
        return render(self, width)


def layer_table(net: nn.Module, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> LayerTable:
    """The layer table of any network that takes one tensor.

    One input passes in evaluation mode without gradients; weights, buffers, training flags, hooks and random state stay as they
    are. Only a network with lazy layers (``nn.LazyLinear`` and its like) is changed: it gets its weights, for these inputs.

    Args:
        net: any module.
        shape: shape of one input, without the batch.
        dtype: its type; int64 for a network that starts with an embedding.
    """
    seen = trace(net, shape, dtype)
    counted: set[nn.Parameter] = set()
    rows = tuple(_row(call, counted) for call in seen.calls if call.output is not None)
    parameters = [parameter for parameter in net.parameters() if not nn.parameter.is_lazy(parameter)]
    weights = [*parameters, *(buffer for buffer in net.buffers() if not nn.parameter.is_lazy(buffer))]
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    return LayerTable(
        net=type(net).__name__,
        shape=shape,
        rows=rows,
        failed=None if seen.failed is None else _failure(*seen.failed),
        parameters=sum(parameter.numel() for parameter in parameters),
        trainable=sum(parameter.numel() for parameter in trained),
        unused=() if seen.failed else tuple(n for n, p in net.named_parameters() if p not in counted),
        weight_bytes=sum(tensor.numel() * tensor.element_size() for tensor in weights),
        trainable_bytes=sum(tensor.numel() * tensor.element_size() for tensor in trained),
        activation_bytes=seen.activation_bytes,
        largest_step_bytes=seen.largest_step_bytes,
    )


def _row(call: Call, counted: set[nn.Parameter]) -> Layer:
    assert call.output is not None
    parameters = 0
    if not call.function:
        for parameter in call.module.parameters(recurse=is_atomic(call.module)):
            if parameter not in counted:
                counted.add(parameter)
                parameters += parameter.numel()
    return Layer(
        path=call.path,
        kind=call.function or type(call.module).__name__,
        output=call.output[1:],
        kernel=call.kernel or _kernel(call),
        connections=_connections(call, call.output[1:]),
        parameters=parameters,
        multiply_adds=call.multiply_adds,
        receptive_field=None if call.sees is None else tuple(axis.width for axis in call.sees.axes),
        activation_bytes=call.activation_bytes,
    )


def _connections(call: Call, output: tuple[int, ...]) -> int:
    told = None if call.function else getattr(call.module, "count_connections", None)
    return int(told(output)) if callable(told) else call.connections


def _kernel(call: Call) -> tuple[int, ...]:
    kernel = getattr(call.module, "kernel_size", ())
    if isinstance(kernel, int):
        spatial = max(0, len(call.inputs[0]) - 2) if call.inputs else 1
        return (kernel,) * spatial
    return tuple(kernel) if isinstance(kernel, tuple) else ()


def _failure(call: Call, error: Exception) -> Failure:
    expected, got, fix = explain(call.module, call.inputs, error)
    return Failure(call.path, type(call.module).__name__, expected, got, fix)
