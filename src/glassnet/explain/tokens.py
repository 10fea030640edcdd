"""What each token of a text counts for: slopes and path integrals at the vectors that stand for the tokens, and tokens hidden one at a time.

Written here and not taken from Captum: there a baseline is made of tokens, and a text of nothing but padding is for our networks a text of another
length. Here the vectors themselves go to zero, and all that depends on a text's length stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.errors import UsageError
from glassnet.explain.looking import looking
from glassnet.explain.subject import Subject, Target
from glassnet.layers.token_embedding import PADDING, TokenEmbedding

UNKNOWN = 1  # what a hidden token becomes for a model of ours: a word that is not in its vocabulary
AT_ONCE = 64  # texts with a hidden token that pass at once


class TokenShares(NamedTuple):
    """``values`` (batch, tokens), 0 behind the end of a text; ``chosen`` outputs, their ``scores``, and the outputs ``against`` which they are held."""

    values: Tensor
    chosen: Tensor
    scores: Tensor
    against: Tensor | None = None


def token_path(about: Subject, target: Target, steps: int) -> TokenShares:
    """Integrated gradients from vectors of zeros to the tokens' own: Σ_d e_d · ∫₀¹ ∂ output(a e) / ∂ e_d da.

    Source: Sundararajan, Taly, Yan 2017, equation 1, by Gauss and Legendre's rule. What a vector of two neighbouring tokens gets is halved.

    Raises:
        UsageError: the network has no embedding that gives every token a vector.
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    with looking(about.net), torch.enable_grad():
        outputs, vectors = _passed(about, lambda vector: vector)
        chosen = about.chosen(outputs, target)
        against = _passed(about, torch.zeros_like)[0].gather(1, chosen[:, None])[:, 0]
        total = torch.zeros(about.x.shape, device=about.x.device)
        for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
            slopes = _slopes(about, chosen, partial(torch.mul, (node + 1) / 2))
            total += weight / 2 * sum(_by_token(s * v, about.x) for s, v in zip(slopes, vectors, strict=True))
    scores = outputs.gather(1, chosen[:, None])[:, 0]
    return TokenShares(total, chosen, scores.detach(), against.detach())


def token_slopes(about: Subject, target: Target) -> TokenShares:
    """‖∂ output / ∂ e‖₂ of each token's vector e: how strongly the answer turns with the token.

    Source: Li, Chen, Hovy, Jurafsky, "Visualizing and understanding neural models in NLP", 2016, section 5 (there the mean of the absolute slopes).

    Raises:
        UsageError: the network has no embedding that gives every token a vector.
    """
    with looking(about.net), torch.enable_grad():
        outputs, _ = _passed(about, lambda vector: vector)
        chosen = about.chosen(outputs, target)
        slopes = _slopes(about, chosen, lambda vector: vector)
    total: Tensor = torch.stack([_by_token(slope.norm(dim=2, keepdim=True), about.x) for slope in slopes]).sum(0)
    inside = about.x != PADDING if about.model is not None else torch.ones_like(about.x, dtype=torch.bool)
    return TokenShares(total * inside, chosen, outputs.gather(1, chosen[:, None])[:, 0].detach())


def token_absence(about: Subject, target: Target, hidden: int | None) -> TokenShares:
    """The fall of the output when one token is hidden, for each in turn.

    Source: Zeiler and Fergus 2014, section 4.2, with a token for the window; Li, Monroe, Jurafsky, "Understanding neural networks through
    representation erasure", 2016.

    Args:
        about: texts as whole numbers (batch, tokens).
        target: see :meth:`~glassnet.explain.subject.Subject.chosen`.
        hidden: the number that hides a token; None takes that of an unknown word for a model of ours, else 0.
    """
    hides = hidden if hidden is not None else UNKNOWN if about.model is not None else PADDING
    with looking(about.net), torch.no_grad():
        outputs = about.answer(about.x)
        chosen = about.chosen(outputs, target)
        scores = outputs.gather(1, chosen[:, None])[:, 0]
        values = torch.zeros(about.x.shape, device=about.x.device)
        for row, (tokens, goal) in enumerate(zip(about.x, chosen.tolist(), strict=True)):
            places = _inside(about, tokens)
            for some in torch.split(places, AT_ONCE):
                changed = tokens.repeat(len(some), 1)
                changed[torch.arange(len(some), device=some.device), some] = hides
                values[row, some] = scores[row] - about.answer(changed)[:, goal]
    return TokenShares(values, chosen, scores)


def _inside(about: Subject, tokens: Tensor) -> Tensor:
    """Places of a text's own tokens."""
    if about.model is None:
        return torch.arange(len(tokens), device=tokens.device)
    return (tokens != PADDING).nonzero()[:, 0]


def _passed(about: Subject, change: Callable[[Tensor], Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Outputs where every embedding's vectors (batch, tokens, size) are changed, and these vectors as they came and as they went on."""
    seen: list[Tensor] = []

    def hook(_: nn.Module, __: object, out: object) -> Tensor | None:
        if not isinstance(out, Tensor) or out.ndim != 3 or len(out) != len(about.x):
            return None
        seen.append(change(out.detach()).requires_grad_(True))
        return seen[-1].clone()  # a later operation in place leaves what was kept as it is

    handles = [module.register_forward_hook(hook) for module in _embeddings(about.net)]
    try:
        # cuDNN has no backward pass of recurrent layers in evaluation mode
        with torch.backends.cudnn.flags(enabled=False):
            outputs = about.answer(about.x)
    finally:
        for handle in handles:
            handle.remove()
    if not seen:
        raise UsageError(
            "the network has no embedding that gives every token a vector",
            got=type(about.net).__name__,
            fix="occlusion needs none",
        )
    return outputs, seen


def _slopes(about: Subject, chosen: Tensor, change: Callable[[Tensor], Tensor]) -> list[Tensor]:
    outputs, vectors = _passed(about, change)
    wanted = outputs.gather(1, chosen[:, None]).sum()
    found = torch.autograd.grad(wanted, vectors, allow_unused=True)
    return [torch.zeros_like(v) if slope is None else slope for slope, v in zip(found, vectors, strict=True)]


def _by_token(products: Tensor, x: Tensor) -> Tensor:
    """(batch, places, size) summed over the size and brought to the tokens: a place that stands for two neighbours gives half to each.

    Raises:
        UsageError: an embedding has another number of places than there are tokens or pairs of them.
    """
    summed = products.detach().sum(2)
    if summed.shape == x.shape:
        return summed
    if summed.shape[1] != x.shape[1] - 1:
        raise UsageError(
            "an embedding of this network does not go token by token",
            got=f"{summed.shape[1]} vectors for {x.shape[1]}",
            expected="one for each token, or for each two neighbours",
            fix="occlusion needs no embedding",
        )
    whole = torch.zeros(x.shape, device=x.device, dtype=summed.dtype)
    whole[:, :-1] += summed / 2
    whole[:, 1:] += summed / 2
    return whole


def _embeddings(module: nn.Module) -> Iterator[nn.Module]:
    """The outermost embeddings, each once."""
    done: set[nn.Module] = set()

    def walk(part: nn.Module) -> Iterator[nn.Module]:
        if part in done:
            return
        done.add(part)
        if isinstance(part, TokenEmbedding | nn.Embedding):
            yield part
            return
        for child in part.children():
            yield from walk(child)

    return walk(module)
