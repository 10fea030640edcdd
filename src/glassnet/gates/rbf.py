"""LeNet-5's output units, which measure the distance to a code, and the loss made for them (requirement L14)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glassnet.gates.classification_losses import one_hot
from glassnet.gates.gate import Array, Gate, Gradients
from glassnet.gates.softmax import log_softmax


class RBF(Gate):
    """s_i = −Σ_j (x_j − w_ij)²: minus the squared distance to each code; the paper's penalty is y = −s.

    x (batch, features), w (codes, features) → (batch, codes). As ``glassnet.layers.RBF``.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, equation 7.
    """

    name = "rbf"
    formula = "s = −Σ (x − w)²"
    chain = ("dx = −2 · Σ (x − w) · ds over the codes", "dw = 2 · Σ (x − w) · ds over the batch")

    def forward(self, x: Array, w: Array) -> Array:
        """Minus the squared distances."""
        self.difference = x[:, None, :] - w  # (batch, codes, features)
        return np.asarray(-(self.difference**2).sum(2))

    def backward(self, upstream: Array) -> Gradients:
        """Towards each code, by as much as its score shall rise."""
        pull = 2 * self.difference * upstream[:, :, None]
        return -pull.sum(1), pull.sum(0)


@dataclass(eq=False)
class MapCriterion(Gate):
    """l = 1/n · Σ over the batch of y_t + ln(e^−j + Σ_i e^−y_i), y = −s: cross-entropy with one more class of the constant score −j.

    s (batch, classes), t class indices (batch,) → one number. As ``glassnet.layers.map_criterion``.

    Source: LeCun, Bottou, Bengio, Haffner, 1998, equation 9 ("maximum a posteriori").

    Attributes:
        j: a penalty beyond which a wrong class is left alone.
    """

    j: float

    name = "map-criterion"
    formula = "l = 1/n · Σ (−s at class t + ln(e^−j + Σ e^s))"
    chain = ("ds = (e^s / (e^−j + Σ e^s) − 1 at class t) / n · dl", "")

    def forward(self, s: Array, t: Array) -> Array:
        """The mean over the batch."""
        right = one_hot(t, s.shape)
        rubbish = np.full((len(s), 1), -self.j)
        log_p = log_softmax(np.concatenate([s, rubbish], 1), 1)[:, :-1]
        self.slope = (np.exp(log_p) - right) / len(s)
        return np.asarray(-(right * log_p).sum() / len(s))

    def backward(self, upstream: Array) -> Gradients:
        """Probability minus target, as for cross-entropy, without the further class."""
        return self.slope * upstream, None
