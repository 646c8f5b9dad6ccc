"""Grid search with cross-validation, as scikit-learn has it: 18 candidates and 5 folds, trained in a few programs."""

import keras
from dialed.sklearn import GridSearchCV, KerasClassifier
from sklearn.datasets import load_digits


def build_model(units: int = 8) -> keras.Model:
    model = keras.Sequential([keras.Input((64,)), keras.layers.Rescaling(1 / 16)])
    model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


x, y = (part[:1000] for part in load_digits(return_X_y=True))

estimator = KerasClassifier(build_model, verbose=0, random_state=0)
param_grid = {"batch_size": [32, 64, 512], "epochs": [10, 20], "units": [8, 16, 32]}
grid = GridSearchCV(estimator, param_grid, cv=5, n_jobs=-1, refit=True)
grid.fit(x, y)

print(f"Best: {grid.best_score_:.3f} with {grid.best_params_}")
results = grid.cv_results_
for rank, mean, std, params in zip(
    results["rank_test_score"], results["mean_test_score"], results["std_test_score"], results["params"], strict=True
):
    print(f"{rank:2}. {mean:.3f} ({std:.3f}) with {params}")

model = grid.best_estimator_.model
print("Its last loss:", grid.best_estimator_.history_["loss"][-1])
model.summary()
