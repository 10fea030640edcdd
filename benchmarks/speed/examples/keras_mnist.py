"""Keras's own small convolutional net for MNIST (15 epochs of Adam), on images in IDX files: DATA SEED OUT; prints the test accuracy."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
from idx import part
from keras import layers

folder, seed, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
keras.utils.set_random_seed(seed)
net = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]
)
net.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
x, y = part(folder, "train")
net.fit(x[..., None], y, batch_size=128, epochs=15, validation_split=0.1, verbose=0)
net.save(out / "mnist.keras")
x, y = part(folder, "t10k")
print(net.evaluate(x[..., None], y, verbose=0)[1])
