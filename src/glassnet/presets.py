"""What each network is trained with when nothing is said: ordinary recipes, measured, in one place.

A preset gives the values that ``auto`` stands for, each with its reason. How they were found is written in ``docs/log.md``; no test
data was looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Choice(NamedTuple):
    """A chosen value and why."""

    value: Any
    reason: str


Preset = Mapping[str, Choice]

FEW_ROWS = 5_000
QUICK_SHARE = 0.25  # of the epochs are enough for most of the way
QUICK_EPOCHS = 3  # at least
# At most, where an epoch has fewer than QUICK_STEPS steps; of nets of which it was measured.
QUICK_BATCH = {"small-vgg": 128}
QUICK_STEPS = 64
QUICK_OPTIONS: Mapping[str, Mapping[str, Any]] = {"small-vgg": {"widths": (64, 128, 256), "activation": "relu"}}
QUICK_WIDTH = 0.5  # of the width that the full effort takes, and up to the next power of two: kernels like 32 channels better than 24
QUICK_CHANGES = ("flip", "shift")  # of images: those that only move pixels, and cost next to nothing
EPOCHS_OF_A_MILLION = 10  # tokens


def small_vgg(samples: int, shape: tuple[int, ...]) -> Preset:
    """Stochastic gradient descent at a high rate that rises and falls once."""
    photographs = len(shape) == 3 and shape[0] > 1
    size = 256 if samples >= 4_000 else 64 if samples >= 1_000 else 32
    epochs = _fewer_with_more(samples, at_1250=30 if photographs else 20, least=6)
    return {
        "optimizer.name": Choice("sgd", "with batch normalisation and a one-cycle schedule it learns fastest"),
        "optimizer.lr": Choice(
            0.6 * size / 256, "for 256 samples a step, scaled with the batch; 0.4 to 1.6 do as well"
        ),
        "optimizer.momentum": Choice(0.85, "as in airbench94"),
        "optimizer.nesterov": Choice(True, "as in airbench94"),
        "optimizer.weight_decay": Choice(1.3e-3, "as in airbench94, for this rate"),
        "optimizer.bias_lr": Choice(1.0, "as the weights; more showed no gain"),
        "schedule.name": Choice("one-cycle", "high rates early, zero at the end: best figure in few epochs"),
        "loss.label_smoothing": Choice(
            0.2, "as in airbench94; the temperature fitted afterwards mends the probabilities"
        ),
        "train.batch_size": Choice(size, f"for {samples:,} samples"),
        "train.epochs": Choice(epochs, f"for {samples:,} samples"),
        "regularise.average": Choice("none", "the falling rate at the end averages enough"),
    }


def resnet(samples: int, shape: tuple[int, ...]) -> Preset:
    """As in He et al. 2015, section 4.2, in fewer epochs under one cycle."""
    size = _batch(samples, most=128)
    return {
        "optimizer.name": Choice("sgd", "as in the paper"),
        "optimizer.lr": Choice(0.1 * size / 128, "as in the paper, scaled with the batch"),
        "optimizer.momentum": Choice(0.9, "as in the paper"),
        "optimizer.nesterov": Choice(True, "costs nothing and helps a little"),
        "optimizer.weight_decay": Choice(1e-4, "as in the paper"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("one-cycle", "reaches its best in fewer epochs than steps do"),
        "loss.label_smoothing": Choice(0.0, "as in the paper"),
        "train.batch_size": Choice(size, f"for {samples:,} samples"),
        "train.epochs": Choice(_fewer_with_more(samples, at_1250=60, least=15), f"for {samples:,} samples"),
        "regularise.average": Choice("none", "as in the paper"),
    }


def classic(samples: int, shape: tuple[int, ...]) -> Preset:
    """As in Krizhevsky et al. 2012, section 5, and Simonyan and Zisserman 2014, section 3.1, in fewer epochs under one cycle."""
    return {
        "optimizer.name": Choice("sgd", "as in the paper"),
        "optimizer.lr": Choice(0.01, "as in the papers of AlexNet and VGG"),
        "optimizer.momentum": Choice(0.9, "as in the paper"),
        "optimizer.weight_decay": Choice(5e-4, "as in the papers of AlexNet and VGG"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("one-cycle", "reaches its best in fewer epochs than steps do"),
        "loss.label_smoothing": Choice(0.0, "as in the paper"),
        "train.batch_size": Choice(_batch(samples, most=128), f"for {samples:,} samples"),
        "train.epochs": Choice(_fewer_with_more(samples, at_1250=60, least=15), f"for {samples:,} samples"),
        "regularise.average": Choice("none", "as in the paper"),
    }


def lenet(samples: int, shape: tuple[int, ...]) -> Preset:
    """Adam under one cycle."""
    return _adam(samples, lr=2e-3, weight_decay=1e-2, at_1250=40, batch=128)


def lenet5_1998(samples: int, shape: tuple[int, ...]) -> Preset:
    """As :func:`lenet` with the loss of the paper, which leads the features to the codes, and twice the rate."""
    return {
        **_adam(samples, lr=4e-3, weight_decay=1e-2, at_1250=40, batch=128),
        "loss.name": Choice("map", "equation 9 of the paper; half the errors of cross-entropy after five epochs"),
    }


def mlp(samples: int, shape: tuple[int, ...]) -> Preset:
    """AdamW under one cycle; few samples get more decay, smaller batches and more epochs."""
    if samples < FEW_ROWS:
        return _adam(samples, lr=1e-3, weight_decay=0.1, at_1250=40, batch=64)
    return _adam(samples, lr=1e-3, weight_decay=1e-2, at_1250=24, batch=256)


def conv_for_arrays(samples: int, shape: tuple[int, ...]) -> Preset:
    """For signals and volumes: AdamW under one cycle."""
    return _adam(samples, lr=2e-3, weight_decay=1e-2, at_1250=40, batch=64)


def all_conv(samples: int, shape: tuple[int, ...]) -> Preset:
    """AdamW under one cycle."""
    return _adam(samples, lr=2e-3, weight_decay=5e-2, at_1250=40, batch=128)


def texts(samples: int, shape: tuple[int, ...]) -> Preset:
    """For texts read by convolution: AdamW under one cycle, few epochs, because words are soon known by heart."""
    epochs = _fewer_with_more(samples, at_1250=10, least=4)
    return {
        **_adam(samples, lr=1e-3, weight_decay=1e-2, at_1250=10, batch=64),
        "train.epochs": Choice(epochs, f"for {samples:,} samples; more only learn them by heart"),
    }


def bags(samples: int, shape: tuple[int, ...]) -> Preset:
    """For bags of words: as :func:`texts` at a higher rate, since each vector is seldom met."""
    return _adam(samples, lr=5e-3, weight_decay=1e-2, at_1250=12, batch=64)


def recurrent(samples: int, shape: tuple[int, ...]) -> Preset:
    """For recurrent nets: AdamW under one cycle, with clipping, because their gradients may explode through time."""
    clip = Choice(1.0, "through time gradients may explode (Pascanu, Mikolov, Bengio 2013)")
    if len(shape) == 1:
        return {**texts(samples, shape), "optimizer.lr": Choice(2e-3, "usual for this net"), "clip.norm": clip}
    return {**_adam(samples, lr=2e-3, weight_decay=1e-2, at_1250=40, batch=64), "clip.norm": clip}


def unrolled(samples: int, shape: tuple[int, ...]) -> Preset:
    """For nets that unroll from a vector: AdamW under one cycle, clipped; more epochs than a net of one step, since each must pass through all of them."""
    clip = Choice(1.0, "through time gradients may explode (Pascanu, Mikolov, Bengio 2013)")
    return {**_adam(samples, lr=3e-3, weight_decay=1e-2, at_1250=60, batch=64), "clip.norm": clip}


def graphs(samples: int, shape: tuple[int, ...]) -> Preset:
    """As in Kipf and Welling 2017, section 5.2: Adam at one rate, the whole graph in every step."""
    return {
        "optimizer.name": Choice("adam", "as in the paper"),
        "optimizer.lr": Choice(0.01, "as in the paper"),
        "optimizer.weight_decay": Choice(5e-4, "as in the paper"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("constant", "as in the paper"),
        "loss.label_smoothing": Choice(0.0, "as in the paper"),
        "train.batch_size": Choice(samples, "the whole graph is passed in any case"),
        "train.epochs": Choice(200, "as in the paper; an epoch is one step"),
        "stop.monitor": Choice("loss", "as in the paper; the accuracy of few nodes jumps from step to step"),
        "stop.patience": Choice(100, "an epoch is one step only"),
        "regularise.average": Choice("none", "as in the paper"),
    }


def whole_graphs(samples: int, shape: tuple[int, ...]) -> Preset:
    """For whole graphs: AdamW under one cycle; few graphs are gone through often."""
    return _adam(samples, lr=5e-3, weight_decay=1e-2, at_1250=40, batch=64)


def graph_attention(samples: int, shape: tuple[int, ...]) -> Preset:
    """As in Veličković et al. 2018, section 3.3: as :func:`graphs` at half the rate and for longer."""
    return {
        **graphs(samples, shape),
        "optimizer.lr": Choice(5e-3, "as in the paper"),
        "train.epochs": Choice(400, "an epoch is one step"),
    }


def taggers(samples: int, shape: tuple[int, ...]) -> Preset:
    """For nets that tag words: AdamW under one cycle, with clipping."""
    clip = Choice(1.0, "through time gradients may explode (Pascanu, Mikolov, Bengio 2013)")
    return {**_adam(samples, lr=3e-3, weight_decay=1e-2, at_1250=20, batch=32), "clip.norm": clip}


def trees(samples: int, shape: tuple[int, ...]) -> Preset:
    """For trees: AdamW under one cycle, few epochs, because words are soon known by heart."""
    return {
        **_adam(samples, lr=3e-3, weight_decay=1e-2, at_1250=10, batch=64),
        "train.epochs": Choice(_fewer_with_more(samples, at_1250=10, least=5), f"for {samples:,} samples"),
        "clip.norm": Choice(1.0, "through a deep tree gradients may explode"),
    }


def translators(samples: int, shape: tuple[int, ...]) -> Preset:
    """For encoder and decoder: AdamW under one cycle, clipped; some ten thousand steps, as few pairs are soon gone through."""
    clip = Choice(1.0, "through time gradients may explode (Pascanu, Mikolov, Bengio 2013)")
    return {**_adam(samples, lr=3e-3, weight_decay=1e-2, at_1250=24, batch=64), "clip.norm": clip}


def language(samples: int, shape: tuple[int, ...]) -> Preset:
    """For language models: AdamW at a high rate under one cycle, clipped; measured on tiny-shakespeare (docs/sequences.md)."""
    tokens = samples * shape[0]
    epochs = max(4, min(40, round(EPOCHS_OF_A_MILLION * (1e6 / max(tokens, 1)) ** 0.5)))
    lanes = next((lanes for lanes in (64, 32, 16, 8, 4, 2) if samples >= 40 * lanes), 1)
    return {
        **_adam(samples, lr=4e-3, weight_decay=1e-2, at_1250=40, batch=64),
        "train.batch_size": Choice(lanes, f"pieces of a text of {tokens:,} tokens that are read side by side"),
        "train.epochs": Choice(epochs, f"for {tokens:,} tokens"),
        "clip.norm": Choice(1.0, "through time gradients may explode (Pascanu, Mikolov, Bengio 2013)"),
    }


def other(samples: int, shape: tuple[int, ...]) -> Preset:
    """For networks that are not ours: AdamW, its rate found by a range test."""
    found = Choice("find", "no preset for this net: a range test")
    return {**_adam(samples, lr=1e-3, weight_decay=1e-2, at_1250=40, batch=128), "optimizer.lr": found}


def _adam(samples: int, *, lr: float, weight_decay: float, at_1250: int, batch: int) -> Preset:
    return {
        "optimizer.name": Choice("adamw", "needs the least care about its rate"),
        "optimizer.lr": Choice(lr, "usual for this net"),
        "optimizer.weight_decay": Choice(weight_decay, "usual with adamw"),
        "optimizer.bias_lr": Choice(1.0, "as the weights"),
        "schedule.name": Choice("one-cycle", "reaches its best in fewer epochs than a constant rate"),
        "loss.label_smoothing": Choice(0.0, "none by default"),
        "train.batch_size": Choice(_batch(samples, most=batch), f"for {samples:,} samples"),
        "train.epochs": Choice(_fewer_with_more(samples, at_1250=at_1250, least=8), f"for {samples:,} samples"),
        "regularise.average": Choice("none", "the falling rate at the end averages enough"),
    }


def quick(preset: Preset, net: str, samples: int) -> Preset:
    """What ``--effort quick`` makes of a preset: a quarter of its epochs, under the same schedule, and nobody looks inside meanwhile.

    Of few samples some nets take smaller batches at the same rate, which makes up for the epochs that are not made.
    """
    epochs, size, rate = (preset[key].value for key in ("train.epochs", "train.batch_size", "optimizer.lr"))
    changed = {
        "train.epochs": Choice(max(QUICK_EPOCHS, round(QUICK_SHARE * epochs)), f"quick: a quarter of {epochs}"),
        "train.measure": Choice("never", "quick: looking inside would cost a second or more"),
    }
    smaller = min(size, QUICK_BATCH.get(net, size))
    if smaller < size and samples < QUICK_STEPS * size:
        changed["train.batch_size"] = Choice(smaller, f"quick: {smaller / size:g} of {size}, for more steps")
        changed["optimizer.lr"] = Choice(rate, f"quick: the rate for {size} samples a step")
    return {**preset, **changed}


def _fewer_with_more(samples: int, *, at_1250: int, least: int) -> int:
    """Epochs that fall with the fourth root of the number of samples, so that more samples still mean more steps."""
    epochs = round(at_1250 * float((1250 / samples) ** 0.25))
    return max(least, min(4 * at_1250, epochs))


def _batch(samples: int, *, most: int) -> int:
    """A power of two that leaves at least some twenty steps an epoch, from 16 to ``most``."""
    size = 16
    while size * 2 <= most and size * 2 * 20 <= samples:
        size *= 2
    return size


PRESETS: Mapping[str, Callable[[int, tuple[int, ...]], Preset]] = {
    "small-vgg": small_vgg,
    **dict.fromkeys(("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"), resnet),
    **dict.fromkeys(("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"), resnet),
    **dict.fromkeys(("alexnet", "alexnet-single", "googlenet"), classic),
    **dict.fromkeys(("vgg11", "vgg13", "vgg16", "vgg16-c", "vgg19"), classic),
    "lenet1": lenet,
    "lenet4": lenet,
    "lenet5": lenet,
    "lenet5-1998": lenet5_1998,
    "mlp": mlp,
    "linear": mlp,
    "all-conv": all_conv,
    "conv1d": conv_for_arrays,
    "text-cnn": texts,
    "text-bag": bags,
    **dict.fromkeys(("rnn", "lstm", "gru"), recurrent),
    **dict.fromkeys(("unrolled-rnn", "unrolled-lstm", "unrolled-gru"), unrolled),
    **dict.fromkeys(("tag-rnn", "tag-lstm", "tag-gru", "tag-cnn"), taggers),
    **dict.fromkeys(("language-rnn", "language-lstm", "language-gru"), language),
    **dict.fromkeys(("translator-lstm", "translator-gru"), translators),
    "conv3d": conv_for_arrays,
    **dict.fromkeys(("gcn", "graphsage"), graphs),
    "gat": graph_attention,
    **dict.fromkeys(("graph-gin", "graph-gcn", "graph-graphsage", "graph-gat"), whole_graphs),
    **dict.fromkeys(("tree-rnn", "rntn", "tree-lstm"), trees),
}
