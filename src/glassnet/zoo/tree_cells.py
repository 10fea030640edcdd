"""What a node makes of its children: the cells of networks for trees."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from glassnet.errors import ModelError


class TreeCell(nn.Module):
    """The contract of the cells.

    Attributes:
        hidden: numbers of h, with which a node's state begins.
    """

    hidden: int

    def leaf(self, words: Tensor) -> Tensor:
        """Vectors of words (leaves, embed) → states (leaves, state)."""
        raise NotImplementedError

    def inner(self, below: Tensor, children: Tensor) -> Tensor:
        """States of all children, family by family (children, state), and the sizes of the families (nodes,) → (nodes, state)."""
        raise NotImplementedError


class PlainCell(TreeCell):
    """h = tanh(W [h_left ; h_right] + b); a leaf is the vector of its word. Source: Socher et al. 2013, section 4.1."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.both = nn.Linear(2 * hidden, hidden)

    def leaf(self, words: Tensor) -> Tensor:
        """The words' own vectors."""
        return words

    def inner(self, below: Tensor, children: Tensor) -> Tensor:
        """Two children each, (nodes, 2 · hidden) → (nodes, hidden)."""
        return torch.tanh(self.both(in_pairs(below, children).flatten(1)))


class TensorCell(TreeCell):
    """h_k = tanh(zᵀ V_k z + (W z + b)_k) with z = [h_left ; h_right]: every number of one child times every one of both.

    Source: Socher et al. 2013, section 4.3, with a bias. V begins small, so that the cell begins as the plain one.

    Args:
        hidden: d; V has d matrices of 2d × 2d.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.both = nn.Linear(2 * hidden, hidden)
        self.tensor = nn.Parameter(torch.empty(2 * hidden, hidden, 2 * hidden))
        nn.init.uniform_(self.tensor, -1 / (4 * hidden), 1 / (4 * hidden))

    def leaf(self, words: Tensor) -> Tensor:
        """The words' own vectors."""
        return words

    def inner(self, below: Tensor, children: Tensor) -> Tensor:
        """Two children each, (nodes, 2 · hidden) → (nodes, hidden)."""
        z = in_pairs(below, children).flatten(1)
        size = 2 * self.hidden
        products = (z @ self.tensor.reshape(size, -1)).reshape(len(z), self.hidden, size)
        return torch.tanh((products @ z.unsqueeze(2)).squeeze(2) + self.both(z))


class BinaryLSTMCell(TreeCell):
    """The binary Tree-LSTM: a forget gate for each of two children, which see one another. A state is [h ; c].

    With x the vector of a leaf's word (inner nodes have none), and U_· on z = [h_left ; h_right]::

        i, o = σ(W x + U z + b), each with its own      u = tanh(W_u x + U_u z + b_u)
        f_left, f_right = σ(U_f z + b_f), each with its own
        c = i ⊙ u + f_left ⊙ c_left + f_right ⊙ c_right,   h = o ⊙ tanh(c)

    Source: Tai, Socher, Manning 2015, equations 9 to 14 with N = 2. The forget gates' bias begins at 1.

    Args:
        embed: length of a word's vector.
        hidden: numbers of h, and of c.
    """

    def __init__(self, embed: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.word = nn.Linear(embed, 3 * hidden)  # i, o, u
        self.both = nn.Linear(2 * hidden, 5 * hidden)  # i, o, u, f of the left child, f of the right one
        with torch.no_grad():
            self.both.bias[3 * hidden :] = 1.0

    def leaf(self, words: Tensor) -> Tensor:
        """(leaves, embed) → (leaves, 2 · hidden)."""
        i, o, u = self.word(words).chunk(3, dim=1)
        return _state(o, torch.sigmoid(i) * torch.tanh(u))

    def inner(self, below: Tensor, children: Tensor) -> Tensor:
        """Two children each, (nodes, 2, 2 · hidden) → (nodes, 2 · hidden)."""
        pairs = in_pairs(below, children)
        h, c = pairs[:, :, : self.hidden].flatten(1), pairs[:, :, self.hidden :]
        i, o, u, left, right = self.both(h).chunk(5, dim=1)
        kept = torch.sigmoid(left) * c[:, 0] + torch.sigmoid(right) * c[:, 1]
        return _state(o, torch.sigmoid(i) * torch.tanh(u) + kept)


class ChildSumLSTMCell(TreeCell):
    """The child-sum Tree-LSTM, for any number of children in no order. A state is [h ; c].

    With h̃ = Σ_k h_k over the children k, and x the vector of a leaf's word::

        i, o = σ(W x + U h̃ + b), each with its own      u = tanh(W_u x + U_u h̃ + b_u)
        f_k = σ(U_f h_k + b_f)
        c = i ⊙ u + Σ_k f_k ⊙ c_k,   h = o ⊙ tanh(c)

    Source: Tai, Socher, Manning 2015, equations 2 to 8. The forget gate's bias begins at 1.

    Args:
        embed: length of a word's vector.
        hidden: numbers of h, and of c.
    """

    def __init__(self, embed: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.word = nn.Linear(embed, 3 * hidden)  # i, o, u
        self.sum = nn.Linear(hidden, 3 * hidden)  # i, o, u
        self.forget = nn.Linear(hidden, hidden)
        with torch.no_grad():
            self.forget.bias.fill_(1.0)

    def leaf(self, words: Tensor) -> Tensor:
        """(leaves, embed) → (leaves, 2 · hidden)."""
        i, o, u = self.word(words).chunk(3, dim=1)
        return _state(o, torch.sigmoid(i) * torch.tanh(u))

    def inner(self, below: Tensor, children: Tensor) -> Tensor:
        """(children, 2 · hidden) → (nodes, 2 · hidden)."""
        h, c = below[:, : self.hidden], below[:, self.hidden :]
        family = torch.arange(len(children), device=below.device).repeat_interleave(children)
        kept = torch.sigmoid(self.forget(h)) * c
        both = below.new_zeros(len(children), 2 * self.hidden).index_add(0, family, torch.cat([h, kept], dim=1))
        i, o, u = self.sum(both[:, : self.hidden]).chunk(3, dim=1)
        return _state(o, torch.sigmoid(i) * torch.tanh(u) + both[:, self.hidden :])


def _state(o: Tensor, c: Tensor) -> Tensor:
    return torch.cat([torch.sigmoid(o) * torch.tanh(c), c], dim=1)


def in_pairs(below: Tensor, children: Tensor) -> Tensor:
    """States of children (children, state), family by family, as (nodes, 2, state); an only child is the left one, beside zeros.

    Raises:
        ModelError: a node has three children or more.
    """
    if len(below) == 2 * len(children) and bool((children == 2).all()):
        return below.reshape(len(children), 2, -1)
    if bool((children > 2).any()):
        raise ModelError(
            "this net reads trees whose nodes have two children at most",
            got=f"a node with {int(children.max())}",
            fix="take tree-lstm with --set net.form=child-sum, which reads any",
        )
    family = torch.arange(len(children), device=below.device).repeat_interleave(children)
    first = children.cumsum(0) - children
    place = 2 * family + torch.arange(len(below), device=below.device) - first[family]
    return below.new_zeros(2 * len(children), below.shape[1]).index_copy(0, place, below).reshape(len(children), 2, -1)
