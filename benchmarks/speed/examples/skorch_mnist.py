"""The perceptron of skorch's MNIST example (20 epochs), on images in IDX files: DATA SEED OUT; prints the test accuracy."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from idx import part
from skorch import NeuralNetClassifier
from torch import nn

folder, seed, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
torch.manual_seed(seed)
module = nn.Sequential(nn.Linear(784, 98), nn.ReLU(), nn.Dropout(0.5), nn.Linear(98, 10), nn.Softmax(1))
net = NeuralNetClassifier(module, max_epochs=20, lr=0.1, verbose=0)
x, y = part(folder, "train")
net.fit(x.reshape(-1, 784), y)
net.save_params(f_params=str(out / "mnist.pt"))
x, y = part(folder, "t10k")
print(net.score(x.reshape(-1, 784), y))
