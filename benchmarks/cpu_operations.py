"""CPU milliseconds a training step of convolutional networks: Keras's operations against the fused engine's forms.

    python benchmarks/cpu_operations.py [network ...]

The same steps of one model as a Python loop over the compiled step (what `model.fit` does) and inside one `lax.scan`,
each with Keras's operations and with `cpu_operations()`; and four models under `vmap` in one scan, per model. They are
run in turn; printed are the medians, and the ratios to Keras's loop.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import layers

from dialed.engine.fused.cpu_operations import cpu_operations

ROUNDS = 5
STEPS = 8
BATCH = 32
LANES = 4

NETWORKS: dict[str, Callable[[], list[Any]]] = {
    "conv 3x3, 1 to 8": lambda: [keras.Input((28, 28, 1)), layers.Conv2D(8, 3, padding="same")],
    "conv 3x3, 16 to 32": lambda: [keras.Input((14, 14, 16)), layers.Conv2D(32, 3, padding="same")],
    "conv 3x3, 64 to 64": lambda: [keras.Input((14, 14, 64)), layers.Conv2D(64, 3, padding="same")],
    "conv 5x5, 16 to 32": lambda: [keras.Input((14, 14, 16)), layers.Conv2D(32, 5, padding="same")],
    "conv 7x7, 16 to 16": lambda: [keras.Input((14, 14, 16)), layers.Conv2D(16, 7, padding="same")],
    "conv 1x1, 32 to 32": lambda: [keras.Input((14, 14, 32)), layers.Conv2D(32, 1)],
    "conv 1-D 5, 32 to 32": lambda: [keras.Input((64, 32)), layers.Conv1D(32, 5, padding="same")],
    "grouped 3x3, 32 in 4": lambda: [keras.Input((14, 14, 32)), layers.Conv2D(32, 3, padding="same", groups=4)],
    "depthwise 3x3, 32": lambda: [keras.Input((14, 14, 32)), layers.DepthwiseConv2D(3, padding="same")],
    "depthwise 7x7, 32": lambda: [keras.Input((14, 14, 32)), layers.DepthwiseConv2D(7, padding="same")],
    "max pool 2x2": lambda: [keras.Input((28, 28, 16)), layers.Dense(16), layers.MaxPooling2D(2)],
    "max pool 3x3 step 2": lambda: [keras.Input((28, 28, 16)), layers.Dense(16), layers.MaxPooling2D(3, strides=2)],
    "average pool 2x2": lambda: [keras.Input((28, 28, 16)), layers.Dense(16), layers.AveragePooling2D(2)],
    "small network": lambda: [
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
    ],
}


def stepper(network: str) -> tuple[Any, Any, Callable[[Any, Any], Any]]:
    """Weights, data `(steps, batch, ...)` and one step of gradient descent."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([*NETWORKS[network](), layers.Flatten(), layers.Dense(10)])
    x = np.random.default_rng(1).normal(size=(STEPS, BATCH, *model.input_shape[1:])).astype("float32")
    weights = [variable.value for variable in model.trainable_variables]

    def loss(weights: Any, x: Any) -> Any:
        return jnp.mean(jnp.square(model.stateless_call(weights, [], x, training=True)[0] - 1.0))

    def step(weights: Any, x: Any) -> Any:
        return jax.tree.map(lambda w, g: w - 1e-3 * g, weights, jax.grad(loss)(weights, x))

    return weights, jnp.asarray(x), step


def scanned(step: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """All steps in one program."""
    return lambda weights, xs: jax.lax.scan(lambda carry, x: (step(carry, x), None), weights, xs)[0]


def ways(network: str) -> dict[str, Callable[[], Any]]:
    """What is compared, compiled."""
    weights, xs, step = stepper(network)
    lanes = jax.tree.map(lambda w: jnp.stack([w] * LANES), weights)

    def compiled(function: Callable[..., Any], *arguments: Any, ours: bool) -> Callable[..., Any]:
        with cpu_operations() if ours else nullcontext():
            return jax.jit(lambda *inputs: function(*inputs)).lower(*arguments).compile()

    batches = list(xs)

    def loop(one: Callable[[Any, Any], Any]) -> Any:
        carry = weights
        for x in batches:
            carry = one(carry, x)
        return carry

    stock_step, our_step = (compiled(step, weights, xs[0], ours=flag) for flag in (False, True))
    stock, ours = (compiled(scanned(step), weights, xs, ours=flag) for flag in (False, True))
    fused = compiled(jax.vmap(scanned(step), in_axes=(0, None)), lanes, xs, ours=True)
    return {
        "loop": lambda: loop(stock_step),
        "our loop": lambda: loop(our_step),
        "scan": lambda: stock(weights, xs),
        "our scan": lambda: ours(weights, xs),
        "lanes": lambda: fused(lanes, xs),
    }


def milliseconds(action: Callable[[], Any]) -> float:
    """CPU milliseconds of all threads, per step."""
    start = time.process_time()
    jax.block_until_ready(action())
    return (time.process_time() - start) * 1e3 / STEPS


def main(chosen: list[str]) -> None:
    """Measure and print one line a network."""
    titles = ("loop", "our loop", "scan", "our scan", "our lanes")
    print(f"{'CPU ms a step':22}", *(f"{title:>16}" for title in titles))
    for network in chosen or NETWORKS:
        actions = ways(network)
        times: dict[str, list[float]] = {name: [] for name in actions}
        for turn in range(ROUNDS + 1):
            for name, action in actions.items():
                spent = milliseconds(action)
                if turn:  # the first one warms up
                    times[name].append(spent / (LANES if name == "lanes" else 1))
        medians = [statistics.median(spent) for spent in times.values()]
        print(f"{network:22}", *(f"{spent:8.2f} ({spent / medians[0]:4.2f}x)" for spent in medians), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
