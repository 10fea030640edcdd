"""Rules of the audit on inputs that occur more than once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from glassnet.data.audit.look import NAMED, Look, Trouble
from glassnet.data.dataset import Data
from glassnet.data.row_digests import groups


def duplicates_within(look: Look) -> Iterator[Trouble]:
    """The same input several times within a part."""
    for name, keys in look.digests.items():
        found = list(groups(keys)) if keys else []
        extra = sum(len(positions) - 1 for positions in found)
        if extra:
            names = look.data.parts[name].names
            pairs = [[names[i] for i in positions[:NAMED]] for positions in found[:50]]
            yield Trouble(
                "duplicates-within",
                "info" if extra < 0.05 * len(names) else "warning",
                f"{extra:,} of {len(names):,} samples of the {name} part {'repeats' if extra == 1 else 'repeat'} an earlier input, for example {' = '.join(pairs[0])}",
                "remove repetitions unless they say how often an input occurs",
                {"part": name, "extra": extra, "groups": pairs},
            )


def duplicates_across(look: Look) -> Iterator[Trouble]:
    """The same input in the training part and in a part that measures, or in validation and test."""
    for first, second in (("train", "test"), ("train", "val"), ("val", "test")):
        keys, others = look.digests.get(first), look.digests.get(second)
        if not keys or not others:
            continue
        where = {key: position for position, key in reversed(list(enumerate(keys)))}
        shared = [(where[key], position) for position, key in enumerate(others) if key in where]
        if shared:
            a, b = look.data.parts[first].names, look.data.parts[second].names
            pairs = [[a[i], b[j]] for i, j in shared]
            yield Trouble(
                "duplicates-across-parts",
                "warning",
                f"{len(shared):,} of {len(others):,} {second} inputs also {'lies' if len(shared) == 1 else 'lie'} in the {first} part, for example "
                f"{pairs[0][0]} = {pairs[0][1]}",
                f"figures on the {second} part are too good by them: remove them from one of the two",
                {"parts": [first, second], "count": len(shared), "pairs": pairs[:50]},
            )


def contradicting(look: Look) -> Iterator[Trouble]:
    """The same input with different targets."""
    known = [name for name, keys in look.digests.items() if keys]
    keys = list(chain.from_iterable(look.digests[name] or [] for name in known))
    names = list(chain.from_iterable(look.data.parts[name].names for name in known))
    if not known or look.data.schema.kind == "tags":
        return
    targets = torch.cat([look.data.parts[name].targets for name in known])
    found = [positions for positions in groups(keys) if not bool((targets[positions] == targets[positions[0]]).all())]
    if found:
        examples = [
            [f"{names[i]} ({_target(look.data, targets[i])})" for i in positions[:NAMED]] for positions in found
        ]
        yield Trouble(
            "contradicting-targets",
            "warning",
            f"{len(found):,} {'input occurs' if len(found) == 1 else 'inputs occur'} with different targets, for example {' and '.join(examples[0])}",
            "correct the wrong ones; while they disagree no network can be right about both",
            {"inputs": len(found), "samples": sum(map(len, found)), "examples": examples[:50]},
        )


def _target(data: Data, target: Tensor) -> str:
    if data.task == "classes":
        return data.classes[int(target)]
    return ", ".join(f"{value:g}" for value in target.tolist())
