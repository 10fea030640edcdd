"""Networks that read trees over words from their leaves to their roots: TreeRNN, RNTN and Tree-LSTM."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn

from glassnet.errors import ModelError
from glassnet.layers.token_embedding import TokenEmbedding
from glassnet.zoo.entry import Entry, Reference
from glassnet.zoo.options import check_dropout
from glassnet.zoo.shape import written
from glassnet.zoo.text_shape import at_least_one
from glassnet.zoo.tree_cells import BinaryLSTMCell, ChildSumLSTMCell, PlainCell, TensorCell, TreeCell
from glassnet.zoo.tree_levels import Levels, levels_of

Form = Literal["auto", "binary", "child-sum"]


class TreeNet(nn.Module):
    """Embedding of words, a cell that makes a node of its children, and one classifier for all nodes.

    Nodes of one depth are computed together, of all trees in the batch: as many steps as the deepest tree is deep, however many trees there are. What a
    tree is told of does not depend on the others.

    In training the classes of all nodes are learnt, and not the root's alone (Socher et al. 2013, section 4): then the output is a tuple, (roots (batch,
    classes), other nodes (nodes, classes), their classes).

    Args:
        vocabulary: numbers that a word can have.
        embed: length of a word's vector.
        cell: what a node makes of its children.
        outputs: classes.
        dropout: probability to drop a number of a word's vector, and of what the classifier sees.
        nodes: whether nodes below the root are learnt too.
    """

    def __init__(
        self, vocabulary: int, embed: int, cell: TreeCell, outputs: int, dropout: float, *, nodes: bool
    ) -> None:
        super().__init__()
        self.embed = TokenEmbedding(vocabulary, embed)
        self.embed_drop = nn.Dropout(dropout)
        self.cell = cell
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(cell.hidden, outputs)
        self.says_nodes = nodes
        self.stages: tuple[str, ...] = ("embed", "cell")

    def states(self, levels: Levels) -> list[Tensor]:
        """The h of each level's nodes, the deepest first, (nodes, hidden)."""
        leaves = self.cell.leaf(self.embed_drop(self.embed(levels.words)))
        below = leaves[:0]
        seen: list[Tensor] = []
        for level in levels.levels:
            state = leaves[level.leaves[0] : level.leaves[1]]
            if level.inner:
                state = torch.cat([self.cell.inner(below, level.children), state]).index_select(0, level.order)
            below = state
            seen.append(state[:, : self.cell.hidden])
        return seen

    def features(self, x: Tensor) -> Tensor:
        """int64 (batch, nodes, 4) → the roots' h (batch, hidden)."""
        return self.drop(self.states(levels_of(x))[-1])  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """int64 (batch, nodes, 4) → (batch, outputs); in training with the other nodes' (nodes, outputs) and classes (nodes,)."""
        if not (self.training and self.says_nodes):
            return self.head(self.features(x))  # type: ignore[no-any-return]
        levels = levels_of(x)
        every = self.head(self.drop(torch.cat(self.states(levels))))
        others = len(every) - len(x)
        return every[others:], every[:others], levels.classes[:others]


def tree_shape(shape: tuple[int, ...], vocabulary: int, *, net: str) -> None:
    """Refuse inputs that are no trees.

    Raises:
        ModelError: they are none.
    """
    if vocabulary < 2 or len(shape) != 2 or shape[1] != 4:
        raise ModelError(
            "this net reads trees, and these inputs are none",
            where=net,
            got=f"inputs of shape {written(shape)}",
            expected="trees in brackets",
            fix="choose a net that reads any shape, such as mlp",
        )


def plain_tree(
    name: str,
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    hidden: int = 32,
    dropout: float = 0.2,
    nodes: bool = True,
) -> TreeNet:
    """TreeRNN or RNTN, whose words are vectors of the same length as nodes.

    Args:
        name: tree-rnn or rntn.
        shape: (nodes of the largest tree, 4).
        outputs: classes.
        vocabulary: numbers that a word can have; known from the data
        hidden: numbers of a node, and of a word's vector
        dropout: probability to drop a number of a word's vector, and of what the classifier sees, in training
        nodes: whether nodes below the root are learnt too, where they have a class

    Raises:
        ModelError: the inputs are no trees.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    tree_shape(shape, vocabulary, net=name)
    at_least_one(name, hidden=hidden)
    check_dropout(name, dropout)
    cell = PlainCell(hidden) if name == "tree-rnn" else TensorCell(hidden)
    return TreeNet(vocabulary, hidden, cell, outputs, dropout, nodes=nodes)


def tree_lstm(
    shape: tuple[int, ...],
    outputs: int,
    vocabulary: int = 0,
    children: int = 2,
    form: Form = "auto",
    embed: int = 128,
    hidden: int = 128,
    dropout: float = 0.5,
    nodes: bool = True,
) -> TreeNet:
    """Tree-LSTM.

    Args:
        shape: (nodes of the largest tree, 4).
        outputs: classes.
        vocabulary: numbers that a word can have; known from the data
        children: the most that a node has; known from the data
        form: binary tells the left child from the right one, child-sum reads any number of children; auto takes binary where it can
        embed: length of a word's vector
        hidden: numbers of a node's h, and of its c
        dropout: probability to drop a number of a word's vector, and of what the classifier sees, in training
        nodes: whether nodes below the root are learnt too, where they have a class

    Raises:
        ModelError: the inputs are no trees.
        UsageError: a size below 1, or a dropout outside [0, 1).
    """
    tree_shape(shape, vocabulary, net="tree-lstm")
    at_least_one("tree-lstm", embed=embed, hidden=hidden)
    check_dropout("tree-lstm", dropout)
    binary = form == "binary" or (form == "auto" and children <= 2)
    cell = BinaryLSTMCell(embed, hidden) if binary else ChildSumLSTMCell(embed, hidden)
    return TreeNet(vocabulary, embed, cell, outputs, dropout, nodes=nodes)


_WORDS = MappingProxyType({"vocabulary": 1_000})
_SOCHER = "Socher and others, Recursive deep models for semantic compositionality over a sentiment treebank, 2013"

TREE_NETS: dict[str, Entry] = {
    "tree-rnn": Entry(
        name="tree-rnn",
        build=partial(plain_tree, "tree-rnn"),
        kinds=("tree",),
        title="recursive net over trees",
        paper=_SOCHER,
        minimum=1,
        references=(Reference((9, 4), 5, 34_245, "1,000·32 + 64·32 + 32 + 33·5", _WORDS),),
    ),
    "rntn": Entry(
        name="rntn",
        build=partial(plain_tree, "rntn"),
        kinds=("tree",),
        title="recursive neural tensor net over trees",
        paper=_SOCHER,
        minimum=1,
        references=(Reference((9, 4), 5, 165_317, "1,000·32 + 32·64² + 64·32 + 32 + 33·5", _WORDS),),
    ),
    "tree-lstm": Entry(
        name="tree-lstm",
        build=tree_lstm,
        kinds=("tree",),
        title="long short-term memory over trees, binary or child-sum",
        paper="Tai, Socher, Manning, Improved semantic representations from tree-structured LSTM networks, 2015",
        minimum=1,
        references=(
            Reference((9, 4), 5, 342_661, "1,000·128 + 384·129 + 640·257 + 129·5", _WORDS),
            Reference(
                (9, 4),
                5,
                244_229,
                "1,000·128 + 2·384·129 + 128·129 + 129·5",
                {**_WORDS, "form": "child-sum"},
            ),
        ),
    ),
}
