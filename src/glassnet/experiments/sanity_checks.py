"""Four things to try before a long training, on the course's net: initial loss, twenty examples, and learning rates too low, too high and right.

The setting of Stanford CS231n ("Babysitting the learning process"): CIFAR-10, pixels of 0 to 255 with the mean image subtracted and not scaled, 50 hidden ReLU
units, weights 0.0001·randn, biases 0, cross-entropy plus ½λΣw², plain SGD with batches of 100. Without ``--data`` the built-in digits take
the place of CIFAR-10, and the figures have no reference.

The lecture's cost is the logarithm of a probability that may round to 0, so that it becomes infinite where a log-softmax stays finite; ``textbook_cost``
computes it in that way, in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import torch
from torch import Tensor, nn

from glassnet.data.batches import Batches
from glassnet.data.dataset import InMemory, Part
from glassnet.data.opening import open_data
from glassnet.data.options import ReadOptions
from glassnet.events import Epoch, Step
from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import SERIES, heading, panels
from glassnet.plots.style import GREEN, INK, Drawing, label, number
from glassnet.training import Plan, train
from glassnet.training.evaluate import accuracy
from glassnet.training.losses import cross_entropy
from glassnet.training.penalties import make_penalty
from glassnet.training.range_test import find_lr

HIDDEN, SCALE = 50, 1e-4
LAMBDAS = (0.0, 1.0, 10.0, 100.0, 1e3)
TINY, TINY_EPOCHS, TINY_RATE = 20, 200, 1e-3
BATCH, REGULARISED = 100, 1e-6
RATES = ((1e-6, 10), (1e-5, 5), (1e-3, 3), (3e-3, 5), (1e6, 1))  # rate, epochs
VALIDATION = 1_000
FALLS = 0.005  # by which a cost must have fallen for the rate to count as good; 1e-6 comes to 0.0002
REFERENCE_DATA = "cifar"


@dataclass(frozen=True)
class Pixels:
    """Pixels with the mean image subtracted, as rows, and the classes."""

    name: str
    inputs: Tensor
    targets: Tensor
    val_inputs: Tensor
    val_targets: Tensor
    classes: int


def run(setting: Setting) -> Outcome:
    """The four checks."""
    pixels = load(setting.data)
    known = REFERENCE_DATA in pixels.name.lower() and pixels.inputs.shape[1] == 3072
    width = pixels.inputs.shape[1]
    start = initial_losses(pixels, setting.seed)
    setting.say(f"initial loss {start[0]:.4f}, with λ = 1e3 {start[-1]:.4f}")
    costs, figures = learn_tiny(pixels, setting.seed)
    setting.say(f"{TINY} examples: cost {costs[-1]:.4f}, accuracy {figures[-1]:.2f}")
    runs: dict[str, dict[str, list[float]]] = {}
    for rate, epochs in RATES:
        runs[f"{rate:g}"] = learn(pixels, rate, epochs, setting.seed)
        setting.say(f"lr {rate:g}: cost {runs[f'{rate:g}']['cost'][0]:.4f} to {runs[f'{rate:g}']['cost'][-1]:.4f}")
    bracket = range_test(pixels, setting.seed)
    low, slow, fast, high, far = (runs[f"{rate:g}"] for rate, _ in RATES)
    expected = math.log(pixels.classes)
    penalty = expected + 0.5e3 * SCALE**2 * (width * HIDDEN + HIDDEN * pixels.classes)
    infinite = next((epoch for epoch, cost in enumerate(high["worst"], 1) if not math.isfinite(cost)), None)
    rows = [
        compared(f"initial loss, ln {pixels.classes}", start[0], 2.3026 if known else expected, 1e-3),
        compared("initial loss with λ = 1e3", start[-1], 3.07 if known else penalty, 0.005),
        compared(f"{TINY} examples, {TINY_EPOCHS} epochs: accuracy", figures[-1], 1.0, 0.0),
        _beside("the same: cost", costs[-1], 0.0026, known, within=0.5),
        _beside("lr 1e-6: cost after 10 epochs", low["cost"][-1], 2.3024, known, within=2e-4),
        _beside("lr 1e-6: accuracy (train)", low["train"][-1], 0.19, known, within=0.35),
        Row("lr 1e6: cost", _told(far["cost"][-1]), "nan", not math.isfinite(far["cost"][-1])),
        Row(
            "lr 3e-3: first epoch with an infinite cost",
            "none" if infinite is None else str(infinite),
            "5",
            infinite is not None and infinite <= 5 if known else None,
        ),
        Row(
            "cost after 5 epochs at 1e-5, after 3 at 1e-3",
            f"{slow['cost'][-1]:.4f} and {fast['cost'][-1]:.4f}",
            "both fall: good range",
            slow["cost"][-1] < expected - FALLS and fast["cost"][-1] < expected - FALLS if known else None,
        ),
        Row("range test", _range(bracket)),
    ]
    passed = start[0] < 1.01 * expected and figures[-1] == 1.0
    return Outcome(
        rows,
        f"Not knowing costs {start[0]:.4f}, which is ln {pixels.classes}; {TINY} examples are "
        f"{'learned by heart' if passed else 'not learned by heart'}; a rate of 1e-6 moves the cost by {abs(low['cost'][-1] - low['cost'][0]):.4f} in ten epochs, "
        f"1e6 makes it {_told(far['cost'][-1])}; in the range test {_range(bracket)}.",
        {
            "lambdas": list(LAMBDAS),
            "initial": start,
            "tiny_cost": costs,
            "tiny_accuracy": figures,
            "runs": runs,
            "bracket": bracket,
            "expected": expected,
        },
        data=f"{pixels.name}: {len(pixels.targets):,} training samples of {width} numbers"
        + (
            ""
            if known
            else "; the reference used CIFAR-10, which --data takes (a folder with data_batch_1.bin and so on)"
        ),
        caption="Initial loss with more and more penalty; twenty examples learned by heart; the cost at rates too low and too high; the range between.",
    )


def load(path: str | None) -> Pixels:
    """The training samples but the last thousand (a fifth of smaller sets), which are for validation, as the course divides them."""
    data = open_data(path or "digits", ReadOptions())
    part = data.train
    images = part.inputs.take(torch.arange(len(part))).float().flatten(1)
    kept = min(VALIDATION, len(part) // 5)
    mean = images[:-kept].mean(0)
    images -= mean
    name = f"{data.name} ({Path(data.origin).name})" if path else data.name
    if len(data.classes) == 10 and images.shape[1] == 3072 and "airplane" in data.classes:
        name = "CIFAR-10"
    return Pixels(name, images[:-kept], part.targets[:-kept], images[-kept:], part.targets[-kept:], len(data.classes))


def small_net(inputs: int, classes: int, seed: int) -> nn.Module:
    """inputs–50–classes with weights 0.0001·randn and biases of zero."""
    net = nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(SCALE * torch.randn(p.shape, generator=generator)) if p.ndim > 1 else p.zero_()
    return net


def textbook_cost(logits: Tensor, targets: Tensor) -> float:
    """−mean log(softmax) with the softmax rounded to float64 first: infinite where a probability rounds to 0."""
    return float(-logits.double().softmax(1).gather(1, targets[:, None]).log().mean())


def initial_losses(pixels: Pixels, seed: int) -> list[float]:
    """Loss of the untrained net for each λ."""
    net = small_net(pixels.inputs.shape[1], pixels.classes, seed)
    with torch.no_grad():
        loss = float(cross_entropy(net(pixels.inputs[:5_000]), pixels.targets[:5_000]))
        found = []
        for strength in LAMBDAS:
            penalty = make_penalty(l2=strength / 2)
            found.append(loss + (float(penalty(net)) if penalty else 0.0))
    return found


def learn_tiny(pixels: Pixels, seed: int) -> tuple[list[float], list[float]]:
    """Cost and accuracy on twenty examples after each of 200 epochs of one step."""
    inputs, targets = pixels.inputs[:TINY], pixels.targets[:TINY]
    net = small_net(inputs.shape[1], pixels.classes, seed)
    costs, figures = [], []
    for event in train(net, batches_of(inputs, targets, TINY, seed), plan(TINY_RATE, TINY_EPOCHS, 0.0)):
        if isinstance(event, Epoch):
            with torch.no_grad():
                outputs = net(inputs)
            costs.append(textbook_cost(outputs, targets))
            figures.append(accuracy(outputs, targets)["accuracy"])
    return costs, figures


def learn(pixels: Pixels, rate: float, epochs: int, seed: int) -> dict[str, list[float]]:
    """Of each epoch: cost of its last batch (at first that of the untrained net), worst cost of a batch, accuracies."""
    net = small_net(pixels.inputs.shape[1], pixels.classes, seed)
    batches = batches_of(pixels.inputs, pixels.targets, BATCH, seed)
    sample = (pixels.inputs[:VALIDATION], pixels.targets[:VALIDATION])
    found: dict[str, list[float]] = {"cost": [], "worst": [], "train": [], "val": []}
    costs: list[float] = []
    seen: list[Tensor] = []
    hook = net.register_forward_hook(
        lambda module, args, output: seen.append(output.detach()) if module.training else None
    )
    order = [batches.pieces(epoch) for epoch in range(epochs)]
    for event in train(net, batches, plan(rate, epochs, REGULARISED / 2)):
        if isinstance(event, Step):
            place = (event.step - 1) % batches.steps_per_epoch
            costs.append(textbook_cost(seen.pop(), pixels.targets[order[event.epoch][place]]))
            seen.clear()
            if event.step == 1:
                found["cost"].append(costs[0])
        elif isinstance(event, Epoch):
            found["cost"].append(costs[-1])
            found["worst"].append(max(costs, key=lambda cost: cost if math.isfinite(cost) else math.inf))
            net.eval()
            with torch.no_grad():
                found["train"].append(accuracy(net(sample[0]), sample[1])["accuracy"])
                found["val"].append(accuracy(net(pixels.val_inputs), pixels.val_targets)["accuracy"])
            costs.clear()
    hook.remove()
    return found


def range_test(pixels: Pixels, seed: int) -> dict[str, list[float] | float | None]:
    """Smoothed loss against a rising rate."""
    net = small_net(pixels.inputs.shape[1], pixels.classes, seed)
    batches = batches_of(pixels.inputs, pixels.targets, BATCH, seed)
    without_end = chain.from_iterable(batches.epoch(epoch) for epoch in count())
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    found = find_lr(net, optimizer, without_end, cross_entropy, lr_min=1e-7, lr_max=1.0, steps=700)
    return {
        "lrs": list(found.lrs),
        "losses": list(found.losses),
        "too_low": found.too_low,
        "too_high": found.too_high,
    }


def plan(rate: float, epochs: int, l2: float) -> Plan:
    """Plain SGD at a constant rate."""
    return Plan(
        loss=cross_entropy,
        optimizer=lambda net: torch.optim.SGD(net.parameters(), lr=rate),
        epochs=epochs,
        penalty=make_penalty(l2=l2),
        record_every=1,
    )


def batches_of(inputs: Tensor, targets: Tensor, size: int, seed: int) -> Batches:
    """Shuffled batches of rows."""
    return Batches(Part(InMemory(inputs), targets, range(len(targets))), size, seed=seed)  # type: ignore[arg-type]


def _beside(what: str, ours: float, reference: float, known: bool, *, within: float) -> Row:
    return compared(what, ours, reference, within) if known else Row(what, ours)


def _range(bracket: dict[str, list[float] | float | None]) -> str:
    low, high = bracket["too_low"], bracket["too_high"]
    falls = "the loss falls nowhere" if low is None else f"the loss falls from {_told(low)} on"
    return f"{falls} and rises {'nowhere' if high is None else f'from {_told(high)} on'}"


def _told(value: object) -> str:
    return "none" if not isinstance(value, float) else number(value) if math.isfinite(value) else str(value)


def draw(outcome: Outcome) -> Drawing:
    """Four panels, one a check."""
    series = outcome.series
    figure, (first, second, third, fourth) = panels(2, 2, (8.6, 5.6))
    lambdas, runs, bracket = series["lambdas"], series["runs"], series["bracket"]
    first.plot(range(len(lambdas)), series["initial"], "o-", color=SERIES[0], linewidth=1.8)
    first.axhline(series["expected"], color=INK, linewidth=1, dashes=(4, 2))
    first.text(0, series["expected"] - 0.02, "ln of the classes", color=INK, va="top", fontsize=9)
    first.set_xticks(range(len(lambdas)), [number(value) for value in lambdas])
    first.set_ylim(bottom=min(series["initial"]) - 0.16 * (max(series["initial"]) - min(series["initial"])) - 0.02)
    heading(first, "Initial loss")
    label(first, "λ of the penalty", "cost")
    second.plot(
        range(1, len(series["tiny_cost"]) + 1), series["tiny_cost"], color=SERIES[0], linewidth=1.8, label="cost"
    )
    second.plot(
        range(1, len(series["tiny_cost"]) + 1),
        series["tiny_accuracy"],
        color=SERIES[1],
        linewidth=1.8,
        label="accuracy",
    )
    second.set_yscale("log")
    second.legend(frameon=False, fontsize=9)
    heading(second, f"{TINY} examples by heart")
    label(second, "epoch", "cost, accuracy")
    for (name, each), colour in zip(runs.items(), SERIES, strict=False):
        costs = [cost if isinstance(cost, float) and math.isfinite(cost) else math.nan for cost in each["cost"]]
        shown = [min(cost, 5.0) for cost in costs]
        third.plot(
            range(len(shown)), shown, "o-", color=colour, linewidth=1.6, markersize=4, label=f"lr {number(float(name))}"
        )
        if any(math.isnan(cost) for cost in costs):
            place = next(i for i, cost in enumerate(costs) if math.isnan(cost))
            third.plot([place], [5.0], "x", color=colour, markersize=9, markeredgewidth=2.5)
    third.set_ylim(1.0, 5.3)
    third.legend(frameon=False, fontsize=9, loc="center right", bbox_to_anchor=(1.0, 0.62))
    heading(third, "Too low, too high (×: not finite)")
    label(third, "epoch", "cost of the last batch")
    fourth.plot(bracket["lrs"], bracket["losses"], color=SERIES[0], linewidth=1.8)
    fourth.set_xscale("log")
    if bracket["too_low"] and bracket["too_high"]:
        fourth.axvspan(bracket["too_low"], bracket["too_high"], color=GREEN, alpha=0.12, linewidth=0)
    finite = [loss for loss in bracket["losses"] if loss is not None]
    fourth.set_ylim(min(finite) - 0.05, max(finite[0] * 1.3, min(finite) + 0.5))
    heading(fourth, "The range between")
    label(fourth, "learning rate", "smoothed loss")
    return Drawing(figure, outcome.caption)
