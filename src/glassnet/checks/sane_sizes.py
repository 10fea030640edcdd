"""Whether activations and gradients are of sane size at every layer at the start."""

from __future__ import annotations

import math
from typing import Any

from glassnet.checks.check import Check
from glassnet.checks.subject import Subject
from glassnet.events import Checked
from glassnet.training.measure.kinds import WEIGHTED

SATURATED, SATURATED_WARNING = 0.8, 0.5
DEAD, DEAD_WARNING = 0.95, 0.8
SPREAD, SPREAD_WARNING = 1e6, 1e4


def judge(subject: Subject) -> Checked:
    """Fails where a layer's numbers are not finite, its units saturated or dead, or sizes differ by a factor of a million."""
    look = subject.look()
    layers, by_weight = look.layers, look.weight_gradients
    sized = [layer for layer in layers if layer["kind"] in WEIGHTED and layer["std"] > 0]
    free = {name: norm for name, norm in by_weight.items() if name.rpartition(".")[0] not in look.normalised}
    curves = {
        "activation_std": [float(layer["std"]) for layer in sized],
        "gradient_norm": list(free.values()),
    }
    activations, gradients = spread(curves["activation_std"]), spread(curves["gradient_norm"])
    saturated, dead = worst(layers, "saturated"), worst(layers, "dead")
    figures = {
        "layers": float(len(sized)),
        "activation_spread": activations,
        "gradient_spread": gradients,
        "saturated": saturated[0],
        "dead": dead[0],
    }
    strange = next((layer for layer in layers if layer["nonfinite"]), None)
    if strange:
        return CHECK.failed(
            f"the output of layer {strange['name']} is not finite ({strange['nonfinite']:,} numbers)",
            figures,
            curves,
            why="a number has outgrown float32, or an operation such as a logarithm, a root or a division has met zero",
            advice=f"look at what enters {strange['name']}, the first such layer, and begin with smaller weights (--init he)",
        )
    told = f"{len(sized)} layer{'' if len(sized) == 1 else 's'}: activations differ {fold(activations)} in size, gradients {fold(gradients)} (usual: below {SPREAD_WARNING:,.0f}-fold)"
    if left_out := len(by_weight) - len(free):
        told += f", {left_out} layers in front of a normalisation left out"
    if saturated[0] > SATURATED_WARNING:
        tell = CHECK.failed if saturated[0] > SATURATED else CHECK.warning
        return tell(
            f"{saturated[0]:.0%} of the activations of layer {saturated[1]} are saturated",
            figures,
            curves,
            why="tanh and sigmoid are flat far from zero: hardly any gradient passes a unit that is driven there, so that the layers before it learn slowly or not at all",
            advice="smaller starting weights (--init xavier), inputs brought to spread 1 (--preprocess standardise), or batch normalisation before the nonlinearity",
        )
    if dead[0] > DEAD_WARNING:
        tell = CHECK.failed if dead[0] > DEAD else CHECK.warning
        return tell(
            f"{dead[0]:.0%} of the units of layer {dead[1]} are zero for every sample looked at",
            figures,
            curves,
            why="no gradient passes a rectifier that is off: units that are off for all samples never learn",
            advice="begin with biases of zero or slightly above (--set net.init_bias=0.01) and --init he, and check that inputs are centred",
        )
    if max(activations, gradients) > SPREAD_WARNING:
        tell = CHECK.failed if max(activations, gradients) > SPREAD else CHECK.warning
        sizes = {str(layer["name"]): float(layer["std"]) for layer in sized} if activations >= gradients else free
        small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
        return tell(f"{told}; smallest at {small}, largest at {large}", figures, curves)
    return CHECK.passed(told, figures, curves)


def spread(sizes: list[float]) -> float:
    """Largest over smallest of the sizes that are not zero; 1 where there is nothing to compare."""
    some = [size for size in sizes if size > 0 and math.isfinite(size)]
    return max(some) / min(some) if some else 1.0


def fold(ratio: float) -> str:
    """A ratio of sizes for people, such as ``30-fold``."""
    return (
        f"{ratio:.2g}-fold"
        if ratio < 100
        else f"{float(f'{ratio:.2g}'):,.0f}-fold"
        if ratio < 1e7
        else f"{ratio:.0e}-fold"
    )


def worst(layers: list[dict[str, Any]], figure: str) -> tuple[float, str]:
    """The largest such share among the layers, and which layer has it."""
    found = [(float(layer[figure]), str(layer["name"])) for layer in layers if figure in layer]
    return max(found, default=(0.0, ""))


CHECK = Check(
    id="sane-sizes",
    title="Activations and gradients have sane sizes",
    threshold=(
        f"fails where a layer's output is not finite, more than {SATURATED:.0%} of it saturated or {DEAD:.0%} of its units zero for all samples, or where sizes differ more than "
        f"{SPREAD:,.0f}-fold between layers with weights (gradients: without those in front of a normalisation); warns at {SATURATED_WARNING:.0%}, {DEAD_WARNING:.0%} and {SPREAD_WARNING:,.0f}-fold"
    ),
    source="Stanford CS231n, Weight initialization; Glorot and Bengio 2010: sizes should be alike from layer to layer; the limits lie beyond every net of the zoo",
    explanation=(
        "Each layer multiplies what comes in by its weights. If they make it a little smaller, then after many layers nothing is left of the signal; if a little larger, it explodes; and the same holds for the "
        "gradient on its way back. Good starting weights keep both about the same size from the first layer to the last. Units of tanh or sigmoid that begin far out on the flat part, and rectifiers that are "
        "off for every sample, let no gradient through."
    ),
    why="the starting weights shrink or blow up the signal from layer to layer, so that some layers learn far faster than others",
    advice="starting weights by the rule for the nonlinearity (--init he for ReLU, xavier for tanh), batch normalisation, or residual connections",
    judge=judge,
)
