"""Remember a symbol while noise passes by: a plain recurrent net and an LSTM, at lags of 2 to 100 steps, with their gradients through time.

The first step shows one of four symbols, then the same four lines carry Gaussian noise for as many steps as the lag has, and only then the
symbol is asked for. Bengio, Simard and Frasconi, "Learning long-term dependencies with gradient descent is difficult", 1994, show why the
plain net fails: the gradient is multiplied by W·diag(g′) at every step back. In the LSTM (Hochreiter and Schmidhuber, 1997) the cell's gradient
is multiplied by its forget gate f instead. The LSTM of 1997 had no forget gate (f = 1); Gers, Schmidhuber and Cummins (2000) added it, and with
the usual bias of 1 it stands at σ(1) = 0.73, which is 10⁻¹⁴ after a hundred steps. So there are two LSTMs here: one with forget bias 1, and one
whose gates start open for about as long as the lag, biases ln U(1, lag) (Tallec and Ollivier, "Can recurrent neural networks warp time?",
2018, equation 16). The last rows show the other way out: lags of all lengths up to 100 in one training, the short ones teaching the gates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.events import Step
from glassnet.experiments.outcome import Outcome, Row, Setting
from glassnet.experiments.panels import heading, panels
from glassnet.plots.style import BLUE, GREEN, INK, MUTED, ORANGE, Drawing, label
from glassnet.training import Plan, train
from glassnet.training.clipping import Clip
from glassnet.training.losses import cross_entropy
from glassnet.training.optimizers import make_optimizer

SYMBOLS, NOISE, UNITS = 4, 0.2, 16
LAGS, FULL_LAGS = (2, 5, 10, 20, 50, 100), (2, 5, 10, 20, 50, 100, 200)
STEPS, BATCH, LR, SEEDS = 1_000, 32, 0.01, 3
EVERY, ENOUGH, ASKED = 50, 0.99, 500  # look after so many steps, end at that accuracy on so many sequences
LEARNED = 0.97  # accuracy on other sequences
SIGMA_1 = 1 / (1 + math.exp(-1))
FLOOR = 1e-24  # of the picture
KINDS = {"plain RNN": ORANGE, "LSTM, forget bias 1": GREEN, "LSTM, gates open": BLUE}
PLAIN, ONE, OPEN = KINDS


class Memory(nn.Module):
    """A recurrent layer of PyTorch and a dense layer on its last state.

    Args:
        kind: a key of ``KINDS``.
        lag: for the gates that start open.
        generator: of the forget biases; all other weights start as PyTorch has them.
    """

    def __init__(self, kind: str, lag: int, generator: torch.Generator) -> None:
        super().__init__()
        self.recurrent: nn.RNNBase = (nn.RNN if kind == PLAIN else nn.LSTM)(SYMBOLS, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, SYMBOLS)
        if kind == PLAIN:
            return
        forget = torch.ones(UNITS)
        if kind == OPEN:
            forget = (1 + (max(lag, 2) - 1) * torch.rand(UNITS, generator=generator)).log()
        weights = dict(self.recurrent.named_parameters())
        with torch.no_grad():  # PyTorch's order of the gates: input, forget, cell, output; and it adds two biases
            for name in ("bias_ih_l0", "bias_hh_l0"):
                weights[name][: 2 * UNITS] = 0
            weights["bias_ih_l0"][UNITS : 2 * UNITS] = forget
            if kind == OPEN:
                weights["bias_ih_l0"][:UNITS] = -forget

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, SYMBOLS) → (batch, SYMBOLS)."""
        return self.head(self.recurrent(x)[0][:, -1])  # type: ignore[no-any-return]


class Sequences:
    """New sequences in every step, as batches for the loop.

    Args:
        lags: one of them, drawn at random, for each batch.
        steps: batches in all.
        generator: draws everything.
    """

    def __init__(self, lags: Sequence[int], steps: int, generator: torch.Generator) -> None:
        self.lags, self.generator = lags, generator
        self.steps_per_epoch, self.samples = steps, steps * BATCH

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The only epoch."""
        for _ in range(start, self.steps_per_epoch):
            drawn = int(torch.randint(len(self.lags), (1,), generator=self.generator))
            yield sequences(BATCH, self.lags[drawn], self.generator)


def sequences(count: int, lag: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Inputs (count, lag + 1, SYMBOLS), the first step one-hot and the others noise; symbols (count,)."""
    symbols = torch.randint(SYMBOLS, (count,), generator=generator)
    inputs = NOISE * torch.randn(count, lag + 1, SYMBOLS, generator=generator)
    inputs[:, 0] = F.one_hot(symbols, SYMBOLS).float()
    return inputs, symbols


def run(setting: Setting) -> Outcome:
    """Every net at every lag over the seeds, their gradients at lag 100, and mixed lags."""
    seeds = range(setting.seed, setting.seed + (5 if setting.full else SEEDS))
    lags, steps = (FULL_LAGS, 2 * STEPS) if setting.full else (LAGS, STEPS)
    found: dict[str, dict[int, list[float]]] = {kind: {} for kind in KINDS}
    gradients: dict[str, dict[str, Any]] = {}
    for lag in lags:
        for kind in KINDS:
            trained = [remember(kind, [lag], lag, seed, steps) for seed in seeds]
            found[kind][lag] = [each["accuracy"] for each in trained]
            if lag == LAGS[-1]:
                gradients[kind] = {when: trained[0][when] for when in ("before", "after")}
        setting.say(f"lag {lag}: " + ", ".join(f"{kind} {fmean(found[kind][lag]):.0%}" for kind in KINDS))
    mixed = {}
    for kind in (PLAIN, ONE):
        longest = LAGS[-1]
        mixed[kind] = [
            remember(kind, range(1, longest + 1), longest, seed, steps + STEPS // 2)["accuracy"] for seed in seeds
        ]
        setting.say(f"lags 1 to {longest} mixed: {kind} {fmean(mixed[kind]):.0%}")
    return judge(found, gradients, mixed)


def remember(kind: str, lags: Sequence[int], asked: int, seed: int, steps: int) -> dict[str, Any]:
    """One training with Adam, ended when the symbol is remembered at the lag that is asked.

    Returns:
        ``accuracy`` on 2,000 new sequences, ``steps`` taken, and the gradients ``before`` and ``after``, see :func:`through_time`.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        net = Memory(kind, asked, generator)
    before = through_time(net, sequences(100, asked, torch.Generator().manual_seed(seed)))
    plan = Plan(
        loss=cross_entropy,
        optimizer=lambda net: make_optimizer("adam", net, lr=LR),
        epochs=1,
        clip=Clip(norm=1.0),
        record_every=steps,
    )
    exam, new = sequences(ASKED, asked, generator), sequences(4 * ASKED, asked, generator)
    taken = 0
    for event in train(net, Sequences(lags, steps, generator), plan):
        if isinstance(event, Step):
            taken = event.step
            if taken % EVERY == 0 and accuracy(net, exam) >= ENOUGH:
                break
    after = through_time(net, sequences(100, asked, torch.Generator().manual_seed(seed)))
    return {"accuracy": accuracy(net, new), "steps": taken, "before": before, "after": after}


@torch.no_grad()
def accuracy(net: nn.Module, asked: tuple[Tensor, Tensor]) -> float:
    """Share of right answers."""
    return float((net(asked[0]).argmax(1) == asked[1]).double().mean())


def through_time(net: Memory, asked: tuple[Tensor, Tensor]) -> dict[str, list[float]]:
    """Norms of ∂loss/∂h_t, averaged over the sequences, for every t from the symbol to the end; for an LSTM also of ∂loss/∂c_t, up to the last but one."""
    inputs, symbols = asked
    state: Any = None
    kept: dict[str, list[Tensor]] = {"h": [], "c": []}
    for t in range(inputs.shape[1]):
        _, state = net.recurrent(inputs[:, t : t + 1], state)
        for name, each in zip("hc", state if isinstance(state, tuple) else (state,), strict=False):
            each.retain_grad()
            kept[name].append(each)
    F.cross_entropy(net.head(kept["h"][-1][0]), symbols, reduction="sum").backward()  # type: ignore[no-untyped-call]
    net.zero_grad()
    # the last cell is not asked for: its way to the loss is within the last step, through h
    return {
        name: [float(each.grad[0].norm(dim=1).mean()) for each in states if each.grad is not None]
        for name, states in kept.items()
        if states
    }


def reach(by_lag: dict[int, list[float]]) -> int:
    """Longest lag up to which the median seed remembers; 0 if none."""
    longest = 0
    for lag, shares in sorted(by_lag.items()):
        if median(shares) < LEARNED:
            break
        longest = lag
    return longest


def kept_per_step(norms: Sequence[float]) -> float:
    """By how much the gradient is multiplied at each step back, on average; 0 where nothing arrives."""
    return (norms[0] / norms[-1]) ** (1 / (len(norms) - 1)) if norms[0] > 0 else 0.0


def judge(
    found: dict[str, dict[int, list[float]]], gradients: dict[str, dict[str, Any]], mixed: dict[str, list[float]]
) -> Outcome:
    """Figures, claims and sentence."""
    longest = max(lag for lag in found[PLAIN] if lag <= LAGS[-1])
    reached = {kind: reach(found[kind]) for kind in KINDS}
    rows = [
        Row(
            "plain RNN: longest lag that the median seed learns", reached[PLAIN], "about 10", 5 <= reached[PLAIN] <= 20
        ),
        Row("LSTM, gates open: the same", reached[OPEN], "100 or more", reached[OPEN] >= 100),
        Row("LSTM, forget bias 1: the same", reached[ONE]),
    ]
    for kind in KINDS:
        told = ", ".join(f"{lag}: {fmean(shares):.0%}" for lag, shares in found[kind].items())
        rows.append(Row(f"{kind}: right by lag, chance {1 / SYMBOLS:.0%}", told))
    kept = {}
    for kind in KINDS:
        name = "h" if kind == PLAIN else "c"
        kept[kind] = kept_per_step(gradients[kind]["before"][name])
        what = f"{kind}: share of ∂loss/∂{name} kept at a step back, at the start"
        told, holds = {
            PLAIN: ("below 0.75", kept[kind] < 0.75),
            ONE: (
                "σ(1) = 0.73 or a little more",
                SIGMA_1 - 0.02 < kept[kind] < 0.9,
            ),  # more comes by way of h and the gates
            OPEN: ("near 1", kept[kind] > 0.95),
        }[kind]
        rows.append(Row(what, kept[kind], told, holds))
    trained = kept_per_step(gradients[OPEN]["after"]["c"])
    rows.append(Row("LSTM, gates open: the same after training", trained, "near 1", trained > 0.95))
    for kind, shares in mixed.items():
        told = ", ".join(f"{share:.0%}" for share in shares)
        rows.append(
            Row(
                f"{kind}: right at lag {longest} after lags 1 to {longest} mixed, by seed",
                told,
                "learned" if kind == ONE else None,
                min(shares) >= LEARNED if kind == ONE else None,
            )
        )
    lost = kept[PLAIN] ** longest
    return Outcome(
        rows,
        f"The plain net learns lags up to {reached[PLAIN]}, the LSTM whose gates start open up to {reached[OPEN]}: back over {longest} steps the one's gradient "
        f"shrinks to {lost:.0e} of itself, the other's to {kept[OPEN] ** longest:.1g}. Forget bias 1 keeps {kept[ONE]:.2f} a step and learns up to {reached[ONE]}"
        + (
            f", but lag {longest} too where short lags are mixed in."
            if min(mixed[ONE]) >= LEARNED
            else f"; mixing in short lags does not bring it to lag {longest}."
        ),
        {
            "accuracy": {kind: {str(lag): shares for lag, shares in each.items()} for kind, each in found.items()},
            "gradients": gradients,
            "mixed": mixed,
        },
        data=f"sequences drawn anew for every step: one of {SYMBOLS} symbols, then noise of std {NOISE}; {UNITS} units, Adam at {LR:g}",
        caption=f"Left: who still knows the first symbol after the lag (dots: seeds). Right: how much gradient reaches step t of {longest}, relative to the last step.",
    )


def draw(outcome: Outcome) -> Drawing:
    """Accuracy by lag; gradient norms by time, at the start and after training."""
    series = outcome.series
    figure, (left, right) = panels(1, 2, (9, 3.9), widths=(1, 1.15))
    _accuracies(left, series["accuracy"])
    _gradients(right, series["gradients"])
    return Drawing(figure, outcome.caption)


def _accuracies(axes: Any, by_kind: dict[str, dict[str, list[float]]]) -> None:
    shift = dict(zip(KINDS, (0.97, 1.0, 1.03), strict=True))  # beside one another where they would hide one another
    lags = [int(lag) for lag in by_kind[PLAIN]]
    for kind, by_lag in by_kind.items():
        places = [lag * shift[kind] for lag in lags]
        axes.plot(places, [fmean(shares) for shares in by_lag.values()], color=KINDS[kind], linewidth=2.2)
        for place, shares in zip(places, by_lag.values(), strict=True):
            axes.plot([place] * len(shares), shares, "o", color=KINDS[kind], markersize=4.5, alpha=0.6)
    axes.axhline(1 / SYMBOLS, color=MUTED, linewidth=1, linestyle="--")
    axes.annotate("guessing", (2, 1 / SYMBOLS), (0, -12), textcoords="offset points", color=MUTED, fontsize=9)
    for kind, where, side in (
        (OPEN, (lags[-1], 1.04), "right"),
        (ONE, (14, 0.66), "right"),
        (PLAIN, (38, 0.66), "left"),
    ):
        axes.annotate(kind, where, ha=side, color=KINDS[kind], fontsize=10)
    axes.set_xscale("log")
    axes.set_xticks(lags, [str(lag) for lag in lags])
    axes.minorticks_off()
    axes.set_ylim(0, 1.12)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    heading(axes, "who still knows the symbol")
    label(axes, "lag: steps of noise before the question", "")


def _gradients(axes: Any, gradients: dict[str, dict[str, Any]]) -> None:
    for kind, each in gradients.items():
        name = "h" if kind == PLAIN else "c"
        ends = {}
        for when, style in (("before", "--"), ("after", "-")):
            norms = each[when][name]
            last = next((norm for norm in reversed(norms) if norm), 1.0)
            relative = [max(norm / last, FLOOR / 10) for norm in norms]
            axes.plot(range(len(norms)), relative, style, color=KINDS[kind], linewidth=1.9)
            ends[when] = relative[0]
    axes.set_yscale("log")
    axes.set_ylim(FLOOR, 1e3)
    end = len(gradients[PLAIN]["before"]["h"]) - 1
    axes.set_xlim(0, end)
    words = {
        PLAIN: (0.62 * end, 1e-16),
        ONE: (0.03 * end, 1.5e-3),
        OPEN: (0.03 * end, 8.0),
    }
    for kind, place in words.items():
        axes.annotate(f"∂loss/∂{'h' if kind == PLAIN else 'c'}, {kind}", place, color=KINDS[kind], fontsize=9)
    axes.plot([], [], "--", color=INK, label="at the start")
    axes.plot([], [], "-", color=INK, label="after training at this lag")
    axes.legend(frameon=False, fontsize=9, loc="lower right", labelcolor=INK)
    heading(axes, "gradient at step t, last step = 1")
    label(axes, f"t (the symbol comes at 0, the question at {end})", "")
