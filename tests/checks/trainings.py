"""Small trainings on which every check takes a fraction of a second: a dense net, a convolutional one with batch norm, an LSTM, and one for values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from glassnet.checks import Subject
from glassnet.training import Plan
from glassnet.training.evaluate import accuracy, explained
from glassnet.training.losses import make_loss


@dataclass
class Fixed:
    """Batches of given tensors, shuffled anew in every epoch as a pure function of the epoch."""

    inputs: Tensor
    targets: Tensor
    batch_size: int = 32

    def __post_init__(self) -> None:
        self.samples = len(self.inputs)
        self.steps_per_epoch = -(-self.samples // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(self.samples, generator=torch.Generator().manual_seed(epoch))
        for index in order.split(self.batch_size)[start:]:
            yield self.inputs[index], self.targets[index]


class Recurrent(nn.Module):
    """An LSTM of one's own: (batch, time, features) to logits from the last state."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        _, (h, _) = self.lstm(x)
        return self.head(h[-1])  # type: ignore[no-any-return]


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 3))


def conv() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(12 * 16, 3),
    )  # fmt: skip


def values_net() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1))


def classes_in(shape: tuple[int, ...], samples: int = 360) -> tuple[Tensor, Tensor]:
    """Three classes, each with a mean input of its own."""
    generator = torch.Generator().manual_seed(5)
    targets = torch.arange(samples) % 3
    centres = torch.randn(3, *shape, generator=generator)
    return centres[targets] + torch.randn(samples, *shape, generator=generator), targets


def values_in(samples: int = 360) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(6)
    inputs = torch.randn(samples, 6, generator=generator)
    targets = inputs[:, :1] - inputs[:, 1:2] * 0.5 + 0.1 * torch.randn(samples, 1, generator=generator)
    return inputs, (targets - targets.mean()) / targets.std()


def sgd(lr: float = 0.05) -> Callable[[nn.Module], torch.optim.Optimizer]:
    return lambda net: torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=lr, momentum=0.9)


NETS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (mlp, (6,)),
    "conv": (conv, (1, 8, 8)),
    "lstm": (Recurrent, (12, 3)),
}
PLAN = Plan(loss=make_loss("cross-entropy"), optimizer=sgd(), epochs=8, figures=accuracy, record_every=1)
VALUES_PLAN = replace(PLAN, loss=make_loss("squared"), figures=explained)


def subject(name: str, **changes: object) -> Subject:
    """A healthy training with one of the nets, or with some parts exchanged."""
    torch.manual_seed(2)
    if name == "values":
        inputs, targets = values_in()
        made, plan = values_net(), VALUES_PLAN
    else:
        make, shape = NETS[name]
        inputs, targets = classes_in(shape)
        made, plan = make(), PLAN
    whole = Subject(made, Fixed(inputs[:300], targets[:300]), plan, Fixed(inputs[300:], targets[300:]))
    return replace(whole, **changes)  # type: ignore[arg-type]
