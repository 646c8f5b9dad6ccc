"""Tune code that has nothing to do with Keras: a scikit-learn pipeline."""

import dialed
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

x, y = load_breast_cancer(return_X_y=True)


def accuracy(hp: dialed.HyperParameters) -> float:
    kernel = hp.Choice("kernel", ["rbf", "linear"])
    c = hp.Float("C", 1e-3, 1e3, sampling="log", default=1.0)
    gamma = hp.Float("gamma", 1e-4, 1e1, sampling="log", default=0.03) if kernel == "rbf" else "scale"
    return float(cross_val_score(make_pipeline(StandardScaler(), SVC(C=c, kernel=kernel, gamma=gamma)), x, y).mean())


study = dialed.optimize(accuracy, direction="max", objective="accuracy", max_trials=25, seed=0, name="svm")
print(study.summary())
