"""Whether two readings of some data gave the same samples, in the same parts."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from glassnet.data.dataset import Data, InMemory
from glassnet.data.graph import graphs_of, nodes_of
from glassnet.data.pairs import pairs_of
from glassnet.data.ragged import ragged_of
from glassnet.data.stream import stream_of


def fingerprint_of(data: Data) -> str:
    """SHA-256 over the training part's inputs and targets (of streamed inputs: their names), as they were divided."""
    digest = hashlib.sha256()
    for name in sorted(data.parts):
        part = data.parts[name]
        digest.update(f"{name} {len(part)}\n".encode())
        digest.update(_bytes(part.targets))
        if isinstance(part.inputs, InMemory):
            digest.update(_bytes(part.inputs.values))
        elif (stream := stream_of(part.inputs)) is not None:
            digest.update(_bytes(stream.values))
        elif (pairs := pairs_of(part.inputs)) is not None:
            of, index = pairs
            for rows in (of.read, of.written):
                digest.update(b"" if rows is None else _bytes(rows.values))
            digest.update(_bytes(index))
        elif (found := ragged_of(part.inputs)) is not None:
            for tensor in (found[1], found[0].values, found[0].offsets):
                digest.update(_bytes(tensor))
        elif (graphs := graphs_of(part.inputs)) is not None:
            every, offsets = graphs[0].graph, graphs[0].graph.offsets
            assert offsets is not None, "these are many graphs"
            for tensor in (graphs[1], every.features, every.edges, offsets):
                digest.update(_bytes(tensor))
        elif (nodes := nodes_of(part.inputs)) is not None:
            for tensor in (nodes[1], nodes[0].graph.features, nodes[0].graph.edges):
                digest.update(_bytes(tensor))
        else:
            digest.update("\n".join(part.names).encode())
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return memoryview(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
