"""Figures of some inputs, targets and outputs: what :func:`~glassnet.training.measure.describe.describe` says of the data."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

NEIGHBOURS = 1_000  # samples compared with each other
DIRECTIONS = 256  # random projection before comparing, where inputs are longer
WILD = 10.0  # spreads from the mean, beyond which a number counts as that far: a single one must not make a part look unlike another
FEWEST = 50  # values, of which the farthest is compared with the others
TINY = 1e-12


def flat(inputs: list[Tensor]) -> Tensor:
    """(samples, features) in float32; inputs of different lengths are cut to the shortest."""
    if not inputs:
        return torch.zeros(0, 1)
    rows = [x.reshape(len(x), -1).float() for x in inputs]
    shortest = min(row.shape[1] for row in rows)
    return torch.cat([row[:, :shortest] for row in rows])


def of_inputs(inputs: list[Tensor]) -> dict[str, Any]:
    """``inputs`` of :class:`~glassnet.events.Described`, but for what :func:`telling` says."""
    x = flat(inputs)
    if x.numel() == 0:
        return {"samples": 0, "features": 0}
    finite = torch.isfinite(x)
    bad = int((~finite).sum())
    whole = not inputs[0].is_floating_point()
    found: dict[str, Any] = {"samples": len(x), "features": x.shape[1], "nonfinite": bad, "indices": whole}
    if bad:
        row, column = (int(i) for i in (~finite).nonzero()[0])
        found |= {"bad_row": row, "bad_column": column}
        x = torch.where(finite, x, 0.0)
    mean, std = x.mean(0), x.std(0, correction=0)
    alive = std > TINY
    found |= {
        "mean": float(x.mean()),
        "std": float(x.std(correction=0)),
        "min": float(x.min()),
        "max": float(x.max()),
        "constant": float((~alive).float().mean()),
    }
    sizes = x.norm(dim=1)
    if float(usual := sizes.median()) > TINY:
        found |= {"largest_row": float(sizes.max() / usual), "largest_row_at": int(sizes.argmax())}
    if bool(alive.any()):
        spread = std[alive]
        found["scale_ratio"] = float(spread.max() / spread.median().clamp_min(TINY))
        found["offset"] = float((mean[alive].abs() / spread).max())
    return found


def telling(inputs: list[Tensor], targets: list[Tensor], task: str) -> dict[str, Any]:
    """How much of the target's variance single features explain: eta² of class means, or the squared correlation of values."""
    x = flat(inputs)
    if task == "other" or x.numel() == 0:
        return {}
    x = torch.where(torch.isfinite(x), x, 0.0)
    alive = x.std(0, correction=0) > TINY
    if not bool(alive.any()):
        return {}
    wanted = torch.cat([t.reshape(len(t), -1) if t.ndim > 1 else t for t in targets])
    if task == "classes" and wanted.ndim == 1:
        classes = int(wanted.max()) + 1 if len(wanted) else 0
        if classes < 2 or classes > len(wanted) // 5 or int(wanted.min()) < 0:
            return {}
        indicator = torch.nn.functional.one_hot(wanted, classes).float()
        counts = indicator.sum(0).clamp_min(1)
        means = (indicator.T @ x) / counts[:, None]
        between = (counts[:, None] * (means - x.mean(0)).square()).sum(0) / len(x)
        # What class means of noise would explain by chance is taken off.
        share = between / x.var(0, correction=0).clamp_min(TINY)
        chance = (classes - 1) / max(len(x) - 1, 1)
        share = ((share - chance) / (1 - chance)).clamp(0, 1)
    elif task == "values":
        y = wanted.reshape(len(wanted), -1)[:, 0].float()
        y = torch.where(torch.isfinite(y), y, 0.0)
        a, b = x - x.mean(0), (y - y.mean())[:, None]
        share = ((a * b).mean(0).square() / (a.square().mean(0) * b.square().mean()).clamp_min(TINY)).clamp(0, 1)
    else:
        return {}
    share = torch.where(alive, share, 0.0)
    top = share.topk(min(2, len(share)))
    found = {"best_feature": float(top.values[0]), "best_feature_index": int(top.indices[0])}
    if len(top.values) > 1:
        found["second_feature"] = float(top.values[1])
    return found


def of_targets(inputs: list[Tensor], targets: list[Tensor], task: str, outputs: int) -> dict[str, Any]:
    """``targets`` of :class:`~glassnet.events.Described`."""
    if not targets:
        return {"samples": 0}
    if task == "other":  # such as a class for every token, of sentences that differ in length
        return {"samples": sum(map(len, targets)), "nonfinite": 0, "out_of_range": 0}
    y = torch.cat(targets)
    found: dict[str, Any] = {"samples": len(y), "nonfinite": 0, "out_of_range": 0}
    if task == "classes":
        found["out_of_range"] = int(((y < 0) | (y >= max(outputs, 2))).sum())
        kept = y.clamp_min(0)
        counts = torch.bincount(kept, minlength=outputs if outputs > 1 else 2)
        found |= {"counts": counts.tolist(), "entropy": entropy(counts)}
        found |= _mixing(targets)
    elif task == "values":
        finite = torch.isfinite(y)
        found["nonfinite"] = int((~finite).sum())
        good = y[finite].double()
        found["one_hot"] = bool(
            y.ndim == 2 and y.shape[1] > 1 and ((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all()
        )
        if good.numel():
            found |= {
                "mean": float(good.mean()),
                "std": float(good.std(correction=0)),
                "min": float(good.min()),
                "max": float(good.max()),
                "whole": bool((good == good.round()).all()),
                "distinct": len(torch.unique(good)),
            }
        found |= _farthest(y, y)
        found |= _ordered(targets)
    return found | _neighbours(flat(inputs), y, task)


def _farthest(values: Tensor, usual: Tensor) -> dict[str, float]:
    """How far the farthest value lies from the median of the usual ones, over how far 99 % of these do at most, and whose it is; empty where there are few."""
    if len(usual) < FEWEST or not len(values):
        return {}
    y, x = (torch.where(torch.isfinite(each), each, 0.0).reshape(len(each), -1).double() for each in (values, usual))
    middle = x.median(0).values
    reach = (x - middle).abs().sort(0).values[int(0.99 * (len(x) - 1))]
    times = torch.where(reach > 0, (y - middle).abs() / reach.clamp_min(TINY), 0.0)
    at, output = divmod(int(times.argmax()), times.shape[1])
    return {"farthest": float(times[at, output]), "farthest_at": at, "farthest_value": float(y[at, output])}


def _mixing(targets: list[Tensor]) -> dict[str, float]:
    """How mixed the classes are within the batches as they come, and within batches drawn at random from the same samples."""
    whole = [t for t in targets if len(t) > 1]
    if len(whole) < 2:
        return {}
    y = torch.cat(whole).clamp_min(0)
    generator = torch.Generator().manual_seed(0)
    sizes = [len(t) for t in whole]
    drawn: list[float] = []
    for _ in range(5):
        order = torch.randperm(len(y), generator=generator).to(y.device)
        drawn += [entropy(torch.bincount(part)) for part in torch.split(y[order], sizes)]
    values = torch.tensor(drawn, dtype=torch.float64)
    return {
        "batch_entropy": sum(entropy(torch.bincount(t.clamp_min(0))) for t in whole) / len(whole),
        "shuffled_entropy": float(values.mean()),
        "shuffled_entropy_std": float(values.std()),
        "batches": float(len(whole)),
    }


def _ordered(targets: list[Tensor]) -> dict[str, float]:
    """Spread of the values within batches as they come, over the spread within batches drawn at random: 1 where they are mixed."""
    whole = [t.reshape(len(t), -1)[:, 0].double() for t in targets if len(t) > 1]
    if len(whole) < 2:
        return {}
    y = torch.cat(whole)
    spread = float(y.std(correction=0))
    if not math.isfinite(spread) or spread == 0:
        return {}
    within = sum(float(t.var()) * len(t) for t in whole) / len(y)
    return {"batch_spread": math.sqrt(within) / spread, "batches": float(len(whole))}


def _neighbours(x: Tensor, y: Tensor, task: str) -> dict[str, Any]:
    """How often a sample's nearest neighbour in input space has its class (or, for values, how its target correlates)."""
    n = min(len(x), NEIGHBOURS)
    if n < 50 or task == "other":
        return {}
    x, y = reduced(x[:n]), y[:n]
    apart = torch.cdist(x, x)
    apart.fill_diagonal_(math.inf)
    nearest = apart.argmin(1)
    if task == "classes":
        shares = torch.bincount(y.clamp_min(0)).double() / n
        return {
            "neighbour_agreement": float((y[nearest] == y).double().mean()),
            "chance_agreement": float(shares.square().sum()),
            "neighbour_samples": n,
        }
    a = y.reshape(n, -1)[:, 0].double()
    a = torch.where(torch.isfinite(a), a, 0.0)
    b = a[nearest]
    spread = float(a.std() * b.std())
    agreement = float(((a - a.mean()) * (b - b.mean())).sum() / (n - 1)) / spread if spread > 0 else 0.0
    return {"neighbour_agreement": agreement, "chance_agreement": 0.0, "neighbour_samples": n}


def reduced(x: Tensor) -> Tensor:
    """Standardised features, fewer where there are many: a random projection keeps distances nearly (Johnson and Lindenstrauss 1984)."""
    x = torch.where(torch.isfinite(x), x, 0.0)
    x = (x - x.mean(0)) / x.std(0, correction=0).clamp_min(1e-6)
    if x.shape[1] <= DIRECTIONS:
        return x
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(x.shape[1], DIRECTIONS, generator=generator).to(x.device)
    return x @ directions / math.sqrt(DIRECTIONS)


def of_outputs(made: Tensor) -> dict[str, Any]:
    """``result`` of :class:`~glassnet.events.Described`, and ``outputs``, their number."""
    if made.numel() == 0:
        return {"outputs": 0}
    finite = torch.isfinite(made)
    good = torch.where(finite, made, 0.0)
    return {
        "outputs": made.shape[1],
        "mean": float(good.mean()),
        "std": float(good.std(correction=0)),
        "between_samples": float(good.std(0, correction=0).mean()),
        "min": float(good.min()),
        "max": float(good.max()),
        "nonnegative": float((good >= 0).float().mean()),
        "row_sum": float(good.sum(1).mean()),
        "row_sum_spread": float(good.sum(1).std(correction=0)),
        "log_sum_exp": float(good.logsumexp(1).mean()),
        "nonfinite": int((~finite).sum()),
    }


def compared(
    inputs: list[Tensor], targets: list[Tensor], others: list[Tensor], their_targets: list[Tensor], task: str
) -> dict[str, Any]:
    """How the validation part differs from the training part: see ``validation`` of :class:`~glassnet.events.Described`."""
    if task == "other" and inputs and not inputs[0].is_floating_point():
        return {}  # numbers of tokens have no means and no distances
    x, v = flat(inputs), flat(others)
    width = min(x.shape[1], v.shape[1])
    x, v = x[:, :width], v[:, :width]
    if len(x) < 20 or len(v) < 20:
        return {}
    x, v = (torch.where(torch.isfinite(each), each, 0.0) for each in (x, v))
    std = x.std(0, correction=0)
    alive = std > 1e-6
    found: dict[str, Any] = {}
    if bool(alive.any()):
        x, v, std = x[:, alive], v[:, alive], std[alive]
        sizes = v.norm(dim=1)
        usual = max(float(x.norm(dim=1).median()), float(sizes.median()), TINY)  # where all are large, no single one is
        found |= {"largest_row": float(sizes.max()) / usual, "largest_row_at": int(sizes.argmax())}
        middle = x.mean(0)
        x, v = (each.clamp(middle - WILD * std, middle + WILD * std) for each in (x, v))
        shift = (v.mean(0) - x.mean(0)).abs() / std
        half = len(x) // 2
        noise = (x[:half].mean(0) - x[half:].mean(0)).abs() / std
        # The noise of a difference of two means goes with the root of 1/n + 1/m.
        scale = math.sqrt((1 / len(x) + 1 / len(v)) / (1 / half + 1 / (len(x) - half)))
        found |= {
            "shift": float(shift.mean()),
            "shift_noise": float(noise.mean()) * scale,
            "largest_shift": float(shift.max()),
            "spread_ratio": float((v.std(0, correction=0) / std).median()),
        }
        found |= _distances(x, v)
    if task == "values" and targets[0].shape[1:] == their_targets[0].shape[1:]:
        found |= _farthest(torch.cat(their_targets), torch.cat(targets))
    if task == "classes":
        y, w = torch.cat(targets).clamp_min(0), torch.cat(their_targets).clamp_min(0)
        size = int(max(y.max(), w.max())) + 1
        counts, theirs = torch.bincount(y, minlength=size), torch.bincount(w, minlength=size)
        found["counts"] = theirs.tolist()
        found["label_shift"] = float((counts / counts.sum() - theirs / theirs.sum()).abs().sum() / 2)
    return found


def _distances(x: Tensor, v: Tensor) -> dict[str, float]:
    """How near validation samples lie to training samples, beside how near different ones of these lie to each other; identical ones are counted."""
    n, m = min(len(x), NEIGHBOURS), min(len(v), NEIGHBOURS)
    different = torch.unique(x[:n], dim=0)
    both = reduced(torch.cat([different, v[:m]]))
    among = torch.cdist(both[: len(different)], both[: len(different)])
    among.fill_diagonal_(math.inf)
    across = torch.cdist(both[len(different) :], both[: len(different)]).min(1).values
    usual = float(among.min(1).values.median())
    return {
        "neighbour_distance_ratio": float(across.median()) / max(usual, TINY) if usual > 0 else 1.0,
        "same_inputs": _shared(v[:m], x[:n]),
        "same_among": _shared(x[: n // 2], x[n // 2 : n]),
    }


def _shared(some: Tensor, others: Tensor) -> float:
    """Share of rows that are also among the others."""
    known = {row.tobytes() for row in others.cpu().numpy()}
    return sum(row.tobytes() in known for row in some.cpu().numpy()) / max(len(some), 1)


def entropy(counts: Tensor) -> float:
    """−Σ p ln p of counts, in nats."""
    shares = counts.double() / counts.sum().clamp_min(1)
    return float(torch.special.entr(shares).sum())
