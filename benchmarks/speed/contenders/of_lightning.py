"""Lightning: the naive loop's net and loader under its Trainer."""

from __future__ import annotations

import logging
import warnings

import lightning
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.speed.contenders import Contender
from benchmarks.speed.contenders.naive_pytorch import first
from benchmarks.speed.contenders.timed import now
from benchmarks.speed.rows import Row


class Wrapped(lightning.LightningModule):
    """A net with cross-entropy and Adam."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        self.net = row.by_hand()

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """The loss of a batch."""
        return F.cross_entropy(first(self.net(batch[0])), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.parameters())


class Clock(lightning.Callback):
    """Ends a fit after some seconds, counted from its first step."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begin: float | None = None
        self.samples, self.spent = 0, 0.0

    def on_train_batch_start(self, *_: object) -> None:
        """Begin to count."""
        self.begin = self.begin or now()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, module: object, outputs: object, batch: tuple[torch.Tensor, ...], _: int
    ) -> None:
        """Count, and stop when it is time."""
        assert self.begin is not None
        self.samples += len(batch[1])
        self.spent = now() - self.begin
        trainer.should_stop = self.spent >= self.seconds


def start(row: Row) -> Contender:
    """The training of a row."""
    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    inputs, targets = row.floats()
    loader = DataLoader(
        TensorDataset(torch.from_numpy(inputs), torch.from_numpy(targets)), batch_size=row.batch, shuffle=True
    )
    module = Wrapped(row)

    def advance(seconds: float) -> tuple[int, float]:
        clock = Clock(seconds)
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=-1,
            min_steps=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[clock],
        )
        trainer.fit(module, loader)
        return clock.samples, clock.spent

    return Contender(advance)
