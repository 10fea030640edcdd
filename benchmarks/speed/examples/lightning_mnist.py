"""The net and the training of PyTorch's MNIST example as Lightning's own examples have it, on images in IDX files: DATA SEED OUT; prints the test accuracy."""

from __future__ import annotations

import logging
import sys
import warnings
from pathlib import Path

import lightning
import torch
import torch.nn.functional as F
from idx import part
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(lightning.LightningModule):
    """Two convolutions, and Adadelta whose rate falls by three tenths an epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)),
            *(nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
        )
        self.right = 0

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _: int) -> torch.Tensor:
        """The loss of a batch."""
        return F.cross_entropy(self.net(batch[0]), batch[1])

    def test_step(self, batch: tuple[torch.Tensor, torch.Tensor], number: int) -> None:
        """Count right answers."""
        self.right += int((self.net(batch[0]).argmax(1) == batch[1]).sum())

    def configure_optimizers(self) -> tuple[list[torch.optim.Optimizer], list[torch.optim.lr_scheduler.LRScheduler]]:
        """As in the example."""
        optimizer = torch.optim.Adadelta(self.parameters(), lr=1.0)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.7)]


def tensors(folder: Path, name: str) -> TensorDataset:
    """Standardised images and their classes."""
    images, labels = (torch.from_numpy(array) for array in part(folder, name))
    return TensorDataset((images.unsqueeze(1) - 0.1307) / 0.3081, labels)


folder, seed, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
lightning.seed_everything(seed, verbose=False)
net = Classifier()
quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
trainer = lightning.Trainer(max_epochs=14, accelerator="cpu", **quiet)
trainer.fit(net, DataLoader(tensors(folder, "train"), batch_size=64, shuffle=True))
trainer.save_checkpoint(out / "mnist.ckpt")
test = tensors(folder, "t10k")
trainer.test(net, DataLoader(test, batch_size=1000), verbose=False)
print(net.right / len(test))
