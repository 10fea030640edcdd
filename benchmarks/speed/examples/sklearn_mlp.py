"""scikit-learn's multilayer perceptron, with its defaults, on images in IDX files: DATA SEED OUT; prints the test accuracy."""

from __future__ import annotations

import gzip
import pickle
import sys
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier


def read(path: Path) -> np.ndarray:
    """The array of bytes in an IDX file."""
    content = gzip.decompress(path.read_bytes())
    dims = content[3]
    shape = [int(n) for n in np.frombuffer(content, ">u4", dims, 4)]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape)


folder, seed, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
x = read(folder / "train-images-idx3-ubyte.gz").reshape(-1, 784) / 255.0
net = MLPClassifier(random_state=seed, early_stopping=True)
net.fit(x, read(folder / "train-labels-idx1-ubyte.gz"))
(out / "model.pickle").write_bytes(pickle.dumps(net))
x = read(folder / "t10k-images-idx3-ubyte.gz").reshape(-1, 784) / 255.0
print(net.score(x, read(folder / "t10k-labels-idx1-ubyte.gz")))
