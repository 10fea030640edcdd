"""What the network takes for alike: nearest neighbours by the last hidden layer (requirement V4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glassnet.explain.hidden import hidden
from glassnet.explain.subject import Array, Inputs, array, subject
from glassnet.model import Model


@dataclass(frozen=True)
class Neighbours:
    """The nearest of a collection for each query.

    Attributes:
        names: of the queries.
        queries: as they are drawn, 0…1, for images; else as they came.
        indices: (queries, count), nearest first.
        distances: (queries, count), Euclidean in the last hidden layer.
        found: (queries, count, …), as drawn.
        found_names: names of the found, one tuple a query.
    """

    names: tuple[str, ...]
    queries: Array
    indices: NDArray[np.int64]
    distances: Array
    found: Array
    found_names: tuple[tuple[str, ...], ...]


def neighbours(
    model: Model | nn.Module, queries: Inputs, among: Inputs, count: int = 5, *, skip_itself: bool = False
) -> Neighbours:
    """Nearest neighbours by Euclidean distance between the last hidden layers (Krizhevsky, Sutskever, Hinton 2012, section 6.1).

    Args:
        model: a model of Glassnet or any module.
        queries: what to find neighbours of.
        among: where to look, such as the training part.
        count: neighbours of each query.
        skip_itself: leave out a neighbour whose input is the query itself.
    """
    asked, others = subject(model, queries), subject(model, among)
    one, all_others = hidden(asked).double(), hidden(others).double()
    distance = torch.cdist(one, all_others, compute_mode="donot_use_mm_for_euclid_dist")
    if skip_itself:
        for row, x in enumerate(asked.x):
            same = (others.x == x).flatten(1).all(1)
            distance[row, same] = torch.inf
    near: Tensor
    near, index = distance.topk(min(count, distance.shape[1]), largest=False)
    at = index.cpu().numpy()
    return Neighbours(
        asked.names,
        asked.drawn,
        at,
        array(near),
        others.drawn_of(at),
        tuple(tuple(others.names[i] for i in row) for row in at.tolist()),
    )
