"""Tune a classifier of handwritten digits: layers, units, dropout, optimizer, learning rate and batch size."""

import dialed
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def build_model(hp: dialed.HyperParameters) -> keras.Model:
    activation = hp.Choice("activation", ["relu", "tanh"])
    model = keras.Sequential([keras.Input((64,)), keras.layers.Rescaling(1 / 16)])
    for i in range(hp.Int("layers", 1, 3)):
        model.add(keras.layers.Dense(hp.Int(f"units_{i}", 16, 128, step=16, default=64), activation=activation))
        model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.get(hp.Choice("optimizer", ["adam", "sgd", "rmsprop"]))
    optimizer.learning_rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)

tuner = dialed.Tuner(build_model, objective="val_accuracy", max_trials=6, max_time="1m", seed=0, name="digits")
tuner.search(x_train, y_train, validation_split=0.2, epochs=10, batch_size=dialed.Choice([32, 64, 128]))
print(tuner.summary())

model = tuner.best_model()
print("On the test data:", model.evaluate(x_test, y_test, verbose=0, return_dict=True))
