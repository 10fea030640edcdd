"""Saliency: how strongly each pixel moves an output.

Written here and not taken from Captum: it is one gradient, and the report draws it where no extra is installed.
"""

from __future__ import annotations

import torch
from torch import nn

from glassnet.explain.attribution import Attribution, attribution, of_tokens, plain_inputs
from glassnet.explain.looking import looking
from glassnet.explain.subject import Inputs, Target, subject
from glassnet.explain.tokens import token_slopes
from glassnet.model import Model


def saliency(
    model: Model | nn.Module,
    inputs: Inputs,
    target: Target = None,
    *,
    samples: int = 1,
    noise: float = 0.15,
    seed: int = 0,
) -> Attribution:
    """Max over channels of |∂ output / ∂ input|; of a text the length of the slope at each token's vector (:func:`~glassnet.explain.tokens.token_slopes`).

    Sources: Simonyan, Vedaldi, Zisserman, "Deep inside convolutional networks", 2014, section 3; with more than one sample the mean over
    noisy copies of the gradient's absolute value, after Smilkov and others, "SmoothGrad", 2017, section 3.

    Args:
        model: a model of Glassnet or any module.
        inputs: see :func:`~glassnet.explain.subject.subject`.
        target: classes or outputs to explain; None takes what the network says.
        samples: noisy copies of each input; 1 takes the input itself.
        noise: spread of that noise over the range of each input.
        seed: of the noise.

    Returns:
        Unsigned values: maps (batch, height, width) for images and spectrograms, (batch, tokens) for texts, else as the input.
    """
    about = subject(model, inputs)
    if about.is_text:
        return of_tokens("saliency of the tokens", about, token_slopes(about, target), signed=False)
    x = plain_inputs(about)
    generator = torch.Generator().manual_seed(seed)
    flat = x.detach().flatten(1)
    spread = noise * (flat.amax(1) - flat.amin(1)).reshape(-1, *[1] * (x.ndim - 1))
    total = torch.zeros_like(x)
    with looking(about.net), torch.enable_grad():
        outputs = about.answer(x)
        chosen = about.chosen(outputs, target)
        scores = outputs.gather(1, chosen[:, None])[:, 0]
        for _ in range(samples):
            at = x
            if samples > 1:
                drawn = torch.randn(x.shape, generator=generator).to(x)
                at = (x + spread * drawn).detach().requires_grad_(True)
            out = about.answer(at).gather(1, chosen[:, None]).sum()
            total += torch.autograd.grad(out, at)[0].abs() / samples
    values = total.amax(1) if about.is_image else total
    name = "saliency" if samples == 1 else f"saliency, mean of {samples} noisy copies"
    return attribution(name, about, values, chosen, scores, signed=False)
