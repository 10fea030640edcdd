"""Keras 3 with ``fit``, on the backend that the environment names; every setting is Keras's default."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from benchmarks.speed.contenders import Contender, NotWrittenError
from benchmarks.speed.contenders.timed import now
from benchmarks.speed.rows import CLASSES, Row


class Clock(keras.callbacks.Callback):
    """Ends a fit after some seconds, counted from the end of its first step, which may compile."""

    def __init__(self, seconds: float, batch: int) -> None:
        super().__init__()
        self.seconds, self.batch = seconds, batch
        self.begin = now()
        self.steps, self.spent = -1, 0.0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Count, and stop when it is time."""
        self.steps += 1
        if self.steps == 0:
            self.begin = now()
        self.spent = now() - self.begin
        if self.steps > 0 and self.spent >= self.seconds:
            self.model.stop_training = True


def start(row: Row) -> Contender:
    """The training of a row."""
    inputs, targets = row.floats()
    inputs = np.ascontiguousarray(np.moveaxis(inputs, 1, -1))  # channels last, as Keras takes them
    model = _net(row)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def advance(seconds: float) -> tuple[int, float]:
        clock = Clock(seconds, row.batch)
        model.fit(inputs, targets, batch_size=row.batch, epochs=1_000_000, verbose=0, callbacks=[clock])
        return clock.steps * row.batch, clock.spent

    return Contender(advance, note=f"Keras {keras.__version__} on {keras.backend.backend()}")


def _net(row: Row) -> keras.Model:
    shape = (*row.shape[1:], row.shape[0])
    inputs = keras.Input(shape)
    name = row.name
    if name.startswith("mlp"):
        x = layers.Flatten()(inputs)
        for units in (256, 128):
            x = layers.Dense(units, "relu")(x)
    elif name == "3072-50-10":
        x = layers.Dense(50, "relu")(layers.Flatten()(inputs))
    elif name.startswith("lenet5"):
        x = layers.MaxPooling2D()(layers.Conv2D(6, 5, activation="relu", padding="same")(inputs))
        x = layers.MaxPooling2D()(layers.Conv2D(16, 5, activation="relu")(x))
        x = layers.Dense(84, "relu")(layers.Dense(120, "relu")(layers.Flatten()(x)))
    elif name == "vgg-like":
        x = inputs
        for width in (32, 64, 128):
            for _ in range(2):
                x = layers.Conv2D(width, 3, activation="relu", padding="same")(x)
            x = layers.MaxPooling2D()(x)
        x = layers.Dense(128, "relu")(layers.Flatten()(x))
    elif name == "resnet20":
        x = _resnet(inputs, ((16, 1), (16, 1), (16, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1)), False)
    elif name == "resnet18":
        x = _resnet(
            inputs, ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)), convolve=True
        )
    elif name == "alexnet":
        x = _alexnet(inputs)
    elif name.startswith("lstm"):
        x = layers.LSTM(128)(inputs)
    else:
        raise NotWrittenError(f"{name} was not written in Keras for this comparison")
    return keras.Model(inputs, layers.Dense(CLASSES)(x))


def _resnet(inputs: object, blocks: tuple[tuple[int, int], ...], convolve: bool) -> object:
    def normed(x: object, width: int, size: int, stride: int) -> object:
        return layers.BatchNormalization()(layers.Conv2D(width, size, stride, padding="same", use_bias=False)(x))

    x = layers.ReLU()(normed(inputs, blocks[0][0], 3, 1))
    below = blocks[0][0]
    for width, stride in blocks:
        inner = normed(layers.ReLU()(normed(x, width, 3, stride)), width, 3, 1)
        if stride != 1 or below != width:
            if convolve:
                x = normed(x, width, 1, stride)
            else:  # option A: every second pixel, and channels of zeros
                x = x[:, ::stride, ::stride]
                x = layers.Concatenate()([x, keras.ops.zeros_like(x)])
        x = layers.ReLU()(layers.Add()([inner, x]))
        below = width
    return layers.GlobalAveragePooling2D()(x)


def _alexnet(inputs: object) -> object:
    x = layers.MaxPooling2D(3, 2)(layers.Conv2D(96, 11, 4, activation="relu", padding="same")(inputs))
    x = layers.Conv2D(256, 5, groups=2, activation="relu", padding="same")(x)
    x = layers.MaxPooling2D(3, 2)(x)
    x = layers.Conv2D(384, 3, activation="relu", padding="same")(x)
    x = layers.Conv2D(384, 3, groups=2, activation="relu", padding="same")(x)
    x = layers.MaxPooling2D(3, 2)(layers.Conv2D(256, 3, groups=2, activation="relu", padding="same")(x))
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dropout(0.5)(layers.Dense(4096, "relu")(x))
    return x
