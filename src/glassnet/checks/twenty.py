"""Twenty samples that a network must be able to learn by heart."""

from __future__ import annotations

import torch
from torch import Tensor

TWENTY = 20
POOL = 400  # samples they are picked from


def twenty(inputs: Tensor, targets: Tensor, most: int = TWENTY) -> tuple[Tensor, Tensor]:
    """Twenty samples, no two with the same input, the classes in turn.

    Two equal inputs with different targets cannot both be learned, and twenty samples of one class are learned by saying it.

    Args:
        inputs: (samples, ...), to pick from.
        targets: class indices (samples,), or values.
        most: how many.
    """
    flat = inputs.reshape(len(inputs), -1)
    _, group = torch.unique(flat, dim=0, return_inverse=True)
    seen: set[int] = set()
    distinct = [i for i, key in enumerate(group.tolist()) if not (key in seen or seen.add(key))]  # type: ignore[func-returns-value]
    if targets.is_floating_point() or targets.ndim > 1:
        chosen = distinct[:most]
    else:
        by_class: dict[int, list[int]] = {}
        for i in distinct:
            by_class.setdefault(int(targets[i]), []).append(i)
        queues, chosen = list(by_class.values()), []
        turn = 0
        while len(chosen) < min(most, len(distinct)):
            queue = queues[turn % len(queues)]
            if queue:
                chosen.append(queue.pop(0))
            turn += 1
    index = torch.tensor(sorted(chosen), device=inputs.device)
    return inputs[index], targets[index]
