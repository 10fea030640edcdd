"""Trainings drawn by rule: for each kind of data some nets, and everything else by a hash of a name.

    python -m benchmarks.diagnosis.drawn FOLDER practised|again|unseen|later|further|first-half|second-half|another|yet-another|one-more|once-more|last|draw-91|draw-101|draw-111|draw-121|draw-131|draw-141|draw-151|draw-161|draw-171|draw-181|draw-191|draw-201 [--seconds 400] [--processes 2]

Twenty-four draws: ``practised`` and ``again`` from the data of the catalogue, to set thresholds on; ``unseen`` from other data and with kinds of nets that the catalogue has not
(``unseen_sets.py``), to measure on; ``later`` from yet other data (``later_sets.py``), to measure on after ``unseen`` had been looked at; and in the same way ``further`` (``further_sets.py``), after ``later`` had been.
Last the two halves of one draw from all of these data: ``first-half`` to set thresholds on, ``second-half`` to measure on; and ``another``, ``yet-another``, ``one-more``, ``once-more``, ``last`` (it was not), ``draw-91``, ``draw-101``, ``draw-111``, ``draw-121``, ``draw-131``, ``draw-141``, ``draw-151``, ``draw-161``, ``draw-171``, ``draw-181``, ``draw-191`` and ``draw-201``, to measure on, each after
the one before had been looked at. A host's optimiser, rate, schedule, width, activation and the like are drawn; of five rates for its optimiser it takes the
middle one of those whose validation loss at the end is within a tenth of the lowest, and where that has risen by then it ends at the epoch where it was lowest, as somebody who watches it would. The hosts that are healthy
(``sound``) are the controls, and into them the faults are planted, with strengths drawn from ranges that are written down in ``drawn_faults.py``. A command goes on where the last one ended.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.diagnosis.case import Case, Setup

if TYPE_CHECKING:
    from benchmarks.diagnosis.recording import Recorded

RATES = {
    "sgd": (0.01, 0.03, 0.1, 0.3, 1.0),
    "momentum": (0.003, 0.01, 0.03, 0.1, 0.3),
    "adam": (3e-4, 1e-3, 3e-3, 1e-2, 3e-2),
    "rmsprop": (1e-4, 3e-4, 1e-3, 3e-3, 1e-2),
    "adagrad": (3e-3, 1e-2, 3e-2, 0.1, 0.3),
}
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("sgd", {}),
    "momentum": ("momentum", {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9}}),
    "nesterov": ("momentum", {"optimizer": "sgd", "optimizer_options": {"momentum": 0.9, "nesterov": True}}),
    "adam": ("adam", {"optimizer": "adam"}),
    "adamw": ("adam", {"optimizer": "adamw", "weight_decay": 0.01}),
    "rmsprop": ("rmsprop", {"optimizer": "rmsprop"}),
    "adagrad": ("adagrad", {"optimizer": "adagrad"}),
}
SCHEDULES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"schedule": "cosine"},
    {"schedule": "one-cycle"},
    {"schedule": "step", "schedule_options": {"every": 4, "factor": 0.5}},
    {"schedule": "cosine", "schedule_options": {"warmup": 1}},
)
STEPS = 320  # of a run, about
FEWEST_EPOCHS = 6
GOOD = 1.1
RISEN = 1.03
COARSE = 400
BEHIND = 0.1

# data: (training samples, validation samples, nets with the number of hosts)
UNSEEN: dict[str, tuple[int, int, dict[str, int]]] = {
    "spoken": (1400, 500, {"mlp": 3, "convolutional": 3, "strided": 3, "gru": 2, "lstm": 2, "rnn": 2, "both-ways": 1}),
    "creatures": (2000, 600, {"mlp": 2, "convolutional": 2, "strided": 2, "residual": 1}),
    "characters": (3000, 800, {"gru": 2, "lstm": 2, "rnn": 3, "both-ways": 2, "mlp": 2}),
    "papers": (1500, 400, {"mlp": 4, "linear": 1, "residual": 2}),
    "reviews": (2500, 800, {"mlp": 4, "linear": 1, "residual": 1}),
    "tumours": (300, 110, {"mlp": 4, "linear": 1, "residual": 2}),
    "rings": (1500, 500, {"mlp": 5, "residual": 2}),
    "red-wine-values": (700, 250, {"mlp": 3, "linear": 1, "residual": 1}),
    "housing": (270, 100, {"mlp": 4, "residual": 1}),
    "friedman": (1500, 500, {"mlp": 4, "residual": 2}),
    "chaos": (2000, 600, {"gru": 2, "lstm": 2, "rnn": 2, "both-ways": 1, "mlp": 2}),
}
LATER: dict[str, tuple[int, int, dict[str, int]]] = {
    "insects": (200, 80, {"mlp": 2, "convolutional": 2, "strided": 1}),
    "sentences": (2500, 800, {"mlp": 3, "linear": 1, "residual": 1}),
    "fonts": (1800, 600, {"mlp": 2, "convolutional": 2, "strided": 1, "gru": 1, "rnn": 1}),
    "shapes": (2000, 600, {"mlp": 2, "convolutional": 3, "strided": 2}),
    "waveforms": (1500, 500, {"mlp": 4, "linear": 1, "residual": 1}),
    "segments": (1500, 500, {"mlp": 4, "linear": 1, "residual": 1}),
    "balls": (1500, 500, {"mlp": 4, "residual": 2}),
    "squares": (2000, 600, {"mlp": 4, "residual": 2}),
    "arm": (1500, 500, {"mlp": 4, "residual": 2}),
    "circuit": (1500, 500, {"mlp": 4, "residual": 1}),
    "added": (2500, 600, {"gru": 2, "lstm": 2, "rnn": 1}),
    "tones": (1500, 500, {"gru": 2, "lstm": 2, "rnn": 3, "both-ways": 2, "mlp": 1}),
    "brackets": (2500, 600, {"gru": 2, "lstm": 2, "rnn": 2, "both-ways": 1}),
}
FURTHER: dict[str, tuple[int, int, dict[str, int]]] = {
    "hours": (2000, 600, {"mlp": 3, "linear": 1, "residual": 1}),
    "alcohol": (1500, 500, {"mlp": 3, "linear": 1, "residual": 1}),
    "speakers": (
        1400,
        500,
        {"mlp": 2, "convolutional": 2, "strided": 1, "gru": 1, "lstm": 1, "rnn": 1, "both-ways": 1},
    ),
    "vehicles": (1500, 500, {"mlp": 1, "convolutional": 2, "strided": 2, "residual": 1}),
    "glyphs": (1500, 500, {"mlp": 3, "convolutional": 2, "strided": 1, "gru": 1, "rnn": 1}),
    "cited": (1400, 400, {"mlp": 4, "linear": 1, "residual": 1}),
    "origins": (2500, 700, {"gru": 2, "lstm": 1, "rnn": 2, "both-ways": 1, "mlp": 1}),
    "sphere": (1500, 500, {"mlp": 4, "residual": 1}),
    "clusters": (1500, 500, {"mlp": 4, "linear": 1, "residual": 1}),
    "roll": (1500, 500, {"mlp": 4, "residual": 1}),
    "rank": (1200, 400, {"mlp": 3, "linear": 2, "residual": 1}),
    "counted": (2500, 600, {"gru": 2, "lstm": 2, "rnn": 1, "both-ways": 1}),
    "walks": (2000, 600, {"gru": 2, "lstm": 1, "rnn": 2, "both-ways": 1, "mlp": 1}),
    "recalled": (2500, 600, {"gru": 2, "lstm": 1, "rnn": 1, "both-ways": 1}),
    "dots": (2000, 600, {"mlp": 1, "convolutional": 3, "strided": 2}),
    "textures": (1500, 500, {"mlp": 1, "convolutional": 3, "strided": 2}),
    "pitch": (2000, 600, {"gru": 2, "lstm": 2, "rnn": 2, "mlp": 1}),
}
PRACTISED: dict[str, tuple[int, int, dict[str, int]]] = {
    "digits": (900, 300, {"mlp": 4, "convolutional": 2, "gru": 1, "lstm": 1, "rnn": 2}),
    "mnist": (1500, 500, {"mlp": 3, "convolutional": 1, "lenet5": 1, "gru": 1}),
    "notmnist": (1500, 500, {"mlp": 3, "convolutional": 1, "rnn": 1}),
    "adult": (2000, 600, {"mlp": 3, "linear": 1}),
    "wine": (1500, 500, {"mlp": 3}),
    "spirals": (1500, 500, {"mlp": 3}),
    "wine-values": (1500, 500, {"mlp": 3, "linear": 1}),
    "diabetes": (260, 80, {"mlp": 2}),
    "temperatures": (1500, 500, {"gru": 1, "lstm": 1}),
}
ONE_OF_EACH: dict[str, tuple[int, int, dict[str, int]]] = {
    data: (n, m, dict.fromkeys(nets, 1)) for data, (n, m, nets) in (PRACTISED | UNSEEN | LATER | FURTHER).items()
}
DRAWS: dict[str, dict[str, tuple[int, int, dict[str, int]]]] = {
    "practised": PRACTISED,
    "again": {
        data: (n, m, {net: 2 * count for net, count in nets.items()}) for data, (n, m, nets) in PRACTISED.items()
    },
    "unseen": UNSEEN,
    "later": LATER,
    "further": FURTHER,
    "first-half": ONE_OF_EACH,
    "second-half": ONE_OF_EACH,
    "another": ONE_OF_EACH,
    "yet-another": ONE_OF_EACH,
    "one-more": ONE_OF_EACH,
    "once-more": ONE_OF_EACH,
    "last": ONE_OF_EACH,
    "draw-91": ONE_OF_EACH,
    "draw-101": ONE_OF_EACH,
    "draw-111": ONE_OF_EACH,
    "draw-121": ONE_OF_EACH,
    "draw-131": ONE_OF_EACH,
    "draw-141": ONE_OF_EACH,
    "draw-151": ONE_OF_EACH,
    "draw-161": ONE_OF_EACH,
    "draw-171": ONE_OF_EACH,
    "draw-181": ONE_OF_EACH,
    "draw-191": ONE_OF_EACH,
    "draw-201": ONE_OF_EACH,
}
FIRST = {
    "again": 11,
    "first-half": 21,
    "second-half": 31,
    "another": 41,
    "yet-another": 51,
    "one-more": 61,
    "once-more": 71,
    "last": 81,
    "draw-91": 91,
    "draw-101": 101,
    "draw-111": 111,
    "draw-121": 121,
    "draw-131": 131,
    "draw-141": 141,
    "draw-151": 151,
    "draw-161": 161,
    "draw-171": 171,
    "draw-181": 181,
    "draw-191": 191,
    "draw-201": 201,
}  # number of the first host of its kind, 1 in the other draws
VALUES = {
    *("wine-values", "diabetes", "temperatures", "red-wine-values", "housing", "friedman", "chaos"),
    *("arm", "circuit", "added"),
    *("hours", "alcohol", "roll", "rank", "pitch"),
}


def chance(*words: object) -> float:
    """A number from 0 to 1 that belongs to these words."""
    text = " ".join(map(str, words))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def pick(options: Sequence[Any], *words: object) -> Any:
    """One of the options, by a hash of the words."""
    return options[int(chance(*words) * len(options))]


def between(low: float, high: float, *words: object) -> float:
    """A number from a range, all ratios equally likely, with two digits."""
    return float(f"{low * (high / low) ** chance(*words):.2g}")


def drawn(draw: str) -> list[Case]:
    """The hosts of a draw, whose rates are still to be chosen."""
    found = []
    for data, (samples, validation, nets) in DRAWS[draw].items():
        for net, count in nets.items():
            for number in range(count):
                name = f"{net}-{data}-{number + FIRST.get(draw, 1)}"
                found.append(Case(name, _setup(name, data, net, samples, validation)))
    return found


def _setup(name: str, data: str, net: str, samples: int, validation: int) -> Setup:
    options = _options(name, net)
    kind, settings = OPTIMIZERS[pick(tuple(OPTIMIZERS), name, "optimizer")]
    batch = pick((32, 32, 64), name, "batch")
    squashing = options.get("activation") in ("tanh", "sigmoid")
    loss: dict[str, Any] = pick(
        ({"loss": "squared"}, {"loss": "squared"}, {"loss": "huber"})
        if data in VALUES
        else ({}, {}, {}, {"loss_options": {"label_smoothing": 0.1}}),
        name,
        "loss",
    )
    more: dict[str, Any] = {**settings, **pick(SCHEDULES, name, "schedule"), **loss}
    if net in ("gru", "lstm", "rnn", "both-ways"):
        more["clip"] = pick((None, 1.0, 5.0), name, "clip")
    return Setup(
        data,
        net,
        options=options,
        samples=samples,
        validation=validation,
        init="xavier" if squashing else pick(("", "he"), name, "init") if net == "mlp" else "",
        lr=RATES[kind][2],
        batch_size=batch,
        epochs=max(FEWEST_EPOCHS, round(STEPS * batch / samples)),
        seed=2000 + int(1000 * chance(name, "seed")),
        **more,
    )


def _options(name: str, net: str) -> dict[str, Any]:
    if net == "mlp":
        return {
            "hidden": pick(((96,), (80, 40), (48, 48, 48), (160, 32), (40,) * 5), name, "hidden"),
            "activation": pick(("relu", "relu", "relu", "gelu", "tanh", "sigmoid"), name, "activation"),
            "batch_norm": pick((False, False, True), name, "norm"),
            "dropout": pick((0.0, 0.0, 0.2, 0.4), name, "dropout"),
        }
    if net == "convolutional":
        return {
            "widths": pick(((6, 12), (12, 12), (16,)), name, "widths"),
            "batch_norm": pick((False, True), name, "norm"),
            "dropout": pick((0.0, 0.3), name, "dropout"),
            "dense": pick((40, 80), name, "dense"),
        }
    if net == "strided":
        return {"widths": pick(((10, 20), (12, 24), (8, 16, 16)), name, "widths")}
    if net == "residual":
        return {"width": pick((32, 48), name, "width"), "activation": pick(("relu", "gelu"), name, "activation")}
    if net in ("gru", "lstm", "rnn"):
        return {"hidden": pick((24, 40, 64), name, "hidden"), "dropout": pick((0.0, 0.2), name, "dropout")}
    return {}


def chosen(case: Case) -> dict[str, Any]:
    """The rate and the number of epochs of a host, by its validation losses at five rates."""
    from benchmarks.diagnosis.running import run
    from glassnet.events import Epoch

    setup = case.setup
    kind = _kind(setup)
    tried: dict[float, list[float]] = {}
    for rate in RATES[kind]:
        done = run(replace(setup, lr=rate), watch=False)
        losses = [event.val.get("loss", math.nan) for event in done.events if isinstance(event, Epoch)]
        tried[rate] = [loss if math.isfinite(loss) else math.inf for loss in losses]
    last = {rate: losses[-1] if losses else math.inf for rate, losses in tried.items()}
    good = [rate for rate in tried if last[rate] <= GOOD * min(last.values())]
    best = good[(len(good) - 1) // 2]
    lowest = min(tried[best], default=math.inf)
    epochs = setup.epochs
    if last[best] > RISEN * lowest:
        epochs = max(FEWEST_EPOCHS, tried[best].index(lowest) + 1)
    return {"lr": best, "epochs": epochs, "tried": {str(rate): last[rate] for rate in tried}}


def _kind(setup: Setup) -> str:
    if setup.optimizer == "sgd" and setup.optimizer_options:
        return "momentum"
    return "adam" if setup.optimizer == "adamw" else setup.optimizer


def hosts(folder: Path, draw: str) -> list[Case]:
    """The hosts whose rates are chosen already."""
    rates = _rates(folder, draw)
    return [
        replace(case, setup=replace(case.setup, lr=rates[case.name]["lr"], epochs=rates[case.name]["epochs"]))
        for case in drawn(draw)
        if case.name in rates
    ]


def _rates(folder: Path, draw: str) -> dict[str, Mapping[str, Any]]:
    path = folder / f"{draw}-rates.json"
    found: dict[str, Mapping[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
    return found


def record(folder: Path, draw: str, seconds: float, processes: int = 1) -> bool:
    """Choose rates, record the controls, then the faults, for about so long; whether all is done."""
    from benchmarks.diagnosis.drawn_faults import planted
    from benchmarks.diagnosis.health import one_thread

    end = time.monotonic() + seconds
    rates = dict(_rates(folder, draw))
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes, initializer=one_thread) as pool:
        todo = [(case, "", "") for case in drawn(draw) if case.name not in rates]
        for case, found in _worked(pool, chosen, todo, end, processes):
            rates[case.name] = found
            (folder / f"{draw}-rates.json").write_text(json.dumps(rates, indent=1))
        if len(rates) < len(drawn(draw)):
            return False
        for make in (hosts, planted):
            cases = make(folder, draw)
            todo = [
                (case, str(folder / draw), draw)
                for case in cases
                if not (folder / draw / case.name / "case.json").exists()
            ]
            done = 0
            for case, taken in _worked(pool, _recorded_case, todo, end, processes):
                done += 1
                print(f"{case.name:<60}{taken:6.1f} s", flush=True)
            if done < len(todo):
                return False
    return True


def _recorded_case(case: Case, place: str, draw: str) -> float:
    from benchmarks.diagnosis.recording import record_case

    return record_case(case, Path(place), draw)


def _worked(
    pool: ProcessPoolExecutor, work: Callable[..., Any], todo: list[tuple[Case, str, str]], end: float, processes: int
) -> Iterator[tuple[Case, Any]]:
    """Each case with what came of it, in their order; none is begun after the end."""
    waiting: deque[tuple[Case, Future[Any]]] = deque()
    for case, *more in todo:
        if time.monotonic() > end:
            break
        waiting.append((case, pool.submit(work, case, *filter(None, more))))
        if len(waiting) >= 2 * processes:
            first, job = waiting.popleft()
            yield first, job.result()
    for case, job in waiting:
        yield case, job.result()


def sound(folder: Path, draw: str) -> dict[str, dict[str, Any]]:
    """The recorded hosts that are healthy, by name: by the standard of ``fresh.py``, and at most 0.1 behind the best host on the same data, in its figure on the test part."""
    from benchmarks.diagnosis.fresh import _sound
    from benchmarks.diagnosis.health import headline

    healthy = [one.case for one in _recorded(folder, draw) if not one.case["fault"] and _sound(one)]
    best: dict[str, float] = {}
    for case in healthy:
        data = case["setup"]["data"]
        best[data] = max(best.get(data, -1.0), headline(case["test"]))
    return {case["name"]: case for case in healthy if headline(case["test"]) >= best[case["setup"]["data"]] - BEHIND}


def counted(folder: Path, draw: str) -> list[Recorded]:
    """The recorded cases that count: healthy controls, and faults in these that did harm by the standard of ``harm.py``.

    Where the test part has fewer than 400 samples the harm must be twice as large, since its figures are coarse. A planted trouble that is named after what one sees must have been seen: a loss that is not finite, or, where samples are learned by heart, a validation
    loss that a healthy run may not have.
    """
    from benchmarks.diagnosis.harm import harms

    found, hosts = _recorded(folder, draw), sound(folder, draw)
    kept = [one for one in found if one.case["name"] in hosts]
    for one in found:
        whole = hosts.get(one.case["like"]) if one.case["fault"] else None
        if whole is None or not _happened(one):
            continue
        coarse = tested(one.case["setup"]["data"]) < COARSE
        if harms(one.case, whole, 2.0 if coarse else 1.0):
            kept.append(one)
    return kept


def _recorded(folder: Path, draw: str) -> list[Recorded]:
    from benchmarks.diagnosis.recording import Recorded

    paths = sorted((folder / draw).glob("*/case.json"))
    return [Recorded(json.loads(path.read_text(encoding="utf-8")), draw, path.parent) for path in paths]


def _happened(one: Recorded) -> bool:
    from benchmarks.diagnosis.fresh import _sound
    from glassnet.events import Traced

    if one.case["fault"] == "loss-not-finite":
        return any(isinstance(event, Traced) and event.kind == "not-finite" for event in one.events())
    return one.case["fault"] not in ("overfitting", "early-overfit") or not _sound(one)


def tested(data: str) -> int:
    """Samples in the test part of a host on some data."""
    from benchmarks.diagnosis.sets import TEST

    return {"tumours": 159, "housing": 136, "diabetes": 102, "digits": 597, "insects": 117}.get(data, TEST)


def main() -> int:
    """Record for some seconds; 0 where all is done, 1 where there is more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("draw", choices=tuple(DRAWS))
    parser.add_argument("--seconds", type=float, default=math.inf)
    parser.add_argument("--processes", type=int, default=1)
    asked = parser.parse_args()
    return 0 if record(asked.folder, asked.draw, asked.seconds, asked.processes) else 1


if __name__ == "__main__":
    raise SystemExit(main())
