"""Small streams of events: those of a healthy training, in which a test changes what matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from glassnet.diagnose import Doctor
from glassnet.events import Described, Epoch, Event, Finding, Measured, Started, Step, Traced

STEPS_PER_EPOCH, EPOCHS = 10, 10
TOTAL = STEPS_PER_EPOCH * EPOCHS
FIRST = 2.3

CLASSES: dict[str, dict[str, Any]] = {
    "plan": {"optimizer": "SGD", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.0, "batch_size": 32, "micro_batches": 1}
    | {"epochs": EPOCHS, "steps_per_epoch": STEPS_PER_EPOCH, "loss": "cross-entropy", "clip": False, "penalty": False},
    "net": {"parameters": 1000, "trainable": 1000, "frozen": [], "unreached": [], "zero_gradient": []}
    | {"not_optimised": [], "identical_units": [], "stuck_in_eval": [], "stuck_in_train": [], "batch_norms": 0}
    | {"dropouts": 0, "recurrents": 0, "weight_layers": 3, "nonlinearities": 2, "first": "Linear", "last": "Linear"}
    | {"random_in_eval": False, "mixes_samples": False},
    "inputs": {"samples": 1000, "features": 64, "indices": False, "mean": 0.0, "std": 1.0, "min": -3.0, "max": 3.0}
    | {"nonfinite": 0, "constant": 0.1, "scale_ratio": 2.0, "offset": 1.0}
    | {"best_feature": 0.3, "best_feature_index": 5, "second_feature": 0.28},
    "targets": {"samples": 1000, "counts": [100] * 10, "entropy": 2.3, "batch_entropy": 2.2, "shuffled_entropy": 2.2}
    | {"shuffled_entropy_std": 0.03, "batches": 20.0, "neighbour_agreement": 0.8, "chance_agreement": 0.1}
    | {"neighbour_samples": 1000, "nonfinite": 0, "out_of_range": 0},
    "result": {"mean": 0.0, "std": 0.1, "between_samples": 0.05, "min": -0.5, "max": 0.5, "nonnegative": 0.5}
    | {"row_sum": 0.1, "row_sum_spread": 0.2, "log_sum_exp": 2.31, "nonfinite": 0},
    "start": {"loss": 2.31, "train_loss": 2.31, "expected": 2.3026, "constant": 2.3, "penalty": 0.0, "grad_norm": 1.0},
    "validation": {"samples": 600, "loss": 2.31, "shift": 0.04, "shift_noise": 0.04, "largest_shift": 0.2}
    | {"spread_ratio": 1.0, "neighbour_distance_ratio": 1.0, "same_inputs": 0.0, "same_among": 0.0}
    | {"counts": [60] * 10, "label_shift": 0.05},
}
VALUES: dict[str, dict[str, Any]] = CLASSES | {
    "plan": CLASSES["plan"] | {"loss": "squared"},
    "targets": {"samples": 1000, "mean": 0.0, "std": 1.0, "min": -3.0, "max": 3.0, "whole": False, "distinct": 900}
    | {"batch_spread": 0.98, "batches": 20.0, "neighbour_agreement": 0.6, "neighbour_samples": 1000, "nonfinite": 0},
    "start": {"loss": 1.02, "train_loss": 1.02, "expected": 1.0, "constant": 1.0, "penalty": 0.0, "grad_norm": 1.0},
    "validation": {key: CLASSES["validation"][key] for key in CLASSES["validation"] if "counts" not in key},
}


def described(task: str = "classes", outputs: int | None = None, **changes: Mapping[str, Any]) -> Described:
    """What a healthy training begins with, but for the changes: ``described(net={"batch_norms": 2})``."""
    base = VALUES if task == "values" else CLASSES
    assert set(changes) <= set(base), changes
    sections = {name: figures | dict(changes.get(name, {})) for name, figures in base.items()}
    return Described(task, (1 if task == "values" else 10) if outputs is None else outputs, **sections)


def layers(**changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Three dense layers and two ReLUs, named as in a Sequential; ``layers(_1={"dead": 0.5})`` changes the second."""
    dense = {"kind": "dense", "mean": 0.0, "std": 1.0, "between": 0.5, "gradient": 1.0, "units": 64, "nonfinite": 0}
    relu = {"kind": "relu", "mean": 0.4, "std": 0.6, "between": 0.4, "gradient": 1.0, "units": 64, "nonfinite": 0}
    relu |= {"zeros": 0.5, "dead": 0.1}
    made = [{"name": str(n)} | (relu if n % 2 else dense) for n in range(5)]
    for name, change in changes.items():
        made[int(name[1:])] |= change
    return made


def parameters(ratio: float = 1e-3, gain: float = 1.0, first: float = 1.0) -> list[dict[str, Any]]:
    """Weights and biases of three layers; ``first`` is the gradient of the first layer's weights, those of the others are 1."""
    made: list[dict[str, Any]] = []
    for n in (0, 2, 4):
        made.append({"name": f"{n}.weight", "dims": 2, "weight": 0.1, "gradient": 1.0, "update": 1e-4, "ratio": ratio})
        made[-1] |= {"gain": gain, "gradient": first if n == 0 else 1.0}
        made.append({"name": f"{n}.bias", "dims": 1, "weight": 0.1, "gradient": 1.0, "update": 1e-4, "ratio": 5.0})
    return made


def look(
    step: int, loss: float = FIRST, reach: float = 0.8, promised: float = 0.005, lr: float = 0.1, **more: Any
) -> Measured:
    """A look at a step.

    Args:
        step: counted from 1.
        loss: of the batch before the step.
        reach: (after − before) / predicted.
        promised: −predicted / before.
        lr: rate of the step.
        more: ``layers``, ``parameters``, ``through_time``, and figures of the batch.
    """
    figures = {"loss": loss, "before": loss, "predicted": -promised * loss, "after": loss - reach * promised * loss}
    figures |= {"accuracy": 0.5, "entropy": 2.2, "confidence": 0.3, "between_samples": 0.3, "grad_norm": 1.0}
    whole = {"layers": layers(), "parameters": parameters(), "through_time": []}
    whole |= {key: more.pop(key) for key in list(whole) if key in more}
    return Measured((step - 1) // STEPS_PER_EPOCH, step, lr, figures | more, **whole)


def looks(steps: Iterable[int], **more: Any) -> list[Measured]:
    """The same look at several steps."""
    return [look(step, **more) for step in steps]


def step(number: int, loss: float | None, penalty: float | None = None, lr: float = 0.1) -> Step:
    return Step((number - 1) // STEPS_PER_EPOCH, number, lr, 32 * number, loss, penalty)


def epoch(number: int, train: Mapping[str, Any], val: Mapping[str, Any]) -> Epoch:
    loss = train.get("loss")
    return Epoch(
        number,
        STEPS_PER_EPOCH * (number + 1),
        0.1,
        FIRST if loss is None else loss,
        0.0,
        0.0,
        dict(train),
        dict(val),
        False,
    )


def epochs(train: Sequence[float], val: Sequence[float]) -> list[Epoch]:
    return [epoch(n, {"loss": a}, {"loss": b}) for n, (a, b) in enumerate(zip(train, val, strict=True))]


def run(
    *extras: Event | Sequence[Event],
    losses: Sequence[float] | Callable[[int], float] = lambda _: FIRST,
    until: int | None = None,
    start: Described | None = None,
    penalty: float | None = None,
) -> list[Event]:
    """A training as it is told: Started, Described, then each step behind what was seen of it, each epoch behind its steps.

    Args:
        extras: looks, traces and epochs, in any order.
        losses: of the steps; where it is a function, up to the last extra.
        until: last step; by default the last that has a loss of its own or is looked at.
        start: what the training begins with; healthy by default.
        penalty: of every step.
    """
    flat = [event for extra in extras for event in (extra if isinstance(extra, Sequence) else [extra])]
    last = until or max([len(losses) if isinstance(losses, Sequence) else 0, *(event.step for event in flat)])
    events: list[Event] = [Started(320, STEPS_PER_EPOCH, EPOCHS, 1000), start or described()]
    for number in range(1, last + 1):
        mine = [event for event in flat if event.step == number]
        loss = losses(number) if callable(losses) else losses[min(number, len(losses)) - 1]
        events += [event for event in mine if isinstance(event, Measured | Traced)]
        events.append(step(number, loss, penalty))
        events += [event for event in mine if isinstance(event, Epoch)]
    return events


def found(events: Iterable[Event], doctor: Doctor | None = None) -> list[Finding]:
    """All findings of a doctor who sees these events."""
    doctor = doctor or Doctor()
    return [finding for event in events for finding in doctor.see(event)]
