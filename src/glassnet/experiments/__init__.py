"""The experiments of the course: short scripts on the public API, each with its figures beside the reference, its data and its picture.

An experiment is a module of this room, called as in ``EXPERIMENTS`` with ``_`` for ``-``. It holds

- ``run(setting) -> Outcome``: computes; no picture, no file, no printing;
- ``draw(outcome) -> Drawing``: the picture, from the outcome alone;
- ``animate(outcome) -> bytes``, where something moves: a GIF.

This file imports none of them, so that the list appears at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from glassnet.errors import unknown

# name -> the question it answers, in the order of a course
EXPERIMENTS: Mapping[str, str] = MappingProxyType(
    {
        "activation-curves": "What does each activation do to a number, and where does its slope vanish?",
        "zig-zag": "Why are inputs that are all positive bad for the next layer?",
        "backprop-by-hand": "Is backpropagation no more than the chain rule, layer by layer?",
        "convolution-by-hand": "What does a convolution compute, number by number?",
        "image-filters": "What did people write into kernels before networks learned them?",
        "sparse-connectivity": "What does a convolution save against a dense layer?",
        "bottleneck-operations": "Why does a 1×1 convolution in front make a 5×5 one cheap?",
        "receptive-field": "How much of the image does a unit see, layer by layer?",
        "init-statistics": "What happens to the signal in ten layers under each initialisation?",
        "vanishing-gradients": "How much gradient is left at the first layer of a deep net?",
        "optimisers-race": "Which way does each optimiser take on ravine, saddle, local minima and noise?",
        "universal-approximation": "Can one hidden layer come near any curve?",
        "depth-against-width": "What do layers buy that units beside one another do not?",
        "decision-boundaries": "What borders can a net draw with no, few and many hidden units?",
        "sine-overfitting": "When does a model learn the noise instead of the curve?",
        "sanity-checks": "What should be tried before a long training, and what does it show?",
        "learning-rate-curves": "What does the loss look like at a rate too low, good, too high and very high?",
        "coarse-to-fine-search": "How are a learning rate and a penalty found, and how is an edge noticed?",
        "grid-against-random": "Should hyperparameters be tried on a grid or at random?",
        "dropout-as-ensemble": "Is a net with dropout the mean of all its thinned nets?",
        "batch-norm-against-none": "What does batch normalisation change about rates and starting weights?",
        "relu-against-tanh": "Does a net learn sooner with ReLU than with tanh?",
        "flat-and-sharp-minima": "Do large batches end in sharper minima, and does that cost accuracy?",
        "snapshot-ensemble": "Does one training in cycles give an ensemble for nothing?",
        "lenet5-and-rivals": "How does LeNet-5 compare with what was there before it, in errors and in cost?",
        "notmnist-mlp-to-cnn": "How far does each change take one from a plain perceptron to a good convolutional net?",
        "transfer-by-four-cases": "What of a trained net should be kept, by how much new data there are and how like the old?",
        "rnn-against-lstm": "How long does a plain recurrent net remember, and how long an LSTM?",
    }
)


def module_of(name: str) -> str:
    """The dotted module of an experiment.

    Raises:
        UsageError: there is no such experiment.
    """
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    return f"glassnet.experiments.{name.replace('-', '_')}"
