"""Does a large batch end in a sharper minimum than a small one, and does that cost accuracy? And how noisy is a batch's gradient?

Keskar et al., "On Large-Batch Training for Deep Learning: Generalization Gap and Sharp Minima", 2017: small batches find flat minima, large ones sharp ones that
do worse on new data. Here the same net is trained from the same weights at the same rate, with 16 samples a step and with all of them, both down to
the same training loss. Around both solutions the loss is cut along random directions, each unit's part of which is as long as the unit's weights
(filter normalisation; Li et al., "Visualizing the Loss Landscape of Neural Nets", 2018), and along the line from one to the other. These
are slices through thousands of dimensions, not the landscape.

The gradient of B samples scatters around that of all N with the variance σ²·(N − B)/(N − 1)/B, nearly 1/B.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import Samples, judged, learn
from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label, logarithmic, number
from glassnet.training.losses import cross_entropy
from glassnet.zoo import build

HIDDEN, RATE, SMALL, GOAL = "64,32", 0.3, 16, 1e-3  # GOAL: training loss at which both end
STARTS, DIRECTIONS, REACH, POINTS = 4, 10, 1.0, 41
BOX, ASCENT = 1e-3, 20  # half width of the box of Keskar et al., and steps to the highest loss in it
DRAWS, BATCHES = 100, tuple(2**k for k in range(9))
ENOUGH = 2_000  # samples of large sets
KINDS = ("small", "large")
COLOURS = {"small": BLUE, "large": ORANGE}
Weights = dict[str, Tensor]


def run(setting: Setting) -> Outcome:
    """Both solutions from every start, and what the loss does around them."""
    images = load_images(setting.data, seed=setting.seed, train=None if setting.full else ENOUGH)
    starts = range(setting.seed, setting.seed + (8 if setting.full else STARTS))
    pairs = []
    for seed in starts:
        pairs.append({kind: solution(images, kind, seed) for kind in KINDS})
        told = ", ".join(
            f"{kind} batch λ {pairs[-1][kind]['curvature']:.3g}, test {pairs[-1][kind]['accuracy']:.3f}"
            for kind in KINDS
        )
        setting.say(f"start {seed}: {told}")
    noise = gradient_noise(images, setting.seed)
    return judge(images, pairs, noise)


def solution(images: Images, kind: str, seed: int, hidden: str = HIDDEN) -> dict[str, Any]:
    """A net trained with small batches or with all samples at once until the training loss is at the goal, and how sharp its place is."""
    net = build("mlp", images.shape, images.classes, {"hidden": hidden}, seed=seed)
    samples = len(images.train[1])
    large = kind == "large"
    learn(
        net,
        images.train,
        lr=RATE,
        epochs=6_000 if large else 200,
        batch_size=samples if large else SMALL,
        seed=seed,
        watch=lambda net: {"loss": judged(net, images.train)[0]},
        every=25 if large else math.ceil(samples / SMALL),
        until=lambda figures: figures["loss"] <= GOAL,
    )
    weights = {name: value.detach().clone() for name, value in net.named_parameters()}
    generator = torch.Generator().manual_seed(seed)
    cuts = [slice_along(net, weights, normalised(weights, generator), images.train) for _ in range(DIRECTIONS)]
    return {
        "net": net,
        "weights": weights,
        "loss": judged(net, images.train)[0],
        "accuracy": judged(net, images.test)[1],
        "cost": judged(net, images.test)[0],
        "cuts": cuts,
        "rise": fmean((cut[0] + cut[-1]) / 2 for cut in cuts),
        "curvature": curvature(net, weights, images.train, generator),
        "box": highest_in_box(net, weights, images.train),
    }


def loss_at(net: nn.Module, weights: Weights, samples: Samples) -> Tensor:
    """Mean loss of the net with other weights."""
    return cross_entropy(functional_call(net, weights, (samples[0],)), samples[1])


def normalised(weights: Weights, generator: torch.Generator) -> Weights:
    """A random direction; each row of a matrix is as long as that row of the weights, biases stay (Li et al., section 4)."""
    direction = {}
    for name, value in weights.items():
        drawn = torch.randn(value.shape, generator=generator)
        if value.ndim < 2:
            direction[name] = torch.zeros_like(value)
        else:
            rows = drawn.flatten(1).norm(dim=1).view(-1, *[1] * (value.ndim - 1))
            lengths = value.flatten(1).norm(dim=1).view(-1, *[1] * (value.ndim - 1))
            direction[name] = drawn / rows * lengths
    return direction


@torch.no_grad()
def slice_along(
    net: nn.Module, weights: Weights, direction: Weights, samples: Samples, low: float = -REACH, high: float = REACH
) -> list[float]:
    """The loss at ``POINTS`` places from weights + low·direction to weights + high·direction."""
    return [
        float(loss_at(net, {name: value + t * direction[name] for name, value in weights.items()}, samples))
        for t in torch.linspace(low, high, POINTS).tolist()
    ]


def curvature(
    net: nn.Module, weights: Weights, samples: Samples, generator: torch.Generator, rounds: int = 30
) -> float:
    """Largest eigenvalue of the Hessian of the mean loss, by power iteration with Hessian-vector products."""
    names = list(weights)
    values = [weights[name].clone().requires_grad_() for name in names]
    loss = loss_at(net, dict(zip(names, values, strict=True)), samples)
    slopes = torch.autograd.grad(loss, values, create_graph=True)
    vector = [torch.randn(value.shape, generator=generator) for value in values]
    found = 0.0
    for _ in range(rounds):
        length = math.sqrt(sum(float(v.square().sum()) for v in vector))
        vector = [v / length for v in vector]
        products = torch.autograd.grad(slopes, values, vector, retain_graph=True)
        found = sum(float((v * p).sum()) for v, p in zip(vector, products, strict=True))
        vector = [product.detach() for product in products]
    return found


def highest_in_box(net: nn.Module, weights: Weights, samples: Samples) -> float:
    """100·(highest loss with every weight within ε(|w| + 1) − loss) / (1 + loss), found by ascent of signs (Keskar et al., equation 4)."""
    room = {name: BOX * (value.abs() + 1) for name, value in weights.items()}
    moved = {name: value.clone() for name, value in weights.items()}
    start = float(loss_at(net, weights, samples))
    highest = start
    for _ in range(ASCENT):
        values = {name: value.requires_grad_() for name, value in moved.items()}
        loss = loss_at(net, values, samples)
        highest = max(highest, float(loss.detach()))
        slopes = torch.autograd.grad(loss, list(values.values()))
        moved = {
            name: torch.clamp(
                value.detach() + 0.25 * room[name] * slope.sign(),
                weights[name] - room[name],
                weights[name] + room[name],
            )
            for (name, value), slope in zip(values.items(), slopes, strict=True)
        }
    return 100 * (highest - start) / (1 + start)


def gradient_noise(
    images: Images, seed: int, batches: Sequence[int] = BATCHES, draws: int = DRAWS
) -> dict[str, list[float]]:
    """Mean squared distance of the gradient of B samples from that of all, at fresh weights: measured, and by the formula."""
    net = build("mlp", images.shape, images.classes, {"hidden": HIDDEN}, seed=seed)
    inputs, targets = images.train
    count = len(targets)
    whole = _gradient(net, inputs, targets)
    # σ² by asking every sample, and not by the draws below
    variance = fmean(
        float((_gradient(net, inputs[i : i + 1], targets[i : i + 1]) - whole).square().sum()) for i in range(count)
    )
    generator = torch.Generator().manual_seed(seed)
    sizes = [size for size in batches if size < count]
    measured = []
    for size in sizes:
        chosen = (torch.randperm(count, generator=generator)[:size] for _ in range(draws))
        measured.append(fmean(float((_gradient(net, inputs[i], targets[i]) - whole).square().sum()) for i in chosen))
    formula = [variance * (count - size) / (count - 1) / size for size in sizes]
    return {"sizes": [float(size) for size in sizes], "measured": measured, "formula": formula}


def _gradient(net: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    return torch.cat(
        [slope.flatten() for slope in torch.autograd.grad(cross_entropy(net(inputs), targets), list(net.parameters()))]
    )


def judge(images: Images, pairs: Sequence[dict[str, dict[str, Any]]], noise: dict[str, list[float]]) -> Outcome:
    """Figures, claims and sentence."""
    rows: list[Row] = []
    sharper = []
    for key, what in (
        ("curvature", "largest eigenvalue of the Hessian"),
        ("rise", "loss at the ends of the slices"),
        ("box", "sharpness in the box of Keskar et al. (%)"),
    ):
        small, large = ([pair[kind][key] for pair in pairs] for kind in KINDS)
        ahead = sum(b > a for a, b in zip(small, large, strict=True))
        sharper.append(ahead == len(pairs))
        rows.append(Row(f"{what}, small and large", f"{fmean(small):.3g} and {fmean(large):.3g}"))
        rows.append(
            Row(
                "the same: larger with the large batch, in starts",
                f"{ahead} of {len(pairs)}",
                "all",
                ahead == len(pairs),
            )
        )
    gain, error = _paired([pair["small"]["accuracy"] - pair["large"]["accuracy"] for pair in pairs])
    accuracies = {kind: fmean(pair[kind]["accuracy"] for pair in pairs) for kind in KINDS}
    rows += [
        Row(
            "training loss at the end, small and large",
            " and ".join(f"{fmean(pair[kind]['loss'] for pair in pairs):.2g}" for kind in KINDS),
        ),
        Row("test accuracy, small and large", f"{accuracies['small']:.4f} and {accuracies['large']:.4f}"),
        Row("small minus large, ± standard error", f"{gain:+.4f} ± {error:.4f}", "above 0", gain > 2 * error),
        Row(
            "test loss, small and large",
            " and ".join(f"{fmean(pair[kind]['cost'] for pair in pairs):.3f}" for kind in KINDS),
        ),
    ]
    slope = _slope([math.log(size) for size in noise["sizes"]], [math.log(value) for value in noise["measured"]])
    expected = _slope([math.log(size) for size in noise["sizes"]], [math.log(value) for value in noise["formula"]])
    worst = max(abs(a / b - 1) for a, b in zip(noise["measured"], noise["formula"], strict=True))
    rows += [
        compared("gradient variance ~ B to the power of", slope, expected, 0.08, absolute=True),
        Row("largest deviation from σ²(N − B)/(N − 1)/B", worst, "below 0.35", worst < 0.35),
    ]
    first = pairs[0]
    line = {name: first["large"]["weights"][name] - value for name, value in first["small"]["weights"].items()}
    between = {
        part: slice_along(first["small"]["net"], first["small"]["weights"], line, samples, -0.5, 1.5)
        for part, samples in (("train", images.train), ("test", images.test))
    }
    middle = between["train"][POINTS // 4 : 3 * POINTS // 4 + 1]
    barrier = max(middle) / max(first["small"]["loss"], first["large"]["loss"])
    rows.append(Row("highest training loss on the line between both, over that at its ends", barrier))
    agreed = sum(sharper)
    return Outcome(
        rows,
        f"Trained with all samples at once the net ends {'in a sharper place by all three measures' if agreed == 3 else f'in a sharper place by {agreed} of three measures'} "
        f"(curvature {fmean(p['large']['curvature'] for p in pairs):.2g} against {fmean(p['small']['curvature'] for p in pairs):.2g}); its test accuracy is "
        f"{accuracies['large']:.3f} against {accuracies['small']:.3f}, {'less than' if gain > 2 * error else 'no telling difference from'} that of small batches; "
        f"the gradient's variance falls like B^{slope:.2f}.",
        {
            "cuts": {kind: [cut for pair in pairs for cut in pair[kind]["cuts"]] for kind in KINDS},
            "between": between,
            "curvature": {kind: [pair[kind]["curvature"] for pair in pairs] for kind in KINDS},
            "accuracy": {kind: [pair[kind]["accuracy"] for pair in pairs] for kind in KINDS},
            "noise": noise,
            "samples": len(images.train[1]),
            "goal": GOAL,
        },
        data=images.told,
        caption="Slices of the training loss around both solutions (bold: mean) and between them; the sharpness and accuracy of each; noise of the gradient.",
    )


def _paired(differences: Sequence[float]) -> tuple[float, float]:
    return fmean(differences), stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Of the line of least squares."""
    mean_x, mean_y = fmean(x), fmean(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def draw(outcome: Outcome) -> Drawing:
    """Slices around, slice between, sharpness against accuracy, noise."""
    series = outcome.series
    figure, (around, between, each, noise) = panels(2, 2, (8.6, 5.8))
    names = {"small": f"batches of {SMALL}", "large": f"all {series['samples']:,} at once"}
    places = torch.linspace(-REACH, REACH, POINTS).tolist()
    for kind, colour in COLOURS.items():
        cuts = series["cuts"][kind]
        for cut in cuts:
            around.plot(places, cut, color=colour, linewidth=0.5, alpha=0.2)
        around.plot(places, [fmean(cut[i] for cut in cuts) for i in range(POINTS)], color=colour, linewidth=2.4)
    around.set_ylim(
        0, 1.3 * max(fmean(cut[end] for cut in cuts) for cuts in series["cuts"].values() for end in (0, -1))
    )
    heading(around, "slices along random directions: training loss")
    label(around, "step, as a share of the weights' length", "")
    for line, (kind, colour) in enumerate(COLOURS.items()):
        around.text(
            0.5,
            0.97 - 0.09 * line,
            names[kind],
            color=colour,
            fontsize=10,
            ha="center",
            va="top",
            transform=around.transAxes,
        )
    way = torch.linspace(-0.5, 1.5, POINTS).tolist()
    for part, colour in (("train", INK), ("test", GREEN)):
        between.plot(way, series["between"][part], color=colour, linewidth=2)
        between.annotate(
            f"{part} loss",
            (way[POINTS // 2], series["between"][part][POINTS // 2]),
            (0, 7),
            textcoords="offset points",
            color=colour,
            fontsize=10,
            ha="center",
        )
    between.set_yscale("log")
    low = min(series["between"]["train"])
    between.set_ylim(low / 3, 3 * max(series["between"]["train"]))
    logarithmic(between.yaxis, low / 3, 10)
    for place, kind in ((0.0, "small"), (1.0, "large")):
        between.axvline(place, color=COLOURS[kind], linewidth=1.4, dashes=(3, 2))
    between.set_xticks([-0.5, 0, 0.5, 1, 1.5], ["−0.5", "0\nsmall batch", "0.5", "1\nlarge batch", "1.5"])
    heading(between, "slice along the line from one to the other")
    for a, b, x, y in zip(
        *(series["curvature"][kind] for kind in KINDS), *(series["accuracy"][kind] for kind in KINDS), strict=True
    ):
        each.plot([a, b], [x, y], color=MUTED, linewidth=0.9)
    for kind, colour in COLOURS.items():
        each.plot(series["curvature"][kind], series["accuracy"][kind], "o", color=colour, markersize=8)
    every = [value for kind in KINDS for value in series["curvature"][kind]]
    each.set_xscale("log")
    ticks = [digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 4)]
    each.set_xticks(ticks, [number(tick) for tick in ticks])
    each.minorticks_off()
    each.set_xlim(min(every) / 1.4, max(every) * 1.4)
    each.margins(y=0.15)
    heading(each, "test accuracy by sharpness, pairs of one start")
    label(each, "largest eigenvalue of the Hessian", "")
    sizes = series["noise"]["sizes"]
    noise.plot(sizes, series["noise"]["formula"], color=MUTED, linewidth=4, alpha=0.45)
    noise.plot(sizes, series["noise"]["measured"], "o", color=BLUE, markersize=6)
    noise.set_xscale("log", base=2)
    noise.set_yscale("log")
    noise.set_xticks(sizes, [number(size) for size in sizes])
    noise.minorticks_off()
    logarithmic(noise.yaxis, min(series["noise"]["measured"]), max(series["noise"]["measured"]))
    noise.text(
        0.97,
        0.95,
        "grey: σ²(N − B)/(N − 1)/B",
        color=MUTED,
        fontsize=10,
        ha="right",
        va="top",
        transform=noise.transAxes,
    )
    heading(noise, "variance of a batch's gradient (dots: measured)")
    label(noise, "batch size B", "")
    return Drawing(figure, outcome.caption)
