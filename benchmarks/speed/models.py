"""The models: ordinary Keras code, as a user would write it without knowing Dialed."""

from __future__ import annotations

import keras
from keras import layers

__all__ = ["digits", "lstm", "pictures", "tabular", "transformer", "wide"]

WORDS = 10_000


def tabular(*, units_1: int, units_2: int, dropout: float, learning_rate: float) -> keras.Model:
    """A network for 20 features."""
    model = keras.Sequential(
        [
            keras.Input((20,)),
            layers.Dense(units_1, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(units_2, activation="relu"),
            layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(learning_rate), "mse", metrics=["mae"])
    return model


def digits(*, units: int, dropout: float, learning_rate: float) -> keras.Model:
    """784-n-10."""
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(units, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return _classifier(model, learning_rate)


def pictures(*, filters: int, units: int, dropout: float, learning_rate: float) -> keras.Model:
    """Two convolutions with pooling for 28 by 28 pixels."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return _classifier(model, learning_rate)


def lstm(*, units: int, dropout: float, learning_rate: float) -> keras.Model:
    """An LSTM over embedded words."""
    model = keras.Sequential(
        [
            keras.Input((80,), dtype="int32"),
            layers.Embedding(WORDS, 32),
            layers.LSTM(units),
            layers.Dropout(dropout),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return _judge(model, learning_rate)


def transformer(*, inner: int, dropout: float, learning_rate: float) -> keras.Model:
    """One block of attention over embedded words, as in Keras's example of text classification."""
    inputs = keras.Input((80,), dtype="int32")
    x = layers.Embedding(WORDS, 32)(inputs)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 16, dropout=dropout)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(32)(layers.Dense(inner, activation="relu")(x)))
    x = layers.Dropout(dropout)(layers.GlobalAveragePooling1D()(x))
    return _judge(keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x)), learning_rate)


def wide(*, units: int, learning_rate: float) -> keras.Model:
    """A perceptron in which arithmetic is nearly all of the time."""
    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.Dense(units, activation="relu"),
            layers.Dense(units, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return _classifier(model, learning_rate)


def _classifier(model: keras.Model, learning_rate: float) -> keras.Model:
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _judge(model: keras.Model, learning_rate: float) -> keras.Model:
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy", metrics=["accuracy"])
    return model
