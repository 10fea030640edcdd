"""Inputs as points of a plane, near where the network takes them for alike (requirement V4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.explain.hidden import hidden
from glassnet.explain.subject import Array, Inputs, subject
from glassnet.model import Model

NEAREST = 5


@dataclass(frozen=True)
class Embedding:
    """Points of a plane.

    Attributes:
        method: ``PCA`` or ``t-SNE``.
        points: (samples, 2).
        labels: class of each sample (samples,); empty where not known.
        classes: names of the classes.
        kept: PCA: share of the variance that the two axes hold; NaN for t-SNE.
        trust: trustworthiness, 0 to 1: whether neighbours in the plane are neighbours in the last hidden layer (Venna and Kaski 2001).
        agreement: share of the five nearest neighbours in the last hidden layer that have a sample's own class; NaN without labels.
        agreement_inputs: the same among the inputs as the network reads them.
    """

    method: str
    points: Array
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    kept: float
    trust: float
    agreement: float
    agreement_inputs: float


def embed(
    model: Model | nn.Module,
    inputs: Inputs,
    labels: object = None,
    *,
    method: Literal["pca", "tsne"] = "pca",
    limit: int = 1000,
    seed: int = 0,
) -> Embedding:
    """The last hidden layer in two dimensions.

    Args:
        model: a model of Glassnet or any module.
        inputs: at least 12 samples, of which the first ``limit`` are drawn.
        labels: class index of each.
        method: ``pca`` (exact, linear) or ``tsne`` (van der Maaten and Hinton 2008; keeps neighbours, its distances mean little).
        limit: samples.
        seed: of t-SNE.

    Raises:
        UsageError: another method, or too few samples.
    """
    if method not in ("pca", "tsne"):
        raise UsageError("no such embedding", got=method, expected="pca or tsne")
    about = subject(model, inputs, limit)
    if len(about.x) < 12:
        raise UsageError("an embedding needs more samples", got=len(about.x), expected="at least 12")
    from sklearn.manifold import TSNE, trustworthiness

    known = hidden(about).double().cpu().numpy()
    centred = known - known.mean(0)
    if method == "pca":
        left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
        points = np.zeros((len(known), 2))
        points[:, : len(sizes[:2])] = left[:, :2] * sizes[:2]
        kept = float((sizes[:2] ** 2).sum() / max((sizes**2).sum(), 1e-300))
    else:
        perplexity = min(30.0, (len(known) - 1) / 4)
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(centred.astype(np.float32))
        kept = float("nan")
    given = np.zeros(0, dtype=np.int64) if labels is None else np.asarray(labels, dtype=np.int64)[: len(known)]
    return Embedding(
        "PCA" if method == "pca" else "t-SNE",
        points.astype(np.float32),
        given,
        about.classes,
        kept,
        float(trustworthiness(known, points, n_neighbors=NEAREST)),
        _agreement(torch.from_numpy(known), given),
        _agreement(about.x.flatten(1).float().cpu(), given),
    )


def _agreement(at: Tensor, labels: NDArray[np.int64]) -> float:
    if not len(labels):
        return float("nan")
    distance = torch.cdist(at, at).fill_diagonal_(torch.inf)
    near = distance.topk(NEAREST, largest=False).indices.numpy()
    return float((labels[near] == labels[:, None]).mean())
