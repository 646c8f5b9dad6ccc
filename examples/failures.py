"""Values that cannot work are failed trials with a cause; the search goes on, and the summary says what happened."""

import dialed
import keras
import numpy as np


def build_model(hp: dialed.HyperParameters) -> keras.Model:
    kernel, depth = hp.Int("kernel", 3, 9, step=2), hp.Int("depth", 1, 4)
    hp.require(16 - depth * (kernel - 1) >= 1, "the image is used up by the convolutions")
    model = keras.Sequential([keras.Input((16, 16, 1))])
    for _ in range(depth):
        model.add(keras.layers.Conv2D(4, kernel, activation="relu"))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.SGD(hp.Float("learning_rate", 1e-3, 1e6, sampling="log")), "mse")
    return model


rng = np.random.default_rng(0)
x = rng.normal(size=(256, 16, 16, 1)).astype("float32")
y = x.mean(axis=(1, 2, 3))

tuner = dialed.Tuner(build_model, objective="val_loss", strategy="random", max_trials=12, confirm=False, seed=0)
tuner.search(x, y, validation_split=0.25, epochs=2, batch_size=64)
print(tuner.summary())

for trial in tuner.study.trials:
    print(trial.number, trial.state, trial.cause or "", trial.message)
