"""A saw of 2^k pieces: k layers of two rectifiers make it exactly, one hidden layer needs 2^k units.

t(x) = 2·ReLU(x) − 4·ReLU(x − ½) is a tent on [0, 1]; put into itself k times it is a saw of 2^k pieces. A hidden layer of n rectifiers has at most
n + 1 pieces, however it was trained (Telgarsky, "Benefits of depth in neural networks", 2016; Montúfar et al., 2014).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.experiments.fitting import fit, predict
from glassnet.experiments.outcome import Outcome, Row, Setting, compared
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, INK, MUTED, ORANGE, Drawing, label
from glassnet.training.schedules import cosine
from glassnet.zoo import build

DEPTHS = (1, 2, 3, 4, 5, 6)
RIVAL = 5  # the saw that a shallow net of as many weights is trained on


def run(setting: Setting) -> Outcome:
    """Pieces by depth, and the best that a shallow net of the same size learns."""
    counted = {depth: pieces(deep(depth)) for depth in DEPTHS}
    weights = {depth: sum(p.numel() for p in deep(depth).parameters()) for depth in DEPTHS}
    needed = {depth: 3 * (2**depth - 1) + 1 for depth in DEPTHS}  # in, bias and out of each unit, and the last bias
    units = max(1, (weights[RIVAL] - 1) // 3)
    x = (torch.arange(2**10) + 0.5)[:, None] / 2**10
    saw = predict(deep(RIVAL), x)
    epochs = 4000 if setting.full else 800
    fits = [shallow(units, x, saw, seed, epochs) for seed in range(setting.seed, setting.seed + 3)]
    errors = [float((values - saw).abs().mean()) for values in fits]
    best = errors.index(min(errors))
    widths = [
        pieces(build("mlp", (1,), 1, {"hidden": (units,), "activation": "relu", "dropout": 0.0}, seed=s))
        for s in range(3)
    ]
    rows = [
        compared(f"{depth} layers of 2 units: pieces, and 2^{depth}", counted[depth], 2**depth, 0) for depth in DEPTHS
    ]
    rows += [
        Row(
            f"weights for {2**depth} pieces, deep",
            weights[depth],
            f"shallow: {needed[depth]:,}",
            weights[depth] < needed[depth],
        )
        for depth in DEPTHS[-2:]
    ]
    rows.append(
        Row(
            f"one layer of {units} units (as many weights): pieces",
            max(widths),
            f"at most {units + 1}",
            max(widths) <= units + 1,
        )
    )
    rows.append(
        Row(f"trained on {2**RIVAL} pieces: mean error, best of 3", min(errors), "above 1/64", min(errors) > 1 / 64)
    )
    exact = counted[DEPTHS[-1]] == 2 ** DEPTHS[-1]
    return Outcome(
        rows,
        f"{DEPTHS[-1]} layers of two units make {counted[DEPTHS[-1]]} pieces with {weights[DEPTHS[-1]]} weights where one hidden layer needs "
        f"{needed[DEPTHS[-1]]}; with the weights of {RIVAL} layers a trained shallow net is off by {min(errors):.2f} on average where the deep one is exact"
        + (": layers fold, units only add." if exact and min(errors) > 1 / 64 else "."),
        {
            "x": x[:, 0],
            "saw": saw[:, 0],
            "shallow": fits[best][:, 0],
            "units": units,
            "saws": {str(depth): predict(deep(depth), x)[:, 0] for depth in (1, 2, 3)},
            "weights": weights,
            "needed": needed,
        },
        data="saws on [0, 1], made by a net of their own",
        caption="Each layer folds the interval once more and doubles the pieces; one hidden layer adds one piece for each unit.",
    )


def deep(depth: int) -> nn.Module:
    """The tent put into itself: ``depth`` layers of two rectifiers."""
    layers: list[nn.Module] = []
    for number in range(depth):
        first = nn.Linear(1 if number == 0 else 2, 2)
        with torch.no_grad():
            first.bias.copy_(torch.tensor([0.0, -0.5]))
            tent = torch.tensor([[1.0]]) if number == 0 else torch.tensor([[2.0, -4.0]])
            first.weight.copy_(tent.expand(2, -1))
        layers += [first, nn.ReLU()]
    last = nn.Linear(2, 1)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[2.0, -4.0]]))
        last.bias.zero_()
    return nn.Sequential(*layers, last)


def pieces(net: nn.Module) -> int:
    """Linear pieces on [0, 1], counted by the changes of slope on a fine grid, in float64."""
    net = net.double()
    x = torch.linspace(0, 1, 2**13 + 1, dtype=torch.float64)[:, None]
    slopes = predict(net, x)[:, 0].diff() * 2**13
    changes = slopes.diff().abs() > 1e-6
    starts = changes.clone()
    starts[1:] &= ~changes[:-1]  # a kink between two grid points changes the slope twice
    return int(starts.sum()) + 1


def shallow(units: int, x: Tensor, y: Tensor, seed: int, epochs: int) -> Tensor:
    """Outputs of a trained hidden layer whose kinks start spread over [0, 1]."""
    net = build("mlp", (1,), 1, {"hidden": (units,), "activation": "relu", "dropout": 0.0}, seed=seed)
    first = next(module for module in net.modules() if isinstance(module, nn.Linear))
    with torch.no_grad():
        first.weight.fill_(4.0)
        first.bias.copy_(-4 * torch.linspace(0, 1, units + 1)[:-1])
    return predict(fit(net, x[::2], y[::2], epochs=epochs, lr=0.02, schedule=cosine(), seed=seed), x)


def draw(outcome: Outcome) -> Drawing:
    """Saws of 1, 2, 3 layers, the shallow rival, and the weights needed."""
    series = outcome.series
    figure, axes = panels(1, 3, (9.2, 3.1), widths=(3, 4, 3))
    for (depth, values), style in zip(series["saws"].items(), (":", "--", "-"), strict=True):
        axes[0].plot(series["x"], values, style, color=BLUE, linewidth=1.6, label=f"{depth}")
    axes[0].set_ylim(0, 1.3)
    axes[0].legend(
        loc="upper center",
        ncols=3,
        fontsize=8,
        frameon=False,
        title="layers of two units",
        title_fontsize=8,
        labelcolor=INK,
    )
    label(axes[0], "x", "")
    axes[1].plot(series["x"], series["saw"], color=BLUE, linewidth=1.3, label=f"{RIVAL} layers of 2, built")
    axes[1].plot(
        series["x"], series["shallow"], color=ORANGE, linewidth=2, label=f"1 layer of {series['units']}, trained"
    )
    axes[1].set_ylim(-0.1, 1.35)
    axes[1].legend(loc="upper center", ncols=2, fontsize=8, frameon=False, labelcolor=INK, columnspacing=0.8)
    label(axes[1], "x", "")
    heading(axes[1], "as many weights each")
    depths = list(series["weights"])
    counts = [2**depth for depth in depths]
    for key, colour, name in (("needed", ORANGE, "one layer"), ("weights", BLUE, "two units\na layer")):
        values = list(series[key].values())
        axes[2].plot(counts, values, color=colour, marker="o", markersize=4)
        axes[2].annotate(
            name, (counts[-1], values[-1]), (6, 0), textcoords="offset points", color=colour, va="center", fontsize=9
        )
    axes[2].set_xscale("log", base=2)
    axes[2].set_xticks(counts, [str(count) for count in counts])
    axes[2].set_xlim(1.8, 300)
    label(axes[2], "pieces of the saw", "weights")
    axes[0].title.set_color(MUTED)
    return Drawing(figure, outcome.caption)
