"""Batch augmentation: random changes of training images and signals, on the device, from one given generator (requirement D3).

Every change is a pure function of its draws, so a batch depends only on the state in which the generator comes: seed it by (seed,
epoch, position) and a stopped run goes on as if it had not been stopped.
"""

from __future__ import annotations

from glassnet.data.augment.affine import Affine, ScaleCrop
from glassnet.data.augment.augment import Augment
from glassnet.data.augment.auto import auto_augment
from glassnet.data.augment.build import build_augment
from glassnet.data.augment.colour import ColourJitter, PcaNoise, principal_colours
from glassnet.data.augment.compose import Compose
from glassnet.data.augment.crop import Crop
from glassnet.data.augment.cutout import Cutout
from glassnet.data.augment.elastic import Elastic
from glassnet.data.augment.flip import Flip
from glassnet.data.augment.noise import Noise
from glassnet.data.augment.settings import AUGMENTATIONS, Setting
from glassnet.data.augment.signal import SignalShift, SignalStretch
from glassnet.data.augment.warp import Warp

__all__ = [
    "AUGMENTATIONS",
    "Affine",
    "Augment",
    "ColourJitter",
    "Compose",
    "Crop",
    "Cutout",
    "Elastic",
    "Flip",
    "Noise",
    "PcaNoise",
    "ScaleCrop",
    "Setting",
    "SignalShift",
    "SignalStretch",
    "Warp",
    "auto_augment",
    "build_augment",
    "principal_colours",
]
