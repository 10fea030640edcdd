"""What kernel ridge regression knows: against scikit-learn, fitted anew without each sample, and against what is known of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score
from torch import Tensor

from glassnet.training.measure.kernel_ridge import KERNELS, RIDGES, Known, known


def simply(x: Tensor, y: Tensor, v: Tensor, w: Tensor, task: str = "classes") -> Known:
    found = known([x], [y], [v], [w], task)
    assert found is not None
    return found


def by_hand(x: np.ndarray, y: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers for each training sample by a fit without it, for validation samples, and the first by a straight line: every kernel tried, in float64."""
    mean, centred = y.mean(0), y - y.mean(0)
    kernels = []
    for standardised, width, ridge in KERNELS:
        spread = x.std(0) if standardised else np.full(x.shape[1], x.std())
        a, b = (x - x.mean(0)) / spread, (v - x.mean(0)) / spread
        apart = ((a[:, None] - a[None]) ** 2).sum(2)
        usual = np.sort(apart[~np.eye(len(a), dtype=bool)])
        scale = 2 * width * usual[(len(usual) - 1) // 2]  # torch's median is the lower of the two in the middle
        kernels.append((np.exp(-apart / scale), np.exp(-((b[:, None] - a[None]) ** 2).sum(2) / scale), ridge))
    a = (x - x.mean(0)) / x.std()
    straight = [(a @ a.T / x.shape[1] + 1, None, ridge) for ridge in RIDGES]

    def without_each(kernel: np.ndarray, ridge: float) -> np.ndarray:
        said = []
        for left in range(len(kernel)):
            rest = np.arange(len(kernel)) != left
            model = KernelRidge(alpha=ridge, kernel="precomputed").fit(kernel[rest][:, rest], centred[rest])
            said.append(model.predict(kernel[left : left + 1, rest])[0] + mean)
        return np.array(said)

    def best(candidates: list[Any]) -> Any:
        tried = [(without_each(kernel, ridge), kernel, across, ridge) for kernel, across, ridge in candidates]
        return min(tried, key=lambda one: ((one[0] - y) ** 2).mean())

    own, kernel, across, ridge = best(kernels)
    model = KernelRidge(alpha=ridge, kernel="precomputed").fit(kernel, centred)
    return own, model.predict(across) + mean, best(straight)[0]


def test_classes_are_told_as_by_a_fit_without_each_sample() -> None:
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(110, 5, generator=generator) * torch.tensor([1.0, 2.0, 0.5, 1.0, 1.0])
    y = (x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 0.4).long()
    found = simply(x[:70], y[:70], x[70:], y[70:])
    own, theirs, straight = by_hand(
        *(t.double().numpy() for t in (x[:70], torch.nn.functional.one_hot(y[:70]), x[70:]))
    )
    said, labels = np.concatenate([own, theirs]), y.numpy()
    order = np.argsort(-said, axis=1)
    wrong = order[:, 0] != labels
    above = (said - said.mean(0))[np.arange(110), labels]
    assert found.training == (own.argmax(1) == labels[:70]).mean()
    assert found.validation == (theirs.argmax(1) == labels[70:]).mean()
    assert found.linear == (straight.argmax(1) == labels[:70]).mean()
    assert (found.samples, found.wrong) == (70, wrong.sum())
    assert found.place == pytest.approx((order[wrong, 2] == labels[wrong]).mean())  # of three classes: second or last
    assert found.sure == pytest.approx(above.mean() / above.std(ddof=1) * np.sqrt(110), rel=1e-3)
    assert found.training > found.linear


def test_values_are_told_as_by_a_fit_without_each_sample() -> None:
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(100, 4, generator=generator)
    y = torch.stack([x[:, 0].sin() + 0.1 * x[:, 1], 100 * x[:, 2] ** 2], dim=1)
    found = simply(x[:60], y[:60], x[60:], y[60:], "values")
    scaled = (y - y[:60].mean(0)) / y[:60].std(0, correction=0)
    own, theirs, straight = by_hand(*(t.double().numpy() for t in (x[:60], scaled[:60], x[60:])))
    r2 = {"multioutput": "variance_weighted"}
    assert found.training == pytest.approx(r2_score(scaled[:60], own, **r2), abs=1e-4)
    assert found.validation == pytest.approx(r2_score(scaled[60:], theirs, **r2), abs=1e-4)
    assert found.linear == pytest.approx(r2_score(scaled[:60], straight, **r2), abs=1e-4)
    assert (found.wrong, found.samples) == (0, 60)
    assert known([x[:60]], [y[:60, 0]], [], [], "values") is not None  # one value a sample, in a vector


def test_labels_that_belong_to_nothing_are_told_from_those_that_do() -> None:
    x, y = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
    x = x.float()
    mixed = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))]
    right, wrong = (simply(x[:600], labels[:600], x[600:900], labels[600:900]) for labels in (y, mixed))
    assert right.training > 0.95
    assert right.sure > 50
    assert abs(wrong.sure) < 3
    assert right.place < 0.3
    assert wrong.place == pytest.approx(0.5, abs=0.04)


def test_tokens_are_counted_wherever_they_stand() -> None:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 30, (200, 12), generator=generator)
    place = torch.randint(0, 12, (200,), generator=generator)
    y = torch.arange(200) % 2
    tokens[tokens == 29] = 0
    tokens[torch.arange(200), place] = torch.where(y == 1, 29, 0)
    found = simply(tokens[:150], y[:150], tokens[150:], y[150:])
    assert found.training > 0.9
    assert found.validation is not None
    assert found.validation > 0.9


def test_bytes_are_pixels() -> None:
    x, y = (torch.from_numpy(part) for part in load_digits(return_X_y=True))
    as_bytes, as_floats = (simply(z[:300], y[:300], z[300:500], y[300:500]) for z in (x.byte(), x.float()))
    assert as_bytes == as_floats
    assert as_bytes.training > 0.9


def test_a_validation_part_with_targets_of_another_size_is_left_out() -> None:
    x = torch.randn(90, 3, generator=torch.Generator().manual_seed(7))
    found = simply(x[:60], x[:60, :2], x[60:], x[60:], "values")
    assert found.validation is None
    assert found.training > 0.9


def test_tokens_that_training_samples_do_not_have_are_left_out() -> None:
    tokens = torch.arange(240).reshape(60, 4) % 7
    found = simply(tokens, tokens[:, 0] % 2, tokens + 100, tokens[:, 0] % 2)
    assert found.validation is not None


def test_figures_that_are_no_numbers_count_as_nothing() -> None:
    x = torch.randn(80, 3, generator=torch.Generator().manual_seed(2))
    y = (x[:, 0] > 0).long()
    x[5, 1], x[6, 2] = torch.inf, torch.nan
    assert 0.8 < simply(x[:60], y[:60], x[60:], y[60:]).training <= 1


def test_too_few_samples_and_samples_that_are_all_alike_tell_nothing() -> None:
    x, y = torch.randn(49, 3), torch.arange(49) % 2
    assert known([x], [y], [], [], "classes") is None
    assert known([torch.ones(60, 3)], [torch.arange(60) % 2], [], [], "classes") is None
    assert known([torch.randn(60, 3)], [torch.zeros(60).long()], [], [], "classes") is None
    assert known([torch.randn(60, 3)], [torch.arange(60) % 2], [], [], "other") is None


def test_classes_are_numbered_in_any_way_and_a_new_one_is_a_mistake() -> None:
    x = torch.randn(120, 3, generator=torch.Generator().manual_seed(6))
    y = (x[:, 0] > 0).long() + (x[:, 1] * x[:, 2] > 0.3)
    plain = simply(x[:60], y[:60], x[60:], y[60:])
    far = simply(x[:60], y[:60] * 10**12 - 5, x[60:], y[60:] * 10**12 - 5)
    new = simply(x[:60], y[:60], x[60:], torch.where(torch.arange(60) < 30, 7, y[60:]))
    assert far == plain
    assert new.training == plain.training
    assert new.validation is not None
    assert new.validation <= 0.5
    assert new.wrong >= 30


def test_without_a_validation_part_nothing_is_said_of_it() -> None:
    x = torch.randn(60, 3, generator=torch.Generator().manual_seed(5))
    found = known([x[:30], x[30:]], [(x[:30, 0] > 0).long(), (x[30:, 0] > 0).long()], [], [], "classes")
    assert found is not None
    assert found.validation is None
    assert found.samples == 60


def test_an_output_that_changes_in_the_other_part_alone_is_left_out() -> None:
    """A pixel that is inked once, as an autoencoder is to say it again."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(120, 4, generator=generator)
    y = torch.cat([x[:, :1] - x[:, 1:2], torch.zeros(120, 1)], 1)
    plain = simply(x[:80], y[:80], x[80:], y[80:], "values")
    y[100, 1] = 1.0
    inked = simply(x[:80], y[:80], x[80:], y[80:], "values")
    assert (inked.validation, inked.training) == (plain.validation, plain.training)
    assert inked.validation is not None
    assert inked.validation > 0.8
    assert known([x], [torch.zeros(120, 1)], [], [], "values") is None
