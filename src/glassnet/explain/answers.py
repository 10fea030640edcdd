"""What the network says, best first, and where it is most wrong (requirement V4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.explain.looking import looking
from glassnet.explain.subject import Array, Inputs, Subject, array, subject
from glassnet.model import Model

AT_ONCE = 500


@dataclass(frozen=True)
class Answers:
    """The most probable classes of each input.

    Attributes:
        names: of the inputs.
        inputs: as they are drawn, 0…1, for images; else as they came.
        labels: (inputs, count) names of classes, most probable first.
        probabilities: (inputs, count).
    """

    names: tuple[str, ...]
    inputs: Array
    labels: tuple[tuple[str, ...], ...]
    probabilities: Array


@dataclass(frozen=True)
class Worst:
    """The inputs with the largest loss, worst first.

    Attributes:
        names: of the inputs.
        inputs: as they are drawn, 0…1, for images; else as they came.
        positions: where they stand among the inputs looked at.
        true: names of the true classes.
        said: names of the most probable classes.
        probability: of what was said.
        losses: −ln of the true class's probability.
        wrong: how many of all inputs looked at are classified wrongly.
        samples: inputs looked at.
    """

    names: tuple[str, ...]
    inputs: Array
    positions: NDArray[np.int64]
    true: tuple[str, ...]
    said: tuple[str, ...]
    probability: Array
    losses: Array
    wrong: int
    samples: int


def top_classes(model: Model | nn.Module, inputs: Inputs, count: int = 5) -> Answers:
    """The most probable classes of each input, with their probabilities (of a model: at its fitted temperature).

    Raises:
        UsageError: the model predicts values.
    """
    about = subject(model, inputs)
    shares = probabilities(about)
    best, index = shares.topk(min(count, shares.shape[1]), dim=1)
    return Answers(
        about.names,
        about.drawn,
        tuple(tuple(about.output_name(i) for i in row) for row in index.tolist()),
        array(best),
    )


def worst(
    model: Model | nn.Module, inputs: Inputs, targets: Tensor, count: int = 12, *, only_wrong: bool = False
) -> Worst:
    """The inputs that the model finds most improbable as what they are.

    Args:
        model: a model of Glassnet or any module.
        inputs: such as a validation part.
        targets: class indices, one for each input.
        count: at most so many.
        only_wrong: leave out those that are classified rightly.

    Raises:
        UsageError: the model predicts values, or there are not as many targets as inputs.
    """
    about = subject(model, inputs)
    if len(targets) != len(about.x):
        raise UsageError("the targets do not match the inputs", got=len(targets), expected=len(about.x))
    shares = probabilities(about)
    targets = targets.to(shares.device)
    losses = -shares.gather(1, targets[:, None])[:, 0].clamp_min(1e-300).log()
    said = shares.argmax(1)
    order = losses.argsort(descending=True, stable=True)
    if only_wrong:
        order = order[(said != targets)[order]]
    order = order[:count]
    at = order.tolist()
    return Worst(
        tuple(about.names[i] for i in at),
        about.drawn[at],
        order.cpu().numpy(),
        tuple(about.output_name(i) for i in targets[order].tolist()),
        tuple(about.output_name(i) for i in said[order].tolist()),
        array(shares.gather(1, said[:, None])[order, 0]),
        array(losses[order]),
        int((said != targets).sum()),
        len(about.x),
    )


def probabilities(about: Subject) -> Tensor:
    """Softmax of the outputs over the temperature, float64 (batch, classes).

    Raises:
        UsageError: the model predicts values.
    """
    if about.outputs:
        raise UsageError(
            "this model predicts values and has no classes", fix="use model.predict, which tells the values"
        )
    temperature = 1.0 if about.model is None else about.model.temperature
    with looking(about.net), torch.no_grad():
        logits = torch.cat([about.answer(x) for x in torch.split(about.x, AT_ONCE)])
    return torch.softmax(logits.double() / temperature, dim=1)
