"""Tune a regression on few data: each trial is judged on three folds, so that no lucky split wins."""

import dialed
import keras
from sklearn.datasets import load_diabetes


def build_model(hp: dialed.HyperParameters) -> keras.Model:
    regularizer = keras.regularizers.L2(hp.Float("l2", 1e-6, 1e-1, sampling="log", default=1e-4))
    model = keras.Sequential([keras.Input((10,)), keras.layers.Normalization()])
    model.layers[0].adapt(x)
    model.add(keras.layers.Dense(hp.Int("units", 8, 64, step=8), "relu", kernel_regularizer=regularizer))
    model.add(keras.layers.Dense(1))
    model.compile(keras.optimizers.Adam(hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")), "mse", metrics=["mae"])
    return model


x, y = load_diabetes(return_X_y=True)
y = (y - y.mean()) / y.std()

tuner = dialed.Tuner(
    build_model, objective="val_mae", strategy="sobol", max_trials=3, cv=3, confirm=False, seed=0, name="diabetes"
)
tuner.search(x, y, epochs=10, patience=3, batch_size=32)

for trial in tuner.study.trials:
    print(f"trial {trial.number}: {trial.score:.3f} +- {trial.spread:.3f} {dict(trial.values)}")
