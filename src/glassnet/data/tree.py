"""Labelled trees over words, as rows of whole numbers: four for each node, in the order in which the brackets open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from glassnet.data.dataset import Data, Part, Subset
from glassnet.data.ragged import Ragged, ragged_of
from glassnet.data.tokens import code

FIELDS = 4  # of a node: the code of its word, 1 + its children, its depth (the root's is 1), 2 + the place of its class
INNER = 2  # the code of a node without a word; no word has it
UNLABELLED = 1
MOST_NODES = 5_000  # of one tree
_TOKEN = re.compile(r"[()]|[^() \t\r\n\f\v]+")  # a no-break space may stand within a word


class NoTree(ValueError):  # noqa: N818
    """A text that is no tree; its message says why, as a phrase."""


@dataclass(frozen=True)
class Node:
    """A node as it stands in the brackets.

    Attributes:
        label: what stands behind its bracket; None where nothing does.
        word: its word, where it has no children.
        children: how many it has.
        depth: 1 at the root.
    """

    label: str | None
    word: str | None
    children: int
    depth: int


class Trees(Ragged):
    """Trees as a source of raw inputs, int64 (4 · nodes,)."""

    def unlabelled(self, position: int) -> torch.Tensor:
        """One tree's words and shape, by which it is told from others."""
        return self.row(position).reshape(-1, FIELDS)[:, : FIELDS - 1]


def parse_tree(text: str) -> list[Node]:
    """The nodes of one tree, ``(3 (2 a) (4 (3 lovely) (2 film)))``, the root first, each before its children.

    Raises:
        NoTree: brackets that do not fit together, a node with neither word nor children or with both, more than one tree, or none.
    """
    nodes: list[Node] = []
    path: list[int] = []  # open nodes, the innermost last
    words: list[list[str]] = []  # what stands in each of them besides brackets
    tokens = _TOKEN.findall(text)
    for number, token in enumerate(tokens):
        if token == "(":  # noqa: S105 - a bracket
            if nodes and not path:
                raise NoTree("something stands behind the end of the tree")
            if path:
                parent = nodes[path[-1]]
                nodes[path[-1]] = replace(parent, children=parent.children + 1)
            nodes.append(Node(None, None, 0, len(path) + 1))
            path.append(len(nodes) - 1)
            words.append([])
            if len(nodes) > MOST_NODES:
                raise NoTree(f"more than {MOST_NODES:,} nodes")
        elif token == ")":  # noqa: S105 - a bracket
            if not path:
                raise NoTree("a ')' that nothing opened" if nodes else "it begins with a ')'")
            place, inside = path.pop(), words.pop()
            nodes[place] = _closed(nodes[place], inside)
        elif path:
            if nodes[path[-1]].children:
                raise NoTree(f"'{token}' stands behind a node, outside of one of its own")
            words[-1].append(token)
        else:
            raise NoTree(f"'{token}' stands outside of the brackets" if number or nodes else "no '(' at its beginning")
    if path:
        raise NoTree(f"{len(path)} '(' that nothing closes")
    if not nodes:
        raise NoTree("no node")
    return nodes


def _closed(node: Node, inside: list[str]) -> Node:
    if node.children:
        if len(inside) > 1:
            raise NoTree(f"'{inside[1]}' stands beside nodes, outside of one of its own")
        return replace(node, label=inside[0] if inside else None)
    if len(inside) != 2:
        what = "a bracket with nothing in it" if not inside else f"'{' '.join(inside[:3])}' in one bracket"
        raise NoTree(f"{what}, where a label and a word should stand")
    return replace(node, label=inside[0], word=inside[1])


def encode_tree(
    nodes: list[Node], classes: Mapping[str, int] | None = None, lexicon: dict[int, str] | None = None
) -> list[int]:
    """A tree as numbers.

    Args:
        nodes: as :func:`parse_tree` gives them.
        classes: the place of each label; None, and labels that it lacks, leave nodes without a class. The root is left without in any case: its
            class is what is asked for, and stands in the targets.
        lexicon: new words are written into it.
    """
    numbers: list[int] = []
    for node in nodes:
        own = INNER
        if node.word is not None:
            word = node.word.lower()
            own = code(word)
            if lexicon is not None:
                lexicon.setdefault(own, word)
        place = (classes or {}).get(node.label or "", -1) if node.depth > 1 else -1
        numbers += (own, 1 + node.children, node.depth, UNLABELLED + 1 + place if place >= 0 else UNLABELLED)
    return numbers


def words_of(trees: Ragged) -> Ragged:
    """The words of each tree in their order, without its shape."""
    table = trees.values.reshape(-1, FIELDS)
    leaf = table[:, 0] != INNER
    before = torch.cat([torch.zeros(1, dtype=torch.int64), leaf.cumsum(0)])
    return Ragged(table[leaf, 0], before[trees.offsets // FIELDS], trees.lexicon)


def as_texts(data: Data) -> Data:
    """Trees as the texts at their feet, for methods that know nothing of trees."""
    parts = {}
    for name, part in data.parts.items():
        found = ragged_of(part.inputs)
        assert found is not None, "trees are ragged"
        trees, index = found
        parts[name] = Part(Subset(words_of(trees), index), part.targets, part.names)
    return replace(data, parts=parts)
