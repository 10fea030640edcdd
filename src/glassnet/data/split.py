"""Dividing a data set into training, validation and test parts, and into folds.

Which sample goes where is a pure function of the data and the seed (:mod:`glassnet.data.division`). Identical inputs always stay together, so that
no input of the test part has been trained on. Series are divided in order of time instead (:mod:`glassnet.data.split_in_time`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glassnet.data.dataset import Data, InMemory, Part, Source, Subset, beneath, class_counts
from glassnet.data.division import check_classes, check_filled, check_samples, divide, shares_of, shuffled, units_of
from glassnet.data.duplicates import digests
from glassnet.data.parts import SPOKEN
from glassnet.data.row_digests import groups
from glassnet.data.split_in_time import folds_in_time, split_in_time
from glassnet.data.windows import windows_of
from glassnet.errors import UsageError

VALUE_BINS = 10
DRAWN = "drawn at random"


def split(data: Data, *, val: float | None = None, test: float | None = None, seed: int = 0) -> Data:
    """The data set with all three parts; what the files gave is kept.

    Classes keep their shares in every part; values are divided within ten bins of equal counts. A part that is not given is carved
    out of the training part. By default the test part takes 20 % below 5,000 samples, otherwise 15 % and at most 10,000; the
    validation part 10 %, but 20 samples a class (100 for values) where they are no more than a fifth, and at most 5,000. Data that
    came with a validation part and no test part are left as they are: what is then measured on the validation part is noted as such.

    Args:
        data: with a part ``train``.
        val: share of the training part to validate on, strictly between 0 and 1; None for the default.
        test: share to test on, likewise, of all training samples before the validation part is taken.
        seed: of the shuffles.

    Returns:
        The data set with ``train``, ``val`` and, except in the case above, ``test``.

    Raises:
        DataError: there are too few samples, in all or of some class, or one class only.
        UsageError: a share is not strictly between 0 and 1.
    """
    if windows_of(data.train.inputs) is not None:
        return split_in_time(data, val=val, test=test)
    made = shares_of(
        len(data.train), len(data.classes) if data.task == "classes" else None, data.parts, val=val, test=test
    )
    _check_enough(data, len(made) + 1)
    notes: list[str] = []
    parts = dict(data.parts)
    if made:
        keys = digests(data.train.inputs)
        divided = divide(_strata(data, data.train), units_of(keys, len(data.train)), made, seed)
        check_filled(divided, data.origin)
        parts |= {name: data.train.subset(torch.from_numpy(index)) for name, index in divided.items()}
        notes.append(_told(parts, made, data, seed))
        notes += _told_duplicates(keys)
    if "test" not in parts:
        notes.append(
            "There is no test part: figures on the validation part are not from untouched data, because training chooses its best "
            "weights by them."
        )
    ordered: dict[str, Part] = {name: parts[name] for name in ("train", "val", "test") if name in parts}
    return data.with_parts(ordered, *notes)


def folds(data: Data, k: int, seed: int = 0) -> Iterator[Data]:
    """Stratified k-fold cross-validation: k data sets whose validation parts are disjoint and together everything but the test part.

    The training part and, where there is one, the validation part are pooled first; the test part is passed on untouched. Identical
    inputs stay within one fold.

    Args:
        data: with a part ``train``.
        k: number of folds, at least 2.
        seed: of the shuffle.

    Raises:
        DataError: some class has fewer than k samples.
        UsageError: k is below 2 or above the number of samples.
    """
    if windows_of(data.train.inputs) is not None:
        yield from folds_in_time(data, k)
        return
    pool = pooled([data.parts[name] for name in ("train", "val") if name in data.parts])
    if k < 2 or k > len(pool):
        raise UsageError(
            "that many folds cannot be made", where="folds", got=k, expected=f"2 to {len(pool)} for {len(pool)} samples"
        )
    _check_enough(data.with_parts({"train": pool}), k)
    fold_of = _deal(_strata(data, pool), units_of(digests(pool.inputs), len(pool)), k, seed)
    rest = {"test": data.parts["test"]} if "test" in data.parts else {}
    for fold in range(k):
        parts = {
            "train": pool.subset(torch.from_numpy(np.flatnonzero(fold_of != fold))),
            "val": pool.subset(torch.from_numpy(np.flatnonzero(fold_of == fold))),
        }
        counts = ", ".join(
            f"{len(part):,} {name}" for name, part in zip(("training", "validation"), parts.values(), strict=True)
        )
        told = (
            f"Fold {fold + 1} of {k}, seed {seed}: training and validation parts are pooled and divided anew: {counts}."
        )
        yield data.with_parts(parts | rest, told)


def _check_enough(data: Data, parts: int) -> None:
    if data.task == "classes" and data.train.targets.ndim == 1:
        check_classes(data.classes, class_counts(data.train, len(data.classes)), parts, data.origin)
    check_samples(len(data.train), parts, data.origin)


def _strata(data: Data, part: Part) -> npt.NDArray[np.int64]:
    if data.task == "classes" and part.targets.ndim == 2:  # a sentence belongs to no class
        return np.zeros(len(part), dtype=np.int64)
    if data.task == "classes":
        strata: npt.NDArray[np.int64] = part.targets.numpy()
        return strata
    if data.task == "translation":
        return np.zeros(len(part), dtype=np.int64)
    first = part.targets[:, 0].numpy()
    bins = min(VALUE_BINS, max(len(first) // (2 * VALUE_BINS), 1))
    edges = np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1])
    bin_of: npt.NDArray[np.int64] = np.searchsorted(edges, first, side="right").astype(np.int64)
    return bin_of


def _deal(strata: npt.NDArray[np.int64], units: list[list[int]], k: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each sample: within a stratum units are dealt to the fold that has the fewest samples, of the stratum and then in all."""
    fold_of = np.zeros(len(strata), dtype=np.int64)
    total = [0] * k
    for members in shuffled(strata, units, seed).values():
        here = [0] * k
        for unit in members:
            fold = min(range(k), key=lambda f: (here[f], total[f], f))
            fold_of[unit] = fold
            here[fold] += len(unit)
            total[fold] += len(unit)
    return fold_of


@dataclass(frozen=True)
class _Joined:
    """Sources one after another."""

    sources: tuple[Source, ...]

    def __len__(self) -> int:
        return sum(len(source) for source in self.sources)

    def take(self, index: Tensor) -> Tensor:
        """The inputs at ``index``, in its order."""
        start, taken, places = 0, [], []
        for source in self.sources:
            here = torch.nonzero((index >= start) & (index < start + len(source))).flatten()
            if len(here):
                taken.append(source.take(index[here] - start))
                places.append(here)
            start += len(source)
        return torch.cat(taken)[torch.argsort(torch.cat(places))]


def pooled(parts: Sequence[Part]) -> Part:
    """Parts one after another as one."""
    if len(parts) == 1:
        return parts[0]
    sources = [part.inputs for part in parts]
    held = [source.values for source in sources if isinstance(source, InMemory)]
    below = [beneath(source) for source in sources]
    inputs: Source
    if len(held) == len(sources):
        inputs = InMemory(torch.cat(held))
    elif all(source is below[0][0] for source, _ in below):  # such as the nodes of one graph
        inputs = Subset(below[0][0], torch.cat([index for _, index in below]))
    else:
        inputs = _Joined(tuple(sources))
    return Part(inputs, torch.cat([part.targets for part in parts]), [name for part in parts for name in part.names])


def _told(parts: dict[str, Part], made: dict[str, float], data: Data, seed: int) -> str:
    counts = ", ".join(f"{len(parts[name]):,} {SPOKEN[name]}" for name in ("train", "val", "test") if name in parts)
    drawn = " and ".join(SPOKEN[name] for name in ("val", "test") if name in made)
    by = {"classes": "class", "values": "value"}.get(data.task)
    stratified = f"stratified by {by}, " if by == "value" or (by and data.train.targets.ndim == 1) else ""
    plural = "parts" if len(made) > 1 else "part"
    return f"{drawn.capitalize()} {plural} {DRAWN} from the training samples, {stratified}seed {seed}: {counts}."


def _told_duplicates(keys: Sequence[bytes] | None) -> list[str]:
    if keys is None:
        return ["Identical inputs were not looked for, because the inputs are too many to compare."]
    sizes = [len(positions) for positions in groups(keys)]
    if not sizes:
        return []
    grouped = f"{len(sizes):,} groups, each" if len(sizes) > 1 else "one group"
    return [f"{sum(sizes):,} samples have an identical twin: {grouped} kept within one part."]
