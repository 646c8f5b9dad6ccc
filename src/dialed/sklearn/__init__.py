"""scikit-learn's interface: Keras models as estimators, and searches whose folds and candidates are trained together.

`from dialed.sklearn import GridSearchCV, KerasClassifier` in the place of scikit-learn's and SciKeras's. Importing it
loads neither Keras nor scikit-learn: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialed.sklearn.classifier import KerasClassifier
    from dialed.sklearn.regressor import KerasRegressor
    from dialed.sklearn.search import GridSearchCV, RandomizedSearchCV
    from dialed.sklearn.tuned import TunedSearchCV

__all__ = ["GridSearchCV", "KerasClassifier", "KerasRegressor", "RandomizedSearchCV", "TunedSearchCV"]

_HOMES = {
    "GridSearchCV": "dialed.sklearn.search",
    "KerasClassifier": "dialed.sklearn.classifier",
    "KerasRegressor": "dialed.sklearn.regressor",
    "RandomizedSearchCV": "dialed.sklearn.search",
    "TunedSearchCV": "dialed.sklearn.tuned",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dialed.sklearn' has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
