"""What an ensemble gains over one of its members, measured on the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glassnet.combined import Ensemble
from glassnet.combined.ensemble import together
from glassnet.data.dataset import Data, Part
from glassnet.data.ragged import PADDING
from glassnet.evaluate.calibration import expected_calibration_error, reliability
from glassnet.evaluate.interval import spread
from glassnet.evaluate.paired import mcnemar, mean_interval, r2_interval
from glassnet.model import Model

BATCH = 500


def each_answer(model: Model, part: Part) -> Tensor:
    """What every member says of a part: log-probabilities (members, samples, classes), or values (members, samples, outputs).

    Where every word of a sentence is told something, a row is a word, one sentence behind the other.
    """
    net = cast(Ensemble, model.net).eval()
    device = next((p.device for p in net.parameters()), torch.device("cpu"))
    batches = torch.split(torch.arange(len(part)), BATCH)
    with torch.inference_mode():
        said = [_each(net, model.preprocess(part.inputs.take(index).to(device))).cpu() for index in batches]
    return torch.cat(said, dim=1)


def _each(net: Ensemble, prepared: Tensor) -> Tensor:
    said = net.each(prepared)
    return said[:, prepared[..., 0] != PADDING] if said.ndim == 4 else said


def gains(model: Model, data: Data, judged: str, names: Sequence[str], said: Tensor | None = None) -> dict[str, Any]:
    """The figures of the members and of all together, on the validation part and on the judged one.

    The member that one would have taken is the one that is best on the validation part; only there may it be chosen.

    Args:
        model: its net is an :class:`~glassnet.combined.Ensemble`.
        data: divided into parts as for the members.
        judged: ``test`` or ``val``.
        names: of the members.
        said: what the members said of the judged part, where that is known.

    Returns:
        Plain values: ``answer``, ``temperature``, ``members`` (names), ``chosen`` (place of the member that is best on the validation part), and ``parts``: for
        each what :func:`compared` tells.
    """
    parts: dict[str, Any] = {}
    chosen: int | None = None
    for name in dict.fromkeys(("val", judged)):
        if name not in data.parts:
            continue
        part = data.parts[name]
        each = said if name == judged and said is not None else each_answer(model, part)
        parts[name] = compared(model, each, part, chosen)
        chosen = parts[name]["chosen"]
    return {
        "answer": cast(Ensemble, model.net).answer,
        "temperature": model.temperature,
        "members": list(names),
        "chosen": chosen,
        "parts": parts,
    }


def compared(model: Model, said: Tensor, part: Part, chosen: int | None = None) -> dict[str, Any]:
    """Members and ensemble on one part.

    Args:
        model: the ensemble.
        said: by its members, as :func:`each_answer` tells it.
        part: the samples.
        chosen: place of the member to compare with; the best on this very part without it.

    Returns:
        ``samples``; ``metric`` (``accuracy`` or ``r2``); ``each`` (figures of every member); ``ensemble`` (its figures); ``mean`` and ``std`` of the members' metric;
        ``gain`` over that mean with its 95 % bootstrap ``interval``; ``chosen`` and ``over_chosen``: the gain over that member, for classes with
        McNemar's test.
    """
    classes = model.task == "classes"
    joint = together(said, cast(Ensemble, model.net).answer, classes=classes)
    if classes:
        joint = joint / model.temperature
    each = [_figures(one, part, classes) for one in (*said, joint)]
    metric = "accuracy" if classes else "r2"
    singles = [figures[metric] for figures in each[:-1]]
    if chosen is None:  # of equals the one with the lower loss
        chosen = min(range(len(singles)), key=lambda place: (-singles[place], each[place]["loss"]))
    seen = spread(singles)
    about: dict[str, Any] = {
        "samples": len(part),
        "metric": metric,
        "each": each[:-1],
        "ensemble": each[-1],
        "mean": seen.mean,
        "std": None if len(singles) < 2 else seen.std,
        "gain": each[-1][metric] - seen.mean,
        "chosen": chosen,
    }
    if classes:
        right = _right(said, part.answers)  # (members, samples)
        mine = _right(joint, part.answers)
        about["interval"] = list(mean_interval(mine - right.mean(axis=0, dtype=np.float64)))
        test = mcnemar(mine, right[chosen])
        about["over_chosen"] = {
            "gain": each[-1][metric] - singles[chosen],
            "gained": test.gained,
            "lost": test.lost,
            "p": test.p,
        }
        return about
    errors = (said.double() - part.targets.double()).square().numpy()
    targets, own = part.targets.double().numpy(), (joint.double() - part.targets.double()).square().numpy()
    about["interval"] = list(r2_interval(targets, own, errors.mean(axis=0)))
    about["over_chosen"] = {
        "gain": each[-1][metric] - singles[chosen],
        "interval": list(r2_interval(targets, own, errors[chosen])),
    }
    return about


def _figures(said: Tensor, part: Part, classes: bool) -> dict[str, float]:
    """Of logits: accuracy, mean loss in nats, calibration error; of values: R² averaged over outputs, and mean squared error as the loss."""
    if not classes:
        targets, values = part.targets.double(), said.double()
        errors = (values - targets).square().sum(0)
        total = (targets - targets.mean(0)).square().sum(0).clamp_min(1e-12)
        return {"r2": float((1 - errors / total).mean()), "loss": float(errors.mean() / len(targets))}
    logs = torch.log_softmax(said.double(), dim=1)
    sure, told = logs.max(dim=1)
    right = (told == part.answers).numpy()
    return {
        "accuracy": float(right.mean()),
        "loss": -float(logs.gather(1, part.answers[:, None]).mean()),
        "calibration_error": expected_calibration_error(reliability(sure.exp().numpy(), right)),
    }


def _right(said: Tensor, targets: Tensor) -> npt.NDArray[np.bool_]:
    return (said.argmax(-1) == targets).numpy()


def against(said: Tensor, other: Tensor, part: Part, *, classes: bool) -> dict[str, Any]:
    """One answer to a part beside another one.

    Args:
        said: logits (samples, classes), or values (samples, outputs).
        other: likewise, to be compared with.
        part: the samples.
        classes: whether these are logits.

    Returns:
        ``samples``, ``metric``, ``one`` and ``all`` (figures of the other and of this answer), ``gain`` with its 95 % bootstrap ``interval``, and for classes
        ``over``: the gain with McNemar's test.
    """
    first, second = _figures(said, part, classes), _figures(other, part, classes)
    metric = "accuracy" if classes else "r2"
    about: dict[str, Any] = {
        "samples": len(part),
        "metric": metric,
        "one": second,
        "all": first,
        "gain": first[metric] - second[metric],
    }
    if not classes:
        targets = part.targets.double().numpy()
        errors = [(answer.double().numpy() - targets) ** 2 for answer in (said, other)]
        return about | {"interval": list(r2_interval(targets, *errors))}
    mine, theirs = _right(said, part.answers), _right(other, part.answers)
    test = mcnemar(mine, theirs)
    return about | {
        "interval": list(mean_interval(mine.astype(np.float64) - theirs)),
        "over": {"gain": about["gain"], "gained": test.gained, "lost": test.lost, "p": test.p},
    }
