"""Trees level by level against the same trees node by node: time of a training step, side by side, and that both say the same.

    python -m benchmarks.trees [--data ../shared/data/sst/train.txt] [--batch 64] [--rounds 7]

The recursion is what one would write first: a function that calls itself for each child, with the very same cells, classifier, loss and backward pass. Both take
the same batches in turn, so that a busy machine is busy for both. Without ``--data`` trees of about the size of film reviews are grown at random.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from glassnet.data.ragged import PADDING
from glassnet.data.tree import FIELDS, Trees, encode_tree, parse_tree
from glassnet.zoo import TreeNet, build

VOCABULARY = 8_000
CLASSES = 5
NETS = ("tree-rnn", "rntn", "tree-lstm")


def grown(words: int, rng: random.Random) -> str:
    """A random binary tree over so many words, in brackets."""
    label = rng.randrange(CLASSES)
    if words == 1:
        return f"({label} w{rng.randrange(VOCABULARY)})"
    left = rng.randint(1, words - 1)
    return f"({label} {grown(left, rng)} {grown(words - left, rng)})"


def inputs(trees: Sequence[str]) -> Tensor:
    """What a network reads, int64 (batch, nodes, 4): words are numbered by their codes, which is enough to measure time."""
    classes = {str(number): number for number in range(CLASSES)}
    source = Trees.of([encode_tree(parse_tree(tree), classes) for tree in trees])
    raw = source.take(torch.arange(len(source))).reshape(len(source), -1, FIELDS)
    there = raw[:, :, 2] > 0
    word = torch.where(there & (raw[:, :, 1] == 1), raw[:, :, 0] % (VOCABULARY - 2) + 2, PADDING)
    rest = torch.where(there.unsqueeze(2), raw[:, :, 1:] - torch.tensor([1, 0, 1]), 0)
    return torch.cat([word.unsqueeze(2), rest], dim=2)


def node_by_node(net: TreeNet, x: Tensor) -> tuple[Tensor, Tensor]:
    """What ``net`` says of every node, by recursion: (nodes, classes), each tree's root first, and the classes that the nodes have, -1 for none."""
    said: list[Tensor] = []
    for tree in x:
        rows = [row for row in tree.tolist() if row[2] > 0]
        at = 0

        def state(rows: list[list[int]] = rows) -> Tensor:
            nonlocal at
            word, children, *_ = rows[at]
            place = len(said)
            said.append(net.head.weight)  # a place kept for this node
            at += 1
            if children == 0:
                own = net.cell.leaf(net.embed(torch.tensor([word])))
            else:
                below = torch.cat([state() for _ in range(children)])
                own = net.cell.inner(below, torch.tensor([children]))
            said[place] = net.head(own[:, : net.cell.hidden])
            return own

        state()
    there = x[:, :, 2] > 0
    return torch.cat(said), x[:, :, 3][there] - 1


def step_by_recursion(net: TreeNet, x: Tensor, targets: Tensor) -> float:
    """Forward and backward; the loss, over all nodes with a class and the roots."""
    net.zero_grad()
    said, classes = node_by_node(net, x)
    roots = torch.cat([torch.zeros(1, dtype=torch.int64), (x[:, :, 2] > 0).sum(1).cumsum(0)[:-1]])
    classes = classes.index_copy(0, roots, targets)
    loss = F.cross_entropy(said[classes >= 0], classes[classes >= 0])
    loss.backward()
    return float(loss.detach())


def step_by_levels(net: TreeNet, x: Tensor, targets: Tensor) -> float:
    """The same, as training does it."""
    net.zero_grad()
    roots, others, classes = net(x)
    known = classes >= 0
    loss = F.cross_entropy(torch.cat([roots, others[known]]), torch.cat([targets, classes[known]]))
    loss.backward()
    return float(loss.detach())


def main() -> None:
    """Print a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="a file with a tree a line")
    parser.add_argument("--batch", type=int, default=64, help="trees of a step")
    parser.add_argument("--nets", nargs="+", choices=NETS, default=NETS, help="which networks")
    parser.add_argument("--rounds", type=int, default=7, help="steps of each kind")
    asked = parser.parse_args()
    rng = random.Random(0)
    lines = (
        [line for line in asked.data.read_text(encoding="utf-8").split("\n") if line.strip()]
        if asked.data
        else [grown(rng.randint(5, 35), rng) for _ in range(2_000)]
    )
    print(f"{'net':<12}{'by levels':>14}{'node by node':>16}{'times':>9}   largest difference of the losses")
    for name in asked.nets:
        torch.manual_seed(0)
        net = build(name, (9, 4), CLASSES, {"vocabulary": VOCABULARY, "dropout": 0.0}, seed=0).train()
        assert isinstance(net, TreeNet)
        fast, slow, apart = [], [], 0.0
        for number in range(asked.rounds + 1):
            x = inputs(rng.sample(lines, asked.batch))
            targets = torch.randint(0, CLASSES, (asked.batch,))
            begin = time.perf_counter()
            one = step_by_levels(net, x, targets)
            middle = time.perf_counter()
            other = step_by_recursion(net, x, targets)
            end = time.perf_counter()
            apart = max(apart, abs(one - other))
            if number:  # the first of each warms up
                fast.append(middle - begin)
                slow.append(end - middle)
        times = statistics.median(b / a for a, b in zip(fast, slow, strict=True))
        print(
            f"{name:<12}{1e3 * statistics.median(fast):>11.1f} ms{1e3 * statistics.median(slow):>13.1f} ms{times:>9.1f}   {apart:.1e}"
        )


if __name__ == "__main__":
    main()
