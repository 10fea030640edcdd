"""Is a net with dropout the mean of all its thinned nets? Exactly, where one can count them; nearly, where one must sample.

Dropout trains one of 2ⁿ nets at each step; at test all units stay and every weight is scaled to its expectation (Hinton et al., 2012;
Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, 2014). With one hidden layer below a softmax that rule is exactly the normalised geometric mean of all
2ⁿ nets: log softmax is linear in the hidden units but for a term that all classes share. With 10 units (tanh, so that none is silent) there are 1,024 nets, and all
are asked, in float64. With more layers it is an approximation, which is compared with the means of k sampled nets for k up to 100, as in
figure 11 of the paper of 2014.

The nets learn few samples, a fifth of which bear a wrong label drawn at random, so that there is something to overfit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import Samples, judged, learn
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import AMBER, heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label
from glassnet.zoo import build

SAMPLES, WRONG = 300, 0.2
HIDDEN, DROPOUT, EPOCHS, RATE = "128,128", 0.5, 100, 0.1
STARTS, NETS = 8, 100
COUNTED = {"one hidden layer": "10", "two hidden layers": "5,5"}  # 2¹⁰ thinned nets each


def run(setting: Setting) -> Outcome:
    """All thinned nets of two small nets, and some of larger ones; with ``full`` more starting points."""
    images = load_images(setting.data, seed=setting.seed, train=SAMPLES)
    noisy = mislabelled(images, setting.seed)
    counted = {name: all_of(images, noisy, hidden, setting.seed) for name, hidden in COUNTED.items()}
    setting.say(f"largest difference over 1,024 nets: {counted['one hidden layer']['difference']:.1g}")
    starts = range(setting.seed, setting.seed + (24 if setting.full else STARTS))
    with_dropout, without = [], []
    for seed in starts:
        with_dropout.append(sampled(images, noisy, seed, EPOCHS))
        without.append(trained(images, noisy, 0.0, seed, EPOCHS)[1])
        setting.say(
            f"start {seed}: test error {with_dropout[-1]['test']:.3f} with dropout, {without[-1]['test']:.3f} without"
        )
    return judge(images, counted, with_dropout, without)


def mislabelled(images: Images, seed: int) -> Samples:
    """The training part with a fifth of its labels replaced by another class."""
    inputs, classes = images.train
    generator = torch.Generator().manual_seed(seed)
    wrong = torch.rand(len(classes), generator=generator) < WRONG
    other = (classes + torch.randint(1, images.classes, classes.shape, generator=generator)) % images.classes
    return inputs, torch.where(wrong, other, classes)


def trained(
    images: Images,
    samples: Samples,
    dropout: float,
    seed: int,
    epochs: int = EPOCHS,
    options: Mapping[str, object] = MappingProxyType({"hidden": HIDDEN}),
) -> tuple[nn.Module, dict[str, float]]:
    """A net, and its errors: on what it learned from, labels as given, and on the test part."""
    net = build("mlp", images.shape, images.classes, {**options, "dropout": dropout}, seed=seed)
    learn(net, samples, lr=RATE, epochs=epochs, seed=seed)
    return net, {"train": 1 - judged(net, samples)[1], "test": 1 - judged(net, images.test)[1]}


def all_of(images: Images, samples: Samples, hidden: str, seed: int, epochs: int = EPOCHS) -> dict[str, Any]:
    """Every thinned net of a small net against the rule of scaled weights, on the test part, in float64.

    Returns:
        ``difference`` of the probabilities from the normalised geometric mean, ``arithmetic`` from the arithmetic one (both the largest
        over samples and classes), and for the sample on which the two means differ most ``rule``, ``geometric``, ``mean`` (classes,) and ``nets`` (2ⁿ, classes).
    """
    net, _ = trained(images, samples, DROPOUT, seed, epochs, {"hidden": hidden, "activation": "tanh"})
    net = net.double().eval()
    inputs = images.test[0].double()
    with torch.no_grad():
        rule = net(inputs).softmax(1)
        units = [int(each) for each in hidden.split(",")]
        masks = torch.cartesian_prod(*[torch.tensor([0.0, 1.0], dtype=torch.float64)] * sum(units)) / (1 - DROPOUT)
        logs = torch.stack([_thinned(net, inputs, mask.split(units)) for mask in masks]).log_softmax(
            2
        )  # (nets, samples, classes)
        geometric, mean = logs.mean(0).softmax(1), logs.exp().mean(0)
    telling = int((rule - mean).abs().sum(1).argmax())
    return {
        "difference": float((rule - geometric).abs().max()),
        "arithmetic": float((rule - mean).abs().max()),
        "nets": logs[:, telling].exp(),
        "rule": rule[telling],
        "geometric": geometric[telling],
        "mean": mean[telling],
    }


def _thinned(net: nn.Module, x: Tensor, masks: Sequence[Tensor]) -> Tensor:
    """Logits of one thinned net: every hidden unit times its entry of the mask, 0 or 1/(1 − p)."""
    x = x.flatten(1)
    for number, mask in enumerate(masks, start=1):
        block = net.get_submodule(f"hidden{number}")
        x = block.get_submodule("activation")(block.get_submodule("linear")(x)) * mask
    logits: Tensor = net.get_submodule("head")(x)
    return logits


def sampled(images: Images, samples: Samples, seed: int, epochs: int = EPOCHS, nets: int = NETS) -> dict[str, Any]:
    """A larger net with dropout: test error of the rule, and of the means of 1 to ``nets`` thinned nets drawn at random."""
    net, found = trained(images, samples, DROPOUT, seed, epochs)
    inputs, classes = images.test
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed)
        net.train()
        logs = torch.stack([net(inputs) for _ in range(nets)]).log_softmax(2)
    net.eval()
    counts = torch.arange(1, nets + 1)[:, None, None]
    means = {"arithmetic": logs.logcumsumexp(0) - counts.log(), "geometric": (logs.cumsum(0) / counts).log_softmax(2)}
    errors = {name: (each.argmax(2) != classes).double().mean(1).tolist() for name, each in means.items()}
    costs = {name: _cost(each[-1], classes) for name, each in means.items()}
    one = float((logs.argmax(2) != classes).double().mean())
    return {**found, "one": one, "errors": errors, "costs": costs, "cost": judged(net, images.test)[0]}


def _cost(logs: Tensor, classes: Tensor) -> float:
    return float(-logs.gather(1, classes[:, None]).mean())


def judge(
    images: Images,
    counted: dict[str, dict[str, Any]],
    with_dropout: list[dict[str, Any]],
    without: list[dict[str, float]],
) -> Outcome:
    """Figures, claims and sentence."""
    one, two = counted.values()
    rule, single = (fmean(each[key] for each in with_dropout) for key in ("test", "one"))
    plain = {key: fmean(each[key] for each in without) for key in ("train", "test")}
    train = fmean(each["train"] for each in with_dropout)
    spread = stdev(each["test"] for each in with_dropout)
    curves = {
        name: [
            fmean(each["errors"][name][k] for each in with_dropout) for k in range(len(with_dropout[0]["errors"][name]))
        ]
        for name in ("arithmetic", "geometric")
    }
    bands = {
        name: [stdev(each["errors"][name][k] for each in with_dropout) for k in range(len(curves[name]))]
        for name in curves
    }
    nets = len(curves["arithmetic"])
    enough = next((k + 1 for k, error in enumerate(curves["arithmetic"]) if error <= rule + 0.5 * spread), None)
    gaps = plain["test"] - plain["train"], rule - train
    near = abs(curves["arithmetic"][-1] - rule) < spread
    rows = [
        Row(
            "1,024 nets, one hidden layer: rule − geometric mean, largest",
            one["difference"],
            "0",
            one["difference"] < 1e-12,
        ),
        Row("the same: rule − arithmetic mean", one["arithmetic"], "not 0", one["arithmetic"] > 1e-3),
        Row(
            "1,024 nets, two hidden layers: rule − geometric mean", two["difference"], "not 0", two["difference"] > 1e-3
        ),
        Row("test error of one thinned net", single, "above the rule's", single > rule),
        Row("test error by the rule of scaled weights", rule),
        *(
            Row(
                f"test error, {name} mean of {nets} thinned nets",
                curves[name][-1],
                f"within {spread:.3f} of the rule",
                abs(curves[name][-1] - rule) < spread,
            )
            for name in curves
        ),
        Row("thinned nets until their mean comes near the rule", enough or f"over {nets}", "about 50"),
        Row(
            "cost on the test part: rule, arithmetic, geometric mean",
            ", ".join(
                f"{value:.3f}"
                for value in (
                    fmean(each["cost"] for each in with_dropout),
                    *(fmean(each["costs"][name] for each in with_dropout) for name in curves),
                )
            ),
        ),
        Row("error without dropout: train, test", f"{plain['train']:.3f}, {plain['test']:.3f}"),
        Row("error with dropout: train, test", f"{train:.3f}, {rule:.3f}"),
        Row("gap without and with dropout", f"{gaps[0]:.3f} and {gaps[1]:.3f}", "smaller with", gaps[1] < gaps[0]),
        Row("test error, without minus with", plain["test"] - rule, "above 0", plain["test"] > rule),
    ]
    return Outcome(
        rows,
        f"With one hidden layer the rule of scaled weights is the geometric mean of all 1,024 thinned nets within {one['difference']:.0e}, with two it is off by up to {two['difference']:.2g}; "
        f"one thinned net errs on {single:.1%} of the test part, the mean of {nets} on {curves['arithmetic'][-1]:.1%} and the rule, in one pass, on {rule:.1%}"
        f"{'' if near else ', which is more than chance apart'}; without dropout it is {plain['test']:.1%}.",
        {
            "nets": one["nets"],
            "rule": one["rule"],
            "geometric": one["geometric"],
            "mean": one["mean"],
            "curves": curves,
            "bands": bands,
            "scaled": rule,
            "spread": spread,
            "one": single,
            "with": {"train": train, "test": rule},
            "without": plain,
            "each": {
                "with": [[e["train"], e["test"]] for e in with_dropout],
                "without": [[e["train"], e["test"]] for e in without],
            },
            "difference": one["difference"],
        },
        data=f"{images.told}; {WRONG:.0%} of the training labels replaced by a wrong one",
        caption="Left: 1,024 thinned nets on one test sample (dots), their geometric mean (rings) on the rule's bars. Middle, right: means over starting points.",
    )


def draw(outcome: Outcome) -> Drawing:
    """All thinned nets on one sample, test error by the number of sampled nets, errors with and without dropout."""
    series = outcome.series
    figure, (left, middle, right) = panels(1, 3, (9.2, 3.9), widths=(1.25, 1.15, 0.8))
    rule, nets = torch.as_tensor(series["rule"]), torch.as_tensor(series["nets"])
    classes = torch.arange(len(rule))
    jitter = torch.rand(nets.shape, generator=torch.Generator().manual_seed(0)) * 0.7 - 0.35
    left.bar(classes.tolist(), rule.tolist(), width=0.78, color=BLUE, alpha=0.55, linewidth=0)
    left.plot(
        (classes + jitter).flatten().tolist(),
        nets.flatten().tolist(),
        ".",
        color=INK,
        markersize=2,
        alpha=0.25,
        markeredgewidth=0,
        rasterized=True,
    )
    left.plot(classes, series["geometric"], "o", color=ORANGE, markersize=9, markerfacecolor="none", markeredgewidth=2)
    left.plot(classes, series["mean"], "_", color=GREEN, markersize=13, markeredgewidth=2.4)
    left.set_xticks(classes.tolist())
    left.set_ylim(0, 1.42)
    left.set_yticks([0, 0.25, 0.5, 0.75, 1])
    heading(left, "one hidden layer, all 1,024 thinned nets")
    label(left, "class", "probability")
    words = (
        ("· thinned nets", MUTED),
        ("▬ the rule", BLUE),
        ("○ geometric mean: equal", ORANGE),
        ("– arithmetic mean: not", GREEN),
    )
    for line, (text, colour) in enumerate(words):
        left.text(
            0.98, 0.97 - 0.075 * line, text, color=colour, fontsize=9, ha="right", va="top", transform=left.transAxes
        )
    counts = range(1, len(series["curves"]["arithmetic"]) + 1)
    for (name, curve), colour in zip(series["curves"].items(), (GREEN, AMBER), strict=True):
        band = series["bands"][name]
        middle.fill_between(
            counts,
            [c - b for c, b in zip(curve, band, strict=True)],
            [c + b for c, b in zip(curve, band, strict=True)],
            color=colour,
            alpha=0.13,
            linewidth=0,
        )
        middle.plot(counts, curve, color=colour, linewidth=1.9)
    middle.axhline(series["scaled"], color=BLUE, linewidth=1.9, dashes=(5, 2))
    middle.set_xscale("log")
    middle.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    middle.minorticks_off()
    middle.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    heading(middle, "test error of the mean of k nets")
    label(middle, "k thinned nets, drawn at random", "")
    for line, (text, colour) in enumerate(
        (("arithmetic mean", GREEN), ("geometric mean", AMBER), ("the rule, one pass (dashed)", BLUE))
    ):
        middle.text(
            0.98, 0.97 - 0.075 * line, text, color=colour, fontsize=9, ha="right", va="top", transform=middle.transAxes
        )
    for place, (name, part) in enumerate(
        (("without", "train"), ("without", "test"), ("with", "train"), ("with", "test"))
    ):
        x = place + (0.5 if name == "with" else 0)
        value = series[name][part]
        right.bar(x, value, width=0.8, color=ORANGE if part == "test" else MUTED, alpha=0.75, linewidth=0)
        each = [one[0 if part == "train" else 1] for one in series["each"][name]]
        right.plot(
            [x + 0.05 * (i % 5 - 2) for i in range(len(each))],
            each,
            ".",
            color=INK,
            markersize=4,
            alpha=0.6,
            markeredgewidth=0,
        )
        right.text(
            x, max([value, *each]) + 0.006, f"{value:.0%}\n{part}", ha="center", va="bottom", fontsize=9, color=INK
        )
    right.set_xticks([0.5, 3.0], ["without\ndropout", "with\ndropout"])
    right.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    right.set_ylim(0, 1.25 * max(series["without"]["test"], series["with"]["test"], 0.01))
    right.grid(visible=False, axis="x")
    heading(right, "error")
    return Drawing(figure, outcome.caption)
