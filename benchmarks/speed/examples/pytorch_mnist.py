"""The net and the training of PyTorch's own MNIST example (14 epochs of Adadelta), on images in IDX files: DATA SEED OUT; prints the test accuracy."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from idx import part
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def tensors(folder: Path, name: str) -> TensorDataset:
    """Standardised images and their classes."""
    images, labels = (torch.from_numpy(array) for array in part(folder, name))
    return TensorDataset((images.unsqueeze(1) - 0.1307) / 0.3081, labels)


folder, seed, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
torch.manual_seed(seed)
net = nn.Sequential(
    *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
    *(nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
)
optimizer = torch.optim.Adadelta(net.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.7)
for _ in range(14):
    net.train()
    for x, y in DataLoader(tensors(folder, "train"), batch_size=64, shuffle=True):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    scheduler.step()
torch.save(net.state_dict(), out / "mnist.pt")
net.eval()
with torch.no_grad():
    right = sum(int((net(x).argmax(1) == y).sum()) for x, y in DataLoader(tensors(folder, "t10k"), batch_size=1000))
print(right / len(tensors(folder, "t10k")))
