"""Output units that measure the distance to a target code."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROWS, COLUMNS = 12, 7
SEED = 84  # of the random codes; they are constants, and the same for every network

# The digits 0 to 9, drawn for this file.
DRAWING = """
..###.. ...#... ..###.. ####### .....#. ####### ...###. ####### ..###.. ..###..
.#...#. ..##... .#...#. .....#. ....##. #...... ..#.... ......# .#...#. .#...#.
#.....# .#.#... #.....# ....#.. ...#.#. #...... .#..... ......# #.....# #.....#
#.....# ...#... ......# ...#... ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....#. ..#.... .#...#. #.###.. #...... .....#. .#...#. #.....#
#.....# ...#... ....#.. ..####. #....#. ##...#. #.###.. ....#.. ..###.. .#...##
#.....# ...#... ...#... .....#. ####### ......# ##...#. ....#.. .#...#. ..###.#
#.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ...#... #.....# ......#
#.....# ...#... #...... #.....# .....#. #.....# #.....# ..#.... #.....# .....#.
.#...#. ...#... #...... .#...#. .....#. .#...#. .#...#. ..#.... .#...#. ....#..
..###.. .#####. ####### ..###.. .....#. ..###.. ..###.. ..#.... ..###.. .###...
"""


class RBF(nn.Module):
    """s_i = −Σ_j (x_j − w_ij)²: minus the squared distance to each code, so that the largest is the answer.

    (batch, features) → (batch, codes), at most 0. The paper's output y_i = −s_i is a penalty: the negative log-likelihood, up to a
    constant, of a Gaussian around the code w_i. Codes of ±1 lie within the range of a squashing function, where it is not saturated.
    The result is in float32 or wider also under autocast, because bfloat16 cannot tell 84.1 from 84.3.

    Source: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998, equation 7 and figure 3.

    Args:
        codes: (codes, features), usually ±1, such as :func:`digit_codes` gives.
        trainable: whether the codes are learned; the paper keeps them fixed.
    """

    codes: Tensor
    start_is_its_own = (
        "its codes are places to reach, not weights"  # what initialisations tell when they leave it alone
    )

    def __init__(self, codes: Tensor, trainable: bool = False) -> None:
        super().__init__()
        if trainable:
            self.codes = nn.Parameter(codes.clone())
        else:
            self.register_buffer("codes", codes.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Compare a batch of features with every code."""
        return -(x.unsqueeze(1) - self.codes).square().sum(-1)  # (batch, 1, features) − (codes, features)

    def count_connections(self, output: Sequence[int]) -> int:
        """Connections as the paper counts them: each unit sees all features and has no bias.

        Args:
            output: (codes,).
        """
        return self.codes.numel()

    def extra_repr(self) -> str:
        """The sizes, for ``print(net)``."""
        codes, features = self.codes.shape
        return f"{features}, {codes}, trainable={isinstance(self.codes, nn.Parameter)}"


def digit_codes(outputs: int = 10) -> Tensor:
    """Codes of 84 numbers, +1 for ink and −1 for paper, of pictures of 12 rows and 7 columns, row by row.

    The first ten are stylised digits in their order. The paper has such pictures for all printable characters and says that codes drawn
    at random would do as well: further outputs get these, the same in every network.

    Args:
        outputs: how many.

    Returns:
        (outputs, 84), float32.
    """
    lines = [line.split() for line in DRAWING.split("\n") if line]
    pictures = ["".join(line[digit] for line in lines) for digit in range(10)]
    digits = torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in picture] for picture in pictures])
    further = max(0, outputs - len(digits))
    random = torch.randint(0, 2, (further, ROWS * COLUMNS), generator=torch.Generator().manual_seed(SEED)) * 2.0 - 1
    return torch.cat([digits, random])[:outputs]


def map_criterion(scores: Tensor, targets: Tensor, j: float) -> Tensor:
    """y_t + log(e^−j + Σ_i e^−y_i) with penalties y = −s, averaged over the batch (equation 9, "maximum a posteriori").

    The second term pushes the penalties of wrong classes up, but hardly those that are already larger than j. That is the cross-entropy
    with one more class, "none of these", whose score is the constant −j; with j → ∞ it is the ordinary cross-entropy.

    Source: LeCun, Bottou, Bengio, Haffner, 1998, section II.C.

    Args:
        scores: (batch, classes), what :class:`RBF` gives.
        targets: class indices (batch,).
        j: the constant, positive; a penalty beyond which a wrong class is left alone. The paper gives no value.

    Returns:
        A single number, not below 0.
    """
    scores = scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores
    rubbish = scores.new_full((len(scores), 1), -j)
    return F.cross_entropy(torch.cat([scores, rubbish], 1), targets)
