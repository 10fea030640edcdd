"""Losses of classification (requirements O1, O2), each the mean over the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.indices import whole_numbers
from glassnet.gates.softmax import log_softmax
from glassnet.gates.squashing import sigmoid


def one_hot(indices: Array, shape: tuple[int, ...]) -> Array:
    """Rows with a 1 at the class and zeros elsewhere.

    Args:
        indices: classes (batch, *places), whole numbers.
        shape: of the result, (batch, classes, *places).

    Raises:
        ValueError: a class that is none, or shapes that do not fit.
    """
    if indices.shape != (shape[0], *shape[2:]):
        raise ValueError(f"targets of shape {(shape[0], *shape[2:])}, or {shape} as probabilities")
    rows = np.zeros(shape)
    np.put_along_axis(rows, whole_numbers(indices, shape[1])[:, None], 1.0, 1)
    return rows


@dataclass(eq=False)
class CrossEntropy(Gate):
    """l = −1/n · Σ t · ln p, p = softmax(s): softmax and cross-entropy as one gate, whose gradient is (p − t)/n.

    s (batch, classes, *places); t class indices (batch, *places), or probabilities in the shape of s → one number.

    Attributes:
        label_smoothing: ε; t becomes (1 − ε)·t + ε/classes (Szegedy et al. 2016, section 7).
    """

    label_smoothing: float = 0.0

    name = "cross-entropy"
    formula = "l = −1/n · Σ t · ln softmax(s)"
    by_index = False

    @property
    def chain(self) -> tuple[str, str]:
        """Targets have a gradient where they are probabilities."""
        return "ds = (softmax(s) − t) / n · dl", "" if self.by_index else "dt = −ln softmax(s) / n · dl"

    def forward(self, s: Array, t: Array) -> Array:
        """The mean over batch and places."""
        self.by_index = t.shape != s.shape
        wanted = one_hot(t, s.shape) if self.by_index else t
        self.t = (1 - self.label_smoothing) * wanted + self.label_smoothing / s.shape[1]
        self.log_p = log_softmax(s, 1)
        self.n = s.size / s.shape[1]
        return np.asarray(-(self.t * self.log_p).sum() / self.n)

    def backward(self, upstream: Array) -> Gradients:
        """(p · Σ t − t)/n; a row of t sums to 1, except where someone gave other numbers."""
        ds = (np.exp(self.log_p) * self.t.sum(1, keepdims=True) - self.t) / self.n
        dt = -(1 - self.label_smoothing) * self.log_p / self.n
        return ds * upstream, None if self.by_index else dt * upstream


@dataclass(eq=False)
class NegativeLogLikelihood(Gate):
    """l = −Σ v_t · q_t / Σ v_t, q_t the logarithm of the probability of the right class and v_t that class's weight.

    q (batch, classes, *places), t class indices (batch, *places), v (classes,) or left out for 1 each.

    Attributes:
        reduction: "mean" as above, "sum" without the division, "none" for each example and place.
        ignore: a class index whose examples do not count; it may be outside the classes.
    """

    reduction: Literal["mean", "sum", "none"] = "mean"
    ignore: int | None = None

    name = "nll"
    formula = "l = −Σ v · q at class t / Σ v"
    chain = ("dq = −v / Σ v · dl at class t, else 0", "", "")

    def forward(self, q: Array, t: Array, v: Array | None = None) -> Array:
        """The weighted mean, sum or single losses."""
        counts = np.ones(t.shape) if self.ignore is None else np.where(t == self.ignore, 0.0, 1.0)
        classes = np.where(counts == 0, 0, t)
        weights = counts if v is None else counts * v[whole_numbers(classes, q.shape[1])]
        self.picked = one_hot(classes, q.shape) * weights[:, None]  # weight at the right class, else 0
        self.total = weights.sum() if self.reduction == "mean" else 1.0
        single = -(self.picked * q).sum(1)  # (batch, *places)
        return np.asarray(single if self.reduction == "none" else single.sum() / self.total)

    def backward(self, upstream: Array) -> Gradients:
        """Minus the weight at the right class."""
        dl = upstream[:, None] if self.reduction == "none" else upstream
        return -self.picked / self.total * dl, None, None


class BinaryCrossEntropy(Gate):
    """l = 1/n · Σ ln(1 + e^s) − t·s, the logistic loss of one logit, whose gradient is (σ(s) − t)/n.

    s (batch,) or (batch, 1), t 0 or 1, or between, of as many numbers → one number.
    """

    name = "binary-cross-entropy"
    formula = "l = 1/n · Σ (ln(1 + e^s) − t · s)"
    chain = ("ds = (σ(s) − t) / n · dl", "dt = −s / n · dl")

    def forward(self, s: Array, t: Array) -> Array:
        """The mean."""
        self.s, self.t, self.shape = s, t.reshape(s.shape), t.shape
        return np.asarray((np.logaddexp(0, s) - self.t * s).mean())

    def backward(self, upstream: Array) -> Gradients:
        """(σ(s) − t)/n and −s/n."""
        ds = (sigmoid(self.s) - self.t) / self.s.size
        return ds * upstream, (-self.s / self.s.size * upstream).reshape(self.shape)


@dataclass(eq=False)
class Hinge(Gate):
    """l = 1/n · Σ over the batch of Σ_{j≠y} max(0, s_j − s_y + margin), the multiclass support-vector loss.

    s (batch, classes), t class indices (batch,) → one number.

    Source: Weston, Watkins, "Support Vector Machines for Multi-Class Pattern Recognition", 1999.

    Attributes:
        margin: by which the right class shall lead.
    """

    margin: float = 1.0

    name = "hinge"
    formula = "l = 1/n · Σ max(0, s_j − s_t + margin) over j ≠ t"
    chain = ("ds = dl / n at each class j that misses the margin, −(their number) · dl / n at class t", "")

    def forward(self, s: Array, t: Array) -> Array:
        """The mean over the batch."""
        right = one_hot(t, s.shape)
        lead = s - (s * right).sum(1, keepdims=True) + self.margin
        lead = np.where(right == 1, 0.0, np.maximum(lead, 0))
        missed = np.where(lead > 0, 1.0, 0.0)
        self.slope = (missed - right * missed.sum(1, keepdims=True)) / len(s)
        return np.asarray(lead.sum() / len(s))

    def backward(self, upstream: Array) -> Gradients:
        """1/n for each class that comes too near, minus their number for the right one."""
        return self.slope * upstream, None
