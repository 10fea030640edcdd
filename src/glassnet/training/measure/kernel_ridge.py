"""What kernel ridge regression learns from some hundred samples: a bar that a network should clear, known before it has made a step.

With the kernel k(a, b) = exp(−|a − b|² / (2 c m)), m the median of |a − b|² among the samples and Y their targets (classes one-hot) around their mean, the answers are

    ŷ(v) = mean + k(v, X) (K + λ I)⁻¹ Y

and what the others say of a training sample itself comes without fitting anew: ŷ₋ᵢ = yᵢ − αᵢ / ((K + λ I)⁻¹)ᵢᵢ with α = (K + λ I)⁻¹ Y
(Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equation 5.12). Of a few c and λ those with the smallest squared error of this kind are taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SAMPLES, FEWEST = 800, 50  # of each part: some tenths of a second on one core; and too few to say anything
TOKENS = 2_000  # the most frequent ones, where inputs are numbers of tokens
# Column by column standardised or as they are; c; λ. Chosen one after the other, as each adds most, on the data of benchmarks/diagnosis: together 3 % above the error of the best of twenty-four.
KERNELS = ((False, 0.4, 3e-2), (True, 0.1, 1e-3), (False, 25.0, 1e-5), (True, 1.6, 3e-2), (True, 0.4, 1.0))
RIDGES = (1e-3, 3e-2)  # λ of the straight one
NEW = -1  # a class that no training sample has
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Known:
    """What the samples tell of each other, and of the validation part.

    Attributes:
        training: accuracy, or R² over all outputs, on training samples, each by the others.
        validation: the same on validation samples; None without any.
        linear: as ``training``, of ridge regression without a kernel: what can be known without a nonlinearity.
        samples: how many training samples were used.
        wrong: of classes, how many samples of both parts it takes for another class.
        place: of these, where the label stands among the other answers on average, from 0 (it comes second) to 1 (last): about a half where it could be any class;
            NaN where there are none, and of two classes.
        sure: of classes, by how many standard errors the answer for a sample's own class lies above the mean answer for that class, over both parts:
            within 3 or so of zero where labels have nothing to do with inputs, and a finer sign than accuracy where one class is much the most frequent.
    """

    training: float
    validation: float | None
    linear: float
    samples: int
    wrong: int = 0
    place: float = math.nan
    sure: float = math.nan


def known(
    inputs: list[Tensor], targets: list[Tensor], others: list[Tensor], their_targets: list[Tensor], task: str
) -> Known | None:
    """Fit on training samples, and answer for these and for validation samples.

    Args:
        inputs: batches of them, as the network takes them: floats or bytes, or whole numbers of tokens (int32, int64), which are counted without their order.
        targets: batches of classes, or of values (samples, outputs).
        others: validation inputs; empty for none.
        their_targets: of these.
        task: ``classes`` or ``values``.

    Returns:
        None where there are fewer than 50 samples, or nothing in them differs, or all are of one class.
    """
    if task not in ("classes", "values") or sum(map(len, targets)) < FEWEST:
        return None
    x, v = _features(inputs, others)
    y = torch.cat(targets)[:SAMPLES].cpu()
    w = torch.cat(their_targets)[:SAMPLES].cpu() if their_targets else y[:0]
    if w.shape[1:] != y.shape[1:]:  # such as another horizon: nothing to be compared with
        v, w = v[:0], y[:0]
    if task == "classes":
        kinds, y = torch.unique(y, return_inverse=True)
        place = torch.searchsorted(kinds, w).clamp_max(len(kinds) - 1)
        w = torch.where(kinds[place] == w, place, NEW)
        wanted = torch.nn.functional.one_hot(y).double()
    else:
        y = torch.nan_to_num(y.reshape(len(y), -1).double(), 0.0, 0.0, 0.0)
        w = torch.nan_to_num(w.reshape(len(w), y.shape[1]).double(), 0.0, 0.0, 0.0)
        # What never changes here and does so there, such as a pixel that is rarely inked, would be infinitely far off.
        spread = y.std(0, correction=0)
        changes = spread > max(1e-9 * float(spread.max()), 1e-12)
        y, w = y[:, changes], w[:, changes]
        if not y.shape[1]:
            return None
        wanted = (y - y.mean(0)) / y.std(0, correction=0).clamp_min(1e-12)
    answers = _best(x, v, wanted) if wanted.shape[1] > 1 or task == "values" else None
    if answers is None:
        return None
    own, theirs = answers
    straight = _linear(x, wanted)
    if task == "classes":
        said, labels = torch.cat([own, theirs]), torch.cat([y, w])
        old = labels != NEW
        own_class = said[old].gather(1, labels[old, None])
        above = own_class - said.mean(0)[labels[old], None]
        right = said.argmax(1) == labels
        wrong = ~right[old]
        higher = (said[old] > own_class).sum(1)[wrong] - 1  # answers above that of the label, but for the first
        places = higher.double() / (said.shape[1] - 2) if said.shape[1] > 2 else higher[:0].double()
        return Known(
            float(right[: len(y)].double().mean()),
            float(right[len(y) :].double().mean()) if len(w) else None,
            math.nan if straight is None else float((straight.argmax(1) == y).double().mean()),
            len(x),
            int((~right).sum()),
            float(places.mean()),
            float(above.mean() / (above.std() / math.sqrt(len(above))).clamp_min(1e-12)),
        )
    said = (w - y.mean(0)) / y.std(0, correction=0).clamp_min(1e-12)
    return Known(
        _r2(own, wanted),
        _r2(theirs, said) if len(w) else None,
        math.nan if straight is None else _r2(straight, wanted),
        len(x),
    )


def _linear(x: Tensor, wanted: Tensor) -> Tensor | None:
    """The answers for training samples, each by the others, of ridge regression: the kernel a·b, in which a straight line is all that can be learned."""
    a, _ = _scaled(x, x, False)
    kernel = (a @ a.T).double() / max(a.shape[1], 1) + 1  # the one is for the constant
    found = [fitted for ridge in RIDGES if (fitted := _solved(kernel, ridge, wanted))]
    return min(found, key=lambda each: each[0])[2] if found else None


def _solved(kernel: Tensor, ridge: float, wanted: Tensor) -> tuple[float, Tensor, Tensor] | None:
    """Mean squared error of training samples, each by the others; the weights of the kernel; those answers. None where the kernel cannot be inverted."""
    mean = wanted.mean(0)
    within = kernel.clone()
    within.diagonal().add_(ridge)
    factor, failed = torch.linalg.cholesky_ex(within)
    if failed:
        return None
    weights = torch.cholesky_solve(wanted - mean, factor)
    # Of the inverse, L⁻ᵀ L⁻¹, its diagonal is enough.
    half = torch.linalg.solve_triangular(factor, torch.eye(len(factor), dtype=factor.dtype), upper=False)
    off = weights / half.square().sum(0)[:, None]
    return float(off.square().mean()), weights, wanted - off


def _best(x: Tensor, v: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor] | None:
    """The answers for training samples, each by the others, and for validation samples, of the kernel whose first ones are best."""
    least, best = math.inf, None
    for standardised in (False, True):
        a, b = _scaled(x, v, standardised)
        squared = torch.cdist(a, a).square()
        usual = float(squared[~torch.eye(len(a), dtype=torch.bool)].median())
        for _, width, ridge in (each for each in KERNELS if each[0] == standardised and usual > 0):
            solved = _solved(torch.exp(squared.double() / (-2 * width * usual)), ridge, wanted)
            if solved is not None and solved[0] < least:
                (least, weights, own), scale = solved, -2 * width * usual
                best = a, b, scale, weights, own
    if best is None:
        return None
    a, b, scale, weights, own = best
    return own, torch.exp(torch.cdist(b, a).square().double() / scale) @ weights + wanted.mean(0)


def _features(inputs: list[Tensor], others: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(samples, features) of both parts in float32; inputs of different lengths are cut to the shortest, tokens counted."""
    rows = [[x.reshape(len(x), -1) for x in part] for part in (inputs, others)]
    shortest = min((row.shape[1] for part in rows for row in part), default=0)
    x, v = (
        torch.cat([row[:, :shortest] for row in part])[:SAMPLES].cpu() if part else torch.zeros(0, shortest)
        for part in rows
    )
    if x.dtype not in (torch.int32, torch.int64):  # bytes are pixels
        return torch.nan_to_num(x.float(), 0.0, 0.0, 0.0), torch.nan_to_num(v.float(), 0.0, 0.0, 0.0)
    kinds, counts = torch.unique(x, return_counts=True)
    kept = kinds[counts.topk(min(TOKENS, len(counts))).indices].sort().values
    return _counted(x, kept), _counted(v.long(), kept)


def _counted(tokens: Tensor, kinds: Tensor) -> Tensor:
    """How often each of some kinds of tokens, in ascending order, stands in each row."""
    place = torch.searchsorted(kinds, tokens.contiguous()).clamp_max(len(kinds) - 1)
    found = torch.zeros(len(tokens), len(kinds))
    return found.scatter_add_(1, place, (kinds[place] == tokens).float())


def _scaled(x: Tensor, v: Tensor, standardised: bool) -> tuple[Tensor, Tensor]:
    """Both parts by the mean and spread of the first: of each column, without those that never change, or of all together."""
    mean, std = x.mean(0), x.std(0, correction=0)
    if not standardised:
        return (x - mean) / x.std(correction=0).clamp_min(TINY), (v - mean) / x.std(correction=0).clamp_min(TINY)
    alive = std > TINY
    return ((x - mean) / std)[:, alive], ((v - mean) / std)[:, alive]


def _r2(said: Tensor, wanted: Tensor) -> float:
    """1 − squared error over the variance of what was wanted."""
    return 1 - float((said - wanted).square().sum()) / max(float((wanted - wanted.mean(0)).square().sum()), 1e-12)
