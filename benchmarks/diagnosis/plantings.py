"""What a planting is, and what plantings are made of: changes of a training, and the hosts in which they make sense."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.diagnosis.case import Setup
from benchmarks.diagnosis.drawn import VALUES


def anywhere(setup: Setup) -> bool:
    """Every host."""
    return True


@dataclass(frozen=True)
class Planting:
    """A way to plant a fault.

    Attributes:
        fault: id of the rule that is meant.
        variant: end of the case's name.
        how: what was broken; ``{s}`` is the strength.
        change: (host, strength) -> fields that change.
        low: smallest strength.
        high: largest one.
        fits: hosts in which it can be.
        also: other ids that are right.
        because: why.
        elsewhere: where the harm is.
    """

    fault: str
    variant: str
    how: str
    change: Callable[[Setup, float], dict[str, Any]]
    low: float = 1.0
    high: float = 1.0
    fits: Callable[[Setup], bool] = anywhere
    also: tuple[str, ...] = ()
    because: str = ""
    elsewhere: str = ""


def rate_times(setup: Setup, strength: float) -> dict[str, Any]:
    """The rate times the strength."""
    return {"lr": setup.lr * strength}


def rate_divided_by(setup: Setup, strength: float) -> dict[str, Any]:
    """The rate divided by the strength."""
    return {"lr": setup.lr / strength}


def spoilt_by(name: str, strength: float | None = None, **more: Any) -> Callable[[Setup, float], dict[str, Any]]:
    """What ``spoil_*.py`` does under this name, as strongly as drawn or as given; and further fields."""
    return lambda setup, drawn: {
        "spoilt": (*setup.spoilt, (name, drawn if strength is None else strength)),
        **more,
    }


def with_options(**options: Any) -> Callable[[Setup, float], dict[str, Any]]:
    """Further options of the host's net."""
    return lambda setup, strength: {"options": {**setup.options, **options}}


def tells_classes(setup: Setup) -> bool:
    """Hosts that tell classes, and no values."""
    return setup.data not in VALUES


def by_cross_entropy(setup: Setup) -> bool:
    """Those of them that are trained by cross-entropy."""
    return tells_classes(setup) and setup.loss == "cross-entropy"


def of_nets(*nets: str) -> Callable[[Setup], bool]:
    """Hosts with one of these nets."""
    return lambda setup: setup.net in nets


def all_of(*tests: Callable[[Setup], bool]) -> Callable[[Setup], bool]:
    """Hosts that pass all of these."""
    return lambda setup: all(test(setup) for test in tests)


def of_data(names: set[str]) -> Callable[[Setup], bool]:
    """Hosts on one of these data sets."""
    return lambda setup: setup.data in names


def plain(setup: Setup) -> bool:
    """Rectified or alike, and no norm that would undo a change of the weights' size."""
    usual = setup.net in ("mlp", "convolutional", "lenet5") and not setup.options.get("batch_norm")
    return usual and setup.options.get("activation", "relu") in ("relu", "gelu")


def rectified(setup: Setup) -> bool:
    """Plain hosts with ReLU."""
    return plain(setup) and setup.options.get("activation", "relu") == "relu"


def squashed(setup: Setup) -> bool:
    """Hosts with tanh or sigmoid, and no norm behind it."""
    return setup.options.get("activation") in ("tanh", "sigmoid") and not setup.options.get("batch_norm")


def normed(setup: Setup) -> bool:
    """Hosts with batch normalisation."""
    return bool(setup.options.get("batch_norm")) or setup.net in ("strided", "resnet")


def dropping(setup: Setup) -> bool:
    """Hosts with dropout."""
    return bool(setup.options.get("dropout"))


def by_sgd(setup: Setup) -> bool:
    """Hosts that are trained by SGD."""
    return setup.optimizer == "sgd"


recurrent = of_nets("gru", "lstm", "rnn")


def decayed_early(setup: Setup, strength: float) -> dict[str, Any]:
    """A schedule that divides the rate by the strength after every eighth of the run."""
    every = max(1, round(setup.epochs / 8))
    return {"schedule": "step", "schedule_options": {"every": every, "factor": 1 / strength}}


def with_few_samples(part: float, **more: Any) -> Callable[[Setup, float], dict[str, Any]]:
    """A large net without dropout on a share of the samples, for about 500 steps."""

    def change(setup: Setup, strength: float) -> dict[str, Any]:
        samples = max(100, round(setup.samples / part))
        options = {**setup.options, "hidden": (400, 200), "dropout": 0.0}
        epochs = round(500 * setup.batch_size / samples)
        return {
            "samples": samples,
            "epochs": epochs,
            "options": options,
            "schedule": "constant",
            "schedule_options": {},
        } | more

    return change


def deep(activation: str, layers: int, init: str, scale: bool = False) -> Callable[[Setup, float], dict[str, Any]]:
    """A narrow perceptron of so many layers, its weights scaled by the strength where asked for."""

    def change(setup: Setup, strength: float) -> dict[str, Any]:
        options = {"hidden": (56,) * layers, "activation": activation, "batch_norm": False, "dropout": 0.0}
        spoilt = (*setup.spoilt, ("scale-weights", strength)) if scale else setup.spoilt
        return {"options": options, "init": init, "spoilt": spoilt}

    return change


def classes_as_values(setup: Setup, strength: float) -> dict[str, Any]:
    """The number of the class as a value, by squared error."""
    spoilt = (*setup.spoilt, ("classes-as-values", 1.0))
    return {"spoilt": spoilt, "loss": "squared", "loss_options": {}, "outputs": 1, "lr": setup.lr / 10}


def in_tiny_batches(setup: Setup, strength: float) -> dict[str, Any]:
    """Batches of two."""
    return {"batch_size": 2, "epochs": 2, "samples": min(setup.samples, 500), "lr": setup.lr / 10}


def in_pieces(setup: Setup, strength: float) -> dict[str, Any]:
    """Every batch in pieces of two, each with its own batch statistics."""
    return {"micro_batches": setup.batch_size // 2, "epochs": 3, "samples": min(setup.samples, 900)}
