"""LeNet-5 and what it competed with, on the same pictures: linear, k nearest neighbours, SVM, perceptrons, LeNet-1, LeNet-4, LeNet-5.

The comparison of LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998, figure 9, with test errors
on MNIST's 60,000 + 10,000 digits. Nets are those of the zoo, trained with AdamW under one cycle; the SVM's C = 5 and k = 3 are not tuned here.
Intervals are Wilson's 95 % for the test part's size. A net's cost is counted in multiply-adds for one picture; k-NN compares with every
training picture, the SVM with every support vector.
"""

from __future__ import annotations

import time
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from glassnet.evaluate.interval import wilson
from glassnet.experiments.images import Images, load_images
from glassnet.experiments.learning import learn
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import panels
from glassnet.layer_table import layer_table
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label, logarithmic
from glassnet.training.schedules import one_cycle
from glassnet.zoo import build

DEFAULT, ENOUGH, LEAST_SIDE = "letters", 3_000, 16
# method: net of the zoo with options, rate, and the 1998 test error in percent on MNIST (figure 9)
NETS: dict[str, tuple[str, dict[str, Any], float, float]] = {
    "linear": ("linear", {}, 2e-3, 12.0),
    "MLP 300": ("mlp", {"hidden": "300"}, 1e-3, 4.7),
    "MLP 300-100": ("mlp", {"hidden": "300,100"}, 1e-3, 3.05),
    "LeNet-1": ("lenet1", {}, 5e-3, 1.7),
    "LeNet-4": ("lenet4", {}, 5e-3, 1.1),
    "LeNet-5": ("lenet5", {}, 2e-3, 0.95),
}
KNN, SVM = "k-NN, k = 3", "SVM, RBF"
MEMORIES = {KNN: 5.0, SVM: 1.1}
COLOURS = {"linear": MUTED, KNN: ORANGE, SVM: ORANGE, "MLP 300": GREEN, "MLP 300-100": GREEN}
NAMED_LEFT, LEFT = ("LeNet-1", "LeNet-5", "MLP 300", "k-NN, k = 3"), -9  # where names go, points
SIZE = (60_000, 10_000)  # of MNIST
NEAR = 2.0  # times the figure of 1998, or half of it


def run(setting: Setting) -> Outcome:
    """All methods once; with ``full`` on all samples and for more epochs."""
    most = None if setting.full else ENOUGH
    images = load_images(setting.data or DEFAULT, seed=setting.seed, train=most, test=10_000 if setting.full else 2_000)
    if len(images.shape) == 3 and min(images.shape[1:]) < LEAST_SIDE:
        images = enlarged(images)
    found = compare(images, 20 if setting.full else 12, setting.seed, setting.say)
    return judge(images, found)


def enlarged(images: Images) -> Images:
    """The pictures at 28×28, since LeNets take none so small."""

    def larger(samples: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return F.interpolate(samples[0], size=(28, 28), mode="bilinear"), samples[1]

    return Images(images.name, images.classes, *map(larger, (images.train, images.val, images.test)))


def compare(images: Images, epochs: int, seed: int, say: Any = lambda line: None) -> dict[str, dict[str, float]]:
    """For each method: test errors, seconds of training, multiply-adds for one picture, numbers kept."""
    found = {}
    for name in (*NETS, *MEMORIES):
        begin = time.perf_counter()
        if name in NETS:
            said, cost, kept = _net(name, images, epochs, seed)
        else:
            said, cost, kept = _memory(name, images)
        wrong = int((said != images.test[1]).sum())
        found[name] = {
            "wrong": wrong,
            "seconds": time.perf_counter() - begin,
            "multiply_adds": cost,
            "kept": kept,
            "classes": images.classes,
        }
        say(f"{name}: {100 * wrong / len(images.test[1]):.2f} % wrong after {found[name]['seconds']:.1f} s")
    return found


def _net(name: str, images: Images, epochs: int, seed: int) -> tuple[Tensor, int, int]:
    kind, options, rate, _ = NETS[name]
    net = build(kind, images.shape, images.classes, options, seed=seed)
    batch = 32 if len(images.train[1]) < 10_000 else 128
    learn(
        net, images.train, lr=rate, epochs=epochs, batch_size=batch, optimizer="adamw", weight_decay=1e-2,
        schedule=one_cycle(), seed=seed,
    )  # fmt: skip
    with torch.no_grad():
        said = torch.cat([net(part).argmax(1) for part in torch.split(images.test[0], 1_000)])
    table = layer_table(net, images.shape)
    return said, table.multiply_adds, table.parameters


def _memory(name: str, images: Images) -> tuple[Tensor, int, int]:
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    inputs, targets = images.train[0].flatten(1).numpy(), images.train[1].numpy()
    size = prod(images.shape)
    model = KNeighborsClassifier(3) if name == KNN else SVC(C=5.0)
    model.fit(inputs, targets)
    said = torch.from_numpy(model.predict(images.test[0].flatten(1).numpy()))
    vectors = len(inputs) if name == KNN else len(model.support_vectors_)
    return said, vectors * size, vectors * size


def judge(images: Images, found: dict[str, dict[str, float]]) -> Outcome:
    """Figures, claims and sentence."""
    judged = len(images.test[1])
    same = "mnist" in images.name.lower() and "not" not in images.name.lower() and "fashion" not in images.name.lower()
    whole = same and len(images.train[1]) >= 0.9 * SIZE[0] and judged == SIZE[1]
    known = {name: entry[3] for name, entry in NETS.items()} | MEMORIES
    rows = []
    percents = {}
    for name, each in found.items():
        wrong = int(each["wrong"])
        low, high = wilson(wrong, judged)
        percents[name] = each["percent"] = 100 * wrong / judged
        each["low"], each["high"] = 100 * low, 100 * high
        told = f"{percents[name]:.2f} % ({100 * low:.2f} to {100 * high:.2f}), {each['multiply_adds'] / 1e3:,.0f}k mult-adds, {each['seconds']:.1f} s"
        agrees = known[name] / NEAR <= percents[name] <= NEAR * known[name] if whole else None
        rows.append(Row(f"{name}: test error", told, f"{known[name]:g} % (MNIST, 1998)", agrees))
    others = min(found[name]["wrong"] for name in found if not name.startswith("LeNet"))
    five = found["LeNet-5"]
    rows += [
        _claim("LeNet-5 errs less than the linear classifier", percents, "LeNet-5", "linear"),
        _claim("LeNet-5 errs less than the MLP of 300 units", percents, "LeNet-5", "MLP 300"),
        _claim("the MLP of 300 units errs less than the linear classifier", percents, "MLP 300", "linear"),
    ]
    best = min(percents, key=lambda name: percents[name])
    cheaper = found[SVM]["multiply_adds"] / five["multiply_adds"]
    parameters = found["MLP 300"]["kept"] / five["kept"]
    return Outcome(
        rows,
        f"Of {judged:,} pictures LeNet-5 gets {percents['LeNet-5']:.2f} % wrong, the linear classifier {percents['linear']:.2f} %, 300 hidden units {percents['MLP 300']:.2f} %, the SVM "
        f"{percents[SVM]:.2f} % at {cheaper:.0f} times LeNet-5's multiply-adds; "
        + (
            f"LeNet-5 beats all that are no LeNets, with {parameters:.1f} times fewer parameters than the MLP."
            if five["wrong"] < others
            else f"the fewest errors are those of {best} ({percents[best]:.2f} %)."
        ),
        {"found": found, "judged": judged},
        data=images.told + ("" if whole else "; for the figures of 1998: --full --data mnist"),
        caption="Test error, with 95 % intervals, by the multiply-adds for one picture; beside the names the seconds of training. Lower and further left is better.",
    )


def _claim(what: str, percents: dict[str, float], better: str, worse: str) -> Row:
    first, second = percents[better], percents[worse]
    return Row(what, f"{first:.2f} against {second:.2f} %", "fewer", first < second)


def draw(outcome: Outcome) -> Drawing:
    """Error against cost."""
    figure, (axes,) = panels(1, 1, (8, 4.4))
    found = outcome.series["found"]
    costs = [each["multiply_adds"] for each in found.values()]
    for name, each in found.items():
        colour = COLOURS.get(name, BLUE)
        x, y = each["multiply_adds"], each["percent"]
        axes.plot([x, x], [each["low"], each["high"]], color=colour, linewidth=2, alpha=0.5, solid_capstyle="round")
        axes.plot(x, y, "o", color=colour, markersize=8)
        x = LEFT if name in NAMED_LEFT else -LEFT
        axes.annotate(
            f"{name}, {each['seconds']:.0f} s",
            (each["multiply_adds"], y),
            (x, 0),
            textcoords="offset points",
            ha="right" if x < 0 else "left",
            va="center",
            color=INK if colour == MUTED else colour,
            fontsize=9,
        )
    axes.set_xscale("log")
    axes.set_xlim(min(costs) / 2, max(costs) * 2)
    axes.set_ylim(0)
    logarithmic(axes.xaxis, min(costs) / 2, max(costs) * 2)
    axes.xaxis.set_major_formatter(lambda value, _: _counted(value))
    label(axes, "multiply-adds for one picture", "test error, %")
    return Drawing(figure, outcome.caption)


def _counted(value: float) -> str:
    return f"{value / 1e6:g} million" if value >= 1e6 else f"{value / 1e3:g} thousand"
