"""A gate against a reference of PyTorch, in float64: the value and all gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from glassnet.gates import Gate, Graph, Node, apply

TOLERANCE = 1e-10


def close(ours: NDArray[np.float64], theirs: NDArray[np.float64], what: str = "") -> None:
    """Equal shapes, and no two numbers further apart than 1e-10, or than 1e-10 of the number where that is more."""
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, expected {theirs.shape}"
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE, atol=TOLERANCE, err_msg=what)


def numbers(seed: int, *shapes: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Normal random numbers for each shape."""
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape) for shape in shapes]


def agrees(
    gate: Gate | Callable[..., Node],
    reference: Callable[..., Tensor],
    *arrays: NDArray[np.float64],
    fixed: tuple[int, ...] = (),
) -> None:
    """The gate, or a function of nodes, computes what the reference computes, forward and backward.

    Args:
        gate: a gate, or a function that builds nodes from nodes.
        reference: the same with PyTorch, its gradients by autograd.
        arrays: the inputs.
        fixed: numbers of the inputs that have no gradient; the reference gets them as whole numbers if they are.
    """
    nodes = [Node("input", f"x{number}") for number in range(len(arrays))]
    output = apply(gate, *nodes) if isinstance(gate, Gate) else gate(*nodes)
    graph = Graph(output)
    value = graph.forward({f"x{number}": array for number, array in enumerate(arrays)})

    tensors = [torch.tensor(array, requires_grad=number not in fixed) for number, array in enumerate(arrays)]
    given = [t.long() if n in fixed and bool((t == t.round()).all()) else t for n, t in enumerate(tensors)]
    expected = reference(*given)
    close(value, expected.detach().numpy(), "value")

    upstream = np.random.default_rng(value.size).standard_normal(value.shape)
    gradients = graph.backward(upstream)
    expected.backward(torch.from_numpy(upstream))
    for number, tensor in enumerate(tensors):
        if number in fixed:
            assert f"x{number}" not in gradients
        else:
            assert tensor.grad is not None
            close(gradients[f"x{number}"], tensor.grad.numpy(), f"gradient of input {number}")
