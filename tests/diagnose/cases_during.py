"""Troubles that show while a network is trained: what was planted, what comes just short of it, and what only looks like it.

Each row: the rule, a run in which it must speak, the step at which it does, its evidence, runs in which it must not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cases_before import rates
from streams import FIRST, described, epoch, epochs, layers, look, looks, parameters, run

from glassnet.events import Described, Event, Started, Traced

Run = list[Event]


def falling(number: int) -> float:
    return FIRST * 0.9**number


def saturated(share: float) -> Run:
    return run(looks((1, 10, 20), layers=layers(_1={"kind": "tanh", "saturated": share, "dead": None})))


def dead(share: float, units: int = 64, **more: Any) -> list[Event]:
    return list(looks((1, 2, 3, 4), layers=layers(_1={"dead": share, "units": units}), **more))


def clipped(factor: float, **more: Any) -> Run:
    return run(looks((1, 2, 3, 4, 5), clip_factor=factor, **more))


def collapsed(spread: float, **more: Any) -> Run:
    return run(looks((1, 2, 3, 4), between_samples=spread, **more))


def spike(loss: float, usual: float = 0.4, step: int = 20, **more: Any) -> Traced:
    return Traced(
        step, "spike", "samples", "", [3, 1], [17, 4], None, {"loss": loss, "usual": usual, "share": 0.5} | more
    )


def timed(first: float, last: float, steps: tuple[int, ...] = (1, 2, 3)) -> list[Event]:
    return list(looks(steps, through_time=[{"name": "rnn", "norms": [first, 1.0, last]}]))


def slow(steps: tuple[int, ...] = (20, 21, 22, 23), **more: Any) -> list[Event]:
    return list(looks(steps, **({"reach": 0.999, "promised": 1e-3} | more)))


def in_short(*extras: Event | Sequence[Event]) -> list[Event]:
    """The same as the beginning of a run of four epochs of ten steps."""
    return [Started(320, 10, 4, 1000), *run(*extras)[1:]]


def high(ratio: float, later: float | None = None, reach: float = 0.4) -> list[Event]:
    sizes = [ratio] * 3 + [ratio if later is None else later] * 5
    return [look(2 * n + 8, reach=reach, parameters=parameters(size)) for n, size in enumerate(sizes)]


def begun(loss: float, name: str = "squared") -> Described:
    """Values whose loss is 1 where nothing is said, and this before the first step."""
    return described("values", plan={"loss": name}, start={"loss": loss, "train_loss": loss})


def headed(gain: float) -> list[dict[str, Any]]:
    """Parameters of which the last layer's weights have a gain of their own."""
    made = parameters()
    made[-2]["gain"] = gain
    return made


def judged(
    accuracy: float, second: float | None = None, count: int = 5, loss: float = 1.0, sure: float | None = None
) -> list[Event]:
    val = {"loss": loss, "accuracy": accuracy} | ({} if second is None else {"second": second})
    val |= {} if sure is None else {"sure": sure}
    return [epoch(n, {"loss": 1.0 - 0.1 * n, "accuracy": accuracy}, val) for n in range(count)]


def stopped(train: float, val: float, fall: float = 0.0) -> list[Event]:
    return [
        epoch(n, {"loss": 1.0 - fall * n, "accuracy": train}, {"loss": 1.0 - fall * n, "accuracy": val})
        for n in range(7)
    ]


def drowned(rate: float, loss: float) -> Described:
    """A net with dropout, whose loss before the first step is 2 without it."""
    return described(net={"dropouts": 2, "dropout": rate}, start={"loss": 2.0, "train_loss": loss})


def striding(reach: float = 0.991, accuracy: float = 0.69, **more: Any) -> list[Event]:
    """Looks up to the middle of a run, and what it has learned by then: most of the loss is gone, and of the neighbours' 0.8 a part."""
    told = {"loss": 0.6, "accuracy": accuracy}
    return [*looks(range(8, 51, 6), reach=reach, **more), epoch(3, told, told)]


def straight(**targets: float) -> Described:
    """A network without a nonlinearity, and what simple means tell."""
    return described(net={"nonlinearities": 0}, targets=targets)


def told_by_kernel(sure: float, samples: int = 800, recurrents: int = 0) -> Described:
    """Neighbours agree as often as by chance, and kernel ridge regression is so many standard errors above it."""
    told = {"neighbour_agreement": 0.14, "kernel_sure": sure, "kernel_samples": samples}
    return described(targets=told, net={"recurrents": recurrents})


def answering(*losses: float, running: tuple[float, ...] = (0.9, 0.5, 0.3, 0.2), first: int = 2) -> list[Event]:
    """Epochs with these losses on training samples in evaluation mode, and in training mode."""
    pairs = enumerate(zip(losses, running, strict=False), start=first)
    return [replace(epoch(n, {"loss": loss}, {}), running_loss=trained) for n, (loss, trained) in pairs]


def spent(*accuracies: float) -> Run:
    """Epochs from the 33rd on, of a hundred; the rate is spent in the 34th, and simple means know 0.9."""
    begin = described(plan={"rates": rates(lambda u: 0.1 ** (u // 0.17))}, targets={"kernel_knows": 0.9})
    known = [epoch(n, {"loss": 1.0, "accuracy": each}, {}) for n, each in enumerate(accuracies, start=32)]
    return [Started(320, 10, 100, 1000), begin, *known]


def of_values(train: float, val: float) -> list[Event]:
    return [epoch(0, {"loss": 0.5, "r2": train}, {"loss": 0.5, "r2": val})]


def ten_times_as_long(events: Run) -> Run:
    """The same beginning of a run of a thousand steps."""
    return [Started(320, 10, 100, 1000), *events[1:]]


def short(
    reach: float, ratio: float = 1e-3, gap: float = 1.0, before: float = 1.8, now: float = 1.75, **more: Any
) -> list[Event]:
    """Looks up to the middle of a run whose steps are short, and two epochs with these losses; the untrained network has 2.31."""
    return [
        *looks(range(26, 51, 4), reach=reach, parameters=parameters(ratio), **more),
        epoch(2, {"loss": before}, {"loss": before}),
        epoch(3, {"loss": now}, {"loss": now * gap}),
    ]


def penalised(ratio: float, penalty: float) -> Run:
    return run(looks((1, 2, 3, 4), penalty_grad_norm=ratio), penalty=penalty)


def decayed(lr: float, promised: float = 1.5e-4, loss: float = 1.0) -> Run:
    return run(
        look(1), looks((28, 29, 30), lr=lr, promised=promised, loss=loss), losses=lambda n: max(FIRST * 0.8**n, loss)
    )


def of_twenty(some: Sequence[Event]) -> Run:
    """Epochs of a run of twenty."""
    return [Started(320, 10, 20, 1000), *run(some)[1:]]


LINEAR = described(net={"nonlinearities": 0})
STARTING = {"loss": 2.3, "accuracy": 0.2}
KNOWING = {"loss": 2.3, "accuracy": 0.5}
NORMS = described(net={"batch_norms": 2})
UNEVEN = described(targets={"counts": [280] + [80] * 9, "neighbour_agreement": 0.25})
MAJORITY = epoch(1, {"loss": 1.0, "accuracy": 0.28}, {"loss": 1.0, "accuracy": 0.28})
VALUES_TOLD = epoch(1, {"loss": 1.01}, {"loss": 1.0})
SCATTERED = [1.0, *[1.2] * 22]
NARROW = layers(_0={"units": 3}, _1={"units": 3})
ALIKE = {"mean": 0.0, "std": 0.0, "between": 0.0}
BEHIND = {"_2": ALIKE, "_3": ALIKE | {"dead": 1.0}, "_4": ALIKE | {"mean": 0.1}}
NORM_OVER_ONE = layers(**BEHIND | {"_2": ALIKE | {"kind": "norm"}})
DROPPED = layers(_1={"dead": 0.95}, **BEHIND | {"_2": ALIKE | {"kind": "other"}})
SHRINKING = layers(**{f"_{n}": {"between": 0.05**n} for n in range(4)}, _4={"between": 1e-7})
DATA = {"name": "1 (input)", "kind": "relu", "zeros": 0.99, "dead": 0.9, "units": 1433, "mean": 0.0, "std": 0.1}
NOTHING = math.log(10)  # the loss of an answer that looks at no input
UNRELATED = described(targets={"neighbour_agreement": 0.14})
OTHER_LOSS = replace(UNRELATED, start={"loss": 0.12, "train_loss": 0.12, "penalty": 0.0})
CLEAN = described(targets={"neighbour_agreement": 0.75})
NOISY = described(targets={"neighbour_agreement": 0.5})
FOUR = described(outputs=4, targets={"neighbour_agreement": 0.5, "counts": [250] * 4})
DROPPING = described(net={"dropouts": 2, "dropout": 0.5}, start={"train_loss": 2.6})
HELD_UP = [1.0, 0.9, 0.8, 0.75, 0.7, 0.68, 0.68]  # it has stopped lately, and fallen by a tenth in the last two fifths
BOUNCED = [1.0, 0.9, 0.8, 0.75, 0.75, 0.6, 0.75]  # the last epoch may have been thrown up
RISEN = [FIRST - 0.06 * n for n in range(30)]  # from 2.3 to 0.56
RISING = [0.6 + 0.04 * n for n in range(30)]
GAINING = [look(n, loss=loss, reach=0.4, parameters=parameters(1.2)) for n, loss in ((1, 2.3), (2, 2.2), (15, 2.06))]
BY_HEART, RISING_AGAIN = [2.0, 1.5, 1.0, 0.7], [1.7, 1.6, 1.9, 2.0]
PEAK = [0.82, 0.8, 0.9, 0.9]
GROWING = [2.0] * 24 + [2.5, 3.0, 3.6, 4.3, 5.1, 6.1, 6.2, 6.3]

DURING: list[tuple[str, Run, int, dict[str, float], list[Run]]] = [
    (
        "lr-decays-early",  # 19 passes at the highest rate in 34 % of the run
        spent(0.7, 0.84),
        340,
        {"from": 34 / 101, "lacks": 0.06},
        [spent(0.7, 0.86), spent(0.7)],  # it knows as much; it is still on its way
    ),
    (
        "loss-not-finite",
        run(losses=[2.3, 2.2, math.nan]),  # described, and nobody traced it
        3,
        {"step": 3.0, "last_finite_loss": 2.2},
        [run(losses=[2.3, 2.2, 2.1])],
    ),
    (
        "loss-not-finite",
        run(Traced(3, "not-finite", "weights", "2.weight", [], [], None, {}), losses=[2.3, 2.2, math.nan]),
        3,
        {"step": 3.0, "last_finite_loss": 2.2},
        [],
    ),
    (
        "inputs-not-finite",
        run([epoch(0, {"loss": 1.5}, {"loss": math.nan, "accuracy": 0.5})]),
        10,
        {"train_loss": 1.5},
        [
            run([epoch(0, {"loss": 1.5}, {})]),  # no validation part
            run([epoch(0, {"loss": math.inf}, {"loss": math.inf, "accuracy": 0.5})]),  # the weights themselves
        ],
    ),
    (
        "saturation",
        saturated(0.55),
        20,
        {"saturated": 0.55},
        [
            saturated(0.54),
            run(saturated(0.9)[2:3], look(10), losses=falling),
            run(
                looks((1, 2, 4), layers=layers(_1={"kind": "tanh", "saturated": 0.9, "dead": None}))
            ),  # not settled yet
            run(
                looks(
                    (1, 10, 20),
                    parameters=parameters(first=9e-4),
                    layers=layers(_1={"kind": "tanh", "saturated": 0.9, "dead": None}),
                ),
                losses=[2.3, *[1.9] * 19],
            ),  # depth took the gradient before
        ],
    ),
    (
        "exploding-gradient",
        run(looks((1, 2, 3), layers=layers(_0={"gradient": 201.0}))),
        3,
        {"layers": 201.0},
        [
            run(looks((1, 2, 3), layers=layers(_0={"gradient": 200.0}))),
            run(look(1, layers=layers(_0={"gradient": 900.0})), looks((2, 3))),  # one look of three
            run(look(1), looks((2, 3), layers=layers(_0={"gradient": 900.0}))),  # the first step has made it so
            run(looks((1, 2, 3), layers=layers(_0={"gradient": 201.0}), between_samples=9e-7)),  # nothing comes in
        ],
    ),
    ("exploding-gradient", run(timed(301.0, 1.0)), 3, {"time": 301.0}, [run(timed(300.0, 1.0))]),
    (
        "exploding-gradient",
        run(looks((1, 2, 3), grad_norm=700.0)),
        3,
        {"norm_over_loss": 700 / 2.3},
        [run(looks((1, 2, 3), grad_norm=680.0)), run(look(1), looks((2, 3), grad_norm=9000.0))],
    ),
    (
        "initial-loss-high",
        run(look(1, parameters=headed(4.1)), start=described(start={"loss": 3.01, "train_loss": 3.01})),
        1,
        {"loss": 3.01, "expected": 2.3026},
        [
            run(look(1, parameters=headed(4.1)), start=described(start={"loss": 3.0, "train_loss": 3.0})),
            run(look(1, parameters=headed(3.9)), start=described(start={"loss": 4.8, "train_loss": 4.8})),  # He's rule
            run(look(1), look(2, parameters=headed(9.0)), start=described(start={"loss": 4.8, "train_loss": 4.8})),
        ],
    ),
    (
        "initial-loss-high",
        run(look(1, parameters=headed(4.1)), start=begun(3.0)),
        1,
        {"loss": 3.0, "expected": 1.0},
        [run(look(1, parameters=headed(4.1)), start=begun(2.9)), run(look(1), start=begun(10.0))],
    ),
    (
        "initial-loss-high",
        run(look(1, parameters=headed(4.1)), start=begun(2.0, "huber")),
        1,
        {"loss": 2.0, "expected": 1.0},
        [run(look(1, parameters=headed(4.1)), start=begun(1.9, "huber")), run(look(1), start=begun(3.9, "huber"))],
    ),
    (
        "divergence",
        run(looks((1, 2, 3, 4), promised=-0.01)),
        4,
        {"promised": 0.023},
        [run(looks((1, 2, 3), promised=-0.01), look(4)), run(looks((1, 2, 3, 4), promised=0.01, reach=-1.0))],
    ),
    (
        "divergence",
        run(losses=RISEN + RISING),
        53,  # the last eleven losses are 1.08 to 1.48, in the middle 1.28; the lowest such middle was 0.68, and 0.68 + 2.3/4 = 1.255
        {"loss": 1.28, "best": 0.68},
        [
            run(losses=RISEN + RISING[:15]),
            run(losses=RISEN + [1.8] * 20),  # at a stroke
            run(losses=RISEN + [9.0] + [0.5] * 19),
            run(
                epochs([1.0, 0.9, 0.8, 0.7, 0.6, 0.5], [1.0] * 6), losses=RISEN + RISING, start=described("values")
            ),  # of values, single batches scatter
        ],
    ),
    ("divergence", run(losses=RISEN + [7.0] * 9), 33, {"loss": 0.86}, [run(losses=RISEN + [6.8] * 5)]),
    (
        "lr-much-too-high",
        run(losses=[2.3] * 12 + [5.8] * 2),
        14,  # two of the last three losses
        {"first": 2.3, "loss": 5.8},
        [
            run(losses=[2.3, 2.3] + [5.7] * 16),
            run(losses=[2.3, 2.3, 9.0] * 6),
            run(losses=[2.3] + [6.8] * 11 + [2.3] * 5),  # back soon enough
            run(looks((1, 2, 3)), losses=[2.3] * 12 + [5.8] * 3),  # steps of a thousandth throw nothing up
        ],
    ),
    (
        "lr-much-too-high",
        run(looks((1, 2, 15), reach=0.4, parameters=parameters(1.0))),
        15,
        {"update": 1.0},
        [
            run(looks((1, 2, 15), reach=0.4, parameters=parameters(0.99))),
            run(looks((1, 2, 13), reach=0.4, parameters=parameters(1.0))),  # too early
            run(looks((1, 2, 15), reach=0.8, parameters=parameters(1.0))),  # they keep what they promise
            run(look(1, parameters=parameters(1.5)), looks((2, 15), reach=0.4)),  # one step of three
            run(looks((1, 2, 15), reach=0.4, parameters=parameters(1.0)), start=UNRELATED),  # there is nothing to gain
            run(*GAINING, losses=[2.3, 1.9, 1.7]),  # small weights, replaced by better ones
            run(
                looks((1, 2, 15), reach=0.4, parameters=parameters(1.0)), epoch(0, {"loss": 2.0}, {"loss": 2.0})
            ),  # dropout holds up what the batches show
        ],
    ),
    (
        "lr-much-too-high",
        run(looks((1, 2)), look(14, layers=layers(_1={"dead": 0.93}))),
        14,
        {"dead": 0.93},
        [
            run(looks((1, 2)), look(14, layers=layers(_1={"dead": 0.92}))),
            run(looks((1, 2)), look(13, layers=layers(_1={"dead": 0.94}))),  # too early
            run(looks((1, 2, 14), layers=layers(_1={"dead": 0.94}))),
        ],
    ),
    (
        "lr-much-too-high",
        run(looks((1, 2)), look(14, layers=layers(_4={"std": 31.0}))),
        14,
        {"grown": 31.0},
        [run(looks((1, 2)), look(14, layers=layers(_4={"std": 30.0})))],
    ),
    (
        "lr-much-too-high",
        run(looks((5, 6, 7), parameters=parameters(0.031)), epochs(BY_HEART, RISING_AGAIN)),
        40,
        {"update": 0.031},
        [run(looks((5, 6, 7), parameters=parameters(0.029)), epochs(BY_HEART, RISING_AGAIN))],
    ),
    (
        "distribution-shift",
        run(epochs([1.83, 1.5], [2.9, 2.88])),
        20,
        {"train_loss": 1.83, "val_loss": 2.88, "constant": 2.3},
        [
            run(epochs([1.85, 1.5], [2.9, 2.88])),
            run(epochs([1.83, 1.5], [2.9, 2.87])),
            run(epochs([1.83], [2.9])),
            run(looks((5, 6, 7), parameters=parameters(0.031)), epochs([1.83, 1.5], [2.9, 2.88])),  # the steps are why
            run(epochs([1.83, 1.5], [2.9, 2.88]), start=described("values", start={"constant": 2.3})),
        ],
    ),
    (
        "outputs-collapsed",
        collapsed(0.9e-6),
        4,
        {"between_samples": 0.9e-6},
        [
            collapsed(1.1e-6),
            collapsed(0.0, parameters=parameters(first=9e-4)),  # depth is why
            collapsed(0.0, layers=layers(_3={"dead": 0.95})),  # dead units are why
            run(look(1, parameters=parameters(0.6)), looks((2, 3, 4), between_samples=0.0)),  # a long step is why
        ],
    ),
    (
        "outputs-collapsed",
        collapsed(0.5, layers=layers(_0={"between": 0.0})),  # dropout makes outputs differ, and nothing comes in
        4,
        {"between_samples": 0.5},
        [
            collapsed(0.5, layers=layers(_0={"between": 1.1e-6})),
            run(
                looks((1, 2, 3)), looks((4,), layers=layers(_0={"between": 0.0}))
            ),  # once: a batch of nodes that are alike
        ],
    ),
    (
        "outputs-collapsed",
        collapsed(
            0.0, layers=NORM_OVER_ONE, parameters=parameters(first=2e-5)
        ),  # what is left of a gradient is rounding
        4,
        {"between_samples": 0.0},
        [
            collapsed(0.0, layers=SHRINKING, parameters=parameters(first=2e-5)),  # each layer has lost some of it
            run(
                look(1, layers=SHRINKING, parameters=parameters(first=2e-5)),  # likewise, and then nothing arrives
                looks((2, 3, 4), between_samples=0.0, layers=SHRINKING, parameters=parameters(first=0.0)),
            ),
            collapsed(0.0, layers=layers(_1={"between": 0.0, "dead": 1.0}, **BEHIND)),  # dead units are why
            collapsed(0.0, layers=DROPPED, parameters=parameters(first=2e-5)),  # dropout has taken the last of them
        ],
    ),
    (
        "dead-units",
        run(dead(0.6)),
        4,
        {"dead": 0.6},
        [
            run(dead(0.59)),
            run(looks((1, 2, 3, 4), layers=[DATA, *layers()])),  # zeros among the data
            run(dead(0.9, units=7)),
            run(dead(0.9)[:3], look(4)),
            run(looks((1, 2, 3, 4), layers=layers(_0={"between": 0.0}, _1={"dead": 0.9}))),  # nothing comes in
            run(
                looks((1, 2, 3, 4)), [look(n, layers=layers(_1={"dead": 0.96})) for n in (30, 40, 50, 60)]
            ),  # died since
            run(
                look(1, parameters=parameters(0.13)),
                [look(n, layers=layers(_1={"dead": 0.96})) for n in (2, 3, 4)],
            ),  # a long step killed them
        ],
    ),
    (
        "loss-spike",
        run(spike(2.4), losses=falling),
        20,
        {"loss": 2.4, "usual": 0.4, "share": 0.5},
        [
            run(spike(2.0), losses=falling),  # below the first loss, 2.07
            run(spike(9.0, step=8), losses=falling),  # too early to know what is usual
            run(spike(9.0, step=9, largest=4.9, usual_size=1.0), losses=falling),  # a loss may jump at the beginning
            run(
                [look(n, lr=0.01 * n) for n in (20, 24, 27, 29)], spike(2.6, step=30), losses=falling
            ),  # the rate climbs
        ],
    ),
    (
        "loss-spike",
        run(spike(9.0, step=9, largest=5.1, usual_size=1.0), losses=falling),  # inputs that no network is used to
        9,
        {"loss": 9.0},
        [],
    ),
    (
        "loss-spike",
        run(looks((8, 11, 14, 17), reach=0.34), spike(2.4), losses=falling),
        20,
        {"loss": 2.4},
        [
            run(looks((8, 11, 14, 17), reach=0.32), spike(2.4), losses=falling)
        ],  # such steps throw the loss up themselves
    ),
    (
        "loss-spike",
        run(looks((8, 11, 14, 17), reach=0.32), spike(2.4, largest=5.1, usual_size=1.0), losses=falling),
        20,
        {"loss": 2.4},
        [],
    ),
    (
        "loss-spike",
        run(spike(9.0, step=20, share=0.61, largest=20.1, usual_size=1.0), losses=falling),
        20,
        {"loss": 9.0, "share": 0.61},
        [run(spike(9.0, step=20, share=0.61, largest=19.9, usual_size=1.0), losses=falling)],  # one extreme sample
    ),
    (
        "loss-spike",
        run(spike(9.0, step=20, share=0.59, largest=19.9, usual_size=1.0), losses=falling),
        20,
        {"share": 0.59},
        [],
    ),
    (
        "loss-spike",
        run(of_values(-0.1, 0.21), start=described("values")),
        10,
        {"train_r2": -0.1, "val_r2": 0.21},
        [
            run(of_values(-0.1, 0.19), start=described("values")),
            run(of_values(0.51, 0.8), start=described("values")),
        ],
    ),
    (
        "loss-spike",
        run(answering(0.8, 0.4, 1.9, 1.9), start=NORMS),
        60,
        {"loss": 1.9, "usual": 0.4, "running": 0.2},
        [
            run(answering(0.8, 0.4, 1.9, 1.9)),  # nothing is averaged over batches
            run(answering(0.8, 0.4, 1.9, 1.9, first=1), start=NORMS),  # averages do not follow the first steps
            run(answering(0.8, 0.4, 1.9), start=NORMS),  # it may come back
            run(answering(0.8, 0.4, 1.9, 1.8), start=NORMS),  # below 0.8 of the first loss, 2.31
            run(answering(1.0, 1.0, 1.9, 1.9), start=NORMS),  # below twice what it had been
            run(answering(0.8, 0.4, 1.9, 1.9, running=(0.9, 0.5, 0.6, 0.2)), start=NORMS),  # it went up there too
            run(answering(0.8, 0.4, 1.9, 1.9, running=(2.0, 1.0, 1.0, 1.0)), start=NORMS),
        ],
    ),
    (
        "loss-spike",
        run(losses=[1.0] * 10 + [1.41, 1.5, 1.6, 1.7]),
        14,
        {"loss": 1.55, "usual": 1.0},
        [
            run(losses=[1.0] * 10 + [1.4, 1.5, 1.6, 1.7]),
            run(losses=[1.0] * 9 + [1.41, 1.5, 1.6, 1.7]),  # too early to know what is usual
            run(losses=[1.0] * 10 + [9.0, 9.0, 9.0, 1.0] * 3),  # it comes back
            run(look(1, parameters=parameters(0.1)), spike(9.0, step=19)),  # long steps from the start
            run(losses=[2.3, *[0.01] * 12, 0.3, 0.3, 0.3, 0.3]),  # what has become so small may jump
            run(losses=[1.0] * 5 + [1.2] + [1.0] * 4 + [1.6] * 9),  # it has been nearly as high before
            run([look(n, lr=0.01 * n) for n in (3, 6, 9, 12)], losses=[1.0] * 10 + [1.6] * 5),  # the rate climbs
            run(looks((3, 6, 9, 12), reach=0.1), losses=[1.0] * 10 + [1.6] * 5),  # the steps throw it about
        ],
    ),
    (
        "loss-exploding",
        run(losses=GROWING),
        32,
        {"initial_loss": 2.0, "loss": 6.1},
        [run(losses=[*GROWING[:29], 5.9, 5.9, 5.9]), run(losses=[*GROWING[:30], 2.0, 2.0])],
    ),
    (
        "clipping-always",
        clipped(0.149),
        5,
        {"factor": 0.149},
        [
            clipped(0.15),
            run(looks((1, 2, 3, 4), clip_factor=0.01), look(5, clip_factor=1.0)),
            run(looks((30, 31, 32, 33, 34), clip_factor=0.01), losses=falling),  # what was clipped has learned
            clipped(0.1, parameters=parameters(0.031)),  # the steps are long all the same
        ],
    ),
    (
        "vanishing-gradient",
        run(looks((1, 2, 4), parameters=parameters(first=9e-4))),
        4,
        {"ratio": 9e-4},
        [
            run(looks((1, 2, 4), parameters=parameters(first=1.1e-3))),
            run(
                looks((1, 2, 4), parameters=parameters(first=1e-5)), losses=[2.3, 2.0, 1.9, 1.8]
            ),  # it learns all the same
            run(
                looks((1, 2, 4), parameters=parameters(first=1e-5)), losses=[2.3, 4.0, 5.0, 5.0]
            ),  # thrown up by the steps
            run(looks((1, 2, 3), parameters=parameters(first=1e-5))),  # too early
            run(looks((1, 2, 4), parameters=parameters(first=0.0))),  # nothing comes in, or it is not trained
        ],
    ),
    (
        "vanishing-gradient",
        run(
            look(1, parameters=parameters(first=9e-4)), looks((2, 4))
        ),  # steps have enlarged the first weights' share since
        4,
        {"ratio": 9e-4},
        [run(look(1, parameters=parameters(first=1.1e-3)), looks((2, 4)))],
    ),
    (
        "vanishing-gradient",
        run(look(1, parameters=parameters(first=9e-4)), looks((2, 4), parameters=parameters(first=0.0))),
        4,
        {"ratio": 0.0},
        [],
    ),
    (
        "vanishing-gradient",
        run(timed(0.089, 1.0, (1, 2, 11))),  # two steps back, each of which leaves less than 0.3
        11,
        {"time_ratio": 0.089},
        [run(timed(0.091, 1.0, (1, 2, 11))), run(timed(0.0, 1.0, (1, 2, 10)))],
    ),
    (
        "vanishing-gradient",
        run(timed(0.089, 1.0, (1,)), timed(1.0, 1.0, (2, 11))),  # as it was drawn
        11,
        {"time_ratio": 0.089},
        [run(timed(1.0, 1.0, (1,)), timed(0.089, 1.0, (2, 11)))],
    ),
    (
        "slow-start",
        run(looks((1, 2, 6), parameters=parameters(gain=0.24))),
        6,
        {"gain": 0.24, "fallen": 0.0},
        [
            run(looks((1, 2, 6), parameters=parameters(gain=0.26))),
            run(looks((1, 2, 6), parameters=parameters(gain=0.1)), losses=falling),
        ],
    ),
    (
        "slow-start",
        run(looks((1, 2, 6), parameters=parameters(gain=4.1))),
        6,
        {"gain": 4.1},
        [run(looks((1, 2, 6), parameters=parameters(gain=3.9)))],
    ),
    (
        "slow-start",
        ten_times_as_long(run(looks((1, 2, 3), parameters=parameters(gain=0.1), between_samples=9e-4))),
        3,  # the outputs are as good as equal: nobody need wait for a fortieth of the run
        {"gain": 0.1},
        [
            ten_times_as_long(run(looks((1, 2, 3), parameters=parameters(gain=0.1), between_samples=1.1e-3))),
            ten_times_as_long(run(looks((1, 2, 3), parameters=parameters(gain=5.0), between_samples=9e-4))),
        ],
    ),
    (
        "penalty-dominates",
        penalised(0.81, 0.7),
        4,
        {"penalty": 0.7, "loss": 2.3, "ratio": 0.81},
        [penalised(0.79, 0.7), penalised(0.9, 0.68)],  # a gradient like noise; a penalty beside the loss that is small
    ),
    (
        "penalty-dominates",
        run(look(1, penalty_grad_norm=0.75), start=described(start={"penalty": 1.86})),
        1,
        {"penalty": 1.86, "loss": 2.31, "ratio": 0.75},
        [
            run(look(1, penalty_grad_norm=0.74), start=described(start={"penalty": 1.86})),
            run(look(1, penalty_grad_norm=0.75), start=described(start={"penalty": 1.84})),
            run(
                look(1), look(2, penalty_grad_norm=0.75), start=described(start={"penalty": 1.86})
            ),  # no longer the first
        ],
    ),
    (
        "penalty-dominates",
        run(look(1, penalty_grad_norm=0.5), start=described(start={"penalty": 4.63})),
        1,
        {"penalty": 4.63, "ratio": 0.5},
        [
            run(look(1, penalty_grad_norm=0.49), start=described(start={"penalty": 4.63})),
            run(look(1, penalty_grad_norm=0.5), start=described(start={"penalty": 4.61})),
        ],
    ),
    ("penalty-dominates", penalised(0.1, 2.4), 4, {"penalty": 2.4}, [penalised(0.1, 2.2)]),
    (
        "lr-too-high",
        run(high(0.13)),
        20,
        {"fallen": 0.0, "update": 0.13, "overshooting": 0.0},
        [
            run(high(0.12)),
            run(high(0.13, later=0.03)),  # the first steps of an adaptive optimiser
            run(high(0.13, reach=0.8)),  # large steps that keep what they promise
            run(high(0.13), losses=falling),
            run(high(0.13), start=LINEAR),  # a loss that stands still may be all that it can do
            run(high(0.13), losses=lambda n: FIRST * 0.99**n),  # it falls slowly, and the run has just begun
        ],
    ),
    (
        "lr-too-high",
        run(looks(range(1, 6)), look(20, layers=layers(_1={"dead": 0.89}), parameters=parameters(0.13))),
        20,
        {"update": 0.13},
        [
            run(looks(range(1, 6)), look(20, layers=layers(_1={"dead": 0.88}), parameters=parameters(0.13))),
            run(looks(range(1, 6)), look(20, layers=layers(_1={"dead": 0.89}), parameters=parameters(0.12))),
            run(
                looks(range(1, 6), layers=layers(_1={"dead": 0.25})),  # silent from the start
                look(20, layers=layers(_1={"dead": 0.89}), parameters=parameters(0.13)),
            ),
        ],
    ),
    (
        "lr-too-low",
        run(striding(), losses=falling),
        50,
        {"reach": 0.991, "lacking": 0.11},
        [
            run(striding(0.989), losses=falling),
            run(striding(accuracy=0.71), losses=falling),
            run(striding(), losses=falling, start=LINEAR),  # it may be all that it can know
            [Started(320, 9, 11, 1000), *run(striding(), losses=falling)[1:]],  # 99 steps
            run(look(5, reach=0.89), striding(), losses=falling),  # once it has felt the valley
            run(look(5, lr=0.21), striding(), losses=falling),  # a schedule has lowered the rate since
        ],
    ),
    (
        "lr-too-low",
        run(striding(accuracy=0.74), losses=falling, start=described(targets={"kernel_knows": 0.85})),
        50,
        {"lacking": 0.11},
        [run(striding(accuracy=0.76), losses=falling, start=described(targets={"kernel_knows": 0.85}))],
    ),
    (
        "lr-too-low",
        run(striding(accuracy=0.7), losses=falling, start=straight(linear_knows=0.81)),
        50,
        {"lacking": 0.11},
        [
            run(striding(accuracy=0.72), losses=falling, start=straight(linear_knows=0.81)),
            run(striding(accuracy=0.7), losses=falling, start=straight(kernel_knows=0.9, linear_knows=0.7)),
        ],
    ),
    (
        "lr-too-low",  # a run of three dozen steps has too few looks for the other ways to tell
        in_short(epoch(2, STARTING, STARTING), looks((1, 3, 10), parameters=parameters(1e-3), reach=0.99)),
        30,
        {"reach": 0.99, "fallen": 1 - 2.3 / 2.31, "update": 1e-3},
        [
            run(epoch(2, STARTING, STARTING), looks((1, 3, 10), parameters=parameters(1e-3), reach=0.99)),
            in_short(epoch(2, STARTING, STARTING), looks((1, 3, 10), parameters=parameters(1e-3), reach=0.89)),
            in_short(epoch(2, STARTING, STARTING), looks((1, 3, 10), parameters=parameters(2e-3), reach=0.99)),
            in_short(
                epoch(2, *[STARTING | {"accuracy": 0.71}] * 2),
                looks((1, 3, 10), parameters=parameters(1e-3), reach=0.99),
            ),
            in_short(epoch(0, STARTING, STARTING), looks((1, 3, 10), parameters=parameters(1e-3), reach=0.99)),
        ],
    ),
    (
        "lr-too-low",
        run(epoch(0, KNOWING, KNOWING), slow(), start=straight(linear_knows=0.54)),
        23,
        {"reach": 0.999},
        [run(epoch(0, KNOWING, KNOWING), slow(), start=straight(linear_knows=0.52))],  # it knows what it can
    ),
    (
        "lr-too-low",
        run(slow((50, 60, 70, 80)), losses=[2.9, 2.6, *[2.3] * 78]),  # a poor start is unlearned at any rate
        80,
        {"reach": 0.999, "promised": 0.1},
        [
            run(slow((20, 30, 40, 49)), losses=[2.9, 2.6, *[2.3] * 47]),  # that may take half of the run
            run(slow((50, 60, 70, 80)), losses=[2.9, 2.6, *[2.0] * 78]),
        ],
    ),
    (
        "lr-too-low",
        run(slow()),
        23,
        {"reach": 0.999, "fallen": 0.0, "promised": 0.1},  # a hundred steps of a thousandth
        [
            run(slow(layers=NARROW)),  # so few units may leave no slope to follow
            run(slow(promised=0.021)),  # what the steps promise together is twice the loss
            run(look(1, lr=2.5), slow()),  # it would be so had a schedule not lowered the rate
            run(slow((16, 17, 18, 19))),  # too early to tell
            run(slow(reach=0.985, promised=4e-3)),
            run([look(n, reach=0.999, promised=1e-3, lr=0.001 * n) for n in (20, 21, 22, 23)]),  # warm-up
            run(looks((1, 2, 3, 4), grad_norm=3.0), slow((30, 31, 32, 33))),  # at the bottom
            run(slow(), losses=lambda n: FIRST * 0.99**n),
            run(slow(parameters=parameters(1.6e-3))),  # it does move the weights
        ],
    ),
    (
        "lr-too-low",
        run(slow(promised=4e-4), start=UNRELATED),  # such steps could not learn from any labels
        23,
        {"promised": 0.04},
        [run(slow(promised=6e-4), start=UNRELATED)],
    ),
    (
        "lr-too-low",
        run(slow(), MAJORITY, start=UNEVEN),  # naming the most frequent class is no knowledge
        23,
        {"promised": 0.1},
        [run(slow(), replace(MAJORITY, val={"loss": 1.0, "accuracy": 0.29}), start=UNEVEN)],
    ),
    (
        "lr-too-low",
        run(slow(), VALUES_TOLD, losses=SCATTERED, start=described("values")),
        23,
        {"fallen": 0.01 / 1.02},
        [
            run(slow(), losses=SCATTERED, start=described("values")),
            run(slow(), replace(VALUES_TOLD, train={"loss": 0.9}), losses=SCATTERED, start=described("values")),
            run(
                slow(),
                replace(VALUES_TOLD, val={"loss": 1.0, "r2": 0.1}),
                losses=SCATTERED,
                start=described("values", targets={"kernel_knows": 0.12}),
            ),  # as much as simple means know of it
        ],
    ),
    (
        "lr-too-low",
        run(short(0.976)),
        50,
        {"reach": 0.976, "update": 1e-3, "fallen": 1 - 1.75 / 2.31},
        [
            run(short(0.974)),
            run(short(0.976, ratio=1.4e-3)),
            run(short(0.976, gap=1.13)),
            run(short(0.976)[:6]),  # too early to tell
            run(short(0.976, before=1.77)),  # it falls by 1.1 % in a tenth of the run: no more is to be had
            run(short(0.993, before=1.6, now=1.4), losses=lambda n: FIRST * 0.98**n),  # more than a third is learned
            run(looks((1, 2, 3, 4), grad_norm=3.0), short(0.976)),  # at the bottom
            run(look(1, lr=1.1), short(0.976)),  # the schedule has lowered it
        ],
    ),
    (
        "labels-unrelated",
        run(judged(0.1, count=6, loss=NOTHING), start=UNRELATED),
        60,
        {"agreement": 0.14, "chance": 0.1},  # 3 · √(2 · 0.09 / 1000) = 0.0402
        [
            run(judged(0.1, count=6, loss=0.997 * NOTHING), start=UNRELATED),  # the loss tells before the accuracy
            run(judged(0.1, count=6, loss=NOTHING), start=described(targets={"neighbour_agreement": 0.141})),
            # not every network has learned something after half of a run
            run(judged(0.1, count=5, loss=NOTHING), start=UNRELATED),
            run(judged(0.2, count=6, loss=NOTHING), start=UNRELATED),  # hard to see by distance, yet learned
            run(
                look(5, layers=NARROW), judged(0.1, count=6, loss=NOTHING), start=UNRELATED
            ),  # a net that can learn nothing
            run(
                judged(0.1, count=6, loss=NOTHING),
                start=described(targets={"neighbour_agreement": 0.1, "neighbour_samples": 199}),
            ),
        ],
    ),
    (
        "labels-unrelated",
        run(judged(0.1, count=6, loss=NOTHING), start=told_by_kernel(3.4, recurrents=1)),
        60,
        {"agreement": 0.14},
        [run(judged(0.1, count=6, loss=NOTHING), start=told_by_kernel(3.6, recurrents=1))],
    ),
    (
        "labels-unrelated",
        run(judged(0.1, count=6, loss=NOTHING), start=told_by_kernel(3.4)),
        20,  # what neither means tell a network without memory does not find out late
        {"agreement": 0.14},
        [
            run(judged(0.1, count=1, loss=NOTHING), start=told_by_kernel(3.4)),
            run(judged(0.1, count=5, loss=NOTHING), start=told_by_kernel(3.4, samples=199)),
            run(judged(0.1, count=5, loss=NOTHING), start=told_by_kernel(3.4, recurrents=1)),
        ],
    ),
    (
        "labels-unrelated",
        run(judged(0.1, count=6, loss=0.1), start=OTHER_LOSS),  # a loss of another scale tells nothing here
        60,
        {"agreement": 0.14},
        [run(judged(0.1, count=6, loss=0.1), start=UNRELATED)],
    ),
    (
        "labels-noisy",
        run(judged(0.7, 0.26), losses=falling, start=NOISY),
        50,
        {"accuracy": 0.7, "second": 0.26, "chance": 1 / 9},
        [
            run(judged(0.7, 0.27), losses=falling, start=NOISY),
            run(judged(0.87, 0.1), losses=falling, start=NOISY),  # 78 wrong answers
            run(judged(0.32, 0.1), losses=falling, start=NOISY),  # less than a quarter of the way from 0.1 to 1
            run(judged(0.7, 0.1, count=4), losses=falling, start=NOISY),  # too early to tell
            run(judged(0.7), losses=falling, start=NOISY),
            run(judged(0.6, 0.1), losses=falling, start=CLEAN),  # the neighbours know better than the network
        ],
    ),
    (
        "labels-noisy",
        run(
            judged(0.7, 0.288, sure=0.834), losses=falling, start=NOISY
        ),  # (0.288 − 1/9) / (8/9) = 0.2; 0.134 of 0.3 are 45 %
        50,
        {"accuracy": 0.7, "second": 0.288, "sure": 0.834},
        [
            run(judged(0.7, 0.288, sure=0.836), losses=falling, start=NOISY),
            run(judged(0.7, 0.29, sure=0.834), losses=falling, start=NOISY),
            run(judged(0.44, 0.288, sure=0.6), losses=falling, start=NOISY),  # such mistakes are many by themselves
        ],
    ),
    (
        "labels-noisy",
        run(judged(0.33, 0.22), losses=falling, start=described(targets={"neighbour_agreement": 0.4})),
        50,
        {"accuracy": 0.33, "second": 0.22},
        [run(judged(0.44, 0.23), losses=falling, start=NOISY)],
    ),
    (
        "labels-noisy",
        run(judged(0.7, 0.44), losses=falling, start=FOUR),  # (0.44 − 1/3) / (2/3) = 0.16
        50,
        {"accuracy": 0.7, "second": 0.44, "chance": 1 / 3},
        [run(judged(0.7, 0.46), losses=falling, start=FOUR)],
    ),
    (
        "plateau",
        decayed(0.0019),
        29,
        {"decayed": 0.019, "promised": 1.5e-4},
        [
            decayed(0.002),
            decayed(0.0019, promised=2.1e-4),
            decayed(0.0019, loss=0.05),
            run(
                look(1), looks((36, 37, 38), lr=0.0019, promised=1.5e-4, loss=1.0), losses=lambda n: max(falling(n), 1)
            ),
        ],
    ),
    (
        "early-overfit",
        run(epochs([1.0, 0.9, 0.8, 0.76], PEAK)),
        40,
        {"best_epoch": 1.0, "val_loss_rise": 0.125},
        [
            run(epochs([1.0, 0.9, 0.8, 0.77], PEAK)),  # training stands still as well
            run(epochs([1.0, 0.9, 0.8, 0.76], [0.82, 0.8, 0.88, 0.88])),
            run(epochs([1.0, 0.9, 0.8, 0.76], [0.9, 0.8, 0.9, 0.9])),  # one low epoch between usual ones
            run(epochs([1.0, 0.9, 0.7, 0.5], [0.82, 0.8, 0.81, 0.9])),  # one epoch only
            run(epochs([1.0, 0.9, 0.8, 0.7, 0.6], [1.0, 0.82, 0.8, 0.9, 0.9])),  # lowest at 30 % of the run
            run(epochs([1.0, 0.9, 0.8, 0.76], [0.082, 0.08, 0.09, 0.09])),  # beside a first loss of 2.3 that is nothing
            run(looks((25, 30, 35, 40), reach=0.2), epochs([1.0, 0.9, 0.8, 0.76], PEAK)),  # steps that overshoot
        ],
    ),
    (
        "overfitting",
        run(epochs([1 / (n + 1) for n in range(9)], [0.9, 0.8, 0.7, 0.52, 0.5, 0.51, 0.53, 0.57, 0.6])),
        90,
        {"best_epoch": 4.0, "val_loss_rise": 0.2},
        [
            # One low epoch between two usual ones is no minimum to measure by, one high one no rise.
            run(epochs([1 / (n + 1) for n in range(9)], [0.9, 0.8, 0.7, 0.56, 0.5, 0.56, 0.55, 0.56, 0.57])),
            run(epochs([1 / (n + 1) for n in range(10)], [0.9, 0.8, 0.7, 0.52, 0.5, 0.51, 0.51, 0.52, 0.51, 0.9])),
            run(
                epochs(
                    [1 / (n + 1) for n in range(9)], [0.02, 0.018, 0.016, 0.0105, 0.01, 0.0102, 0.0104, 0.0135, 0.014]
                )
            ),
            # The figures of a net at twice its good rate: 300 validation samples, the last epoch worse.
            run(
                epochs(
                    [0.26, 0.09, 0.04, 0.026, 0.0136, 0.0084, 0.0075, 0.0056, 0.0056],
                    [0.261, 0.132, 0.117, 0.111, 0.0981, 0.106, 0.108, 0.109, 0.126],
                )
            ),
        ],
    ),
    (
        "overfitting",
        of_twenty(epochs([1 / (n + 1) for n in range(9)], [0.9, 0.51, 0.5, 0.51, 0.53, 0.531, 0.532, 0.531, 0.531])),
        90,  # the last four epochs are 4 % above the middle of the lowest three
        {"best_epoch": 2.0, "val_loss_rise": 0.062},
        [
            of_twenty(epochs([1 / (n + 1) for n in range(9)], [0.9, 0.51, 0.5, 0.51, 0.53, 0.531, 0.53, 0.531, 0.531])),
            of_twenty(epochs([1 / (n // 4 + 1) for n in range(7)], [0.9, 0.5, 0.5, 0.51, 0.53, 0.531, 0.531])),
            # Nine tenths of the run are over: it waits for the end.
            run(epochs([1 / (n + 1) for n in range(9)], [0.9, 0.51, 0.5, 0.51, 0.53, 0.531, 0.532, 0.531, 0.531])),
        ],
    ),
    (
        "overfitting",
        run(epochs([1 / (n + 1) for n in range(10)], [0.9, 0.8, 0.7, 0.6, 0.5, 0.51, 0.52, 0.526, 0.526, 0.53])),
        100,  # the end of the run
        {"best_epoch": 4.0, "val_loss_rise": 0.06},
        [
            run(epochs([1 / (n + 1) for n in range(9)], [0.9, 0.8, 0.7, 0.6, 0.5, 0.51, 0.526, 0.526, 0.53])),
            run(epochs([1 / (n + 1) for n in range(10)], [0.9, 0.8, 0.7, 0.6, 0.5, 0.51, 0.52, 0.524, 0.524, 0.53])),
            run(epochs([1 / (n + 1) for n in range(10)], [0.9, 0.8, 0.7, 0.6, 0.5, 0.51, 0.52, 0.53, 0.53, 0.524])),
            run(epochs([1.0] * 10, [0.9, 0.8, 0.7, 0.6, 0.5, 0.51, 0.52, 0.526, 0.526, 0.53])),
            # Beside a first loss of 2.3 that is nothing.
            run(
                epochs(
                    [1 / (n + 1) for n in range(10)], [0.09, 0.08, 0.07, 0.06, 0.05, 0.051, 0.052, 0.056, 0.056, 0.058]
                )
            ),
        ],
    ),
    (
        "underfitting",
        run(stopped(0.6, 0.58)),
        70,
        {"train_accuracy": 0.6, "val_accuracy": 0.58, "known": 0.8},
        [
            run(stopped(0.66, 0.64)),
            run(stopped(0.6, 0.53)),
            run(stopped(0.6, 0.58, fall=0.06)),
            run(
                [
                    replace(each, train=each.train | {"loss": loss})
                    for each, loss in zip(stopped(0.6, 0.58), HELD_UP, strict=True)
                ]
            ),
            run(
                [
                    replace(each, train=each.train | {"loss": loss})
                    for each, loss in zip(stopped(0.6, 0.58), BOUNCED, strict=True)
                ]
            ),
            run(stopped(0.6, 0.58)[:6]),
            run([look(n, lr=0.001 * n) for n in (66, 68)], stopped(0.6, 0.58)),  # the rate rises
        ],
    ),
    (
        "underfitting",
        run(stopped(0.74, 0.72), start=LINEAR),
        70,
        {"train_accuracy": 0.74},
        [run(stopped(0.76, 0.74), start=LINEAR), run(stopped(0.74, 0.72))],
    ),
    (
        "underfitting",
        run(stopped(0.84, 0.75), start=straight(kernel_knows=0.9)),
        70,
        {"train_accuracy": 0.84, "known": 0.9},
        [
            run(stopped(0.86, 0.84), start=straight(kernel_knows=0.9)),
            run(stopped(0.84, 0.74), start=straight(kernel_knows=0.9)),  # 0.06 and two standard errors are 0.095
            run(stopped(0.7, 0.68), start=described(targets={"kernel_knows": 0.9})),  # it may come to it late
        ],
    ),
    (
        "underfitting",
        run(look(60, layers=NARROW), stopped(0.89, 0.87)),
        70,
        {"train_accuracy": 0.89, "units": 3.0},
        [
            run(look(60, layers=NARROW), stopped(0.91, 0.89)),  # three units are enough for it
            run(look(60, layers=layers(_0={"units": 4})), stopped(0.89, 0.87)),
            run(look(60, layers=layers(_4={"units": 3})), stopped(0.89, 0.87)),  # three classes
        ],
    ),
    (
        "underfitting",
        run(look(60, layers=NARROW), stopped(0.8, 0.75, fall=0.06)),  # whether it has stopped or not
        70,
        {"train_accuracy": 0.8, "units": 3.0},
        [
            run(look(60, layers=NARROW), stopped(0.8, 0.7, fall=0.06))
        ],  # 0.06 and two standard errors of 600 samples: 0.097
    ),
    (
        "underfitting",
        run(stopped(0.94, 0.92, fall=0.06), start=described(net={"dropouts": 2, "dropout": 0.75})),
        50,
        {"train_accuracy": 0.94, "dropout": 0.75},
        [
            run(stopped(0.94, 0.92), start=described(net={"dropouts": 2, "dropout": 0.74})),
            run(stopped(0.96, 0.94), start=described(net={"dropouts": 2, "dropout": 0.75})),
            run(stopped(0.94, 0.87), start=described(net={"dropouts": 2, "dropout": 0.75})),
        ],
    ),
    (
        "underfitting",
        run(stopped(0.6, 0.58)[3:5], start=described(net={"dropouts": 2, "dropout": 0.75})),
        50,
        {"train_accuracy": 0.6, "dropout": 0.75},
        [],
    ),
    (
        "underfitting",
        run(looks((1, 2)), start=drowned(0.75, 8.0)),
        1,
        {"dropout": 0.75, "times": 4.0},
        [
            run(looks((1, 2)), start=drowned(0.74, 8.0)),
            run(looks((1, 2)), start=drowned(0.75, 7.9)),
        ],
    ),
    (
        "underfitting",
        run(stopped(0.6, 0.58, fall=0.06), start=DROPPING),
        70,
        {"train_accuracy": 0.6},
        [
            run(
                stopped(0.6, 0.58, fall=0.06),
                start=described(net={"dropouts": 2, "dropout": 0.5}, start={"train_loss": 2.4}),
            ),
            run(
                stopped(0.6, 0.58, fall=0.06),
                start=described(net={"dropouts": 2, "dropout": 0.4}, start={"train_loss": 2.6}),
            ),
            run(stopped(0.6, 0.58, fall=0.06), start=DROPPING, losses=lambda n: FIRST * 0.99**n),  # it learns
        ],
    ),
]
