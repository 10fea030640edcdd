"""What to keep of a trained net, by how much new data there are and how like the old ones: five ways in four cases.

The lecture's advice (Stanford CS231n, "Transfer learning"; Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep neural
networks?", 2014): little and similar, a linear classifier on the top features; much and similar, fine-tune a few top layers; little and different,
linear classifiers at several depths, averaged; much and different, fine-tune more. Here LeNet-5 learns one half of the letters (A to E). Similar:
the other half. Different: textures, noise of one of five directions with random phases and more noise on it, in which no pixel means anything by
itself. A piece of advice holds where no other way is better by more than twice the standard error of the difference over the seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.evaluate.interval import spread
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import judged, learn
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, INK, MUTED, Drawing
from glassnet.training.schedules import cosine
from glassnet.zoo import build

DEFAULT, SEEDS, FULL_SEEDS = "letters", 4, 8
FEW, MANY, TESTED = 5, 150, 100  # pictures of each class
BATCH, STEPS, SOURCE_STEPS, LR, MOMENTUM = 16, 250, 600, 0.01, 0.9
DIRECTIONS, GRAIN, BLUR = 5, 1.2, 0.35  # of textures: classes, noise beside the pattern, width of the band
TOP, DEPTHS, LAST, ALL, NEW = "linear, top", "linear, depths", "tune top layers", "tune all", "from scratch"
WAYS = (TOP, DEPTHS, LAST, ALL, NEW)
ADVICE = {
    "few, similar": TOP,
    "many, similar": LAST,
    "few, different": DEPTHS,
    "many, different": ALL,
}
FROZEN = ("block1", "block2")  # where only the top layers are tuned
Samples = tuple[Tensor, Tensor]


def run(setting: Setting) -> Outcome:
    """Every way in every case over the seeds, each seed with a source net and samples of its own."""
    images = load_images(setting.data or DEFAULT, seed=setting.seed)
    seeds = range(setting.seed, setting.seed + (FULL_SEEDS if setting.full else SEEDS))
    found: dict[str, dict[str, list[float]]] = {case: {way: [] for way in WAYS} for case in ADVICE}
    learned = []
    for seed in seeds:
        source, accuracy = source_net(images, seed, SOURCE_STEPS)
        learned.append(accuracy)
        for case in ADVICE:
            train, test = target(images, case, seed)
            for way in WAYS:
                found[case][way].append(right(way, source, train, test, seed, STEPS))
        setting.say(
            f"seed {seed}: "
            + "; ".join(f"{case} " + " ".join(f"{found[case][way][-1]:.0%}" for way in WAYS) for case in ADVICE)
        )
    return judge(images, found, learned)


def source_net(images: Images, seed: int, steps: int) -> tuple[nn.Module, float]:
    """LeNet-5 trained on the first half of the classes, and its test accuracy there."""
    half = images.classes // 2
    train, test = (_classes(part, 0, half) for part in (images.train, images.test))
    net = build("lenet5", images.shape, half, {}, seed=seed)
    _train(net, train, seed, steps)
    return net, judged(net, test)[1]


def target(images: Images, case: str, seed: int) -> tuple[Samples, Samples]:
    """Samples to learn from, as few or as many as the case says, and to be judged by."""
    amount, likeness = case.split(", ")
    each = FEW if amount == "few" else MANY
    if likeness == "similar":
        train, test = (_classes(part, images.classes // 2, images.classes) for part in (images.train, images.test))
        return _some(train, each, seed), test
    shape = images.shape
    return textures(each, shape, 2 * seed), textures(TESTED, shape, 2 * seed + 1)


def textures(each: int, shape: tuple[int, ...], seed: int) -> Samples:
    """Random patterns of five directions: standardised inputs (5·each, channels, height, width) and classes."""
    generator = torch.Generator().manual_seed(7_000_001 + seed)
    channels, height, width = shape
    noise = torch.randn(DIRECTIONS * each, height, width, generator=generator)
    fy, fx = torch.meshgrid(torch.fft.fftfreq(height), torch.fft.fftfreq(width), indexing="ij")
    radius, angle = (fx**2 + fy**2).sqrt(), torch.atan2(fy, fx)
    classes = torch.arange(DIRECTIONS).repeat_interleave(each)
    turned = torch.sin(angle - math.pi * classes[:, None, None] / DIRECTIONS)  # 0 along the direction
    band = torch.exp(-((turned / BLUR) ** 2) - ((radius - 0.2) / 0.08) ** 2)
    pattern = torch.fft.ifft2(torch.fft.fft2(noise) * band).real
    pattern = pattern / pattern.std((1, 2), keepdim=True)
    pattern = pattern + GRAIN * torch.randn(pattern.shape, generator=generator)
    inputs = (pattern / (1 + GRAIN**2) ** 0.5)[:, None].expand(-1, channels, -1, -1).contiguous()
    return inputs, classes


def _classes(part: Samples, first: int, end: int) -> Samples:
    chosen = (part[1] >= first) & (part[1] < end)
    return part[0][chosen], part[1][chosen] - first


def _some(part: Samples, each: int, seed: int) -> Samples:
    order = torch.randperm(len(part[1]), generator=torch.Generator().manual_seed(seed))
    chosen = torch.cat([order[part[1][order] == label][:each] for label in range(int(part[1].max()) + 1)])
    return part[0][chosen], part[1][chosen]


def right(way: str, source: nn.Module, train: Samples, test: Samples, seed: int, steps: int) -> float:
    """Test accuracy of one way."""
    if way in (TOP, DEPTHS):
        said = [
            _linear(a, b, train[1], seed)
            for a, b in zip(at_depths(source, train[0]), at_depths(source, test[0]), strict=True)
        ]
        probabilities = np.mean(said if way == DEPTHS else said[-1:], axis=0)
        return float((probabilities.argmax(1) == test[1].numpy()).mean())
    outputs = int(train[1].max()) + 1
    net = build("lenet5", tuple(train[0].shape[1:]), outputs, {}, seed=seed + 500)
    if way != NEW:
        kept = {name: weight for name, weight in source.state_dict().items() if not name.startswith("head.")}
        net.load_state_dict(kept, strict=False)
    if way == LAST:
        for name in FROZEN:
            net.get_submodule(name).requires_grad_(requires_grad=False)
    _train(net, train, seed, steps)
    return judged(net, test)[1]


def _train(net: nn.Module, samples: Samples, seed: int, steps: int) -> None:
    epochs = max(1, round(steps * BATCH / len(samples[1])))
    learn(net, samples, lr=LR, momentum=MOMENTUM, batch_size=BATCH, epochs=epochs, schedule=cosine(), seed=seed)


@torch.no_grad()
def at_depths(source: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Features after both convolutional blocks and both dense layers, flat, the top last."""
    found, x = [], inputs
    for name in ("block1", "block2", "dense1", "dense2"):
        x = source.get_submodule(name)(x.flatten(1) if name == "dense1" else x)
        found.append(x.flatten(1))
    return found


def _linear(train: Tensor, test: Tensor, targets: Tensor, seed: int) -> Any:
    """Probabilities of a logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200, tol=1e-3, random_state=seed))
    return model.fit(train.numpy(), targets.numpy()).predict_proba(test.numpy())


def judge(images: Images, found: dict[str, dict[str, list[float]]], learned: Sequence[float]) -> Outcome:
    """Figures, claims and sentence."""
    rows = [Row("source net on its own classes", spread(learned).percent(1))]
    verdicts, best_of = {}, {}
    for case, ways in found.items():
        advised = ADVICE[case]
        best_of[case] = max(ways, key=lambda way: fmean(ways[way]))
        beaten = [way for way in ways if way != advised and _better(ways[way], ways[advised])]
        verdicts[case] = not beaten
        for way, shares in ways.items():
            told = spread(shares).percent(1)
            if way == advised:
                rows.append(Row(f"{case}: {way} (the advice)", told, "none clearly better", not beaten))
            else:
                rows.append(Row(f"{case}: {way}", told))
    few, many = ("few, similar", "many, similar")
    gain = {case: fmean(found[case][ALL]) - fmean(found[case][NEW]) for case in found}
    rows.append(
        Row(
            "what tuning gains over scratch, few and many similar, points",
            f"{100 * gain[few]:.1f} and {100 * gain[many]:.1f}",
            "less with many",
            gain[few] > gain[many],
        )
    )
    held = [case for case, holds in verdicts.items() if holds]
    failed = [
        f"{case} (best: {best_of[case]}, {fmean(found[case][best_of[case]]):.1%} against {fmean(found[case][ADVICE[case]]):.1%})"
        for case, holds in verdicts.items()
        if not holds
    ]
    return Outcome(
        rows,
        f"The lecture's advice holds in {len(held)} of {len(verdicts)} cases"
        + (f" ({'; '.join(held)})" if held else "")
        + (f", not for {'; '.join(failed)}" if failed else "")
        + f". From {FEW} similar pictures a class, keeping the trained layers gains {100 * gain[few]:.0f} points over starting anew, from {MANY} {100 * gain[many]:.0f}; on textures {100 * gain['few, different']:.0f} and {100 * gain['many, different']:.0f}.",
        {"found": found, "verdicts": verdicts},
        data=f"source: the first half of the classes of {images.name}; similar: the other half; different: textures; {FEW} or up to {MANY} pictures a class",
        caption="Share of the test part right, mean ± standard deviation over the seeds. Blue and bold: what the lecture advises.",
    )


def _better(one: Sequence[float], other: Sequence[float]) -> bool:
    """By more than twice the standard error of the difference."""
    difference = spread([a - b for a, b in zip(one, other, strict=True)])
    return difference.mean > 0 and (difference.count < 2 or difference.mean > 2 * difference.error)


def draw(outcome: Outcome) -> Drawing:
    """Four panels of five bars."""
    figure, all_axes = panels(2, 2, (8.6, 5.2))
    for axes, (case, ways) in zip(all_axes, outcome.series["found"].items(), strict=True):
        for row, (way, shares) in enumerate(ways.items()):
            advised = way == ADVICE[case]
            each = spread(shares)
            axes.barh(
                row, 100 * each.mean, color=BLUE if advised else MUTED, alpha=0.85 if advised else 0.35, height=0.68
            )
            if each.count > 1:
                axes.plot(
                    [100 * (each.mean - each.std), 100 * (each.mean + each.std)], [row, row], color=INK, linewidth=1.2
                )
            axes.annotate(
                f"{100 * each.mean:.1f}",
                (103, row),
                va="center",
                color=INK,
                fontsize=9,
                fontweight="bold" if advised else "normal",
                annotation_clip=False,
            )
        axes.set_yticks(range(len(ways)), list(ways))
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, 101)
        holds = outcome.series["verdicts"][case]
        heading(axes, f"{case}: the advice {'holds' if holds else 'does not hold'}")
    return Drawing(figure, outcome.caption)
