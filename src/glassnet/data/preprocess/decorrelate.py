"""Principal components: rotating inputs to independent axes, and whitening them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from glassnet.data.dataset import Source
from glassnet.data.preprocess.contract import Preprocess
from glassnet.data.preprocess.moments import covariance, mean_and_variance
from glassnet.errors import UsageError

MAX_NUMBERS = 4096


class Decorrelate(Preprocess):
    """``y = W·(x / scale − mean)`` on flattened inputs, with W from the eigenvectors of the training covariance.

    Args:
        name: ``pca`` or ``whiten``.
        scale: 255 for images, 1 for other data.
        mean: (d,).
        matrix: W, (outputs, d).
        input_shape: of one raw input with d numbers.
        output_shape: (outputs,), or the input's shape where W rotates back (ZCA).
    """

    mean: Tensor
    matrix: Tensor

    def __init__(
        self,
        name: str,
        scale: float,
        mean: Tensor,
        matrix: Tensor,
        input_shape: tuple[int, ...],
        output_shape: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.name, self.scale = name, scale
        self.input_shape, self.output_shape = tuple(input_shape), tuple(output_shape)
        self.register_buffer("mean", mean.to(torch.float32))
        self.register_buffer("matrix", matrix.to(torch.float32))

    def forward(self, raw: Tensor) -> Tensor:
        """(batch, *input_shape) to float32 (batch, *output_shape)."""
        flat = raw.to(self.mean.dtype).reshape(raw.shape[0], -1) / self.scale
        return ((flat - self.mean) @ self.matrix.T).reshape(raw.shape[0], *self.output_shape)

    def to_json(self) -> dict[str, Any]:
        """Plain values for :meth:`from_json`."""
        return {
            "form": "decorrelate",
            "name": self.name,
            "scale": self.scale,
            "input_shape": list(self.input_shape),
            "output_shape": list(self.output_shape),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Decorrelate:
        """The module that :meth:`to_json` described, with empty buffers."""
        given, made = tuple(values["input_shape"]), tuple(values["output_shape"])
        d, outputs = math.prod(given), math.prod(made)
        return cls(values["name"], values["scale"], torch.zeros(d), torch.zeros(outputs, d), given, made)


def fit_decorrelate(
    name: str, source: Source, shape: tuple[int, ...], scale: float, *, eps: float = 1e-2, keep_shape: bool = False
) -> Decorrelate:
    """Fit on the training inputs, with the covariance Σ = U·diag(λ)·Uᵀ in float64.

    ``pca`` gives y = Uᵀ(x − μ): uncorrelated, λ falling. ``whiten`` gives y = diag(λ + ε)^(−1/2)·Uᵀ(x − μ), of variance 1 where λ is
    far above ε; with ``keep_shape`` this is rotated back, U·diag(λ + ε)^(−1/2)·Uᵀ(x − μ) (ZCA; Bell and Sejnowski 1997), so that an image
    stays an image. Here ε is ``eps`` times the mean of λ, which makes the result independent of the unit of x. Each eigenvector's sign
    is chosen so that its largest entry is positive.

    Args:
        name: ``pca`` or ``whiten``.
        source: the training inputs.
        shape: of one input.
        scale: what to divide by first.
        eps: see above; larger values amplify noise less.
        keep_shape: see above.

    Raises:
        UsageError: an input has so many numbers that the covariance would not be affordable.
    """
    d = math.prod(shape)
    if d > MAX_NUMBERS:
        raise UsageError(
            f"preprocessing '{name}' needs a {d:,} × {d:,} matrix",
            got=f"inputs of {' × '.join(map(str, shape))}",
            expected=f"at most {MAX_NUMBERS:,} numbers in an input",
            fix="use 'standardise', or smaller images",
        )
    mean = mean_and_variance(source, shape, (0,))[0].reshape(-1)
    values, vectors = torch.linalg.eigh(covariance(source, mean) / scale**2)
    values, vectors = values.flip(0).clamp_min(0.0), vectors.flip(1)
    vectors = vectors * vectors.gather(0, vectors.abs().argmax(0, keepdim=True)).sign()
    if name == "pca":
        return Decorrelate(name, scale, mean / scale, vectors.T, shape, (d,))
    average = values.mean().clamp_min(torch.finfo(torch.float32).tiny)
    matrix = (vectors / (values + eps * average).sqrt()).T
    if keep_shape:
        return Decorrelate(name, scale, mean / scale, vectors @ matrix, shape, shape)
    return Decorrelate(name, scale, mean / scale, matrix, shape, (d,))
