"""Grad-CAM: where the last maps speak for a class.

Written here and not taken from Captum: there a layer has to be named, here it is chosen by the order of the forward pass; the tests compare both.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from glassnet.errors import UsageError
from glassnet.explain.attribution import Attribution, attribution, plain_inputs
from glassnet.explain.layers import layers, spatial
from glassnet.explain.looking import looking, tapped
from glassnet.explain.subject import Inputs, Target, subject
from glassnet.model import Model

SMALLEST = 3  # maps of fewer pixels a side cannot tell left from right; an earlier layer is taken


def grad_cam(
    model: Model | nn.Module, inputs: Inputs, target: Target = None, *, layer: str | None = None
) -> Attribution:
    """ReLU(Σₖ αₖ Aₖ), with αₖ the mean over positions of ∂ output / ∂ Aₖ, brought to the size of the image.

    Source: Selvaraju and others, "Grad-CAM", 2017, equations 1 and 2.

    Args:
        model: a model of Glassnet or any module.
        inputs: images; see :func:`~glassnet.explain.subject.subject`.
        target: classes or outputs to explain; None takes what the network says.
        layer: where; None takes the last layer with maps of at least 3×3 pixels, or the last with maps where all are smaller.

    Returns:
        Values of 0 and more, (batch, height, width).

    Raises:
        UsageError: the inputs are no images, or no layer has maps.
    """
    about = subject(model, inputs)
    if not about.is_image:
        raise UsageError(
            "Grad-CAM is for images",
            got=f"inputs of shape {tuple(about.x.shape[1:])}",
            expected="each of (channels, height, width)",
        )
    x = plain_inputs(about)
    asked = layers(about.net, [layer] if layer else "all")
    with looking(about.net), torch.enable_grad(), tapped(about.net, asked) as seen:
        outputs = about.answer(x)
        chosen = about.chosen(outputs, target)
        scores = outputs.gather(1, chosen[:, None])[:, 0]
        name, maps = _last(seen)
        slopes = torch.autograd.grad(scores.sum(), maps, allow_unused=True)[0]
    if slopes is None:
        raise UsageError(
            "the output does not depend on this layer",
            where=name,
            expected="a layer on the way to it, as in grad_cam(..., layer=NAME)",
        )
    weights = slopes.mean(dim=(2, 3), keepdim=True)  # (batch, channels, 1, 1)
    heat = (weights * maps).sum(1, keepdim=True).relu()
    heat = interpolate(heat, size=tuple(x.shape[2:]), mode="bilinear", align_corners=False)
    return attribution("Grad-CAM", about, heat[:, 0], chosen, scores, signed=False, layer=name)


def _last(seen: dict[str, Tensor]) -> tuple[str, Tensor]:
    with_maps = spatial(seen)
    if not with_maps:
        raise UsageError("no layer of this network has maps", expected="a convolutional network")
    large = [name for name in with_maps if min(seen[name].shape[2:]) >= SMALLEST]
    name = (large or with_maps)[-1]
    return name, seen[name]
