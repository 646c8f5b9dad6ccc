"""A script written for KerasTuner: random search over units and learning rate. Only the first import is changed."""

import dialed.keras_tuner as kt  # was: import keras_tuner as kt
import keras
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x_train, y_train, x_val, y_val = x[:1200] / 16, y[:1200], x[1200:] / 16, y[1200:]


def build_model(hp):
    model = keras.Sequential()
    model.add(keras.layers.Flatten())
    hp_units = hp.Int("units", min_value=32, max_value=512, step=32)
    model.add(keras.layers.Dense(units=hp_units, activation="relu"))
    model.add(keras.layers.Dense(10))
    hp_learning_rate = hp.Choice("learning_rate", values=[1e-2, 1e-3, 1e-4])
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=hp_learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


tuner = kt.RandomSearch(
    build_model, objective="val_accuracy", max_trials=5, seed=1, directory="my_dir", project_name="random"
)
tuner.search_space_summary()
tuner.search(x_train, y_train, epochs=3, validation_data=(x_val, y_val))
tuner.results_summary()

best_hps = tuner.get_best_hyperparameters()[0]
print("units", best_hps.get("units"), "learning rate", best_hps.get("learning_rate"))
model = tuner.get_best_models(num_models=1)[0]
print(model.evaluate(x_val, y_val, verbose=0, return_dict=True))
