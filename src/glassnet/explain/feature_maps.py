"""What every layer answers to an input (requirement V2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from glassnet.explain.layers import layers
from glassnet.explain.looking import looking, tapped
from glassnet.explain.subject import Array, Inputs, array, subject
from glassnet.model import Model


@dataclass(frozen=True)
class LayerMaps:
    """One layer's answers.

    Attributes:
        name: the module's name; of a second call ``name (2)``.
        kind: its class.
        values: (batch, channels, height, width), (batch, units), or whatever the layer puts out.
    """

    name: str
    kind: str
    values: Array

    @property
    def silent(self) -> float:
        """Share of maps (or units) that are 0 everywhere for all of these inputs."""
        flat = self.values.reshape(*self.values.shape[:2], -1)
        return float((flat == 0).all(axis=(0, 2)).mean()) if flat.size else 0.0


@dataclass(frozen=True)
class FeatureMaps:
    """All layers' answers, in the order of the forward pass.

    Attributes:
        names: of the inputs.
        inputs: as they are drawn, 0…1, for images; else as the network reads them.
        layers: one record a call of a layer.
        outputs: logits or values (batch, outputs).
        seconds: that a sound lasts; 0 otherwise.
    """

    names: tuple[str, ...]
    inputs: Array
    layers: tuple[LayerMaps, ...]
    outputs: Array
    seconds: float = 0.0


def feature_maps(model: Model | nn.Module, inputs: Inputs, which: str | list[str] | None = None) -> FeatureMaps:
    """Let inputs pass and keep what each layer puts out.

    Args:
        model: a model of Glassnet or any module.
        inputs: see :func:`~glassnet.explain.subject.subject`.
        which: see :func:`~glassnet.explain.layers.layers`.

    Raises:
        UsageError: inputs or layer names that do not fit.
    """
    about = subject(model, inputs)
    chosen = layers(about.net, which)
    kinds = {name: type(module).__name__ for name, module in chosen}
    with looking(about.net), torch.no_grad(), tapped(about.net, chosen) as seen:
        outputs = about.answer(about.x)
    return FeatureMaps(
        about.names,
        about.drawn if about.is_image or about.seconds else array(about.x),
        tuple(LayerMaps(name, kinds[name.partition(" (")[0]], array(out)) for name, out in seen.items()),
        array(outputs),
        about.seconds,
    )
