"""A script written for KerasTuner: Hyperband, early stopping, and a last training. Only the first import is changed."""

import dialed.keras_tuner as kt  # was: import keras_tuner as kt
import keras
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
img_train, label_train, img_test, label_test = x[:1400] / 16, y[:1400], x[1400:] / 16, y[1400:]


def model_builder(hp):
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=(64,)))
    model.add(keras.layers.Dense(units=hp.Int("units", min_value=16, max_value=64, step=16), activation="relu"))
    model.add(keras.layers.Dense(10))
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=hp.Choice("learning_rate", values=[1e-2, 1e-3, 1e-4])),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


tuner = kt.Hyperband(
    model_builder, objective="val_accuracy", max_epochs=8, factor=3, directory="my_dir", project_name="intro_to_kt"
)
stop_early = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5)
tuner.search(img_train, label_train, epochs=50, validation_split=0.2, callbacks=[stop_early])

best_hps = tuner.get_best_hyperparameters(num_trials=1)[0]
print(f"The best layer has {best_hps.get('units')} units, the best learning rate is {best_hps.get('learning_rate')}.")

model = tuner.hypermodel.build(best_hps)
history = model.fit(img_train, label_train, epochs=10, validation_split=0.2, verbose=0)
val_acc_per_epoch = history.history["val_accuracy"]
best_epoch = val_acc_per_epoch.index(max(val_acc_per_epoch)) + 1
print(f"Best epoch: {best_epoch}")

hypermodel = tuner.hypermodel.build(best_hps)
hypermodel.fit(img_train, label_train, epochs=best_epoch, validation_split=0.2, verbose=0)
print("[test loss, test accuracy]:", hypermodel.evaluate(img_test, label_test, verbose=0))
