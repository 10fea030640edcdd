"""Which samples go into which part: places of samples alone, whatever the samples are.

The shuffles come from NumPy's frozen ``RandomState`` stream, which is the same on every platform. What this does to a data set is in
:mod:`glassnet.data.split`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Sized

import numpy as np
from numpy.typing import NDArray

from glassnet.data.parts import SPOKEN, checked_share
from glassnet.data.row_digests import groups
from glassnet.errors import DataError

LEAST_SAMPLES = 10
SMALL = 5_000
MAX_VAL = 5_000
MAX_TEST = 10_000
VAL_PER_CLASS = 20


def shares_of(
    samples: int, classes: int | None, given: Collection[str], *, val: float | None = None, test: float | None = None
) -> dict[str, float]:
    """The parts that have to be carved out of the training part, with their shares of it; for the defaults see :func:`glassnet.data.split.split`.

    Args:
        samples: of the training part.
        classes: how many there are; None for values.
        given: parts that the data came with.
        val: share of the training part to validate on; None for the default.
        test: share to test on; likewise.

    Raises:
        UsageError: a share is not strictly between 0 and 1.
    """
    made: dict[str, float] = {}
    keep_val = "val" in given
    if "test" not in given and (not keep_val or test is not None):
        made["test"] = checked_share(test, "test") if test is not None else _default_test(samples)
    if not keep_val:
        rest = samples * (1 - made.get("test", 0.0))
        made["val"] = (checked_share(val, "val") if val is not None else _default_val(rest, classes)) * rest / samples
    return made


def check_classes(names: Sequence[str], counts: Sequence[int], parts: int, origin: str) -> None:
    """Refuse classes that cannot be divided.

    Args:
        names: of the classes.
        counts: samples of each.
        parts: into how many they are to be divided.
        origin: of the data, for the message.

    Raises:
        DataError: there is one class only, or one with fewer samples than parts.
    """
    present = [name for name, count in zip(names, counts, strict=True) if count]
    if len(present) < 2:
        raise DataError(
            "there is one class only",
            where=origin,
            got=", ".join(present) or "none",
            expected="at least two classes",
        )
    few = [(name, count) for name, count in zip(names, counts, strict=True) if count < parts]
    if few:
        raise DataError(
            f"{len(few)} class{'es have' if len(few) > 1 else ' has'} too few samples",
            where=origin,
            got=", ".join(f"'{name}' has {count}" for name, count in few[:10]) + (" …" if len(few) > 10 else ""),
            expected=f"at least {parts} of each class, one for each part",
            fix="add samples of these classes, or leave the classes out",
        )


def check_samples(total: int, parts: int, origin: str) -> None:
    """Refuse to divide too few samples.

    Raises:
        DataError: there are fewer than ten, or than parts.
    """
    if parts > 1 and total < max(LEAST_SAMPLES, parts):
        raise DataError(
            "too few samples to learn from",
            where=origin,
            got=total,
            expected=f"at least {max(LEAST_SAMPLES, parts)}",
        )


def check_filled(divided: Mapping[str, Sized], origin: str) -> None:
    """Refuse a division that leaves a part empty.

    Raises:
        DataError: a part has no sample.
    """
    empty = [SPOKEN[name] for name, places in divided.items() if len(places) == 0]
    if empty:
        raise DataError(
            f"nothing is left for the {' and the '.join(empty)} part, because too many inputs are identical",
            where=origin,
            expected="different inputs, so that a network is measured on others than it was trained on",
        )


def units_of(keys: Sequence[bytes] | None, samples: int) -> list[list[int]]:
    """The samples in groups that must stay together, in order of their first.

    Args:
        keys: equal where two samples are the same (see :func:`glassnet.data.duplicates.digests`); None where that is not known.
        samples: how many there are.
    """
    together = {} if keys is None else {positions[0]: positions for positions in groups(keys)}
    followers = {position for positions in together.values() for position in positions[1:]}
    return [together.get(i, [i]) for i in range(samples) if i not in followers]


def shuffled(strata: NDArray[np.int64], units: list[list[int]], seed: int) -> dict[int, list[list[int]]]:
    """The units of each stratum in random order. A unit belongs where its first sample does."""
    by_stratum: dict[int, list[list[int]]] = defaultdict(list)
    for unit in units:
        by_stratum[int(strata[unit[0]])].append(unit)
    random = np.random.RandomState(seed)
    return {
        stratum: [members[i] for i in random.permutation(len(members))]
        for stratum, members in sorted(by_stratum.items())
    }


def divide(
    strata: NDArray[np.int64], units: list[list[int]], carved: Mapping[str, float], seed: int
) -> dict[str, NDArray[np.int64]]:
    """The places of each part, in order, with each stratum shared out alike.

    Args:
        strata: of each sample; for classes its class.
        units: groups of samples that stay together.
        carved: shares of the parts beside the training part, which takes the rest.
        seed: of the shuffles.
    """
    by_stratum = shuffled(strata, units, seed)
    sizes = [sum(len(unit) for unit in members) for members in by_stratum.values()]
    quotas = {name: _quotas(sizes, share, len(carved)) for name, share in carved.items()}
    chosen: dict[str, list[int]] = {name: [] for name in ("train", *carved)}
    for position, members in enumerate(by_stratum.values()):
        room = {name: quota[position] for name, quota in quotas.items()}
        for number, unit in enumerate(members):
            # the last unit of a stratum always stays to be trained on
            fits = [name for name in room if len(unit) <= room[name]] if number + 1 < len(members) else []
            name = fits[0] if fits else "train"
            chosen[name] += unit
            if fits:
                room[name] -= len(unit)
    return {name: np.array(sorted(index), dtype=np.int64) for name, index in chosen.items()}


def _quotas(sizes: Sequence[int], share: float, others: int) -> list[int]:
    """Whole numbers near ``share × size`` whose sum is the rounded whole: the largest remainders are rounded up.

    Each is at least 1, and leaves one sample to each of the ``others`` parts where there are enough.
    """
    exact = [share * size for size in sizes]
    whole = [int(value) for value in exact]
    short = round(sum(exact)) - sum(whole)
    order = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], i))
    for i in order[:short]:
        whole[i] += 1
    return [max(min(count, size - others), 1) for count, size in zip(whole, sizes, strict=True)]


def _default_test(samples: int) -> float:
    return 0.2 if samples < SMALL else min(0.15, MAX_TEST / samples)


def _default_val(samples: float, classes: int | None) -> float:
    wished = 5 * VAL_PER_CLASS if classes is None else VAL_PER_CLASS * classes
    return min(max(0.1 * samples, min(wished, 0.2 * samples)), MAX_VAL) / samples if samples else 0.1
