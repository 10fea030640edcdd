"""A test part by the names of its samples: the takes that were set aside, or all of one speaker."""

from __future__ import annotations

import re
from fnmatch import translate

import torch

from glassnet.data.dataset import Data
from glassnet.errors import UsageError


def set_aside(data: Data, pattern: str | None) -> Data:
    """The data with those training samples moved to a test part whose name fits a pattern.

    Args:
        data: with a part ``train`` and no part ``test``.
        pattern: ``*`` stands for anything, ``?`` for one character, ``[0-4]`` for one of several; it must fit the whole name of the sample, or the last part
            of it behind a ``/``. None changes nothing.

    Raises:
        UsageError: there is a test part already, or the pattern fits no sample or all of them.
    """
    if pattern is None:
        return data
    if "test" in data.parts:
        raise UsageError("the data have a test part already", where="data.test_names", got=pattern, fix="leave it out")
    fits = re.compile(translate(pattern))
    chosen = torch.tensor([bool(fits.match(name) or fits.match(name.rpartition("/")[2])) for name in data.train.names])
    if not bool(chosen.any()) or bool(chosen.all()):
        raise UsageError(
            f"the pattern fits {'all samples' if bool(chosen.any()) else 'no sample'}",
            where="data.test_names",
            got=pattern,
            expected="some of the names, such as " + ", ".join(list(data.train.names)[:3]),
        )
    parts = {
        **data.parts,
        "train": data.train.subset(torch.nonzero(~chosen).flatten()),
        "test": data.train.subset(torch.nonzero(chosen).flatten()),
    }
    return data.with_parts(parts, f"The test part is the {int(chosen.sum()):,} samples whose name fits {pattern}.")
