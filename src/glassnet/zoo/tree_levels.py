"""Many trees at once, cut into levels: all nodes of one depth together, whichever trees they stand in."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

SMALLEST = ((0, 2, 1, 0), (0, 0, 2, 0), (0, 0, 2, 0))


class Level(NamedTuple):
    """The nodes of one depth.

    Attributes:
        inner: how many of them have children.
        leaves: which leaves they hold: a piece of all leaves, (begin, end).
        order: int64 (nodes,): of the inner nodes and behind them the leaves, which one stands at each place.
        children: int64 (inner,): how many children each inner node has; they are the nodes of the level below, in their order.
    """

    inner: int
    leaves: tuple[int, int]
    order: Tensor
    children: Tensor


class Levels(NamedTuple):
    """A batch of trees.

    A node's children stand one level below it. The nodes of a level keep the order in which they came, and so do their children, so that
    a level is just the children of the inner nodes above it, one family after another: nothing needs to be looked for.

    Attributes:
        words: of all leaves, those of the deepest level first, int64 (leaves,).
        levels: the deepest first; the last holds the roots, one for each tree.
        classes: of all nodes, in the order of the levels, int64 (nodes,): -1 where a node has none.
    """

    words: Tensor
    levels: list[Level]
    classes: Tensor


def levels_of(x: Tensor) -> Levels:
    """Cut a batch of trees into levels.

    Args:
        x: int64 (batch, nodes, 4): word, children, depth (1 at the root) and class + 1 of each node, the root first and each before its
            children; zeros behind a tree's end. A row of zeros, in which there is no tree, is read as the smallest one: a root over two words 0.
    """
    if bool((x[:, 0, 2] == 0).any()):
        x = x.clone()
        x[x[:, 0, 2] == 0, : len(SMALLEST)] = x.new_tensor(SMALLEST)[: x.shape[1]]
    word, children, depth, label = x.unbind(2)
    inside = depth > 0
    word, children, depth, label = word[inside], children[inside], depth[inside], label[inside]
    order = torch.argsort(depth, descending=True, stable=True)
    word, children, depth, label = word[order], children[order], depth[order], label[order]
    leaf = children == 0
    sizes = torch.bincount(depth)[1:].flip(0)  # the deepest first
    ends = sizes.cumsum(0)
    leaves_before = torch.cat([leaf.new_zeros(1, dtype=torch.int64), leaf.cumsum(0)])
    begins, leaf_begins = ends - sizes, leaves_before[ends - sizes]
    inner_sizes = sizes - (leaves_before[ends] - leaf_begins)
    # place of each node among its level's inner nodes, or behind them among its level's leaves
    at = torch.arange(len(depth), device=x.device) - begins.repeat_interleave(sizes)
    leaf_at = leaves_before[:-1] - leaf_begins.repeat_interleave(sizes)
    place = torch.where(leaf, inner_sizes.repeat_interleave(sizes) + leaf_at, at - leaf_at)
    grown = children[~leaf]
    made: list[Level] = []
    begin = inner_begin = 0
    leaf_ends = leaves_before[ends].tolist()
    for size, inner, first, last in zip(
        sizes.tolist(), inner_sizes.tolist(), leaf_begins.tolist(), leaf_ends, strict=True
    ):
        made.append(Level(inner, (first, last), place[begin : begin + size], grown[inner_begin : inner_begin + inner]))
        begin, inner_begin = begin + size, inner_begin + inner
    return Levels(word[leaf], made, label - 1)
