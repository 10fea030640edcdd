"""Integrated gradients: attributions that add up to what the output changed by. Computed by Captum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.explain.attribution import Attribution, attribution, baseline_of, of_tokens, plain_inputs
from glassnet.explain.captum import captum
from glassnet.explain.looking import looking
from glassnet.explain.subject import Inputs, Subject, Target, subject
from glassnet.explain.tokens import token_path
from glassnet.model import Model


def integrated_gradients(
    model: Model | nn.Module,
    inputs: Inputs,
    target: Target = None,
    *,
    baseline: object = None,
    steps: int = 64,
    batch_size: int = 256,
) -> Attribution:
    """(x − x′) · ∫₀¹ ∂ output(x′ + a(x − x′)) / ∂x da, by Gauss and Legendre's rule.

    The values of an input sum to output(x) − output(x′); :attr:`Attribution.gap` is what the rule misses of that.

    Source: Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", 2017, equation 1.

    Args:
        model: a model of Glassnet or any module.
        inputs: see :func:`~glassnet.explain.subject.subject`.
        target: classes or outputs to explain; None takes what the network says.
        baseline: x′, as the network reads it; None takes black for the images of a model, silence for sounds, else zeros (for standardised columns:
            their means). Of texts it is always vectors of zeros in place of the tokens' own.
        steps: points of the rule.
        batch_size: inputs that pass at once.

    Returns:
        Signed values: maps (batch, height, width), columns of a table, tokens of a text (these without Captum), or as the input.

    Raises:
        UsageError: Captum is not installed, or the baseline does not fit.
    """
    about = subject(model, inputs)
    if about.is_text:
        return of_tokens("integrated gradients of the tokens", about, token_path(about, target, steps), signed=True)
    methods = captum("integrated gradients")
    x = plain_inputs(about)
    start = baseline_of(about, baseline, black(about))
    with looking(about.net), torch.enable_grad():
        with torch.no_grad():
            outputs = about.answer(x)
            chosen = about.chosen(outputs, target)
            against = about.answer(start).gather(1, chosen[:, None])[:, 0]
        values: Tensor = methods.IntegratedGradients(about.answer, multiply_by_inputs=True).attribute(
            x,
            baselines=start,
            target=chosen,
            n_steps=steps,
            method="gausslegendre",
            internal_batch_size=max(batch_size, len(x)),
        )
    scores = outputs.gather(1, chosen[:, None])[:, 0]
    return attribution("integrated gradients", about, values, chosen, scores, signed=True, against=against)


def black(about: Subject) -> Tensor:
    """What the network reads for a black image or for silence; zeros for everything else."""
    if about.model is not None and (about.is_image or about.seconds):
        with torch.no_grad():
            made: Tensor = about.model.preprocess(torch.zeros_like(about.raw[:1]).to(about.x.device))
        return made
    return torch.zeros_like(about.x[:1])
