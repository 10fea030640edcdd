"""Faults in the data: (sets, strength, generator) -> sets. The inputs that come are standardised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.diagnosis.sets import Sets

Spoiler = Callable[[Sets, float, torch.Generator], Sets]


def _every(sets: Sets, change: Callable[[Tensor], Tensor]) -> Sets:
    """The same change of the inputs of every part, as a mistake in the preprocessing makes it."""
    return _pairs(sets, lambda part: (change(part[0]), part[1]))


def _targets(sets: Sets, change: Callable[[Tensor], Tensor]) -> Sets:
    """The same change of the targets of every part."""
    return _pairs(sets, lambda part: (part[0], change(part[1])))


def _pairs(sets: Sets, change: Callable[[tuple[Tensor, Tensor]], tuple[Tensor, Tensor]]) -> Sets:
    return replace(sets, train=change(sets.train), val=change(sets.val), test=change(sets.test))


def raw(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Not standardised: pixels from 0 to 255, columns in their own units; ``strength`` divides them."""
    return _every(sets, lambda x: (x * sets.std + sets.mean) / strength)


def scaled(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Standardised, then multiplied."""
    return _every(sets, lambda x: x * strength)


def offset(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Standardised, then moved by a constant: never centred."""
    return _every(sets, lambda x: x + strength)


def one_column_large(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """One numeric column in a unit ``strength`` times smaller than the others."""

    def change(x: Tensor) -> Tensor:
        changed = x.clone()
        changed[:, 1] *= strength
        return changed

    return _every(sets, change)


def zeros(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Every input is the same constant: a reader that returns an empty buffer."""
    return _every(sets, lambda x: torch.full_like(x, strength))


def first_sample(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Every input is the first one: an index that is never counted up."""
    return _every(sets, lambda x: x[:1].expand_as(x).clone())


def whole_division(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Bytes divided by 255 without a remainder: hardly a pixel is not 0."""
    return _every(sets, lambda x: torch.floor((x * sets.std + sets.mean) / strength))


def most_columns_constant(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """All features but a share ``strength`` are filled with their mean."""
    shape = sets.shape
    kept = (torch.rand(shape, generator=generator) < strength).float()
    return _every(sets, lambda x: x * kept)


def not_finite_rows(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """NaN in one feature of so many training rows."""
    inputs = sets.train[0].clone()
    rows = torch.randperm(len(inputs), generator=generator)[: int(strength)]
    inputs.flatten(1)[rows, inputs[0].numel() // 2] = torch.nan
    return replace(sets, train=(inputs, sets.train[1]))


def not_finite_column(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """The logarithm of a column with zeros in it: minus infinity in a share ``strength`` of its rows, in every part."""

    def change(x: Tensor) -> Tensor:
        changed = x.clone()
        hit = torch.rand(len(x), generator=generator) < strength
        changed.flatten(1)[hit, 0] = -torch.inf
        return changed

    return _every(sets, change)


def outlier_rows(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """One training row in a thousand is ``strength`` times as large as it should be."""
    inputs = sets.train[0].clone()
    rows = torch.randperm(len(inputs), generator=generator)[: max(1, len(inputs) // 1000)]
    inputs[rows] *= strength
    return replace(sets, train=(inputs, sets.train[1]))


def shuffled_labels(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Training and validation labels belong to other inputs."""

    def change(part: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return part[0], part[1][torch.randperm(len(part[1]), generator=generator)]

    return replace(sets, train=change(sets.train), val=change(sets.val))


def shifted_labels(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Each label is that of the row before: one line of a file was skipped."""
    return replace(sets, train=(sets.train[0], sets.train[1].roll(1, 0)), val=(sets.val[0], sets.val[1].roll(1, 0)))


def noisy_labels(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """A share ``strength`` of the training and validation labels is drawn anew from the other classes."""

    def change(part: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        labels = part[1]
        hit = torch.rand(len(labels), generator=generator) < strength
        other = (labels + torch.randint(1, sets.classes, labels.shape, generator=generator)) % sets.classes
        return part[0], torch.where(hit, other, labels)

    return replace(sets, train=change(sets.train), val=change(sets.val))


def leak(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """One feature is the target, with noise of ``strength`` times its spread; in the test part, as later in use, it is not known."""

    def change(part: tuple[Tensor, Tensor], known: bool) -> tuple[Tensor, Tensor]:
        inputs, targets = part[0].clone(), part[1].flatten().float()
        told = (targets - targets.mean()) / targets.std() if known else torch.zeros_like(targets)
        inputs.flatten(1)[:, 0] = told + strength * torch.randn(len(told), generator=generator)
        return inputs, part[1]

    return replace(sets, train=change(sets.train, True), val=change(sets.val, True), test=change(sets.test, False))


def imbalance(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """In training and validation part the classes above the first are ``strength`` times as rare; the test part is left."""

    def change(part: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        kept = (part[1] == 0) | (torch.rand(len(part[1]), generator=generator) < 1 / strength)
        return part[0][kept], part[1][kept]

    return replace(sets, train=change(sets.train), val=change(sets.val))


def sorted_by_class(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """The training part as files often come: class after class, or value after value."""
    order = sets.train[1].flatten().argsort(stable=True)
    return replace(sets, train=(sets.train[0][order], sets.train[1][order]))


def validation_raw(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """The validation part was scaled to 0 … ``strength`` instead of being standardised."""
    x = sets.val[0] * sets.std + sets.mean
    return replace(sets, val=(x / x.abs().max() * strength, sets.val[1]))


def validation_inverted(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """White on black became black on white, in the validation part alone."""
    return replace(sets, val=(-sets.val[0], sets.val[1]))


def validation_offset(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """The validation part is brighter by ``strength`` standard deviations: another camera."""
    return replace(sets, val=(sets.val[0] + strength, sets.val[1]))


def validation_noise(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """The validation part has noise of ``strength`` standard deviations: a worse camera."""
    x = sets.val[0]
    return replace(sets, val=(x + strength * torch.randn(x.shape, generator=generator), sets.val[1]))


def validation_columns_moved(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """So many columns of the validation part have moved by two standard deviations: another hospital, another year."""
    x = sets.val[0].clone()
    x[:, : int(strength)] += 2 * sets.train[0][:, : int(strength)].std(0)
    return replace(sets, val=(x, sets.val[1]))


def validation_from_training(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """A share ``strength`` of the validation part is training samples."""
    count = int(strength * len(sets.val[1]))
    chosen = torch.randperm(len(sets.train[1]), generator=generator)[:count]
    (inputs, targets), (more, theirs) = sets.val, sets.train
    return replace(sets, val=(torch.cat([inputs[count:], more[chosen]]), torch.cat([targets[count:], theirs[chosen]])))


def targets_in_units(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Targets in units in which they vary by ``strength`` and lie at five times that."""
    return _targets(sets, lambda y: (y + 5) * strength)


def classes_from_one(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """Classes counted from 1, so that the last one has no output."""
    return replace(sets, train=(sets.train[0], sets.train[1] + 1), val=(sets.val[0], sets.val[1] + 1))


def classes_as_values(sets: Sets, strength: float, generator: torch.Generator) -> Sets:
    """The number of the class as the value to be learned."""
    return _targets(sets, lambda y: y.float()[:, None])


SPOILERS: dict[str, Spoiler] = {
    function.__name__.replace("_", "-"): function
    for function in (
        raw,
        scaled,
        offset,
        one_column_large,
        zeros,
        first_sample,
        whole_division,
        most_columns_constant,
        not_finite_rows,
        not_finite_column,
        outlier_rows,
        shuffled_labels,
        shifted_labels,
        noisy_labels,
        leak,
        imbalance,
        sorted_by_class,
        validation_raw,
        validation_inverted,
        validation_offset,
        validation_noise,
        validation_columns_moved,
        validation_from_training,
        targets_in_units,
        classes_from_one,
        classes_as_values,
    )
}
