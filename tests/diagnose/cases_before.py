"""Troubles that are seen before the first step: what was planted, what comes just short of it, and what only looks like it.

Each row: the rule, the changes of a healthy description that make it speak, the evidence, changes that must leave it silent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Changes = dict[str, Any]
END = {"nonnegative": 1.0, "min": 0.05, "max": 0.2, "row_sum": 1.0, "row_sum_spread": 1e-7}
INDICES = {"whole": True, "min": 0, "max": 9, "distinct": 10, "mean": 4.5, "std": 2.8723}
LOGS = {"log_sum_exp": 1e-9, "nonnegative": 0.0, "max": -0.1}


def rates(factor: Callable[[float], float]) -> list[float]:
    """What a schedule multiplies the rate by, at a hundred and one shares of the run."""
    return [float(f"{factor(point / 100):.4g}") for point in range(101)]


def values(**changes: Any) -> Changes:
    return {"task": "values"} | changes


def kernel(training: float, validation: float) -> Changes:
    """What kernel ridge regression knows of 800 training samples, and of 600 validation samples."""
    return {
        "targets": {"kernel_knows": training, "kernel_samples": 800},
        "validation": {"kernel_knows": validation},
    }


def told_wrongly(**changes: Any) -> Changes:
    """Kernel ridge regression, half of whose answers are wrong, and the label anywhere among the others where they are."""
    return {"targets": {"kernel_knows": 0.5, "kernel_wrong": 400, "kernel_place": 0.39} | changes}


BEFORE: list[tuple[str, Changes, dict[str, float], list[Changes]]] = [
    (
        "inputs-not-finite",
        {"inputs": {"nonfinite": 3, "bad_row": 7, "bad_column": 2}},
        {"nonfinite": 3.0, "row": 7.0, "column": 2.0},
        [{}, {"targets": {"nonfinite": 3}}],
    ),
    (
        "inputs-not-finite",
        {"validation": {"loss": math.nan}},
        {"train_loss": 2.31},
        [{"start": {"loss": math.nan}, "validation": {"loss": math.nan}}],
    ),
    (
        "no-shuffling",
        {"targets": {"batch_entropy": 1.97}},
        {"batch_entropy": 1.97, "shuffled_entropy": 2.2},
        [
            {"targets": {"batch_entropy": 1.99}},
            {"targets": {"batch_entropy": 1.9, "shuffled_entropy_std": 0.3, "batches": 2.0}},  # chance
            {"targets": {"batch_entropy": 2.2, "entropy": 2.3}},  # small batches, mixed
        ],
    ),
    (
        "no-shuffling",
        {"targets": {"batch_entropy": 0.0}},
        {"batch_entropy": 0.0, "shuffled_entropy": 2.2},
        [{"targets": {"batch_entropy": 0.0, "shuffled_entropy": 0.0, "entropy": 0.0}}],  # one class is all there is
    ),
    (
        "no-shuffling",
        values(targets={"batch_spread": 0.69, "batches": 4.0}),
        {"batch_spread": 0.69},
        [values(targets={"batch_spread": 0.71}), values(targets={"batch_spread": 0.3, "batches": 3.0})],
    ),
    (
        "outputs-mismatch",
        {"outputs": 20},
        {"outputs": 20.0, "classes": 10.0},
        [{"outputs": 19}, {"outputs": 20, "targets": {"samples": 150}}],  # too few to miss a class
    ),
    ("outputs-mismatch", {"targets": {"out_of_range": 1}}, {"outside": 1.0, "outputs": 10.0}, [values(outputs=20)]),
    (
        "inputs-constant",
        {"inputs": {"constant": 0.8}},
        {"constant": 0.8},
        [{"inputs": {"constant": 0.79}}, {"inputs": {"constant": 0.9, "samples": 19}}],
    ),
    ("inputs-constant", {"inputs": {"constant": 1.0, "std": 0.0, "min": 0.0, "max": 0.0}}, {"constant": 1.0}, []),
    (
        "inputs-constant",
        {"validation": {"same_among": 0.31}},
        {"constant": 0.1, "alike": 0.31},
        [
            {"validation": {"same_among": 0.3}},
            {"validation": {"same_among": 0.9}, "inputs": {"indices": True}},
            {"validation": {"same_among": 0.9}, "inputs": {"features": 19}},
        ],
    ),
    (
        "unreached-parameters",
        {"net": {"unreached": ["head.weight", "head.bias"]}},
        {"parameters": 2.0},
        [{"net": {"zero_gradient": ["a"]}}],
    ),
    ("not-optimised", {"net": {"not_optimised": ["head.weight"]}}, {"parameters": 1.0}, [{"net": {"frozen": ["a"]}}]),
    ("not-optimised", {"net": {"hidden": ["blocks[0].weight", "blocks[0].bias"]}}, {"parameters": 2.0}, []),
    (
        "frozen-parameters",
        {"net": {"trainable": 890, "frozen": ["0.weight"]}},
        {"share": 0.11},
        [{"net": {"trainable": 901, "frozen": ["0.bias"]}}, {"net": {"parameters": 0, "trainable": 0}}],
    ),
    (
        "frozen-parameters",
        {"net": {"trainable": 980, "frozen": ["0.weight", "0.bias"], "frozen_layers": ["0"], "weight_layers": 10}},
        {"share": 0.02},
        [{"net": {"trainable": 980, "frozen": ["0.weight"], "frozen_layers": ["0"], "weight_layers": 11}}],
    ),
    (
        "lr-rises",
        {"plan": {"rates": rates(lambda u: 100**u)}},
        {"earlier": 0.631, "later": 10.0},
        [
            {"plan": {"rates": rates(lambda u: 3.1**u)}},  # 1.97 times as high at the end as after 40 % of the run
            {"plan": {"rates": rates(lambda u: min(1.0, 2.4 * u + 0.04))}},  # a warm-up that is over in time
            {"plan": {"rates": rates(lambda u: 1 - abs(2 * (4 * u % 1) - 1))}},  # triangles
            {"plan": {"rates": rates(lambda u: 0.0)}},
            {"plan": {"rates": []}},
        ],
    ),
    (
        "lr-decays-early",
        {"plan": {"rates": rates(lambda u: 0.1 ** (u // 0.17))}},
        {"from": 34 / 101, "highest": 0.1, "then": 0.001},
        [
            {"plan": {"rates": rates(lambda u: 0.1 ** (u // 0.19))}},  # a hundredth from 38 % on
            {"plan": {"rates": rates(lambda u: 0.11 ** (u // 0.4))}},
            {"plan": {"rates": [*rates(lambda u: 0.001 if u > 0.2 else 1.0)[:-1], 0.02]}},  # it comes back
            {"plan": {"rates": rates(lambda u: 0.0)}},
        ],
    ),
    ("stuck-in-eval", {"net": {"stuck_in_eval": ["1", "features.2"]}}, {"modules": 2.0}, [{"net": {"dropouts": 2}}]),
    (
        "stuck-in-train",
        {"net": {"stuck_in_train": ["1"]}},
        {"modules": 1.0, "random": 0.0, "mixes_samples": 0.0},
        [{"net": {"dropouts": 2}}],
    ),
    ("stuck-in-train", {"net": {"random_in_eval": True}}, {"modules": 0.0, "random": 1.0, "mixes_samples": 0.0}, []),
    ("stuck-in-train", {"net": {"mixes_samples": True}}, {"modules": 0.0, "random": 0.0, "mixes_samples": 1.0}, []),
    (
        "wrong-loss",
        {"plan": {"loss": "nll_loss"}, "result": {"log_sum_exp": 2.31}},
        {"log_sum_exp": 2.31},
        [
            {"plan": {"loss": "nll_loss"}, "result": {"log_sum_exp": 0.001}},
            {"plan": {"loss": "NLLLoss"}, "result": {"log_sum_exp": math.nan}},
        ],
    ),
    (
        "outputs-mismatch",  # counted from 1
        {"outputs": 4, "targets": {"counts": [0, 300, 400, 300]}},
        {"outputs": 4.0, "classes": 3.0},
        [
            {"outputs": 4, "targets": {"counts": [300, 0, 400, 300]}},  # one that happens to be missing
            {"outputs": 4, "targets": {"counts": [0, 15, 20, 15], "samples": 50}},
        ],
    ),
    (
        "samples-mixed",
        {"net": {"mixes_samples": True, "mixed_after": "body.1", "mixed_before": "head"}},
        {"layers": 0.0},
        [{"net": {"mixed_after": "body.1", "mixed_before": "head"}}],
    ),
    (
        "samples-mixed",
        {"net": {"mixes_samples": True, "mixed_after": "r", "mixed_before": "r", "samples_as_time": ["r"]}},
        {"layers": 1.0},
        [],
    ),
    (
        "wrong-loss",  # the sign
        {"start": {"away": 1.0}},
        {"away": 1.0},
        [{"start": {"away": 0.8}}, {"start": {"away": 0.0}}],
    ),
    ("wrong-loss", values(start={"away": 0.95}), {"away": 0.95}, [values(start={"away": 0.4})]),
    (
        "slow-start",
        {"net": {"identical_units": ["0.weight", "2.weight"]}},
        {"layers": 2.0},
        [
            {"net": {"identical_units": ["4.weight"]}},
            {"net": {"identical_units": ["0.weight", "2.weight"], "weight_layers": 4}},
        ],
    ),
    (
        "softmax-twice",
        {"result": END},
        {"floor": 1.46115, "row_sum": 1.0},  # ln(1 + 9/e)
        [
            {"result": END | {"row_sum": 1.002}},
            {"result": END | {"row_sum_spread": 0.01}},
            {"result": END, "plan": {"loss": "nll"}},
        ],
    ),
    (
        "wrong-loss",
        {"net": {"last": "ReLU"}},
        {"min": -0.5, "max": 0.5},
        [{"net": {"last": "LeakyReLU"}}, {"net": {"last": "Sigmoid"}, "plan": {"loss": "bce"}}],
    ),
    (
        "wrong-loss",  # called as a function behind the last module
        {"net": {"last": "Linear", "ends_in": "Tanh"}},
        {"min": -0.5, "max": 0.5},
        [
            {"net": {"last": "Linear", "ends_in": "Addmm"}},
            {"net": {"last": "ReLU", "ends_in": "Addmm"}},  # and a layer that is no module behind it
            {"net": {"last": "Linear", "ends_in": "Mul"}},
        ],
    ),
    (
        "wrong-loss",
        {"outputs": 1, "net": {"last": "Linear", "ends_in": "Sigmoid"}, "plan": {"loss": "BCEWithLogitsLoss"}},
        {"min": -0.5, "max": 0.5},
        [{"outputs": 1, "net": {"last": "Linear", "ends_in": "Sigmoid"}, "plan": {"loss": "BCELoss"}}],
    ),
    (
        "wrong-loss",
        values(net={"ends_in": "Sigmoid"}, targets={"min": 0.05, "max": 1.3}),
        {"min": 0.05, "max": 1.3},
        [
            values(net={"ends_in": "Sigmoid"}, targets={"min": 0.0, "max": 1.0}),
            values(net={"ends_in": "Relu"}, targets={"min": 0.0, "max": 90.0}),
            values(net={"ends_in": "Addmm"}, targets={"min": -3.0, "max": 3.0}),
            values(net={"last": "Sigmoid", "ends_in": "Mul"}),  # widened
        ],
    ),
    (
        "wrong-loss",
        {"result": {"nonnegative": 1.0, "min": 0.0, "max": 0.5}},
        {"min": 0.0, "max": 0.5},
        [{"result": {"nonnegative": 1.0, "min": 0.1}}, {"result": {"nonnegative": 0.99, "min": 0.0}}],
    ),
    (
        "wrong-loss",
        values(outputs=10, targets={"one_hot": True}),
        {"outputs": 10.0},
        [values(outputs=2, targets={"one_hot": True})],
    ),
    (
        "wrong-loss",
        values(targets=INDICES),
        {"distinct": 10.0},
        [
            values(targets=INDICES | {"mean": 5.1}),
            values(targets=INDICES | {"std": 2.5}),  # ratings: the middle is more frequent
            values(targets=INDICES | {"max": 12}),
            values(targets=INDICES | {"whole": False}),
            values(targets={"whole": True, "min": 0, "max": 1, "distinct": 2, "mean": 0.5, "std": 0.5}),
        ],
    ),
    (
        "inputs-unscaled",
        {"inputs": {"std": 8.1, "min": -24.0, "max": 24.0}},
        {"mean": 0.0, "std": 8.1, "scale_ratio": 2.0},
        [
            {"inputs": {"std": 7.9, "min": -24.0, "max": 24.0}},
            {"inputs": {"std": 80.0}, "net": {"first": "BatchNorm1d"}},
            {"inputs": {"std": 80.0, "indices": True}},  # words
        ],
    ),
    (
        "inputs-unscaled",
        {"inputs": {"std": 0.029, "min": -0.1, "max": 0.1}},
        {"mean": 0.0, "std": 0.029, "scale_ratio": 2.0},
        [{"inputs": {"std": 0.031, "min": -0.1, "max": 0.1}}, {"inputs": {"std": 0.01, "mean": 1.0}}],
    ),
    (
        "inputs-unscaled",  # sequences that were divided away
        {"inputs": {"std": 1e-4, "mean": 2e-5, "min": 0.0, "max": 3e-4}, "net": {"first": "LSTM", "recurrents": 1}},
        {"mean": 2e-5, "std": 1e-4, "scale_ratio": 2.0},
        [],
    ),
    (
        "inputs-unscaled",
        {"inputs": {"largest_row": 20.5, "largest_row_at": 17, "max": 60.0}, "net": {"first": "BatchNorm1d"}},
        {"times": 20.5, "row": 17.0},
        [{"inputs": {"largest_row": 20.0, "largest_row_at": 17}}],
    ),
    (
        "inputs-unscaled",
        {"validation": {"largest_row": 20.5, "largest_row_at": 3}},
        {"times": 20.5, "row": 3.0},
        [{"validation": {"largest_row": 20.0, "largest_row_at": 3}}],
    ),
    (
        "inputs-unscaled",
        {"inputs": {"scale_ratio": 101.0, "max": 31.0}},
        {"mean": 0.0, "std": 1.0, "scale_ratio": 101.0},
        [{"inputs": {"scale_ratio": 100.0, "max": 31.0}}, {"inputs": {"scale_ratio": 101.0, "max": 30.0}}],
    ),
    (
        "targets-unscaled",
        values(targets={"mean": 20.1}),
        {"mean": 20.1, "std": 1.0},
        [values(targets={"mean": 20.0, "std": 20.0})],
    ),
    (
        "targets-unscaled",
        values(targets={"farthest": 51.0, "farthest_at": 9, "farthest_value": 1e6}),
        {"times": 51.0, "row": 9.0},
        [values(targets={"farthest": 50.0, "farthest_at": 9, "farthest_value": 7.0})],
    ),
    (
        "targets-unscaled",  # of a part whose R² it alone decides
        values(
            validation={"farthest": 51.0, "farthest_at": 9, "farthest_value": 1e6, "kernel_knows": -99.0},
            targets={"kernel_knows": 0.9},
        ),
        {"times": 51.0, "row": 9.0},
        [],
    ),
    (
        "targets-unscaled",
        values(targets={"std": 0.019}),
        {"mean": 0.0, "std": 0.019},
        [
            values(targets={"std": 0.02}),
            values(targets={"std": 0.0}),
            values(targets={"std": 90.0}, plan={"loss": "poisson"}),
        ],
    ),
    (
        "batch-too-small-for-norm",
        {"net": {"batch_norms": 2}, "plan": {"batch_size": 4}},
        {"samples": 4.0},
        [{"net": {"batch_norms": 2}, "plan": {"batch_size": 5}}, {"plan": {"batch_size": 1}}],
    ),
    (
        "batch-too-small-for-norm",
        {"net": {"batch_norms": 2}, "plan": {"micro_batches": 8}},
        {"samples": 4.0},
        [{"net": {"batch_norms": 2}, "plan": {"micro_batches": 7}}],
    ),
    (
        "leaking-input",
        {"inputs": {"best_feature": 0.9, "second_feature": 0.7}},
        {"best": 0.9, "second": 0.7, "feature": 5.0},
        [
            {"inputs": {"best_feature": 0.89, "second_feature": 0.1}},
            {"inputs": {"best_feature": 0.95, "second_feature": 0.85}},  # neighbouring pixels
            {"inputs": {"best_feature": 0.95, "features": 2}},
            {"inputs": {"best_feature": 0.95, "samples": 99}},
        ],
    ),
    (
        "validation-leak",
        {"validation": {"same_inputs": 0.05}},
        {"share": 0.05},
        [{"validation": {"same_inputs": 0.049}}, {"validation": {"same_inputs": 0.06, "same_among": 0.05}}],
    ),
    (
        "distribution-shift",
        {"validation": {"shift": 0.51, "shift_noise": 0.1}},
        {"shift": 0.51, "shift_noise": 0.1, "spread_ratio": 1.0, "label_shift": 0.05, "distance_ratio": 1.0},
        [{"validation": {"shift": 0.5}}, {"validation": {"shift": 0.8, "shift_noise": 0.3}}],  # few samples
    ),
    (
        "distribution-shift",
        {"validation": {"largest_shift": 1.21}},
        {"shift": 0.04},
        [
            {"validation": {"largest_shift": 1.2}},
            {"validation": {"largest_shift": 5.0}, "inputs": {"features": 784}},
            {"validation": {"largest_shift": 5.0, "samples": 59}},
            {"validation": {"largest_shift": 5.0}, "inputs": {"samples": 59}},
        ],
    ),
    (
        "distribution-shift",
        {"validation": {"spread_ratio": 1.81}},
        {"spread_ratio": 1.81},
        [{"validation": {"spread_ratio": 1.79}}],
    ),
    (
        "distribution-shift",
        {"validation": {"spread_ratio": 0.55}},
        {"spread_ratio": 0.55},
        [
            {"validation": {"spread_ratio": 0.56}},
            {"validation": {"spread_ratio": 0.2}, "inputs": {"max": 26.0}},
        ],  # a wild row
    ),
    (
        "distribution-shift",
        {"validation": {"neighbour_distance_ratio": 1.61}},
        {"distance_ratio": 1.61},
        [{"validation": {"neighbour_distance_ratio": 1.6}}],
    ),
    (
        "distribution-shift",
        kernel(0.9, 0.79),  # 5 · √(2 · 0.845 · 0.155 / 600) = 0.104
        {"shift": 0.04},
        [
            kernel(0.9, 0.81),
            kernel(0.99, 0.94),  # 5 · √(2 · 0.965 · 0.035 / 600) = 0.053, and yet it is little
            kernel(0.79, 0.9),
            {"targets": {"kernel_knows": 0.9, "kernel_samples": 300}, "validation": {"kernel_knows": 0.79}},
        ],
    ),
    (
        "distribution-shift",
        {"task": "values"} | kernel(0.9, 0.64),
        {"shift": 0.04},
        [{"task": "values"} | kernel(0.9, 0.66)],
    ),
    (
        "labels-noisy",
        told_wrongly(),
        {"accuracy": 0.5, "place": 0.39, "wrong": 400.0},
        [
            told_wrongly(kernel_place=0.38),  # similar classes come first
            told_wrongly(kernel_wrong=399),
            told_wrongly(kernel_knows=0.81),
            told_wrongly(kernel_knows=0.18),  # less than a tenth of the way from 0.1 to 1
            told_wrongly(counts=[300] * 3),
        ],
    ),
    (
        "distribution-shift",
        {"validation": {"label_shift": 0.36}},
        {"label_shift": 0.36},
        [{"validation": {"label_shift": 0.35}}, {"validation": {"label_shift": 0.5, "samples": 150}}],
    ),
    (
        "class-imbalance",
        {"targets": {"counts": [400] + [50] * 9}},
        {"majority": 400 / 850, "ratio": 8.0},
        [
            {"targets": {"counts": [399] + [50] * 9}},
            {"targets": {"counts": [100] * 9 + [12]}},  # one rare class is no majority
            {"targets": {"counts": [35, 4]}},  # too few to say
        ],
    ),
    (
        "class-imbalance",
        {"targets": {"counts": [60] + [5] * 9}},  # few of each, but four times the even share and more
        {"majority": 60 / 105, "ratio": 12.0},
        [
            {"targets": {"counts": [25] + [5] * 8 + [3]}},  # 3.7 times the even share
            {"targets": {"counts": [35, *[2] * 12]}},  # 59 samples
        ],
    ),
    (
        "penalty-dominates",
        {"plan": {"lr": 0.01, "weight_decay": 0.5}},
        {"decay": 0.005},
        [{"plan": {"lr": 0.005, "weight_decay": 0.5}}, {"plan": {"lr": 1.0, "weight_decay": 0.01}}],
    ),
    (
        "saturation",
        {"net": {"saturated": 0.55, "saturated_layer": "2"}},
        {"saturated": 0.55},
        [{"net": {"saturated": 0.54, "saturated_layer": "2"}}],
    ),
    (
        "saturation",
        {"net": {"saturated": 0.3, "saturated_layer": "2"}, "start": {"loss": 5.31, "train_loss": 5.31}},
        {"saturated": 0.3},
        [
            {"net": {"saturated": 0.29, "saturated_layer": "2"}, "start": {"loss": 5.31, "train_loss": 5.31}},
            {"net": {"saturated": 0.3, "saturated_layer": "2"}, "start": {"loss": 5.3, "train_loss": 5.3}},
        ],
    ),
    ("exploding-gradient", {"net": {"time_ratio": 9.1}}, {"time": 9.1}, [{"net": {"time_ratio": 9.0}}]),
    (
        "initial-loss-high",
        {"start": {"loss": 5.31, "train_loss": 5.31}},
        {"loss": 5.31, "expected": 2.3026},
        [
            {"start": {"loss": 5.3, "train_loss": 5.3}},
            {"start": {"loss": 9.0}},  # running averages that do not fit yet
            {"start": {"loss": 3.69, "train_loss": 3.69, "expected": 0.6931}},  # of two classes it is the same distance
            {"start": {"loss": 9.0, "train_loss": 9.0}, "net": {"last": "RBF"}},
            {
                "start": {"loss": 5.4, "train_loss": 5.4},
                "result": LOGS,
                "net": {"last": "ByHand"},
            },  # it may overflow first
        ],
    ),
    (
        "initial-loss-high",
        {"start": {"loss": 5.4, "train_loss": 5.4}, "result": LOGS, "net": {"last": "LogSoftmax"}},
        {"loss": 5.4, "expected": 2.3026},
        [],
    ),
    (
        "initial-loss-high",
        values(start={"loss": 22.0, "train_loss": 22.0, "constant": 2.0}),
        {"loss": 22.0, "expected": 2.0},
        [values(start={"loss": 21.9, "train_loss": 21.9, "constant": 2.0})],
    ),
    (
        "initial-loss-high",
        values(plan={"loss": "huber"}, start={"loss": 4.0, "train_loss": 4.0}),
        {"loss": 4.0, "expected": 1.0},
        [values(plan={"loss": "huber"}, start={"loss": 3.9, "train_loss": 3.9})],
    ),
]
