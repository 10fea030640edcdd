"""Preprocessing against NumPy and scikit-learn in float64, and fitted on the training part alone."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from plain_schema import Plain
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor

from glassnet.data.columns import Column
from glassnet.data.dataset import InMemory, Part
from glassnet.data.preprocess import (
    PREPROCESSING,
    Preprocess,
    TableInputs,
    TargetScale,
    fit,
    moments,
    preprocess_from_json,
)
from glassnet.data.preprocess.normalise import FIXED
from glassnet.data.table_schema import TableSchema
from glassnet.errors import ModelError, UsageError


def part(values: Tensor) -> Part:
    return Part(InMemory(values), torch.zeros(len(values), dtype=torch.int64), [str(i) for i in range(len(values))])


def images(count: int = 60, channels: int = 3, side: int = 4, seed: int = 0) -> Tensor:
    """Bytes whose mean and spread differ by channel and place; the first place of each channel is constant."""
    random = np.random.default_rng(seed)
    spread = random.uniform(5, 60, size=(channels, side, side))
    middle = random.uniform(60, 190, size=(channels, side, side))
    smooth = random.normal(size=(count, channels, side, side)) + random.normal(size=(count, 1, 1, 1))
    made = np.clip(middle + spread * smooth, 0, 255).astype(np.uint8)
    made[:, :, 0, 0] = 7
    return torch.from_numpy(made)


TRAIN, NEW = images(), images(9, seed=1)
X = TRAIN.numpy().astype(np.float64) / 255
N = NEW.numpy().astype(np.float64) / 255
IMAGE = Plain("image", (3, 4, 4))


def table_part() -> tuple[Part, TableSchema, np.ndarray[Any, np.dtype[np.float64]]]:
    """Columns: number with gaps, category with gaps, constant number, yes or no, skewed number."""
    random = np.random.default_rng(2)
    raw = np.stack(
        [
            random.normal(50, 10, 200),
            random.integers(0, 3, 200).astype(float),
            np.full(200, 4.0),
            random.integers(0, 2, 200).astype(float),
            np.exp(random.normal(0, 2, 200)),
        ],
        axis=1,
    )
    raw[::7, 0] = raw[1, 0] = np.nan  # 170 are left: the median lies between two
    raw[::11, 1] = np.nan
    raw = raw.astype(np.float32).astype(np.float64)
    schema = TableSchema(
        (
            Column("age", "number"),
            Column("city", "category", ("A", "B", "C")),
            Column("const", "number"),
            Column("member", "bool"),
            Column("pay", "number"),
        )
    )
    return part(torch.from_numpy(raw.astype(np.float32))), schema, raw


def close(got: Tensor, wanted: object, tolerance: float = 2e-5) -> None:
    assert got.dtype == torch.float32
    np.testing.assert_allclose(got.numpy(), np.asarray(wanted), rtol=tolerance, atol=tolerance)


def test_image_preprocessing_equals_numpy() -> None:
    mean, std = X.mean(axis=(0, 2, 3), keepdims=True), X.std(axis=(0, 2, 3), keepdims=True)
    close(fit("none", part(TRAIN), IMAGE)(NEW), N)
    close(fit("mean-image", part(TRAIN), IMAGE)(NEW), N - X.mean(axis=0))
    close(fit("channel-mean", part(TRAIN), IMAGE)(NEW), N - mean)
    close(fit("standardise", part(TRAIN), IMAGE)(NEW), (N - mean) / std)


def test_pca_equals_scikit_learn_up_to_sign() -> None:
    flat, new = X.reshape(60, -1), N.reshape(9, -1)
    wanted = PCA(svd_solver="full").fit(flat)
    got = fit("pca", part(TRAIN), IMAGE)(NEW).numpy()
    kept = wanted.explained_variance_ > 1e-4
    np.testing.assert_allclose(np.abs(got[:, kept]), np.abs(wanted.transform(new)[:, kept]), atol=2e-5)
    made = fit("pca", part(TRAIN), IMAGE)(TRAIN).double()
    covariance = (made - made.mean(0)).T @ (made - made.mean(0)) / 60
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-6
    assert (covariance.diag().diff() <= 1e-9).all()


def test_whitening_of_images_is_zca_in_float64() -> None:
    flat, new = X.reshape(60, -1), N.reshape(9, -1)
    covariance = np.cov(flat.T, bias=True)
    values, vectors = np.linalg.eigh(covariance)
    matrix = vectors @ np.diag(1 / np.sqrt(values + 1e-2 * values.mean())) @ vectors.T
    module = fit("whiten", part(TRAIN), IMAGE)
    assert module.output_shape == (3, 4, 4)
    close(module(NEW).reshape(9, -1), (new - flat.mean(0)) @ matrix.T, 1e-4)


def test_whitened_arrays_have_unit_covariance() -> None:
    mix = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0], [1.0, 0.0, 5.0]])
    values = torch.randn(5000, 3, generator=torch.Generator().manual_seed(0)) @ mix + 100.0
    made = fit("whiten", part(values), Plain("array", (3,)))(values).double()
    covariance = made.T @ made / len(made)
    assert (covariance - torch.eye(3)).abs().max() < 0.05  # eps shrinks the weakest axis a little
    np.testing.assert_allclose(made.mean(0), 0, atol=1e-4)


def test_arrays_are_standardised_like_scikit_learn() -> None:
    values = torch.from_numpy(np.random.default_rng(0).normal(1e4, [1e-1, 5.0, 1e3], size=(300, 3)))
    schema = Plain("array", (3,))
    scaler = StandardScaler().fit(values.numpy())
    np.testing.assert_allclose(
        fit("standardise", part(values.float()), schema).get_buffer("std").numpy(), scaler.scale_, rtol=5e-3
    )
    close(
        fit("standardise", part(values), schema)(values.float())[:, 1:], scaler.transform(values.numpy())[:, 1:], 1e-3
    )
    close(fit("none", part(values), schema)(values.float()), values.numpy(), 1e-6)


@pytest.mark.parametrize("name", PREPROCESSING["image"])
def test_what_is_constant_stays_finite(name: str) -> None:
    flat = torch.full((30, 3, 3, 3), 200, dtype=torch.uint8)
    made = fit(name, part(flat), Plain("image", (3, 3, 3)))(flat)
    assert made.isfinite().all()
    assert name in {"none", *FIXED} or made.abs().max() < 1e-5


def test_what_published_networks_expect_is_not_fitted() -> None:
    pixels = torch.randint(0, 256, (9, 3, 4, 5), dtype=torch.uint8)
    imagenet = fit("imagenet", part(pixels), Plain("image", (3, 4, 5)))(pixels)
    for channel, (mean, std) in enumerate(((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))):
        expected = (pixels[:, channel].double() / 255 - mean) / std
        torch.testing.assert_close(imagenet[:, channel].double(), expected, rtol=1e-5, atol=1e-5)
    centred = fit("centred", part(pixels[:, :1]), Plain("image", (1, 4, 5)))
    assert centred(torch.tensor([0, 255]).reshape(2, 1, 1, 1).expand(2, 1, 4, 5)).unique().tolist() == [-1, 1]
    with pytest.raises(UsageError, match="is for colour images"):
        fit("imagenet", part(pixels[:, :1]), Plain("image", (1, 4, 5)))


def test_moments_do_not_cancel_and_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.randn(1000, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1e8
    once = moments.mean_and_variance(InMemory(values), (4,), (0,))
    monkeypatch.setattr(moments, "CHUNK_NUMBERS", 28)
    pieces = moments.mean_and_variance(InMemory(values), (4,), (0,))
    for got, wanted in zip(pieces, (values.numpy().mean(0), values.numpy().var(0)), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-8)
    np.testing.assert_allclose(once[1].numpy(), pieces[1].numpy(), rtol=1e-8)
    got = moments.covariance(InMemory(values), pieces[0])
    np.testing.assert_allclose(got.numpy(), np.cov(values.numpy().T, bias=True), rtol=1e-6, atol=1e-9)


def test_moments_of_bytes_are_those_of_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "CHUNK_NUMBERS", 500)  # several pieces
    images = torch.randint(0, 256, (50, 3, 7, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images[:, 1] //= 8  # channels of their own
    mean, variance = moments.mean_and_variance(InMemory(images), (3, 7, 9), (0, 2, 3))
    assert mean.shape == variance.shape == (3, 1, 1)
    torch.testing.assert_close(mean.flatten(), images.double().mean((0, 2, 3)), rtol=1e-12, atol=0)
    torch.testing.assert_close(variance.flatten(), images.double().var((0, 2, 3), correction=0), rtol=1e-12, atol=0)


def test_streamed_sources_are_sampled_evenly() -> None:
    @dataclass(frozen=True)
    class Streamed:
        def __len__(self) -> int:
            return 30_000

        def take(self, index: Tensor) -> Tensor:
            return index[:, None].to(torch.float64)

    seen = torch.cat(list(moments.chunks(Streamed(), 1))).flatten()
    assert seen.tolist() == [float(3 * i) for i in range(10_000)]


def test_table_standardise_equals_scikit_learn() -> None:
    train, schema, raw = table_part()
    module = fit("standardise", train, schema)
    numbers = [0, 2, 3, 4]
    imputed = SimpleImputer(strategy="median").fit(raw[:, numbers])
    scaled = StandardScaler().fit(imputed.transform(raw[:, numbers]))
    encoder = OneHotEncoder(categories=[[0.0, 1.0, 2.0]], handle_unknown="ignore", sparse_output=False)
    one_hot = encoder.fit(raw[~np.isnan(raw[:, 1]), 1:2])
    wanted = np.concatenate(
        [
            scaled.transform(imputed.transform(raw[:, numbers])),
            np.isnan(raw[:, [0, 1]]),
            one_hot.transform(raw[:, 1:2]),
        ],
        axis=1,
    )
    close(module(train.inputs.take(torch.arange(200))), wanted)
    assert module.output_shape == (9,)
    assert isinstance(module, TableInputs)
    assert module.output_names(schema) == (
        "age", "const", "member", "pay", "age missing", "city missing", "city = A", "city = B", "city = C",
    )  # fmt: skip


def piecewise(x: float, edges: list[float]) -> list[float]:
    """Equation 1 of Gorishniy et al. 2022, case by case."""
    made = []
    for t in range(1, len(edges)):
        if x < edges[t - 1] and t > 1:
            made.append(0.0)
        elif x >= edges[t] and t < len(edges) - 1:
            made.append(1.0)
        else:
            made.append((x - edges[t - 1]) / (edges[t] - edges[t - 1]))
    return made


def test_quantile_equals_the_papers_equation() -> None:
    train, schema, raw = table_part()
    module = fit("quantile", train, schema)
    assert isinstance(module, TableInputs)
    median = np.nanmedian(raw[:, 0])
    edges = []
    for column in (0, 2, 3, 4):
        present = np.where(np.isnan(raw[:, column]), median, raw[:, column])
        edges.append(
            np.unique(np.quantile(present, np.linspace(0, 1, 33), method="lower").astype(np.float32))
            .astype(float)
            .tolist()
        )
    edges[1] = [4.0, 5.0]  # the constant column has one bin of width 1
    assert edges[2] == [0.0, 1.0]
    rows = np.array([raw[2], raw[0], [-1e3, 2, 4.5, 1, 1e4], [1e3, np.nan, 3, 0, 0]])
    wanted = []
    for row in rows:
        line: list[float] = []
        for column, each in zip((0, 2, 3, 4), edges, strict=True):
            line += piecewise(median if math.isnan(row[column]) else row[column], each)
        wanted.append(
            line + [float(np.isnan(row[0])), float(np.isnan(row[1]))] + [float(row[1] == k) for k in range(3)]
        )
    close(module(torch.from_numpy(rows.astype(np.float32))), wanted, 1e-4)
    assert module.output_shape == (len(wanted[0]),) == (len(module.output_names(schema)),)


@pytest.mark.parametrize("kind", ["classes", "values"])
def test_tree_bins_lie_where_a_tree_of_one_column_splits(kind: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 100, 2_000)
    steps = (x > 20) * 1.0 + (x > 23) * -2.0 + (x > 71.5) * 3.0  # the target changes at 20, 23 and 71.5
    targets = steps.astype(int) - steps.astype(int).min() if kind == "classes" else steps[:, None].astype(np.float32)
    schema = TableSchema((Column("x", "number"), Column("y", "number")))
    noise = rng.normal(size=2_000)
    part = Part(
        InMemory(torch.from_numpy(np.stack([x, noise], 1).astype(np.float32))),
        torch.as_tensor(targets),
        [str(i) for i in range(2_000)],
    )
    module = fit("tree-bins", part, schema)
    assert isinstance(module, TableInputs)
    low = module.low[: module.bins[0]].tolist()
    for change in (20, 23, 71.5):
        below = x[x <= change].max()
        above = x[x > change].min()
        assert any(below <= edge <= above for edge in low)
    assert low[0] == pytest.approx(x.min(), abs=1e-4)
    width = module.width[: module.bins[0]]
    assert low[-1] + float(width[-1]) == pytest.approx(x.max(), abs=1e-3)
    counts = np.histogram(x, [*low[:-1], low[-1], 1e9])[0]
    assert counts.min() >= 15  # leaves of 16 rows at least; an edge of float32 may move one over
    assert len(low) <= 64
    assert module.net_options["columns"] == tuple(module.bins)
    row = torch.tensor([[50.0, 0.0]])
    close(module(row)[0, : module.bins[0]], piecewise(50.0, [*low, low[-1] + float(width[-1])]), 1e-4)


def test_tree_bins_of_a_constant_column_are_one() -> None:
    schema = TableSchema((Column("x", "number"),))
    part = Part(InMemory(torch.full((5, 1), 4.0)), torch.tensor([0, 1, 0, 1, 0]), list("abcde"))
    module = fit("tree-bins", part, schema)
    assert isinstance(module, TableInputs)
    assert module.bins == [1]
    close(module(torch.tensor([[4.0], [4.5]])), [[0.0], [0.5]])


def test_unseen_and_missing_categories_are_all_zeros() -> None:
    train, schema, _ = table_part()
    row = torch.tensor([[50.0, math.nan, 4.0, 1.0, 1.0], [50.0, 1.0, 4.0, 1.0, 1.0]])
    assert fit("standardise", train, schema)(row)[:, -3:].tolist() == [[0, 0, 0], [0, 1, 0]]


def test_tables_of_categories_alone() -> None:
    schema = TableSchema((Column("a", "category", ("u", "v")), Column("b", "category", ("x", "y", "z"))))
    values = torch.tensor([[0.0, 2.0], [1.0, 0.0]])
    for name in PREPROCESSING["table"]:
        assert fit(name, part(values), schema)(values).tolist() == [[1, 0, 0, 0, 1], [0, 1, 1, 0, 0]]


def test_a_column_missing_in_all_of_the_training_part_stays_finite() -> None:
    values = torch.tensor([[math.nan, 1.0], [math.nan, 2.0], [math.nan, 4.0]])
    schema = TableSchema((Column("a", "number"), Column("b", "number")))
    for name in PREPROCESSING["table"]:
        module = fit(name, part(values), schema)
        assert module(values).isfinite().all()
        assert module(torch.tensor([[3.0, math.nan]])).isfinite().all()


def test_huge_tables_numbers_stay_finite() -> None:
    values = torch.tensor([[3e38], [-3e38], [1.0], [2.0]])
    for name in ("standardise", "quantile", "tree-bins"):
        for raw in (values, torch.full((4, 1), 1e30), torch.full((4, 1), -2e7)):
            assert fit(name, part(raw), TableSchema((Column("a", "number"),)))(raw).isfinite().all()


def everything() -> list[tuple[str, Preprocess, Tensor]]:
    train, schema, _ = table_part()
    arrays = torch.randn(50, 6, generator=torch.Generator().manual_seed(0))
    made = [(f"image {name}", fit(name, part(TRAIN), IMAGE), NEW) for name in PREPROCESSING["image"]]
    made += [
        (f"array {name}", fit(name, part(arrays), Plain("array", (6,))), arrays[:7]) for name in PREPROCESSING["array"]
    ]
    rows = train.inputs.take(torch.arange(12))
    return made + [(f"table {name}", fit(name, train, schema), rows) for name in PREPROCESSING["table"]]


@pytest.mark.parametrize(
    ("name", "module", "raw"), everything(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_contract_of_every_preprocessing(name: str, module: Preprocess, raw: Tensor) -> None:
    made = module(raw)
    assert made.shape == (len(raw), *module.output_shape)
    assert module.input_shape == raw.shape[1:]
    assert made.dtype == torch.float32
    assert not list(module.parameters())
    for i in range(len(raw)):  # a sample's output does not depend on its batch mates
        torch.testing.assert_close(module(raw[i : i + 1])[0], made[i], rtol=1e-5, atol=1e-5)
    again = preprocess_from_json(json.loads(json.dumps(module.to_json())))
    again.load_state_dict(module.state_dict())
    assert torch.equal(again(raw), made)
    assert again.to_json() == module.to_json()
    assert again.output_shape == module.output_shape
    if raw.dim() == 4:
        assert torch.equal(module(raw.contiguous(memory_format=torch.channels_last)).contiguous(), made)


@pytest.mark.parametrize(
    "kind", [kind for kind in PREPROCESSING if kind in ("image", "array", "table")]
)  # the others have tests of their own
def test_fitting_looks_at_its_part_alone(kind: str) -> None:
    """What is fitted on a part does not change when samples outside of it do."""
    train, schema, _ = table_part()
    whole = {"image": TRAIN, "array": torch.randn(60, 5), "table": train.inputs.take(torch.arange(60))}[kind]
    used = schema if kind == "table" else Plain(kind, tuple(whole.shape[1:]))
    changed = whole.clone()
    changed[40:] = changed[40:].flip(0) * 3
    index = torch.arange(40)
    for name in PREPROCESSING[kind]:
        one = fit(name, part(whole).subset(index), used).state_dict()
        other = fit(name, part(changed).subset(index), used).state_dict()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_auto_is_the_first_and_wrong_names_are_told() -> None:
    assert fit("auto", part(TRAIN), IMAGE).name == "standardise"
    with pytest.raises(UsageError, match="did you mean 'whiten'"):
        fit("whitten", part(TRAIN), IMAGE)
    with pytest.raises(UsageError, match="unknown array preprocessing 'mean-image'"):
        fit("mean-image", part(TRAIN), Plain("array", (3, 4, 4)))
    with pytest.raises(UsageError, match="kind 'cloud'"):
        fit("none", part(TRAIN), Plain("cloud", (3, 4, 4)))
    big = part(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    with pytest.raises(UsageError, match="12,288 × 12,288"):
        fit("pca", big, Plain("image", (3, 64, 64)))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"form": "magic"},
        {"form": "normalise"},
        {"form": "table", "name": "none", "numbers": 3},
        {"form": "decorrelate", "name": "pca", "scale": 1, "input_shape": "no", "output_shape": [1]},
    ],
)
def test_damaged_descriptions_are_model_errors(values: dict[str, Any]) -> None:
    with pytest.raises(ModelError):
        preprocess_from_json(values)


def test_target_scale_is_inverted_exactly_enough() -> None:
    targets = torch.from_numpy(np.random.default_rng(0).normal([5.0, -300.0], [0.1, 40.0], size=(500, 2))).float()
    scale = TargetScale.fit(targets)
    np.testing.assert_allclose(
        scale.encode(targets).numpy(), StandardScaler().fit_transform(targets.double().numpy()), atol=1e-3
    )
    torch.testing.assert_close(scale(scale.encode(targets)), targets)
    again = TargetScale.from_json(json.loads(json.dumps(scale.to_json())))
    again.load_state_dict(scale.state_dict())
    assert torch.equal(again.decode(targets), scale.decode(targets))
    same = TargetScale.fit(torch.full((9, 1), 3.0))
    assert same.encode(torch.tensor([[3.0], [5.0]])).tolist() == [[0.0], [2.0]]
