"""JAX by hand: one jitted step, Adam written out, batches gathered from an array on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed.contenders import Contender, NotWrittenError
from benchmarks.speed.contenders.timed import in_turns
from benchmarks.speed.rows import CLASSES, Row

Weights = list[jax.Array]
DENSE = {"mlp-32": (784, 256, 128), "mlp-128": (784, 256, 128), "3072-50-10": (3072, 50)}


def start(row: Row) -> Contender:
    """The training of a row."""
    weights, forward = _net(row)
    return Contender(in_turns(_steps(row, weights, forward)), note=f"jax {jax.__version__}")


def _steps(row: Row, weights: Weights, forward: Callable[[Weights, jax.Array], jax.Array]) -> Iterator[int]:
    inputs, targets = row.floats()
    if row.images:
        inputs = np.ascontiguousarray(np.moveaxis(inputs, 1, -1))
    random = np.random.default_rng(0)
    x, y = jnp.asarray(inputs), jnp.asarray(targets)

    def loss(weights: Weights, index: jax.Array) -> jax.Array:
        logits = jax.nn.log_softmax(forward(weights, x[index]))
        return -jnp.take_along_axis(logits, y[index][:, None], 1).mean()

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(w: Weights, m: Weights, v: Weights, t: jax.Array, index: jax.Array) -> tuple[Any, ...]:
        value, g = jax.value_and_grad(loss)(w, index)
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g, strict=True)]
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = [a - rate * b / (jnp.sqrt(c) + 1e-8) for a, b, c in zip(w, m, v, strict=True)]
        return value, w, m, v

    m, v, t = [jnp.zeros_like(a) for a in weights], [jnp.zeros_like(a) for a in weights], 0
    while True:
        order = random.permutation(len(inputs))
        for start_at in range(0, len(order) - row.batch + 1, row.batch):
            t += 1
            value, weights, m, v = step(weights, m, v, jnp.float32(t), order[start_at : start_at + row.batch])
            value.block_until_ready()
            yield row.batch


def _net(row: Row) -> tuple[Weights, Callable[[Weights, jax.Array], jax.Array]]:
    random = np.random.default_rng(0)

    def drawn(*shape: int) -> list[jax.Array]:
        weight = random.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        return [jnp.asarray(weight, jnp.float32), jnp.zeros(shape[-1], jnp.float32)]

    if row.name in DENSE:
        sizes = (*DENSE[row.name], CLASSES)
        return [part for pair in pairwise(sizes) for part in drawn(*pair)], _dense
    if row.name.startswith("lenet5"):
        weights = drawn(5, 5, 1, 6) + drawn(5, 5, 6, 16) + drawn(400, 120) + drawn(120, 84) + drawn(84, CLASSES)
        return weights, _lenet5
    if row.name == "vgg-like":
        widths = (3, 32, 32, 64, 64, 128, 128)
        weights = [part for pair in pairwise(widths) for part in drawn(3, 3, *pair)]
        return weights + drawn(2048, 128) + drawn(128, CLASSES), _vgg_like
    if row.name.startswith("lstm"):
        return drawn(64 + 128, 512) + drawn(128, CLASSES), _lstm
    raise NotWrittenError(f"{row.name} was not written in JAX for this comparison")


def _dense(w: Weights, x: jax.Array) -> jax.Array:
    x = x.reshape(len(x), -1)
    for place in range(0, len(w) - 2, 2):
        x = jax.nn.relu(x @ w[place] + w[place + 1])
    return x @ w[-2] + w[-1]


def _conv(x: jax.Array, w: jax.Array, b: jax.Array, padding: str) -> jax.Array:
    made = jax.lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.relu(made + b)


def _pool(x: jax.Array) -> jax.Array:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def _lenet5(w: Weights, x: jax.Array) -> jax.Array:
    x = _pool(_conv(_pool(_conv(x, w[0], w[1], "SAME")), w[2], w[3], "VALID"))
    return _dense(w[4:], x)


def _vgg_like(w: Weights, x: jax.Array) -> jax.Array:
    for place in range(0, 12, 4):
        x = _conv(_conv(x, w[place], w[place + 1], "SAME"), w[place + 2], w[place + 3], "SAME")
        x = _pool(x)
    return _dense(w[12:], x)


def _lstm(w: Weights, x: jax.Array) -> jax.Array:
    steps = x.transpose(2, 0, 1)  # (batch, features, time) to (time, batch, features)

    def cell(carried: tuple[jax.Array, jax.Array], seen: jax.Array) -> tuple[tuple[jax.Array, jax.Array], None]:
        h, c = carried
        i, f, g, o = jnp.split(jnp.concatenate([seen, h], 1) @ w[0] + w[1], 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    nothing = jnp.zeros((len(x), 128), x.dtype)
    (h, _), _ = jax.lax.scan(cell, (nothing, nothing), steps)
    return h @ w[2] + w[3]
