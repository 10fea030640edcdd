"""scikit-learn's multilayer perceptron, with its defaults, on images in IDX files: DATA SEED OUT; prints the test accuracy."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from idx import part
from sklearn.neural_network import MLPClassifier

folder, seed, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
x, y = part(folder, "train")
net = MLPClassifier(random_state=seed, early_stopping=True)
net.fit(x.reshape(-1, 784), y)
(out / "model.pickle").write_bytes(pickle.dumps(net))
x, y = part(folder, "t10k")
print(net.score(x.reshape(-1, 784), y))
