"""Occlusion: how much an output falls when a part of the input is hidden. Computed by Captum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.explain.attribution import Attribution, attribution, baseline_of, columns_of, of_tokens, plain_inputs
from glassnet.explain.captum import captum
from glassnet.explain.looking import looking
from glassnet.explain.subject import Inputs, Target, subject
from glassnet.explain.tokens import token_absence
from glassnet.model import Model

AT_ONCE = 16


def occlusion(
    model: Model | nn.Module,
    inputs: Inputs,
    target: Target = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    baseline: object = None,
) -> Attribution:
    """The fall of the output while a window slides over the image, or while a column of a row takes its baseline.

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2. A pixel's value is the mean
    over the windows that cover it.

    Args:
        model: a model of Glassnet or any module.
        inputs: images, spectrograms, rows or texts; see :func:`~glassnet.explain.subject.subject`.
        target: classes or outputs to explain; None takes what the network says.
        window: side of the square in pixels; None takes a seventh of the image's shorter side, at least 2.
        stride: its step; None takes half the window.
        baseline: what hides, as the network reads it; None takes each image's own median in each channel, zeros for rows, and an unknown word
            for the tokens of texts (whose baseline is a whole number).

    Returns:
        Signed values: maps (batch, height, width), columns or tokens.

    Raises:
        UsageError: Captum is not installed (texts do without), or the inputs are none of these.
    """
    about = subject(model, inputs)
    if about.is_text:
        hides = baseline if isinstance(baseline, int) else None
        return of_tokens("occlusion of one token at a time", about, token_absence(about, target, hides), signed=True)
    methods = captum("occlusion")
    x = plain_inputs(about)
    with looking(about.net), torch.no_grad():
        outputs = about.answer(x)
        chosen = about.chosen(outputs, target)
        scores = outputs.gather(1, chosen[:, None])[:, 0]
        values: Tensor
        if about.is_image:
            median = x.flatten(2).median(2).values[:, :, None, None]
            side = min(window or max(2, round(min(x.shape[2:]) / 7)), *x.shape[2:])
            step = min(stride or max(1, side // 2), side)
            values = methods.Occlusion(about.answer).attribute(
                x,
                sliding_window_shapes=(x.shape[1], side, side),
                strides=(x.shape[1], step, step),
                baselines=baseline_of(about, baseline, median),
                target=chosen,
                perturbations_per_eval=AT_ONCE,
            )
            return attribution(f"occlusion by {side}×{side} pixels", about, values[:, :1], chosen, scores, signed=True)
        if about.x.ndim != 2:
            raise UsageError(
                "occlusion is for images, spectrograms, rows and texts",
                got=f"inputs of shape {tuple(x.shape[1:])}",
                expected="each of (channels, height, width), (columns,) or (tokens,)",
            )
        _, group = columns_of(about)
        hidden = baseline_of(about, baseline, torch.zeros_like(x[:1]))
        values = methods.FeatureAblation(about.answer).attribute(
            x, baselines=hidden, target=chosen, feature_mask=group.to(x.device)[None], perturbations_per_eval=AT_ONCE
        )
    # each number of a column holds the fall of the whole column, so it is divided before the column's numbers are summed
    shared = torch.bincount(group).to(values.device)[group.to(values.device)]
    return attribution("occlusion of one column at a time", about, values / shared, chosen, scores, signed=True)
