"""What `KerasClassifier` and `KerasRegressor` share: parameters, training, predictions and pickling."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from dialed.errors import InvalidInputError
from dialed.sklearn.building import build_function, is_prebuilt, made_model
from dialed.sklearn.compiling import made_callbacks
from dialed.sklearn.inputs import Prepared, checked
from dialed.sklearn.routing import Routed, Signature, check_name
from dialed.sklearn.saving import KerasBytes
from dialed.sklearn.targets import Target, form_of

__all__ = ["KerasEstimator", "not_finite"]

_PREDICTED_BYTES = 4 * 2**20
"""Of inputs at once. Keras's own 32 samples spend more time on calls than on arithmetic."""

_FEWEST, _MOST = 256, 1024

_MODELS = ("model", "model_")
_TRAINED = ("history_", "model_")


class KerasEstimator(BaseEstimator):  # type: ignore[misc]
    """A Keras model behind scikit-learn's interface. Use `KerasClassifier` or `KerasRegressor`."""

    target_: Target

    def _store(self, named: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
        """Keep what the constructor was given, untouched."""
        self.__dict__.update(named)
        if parameters:
            self._extra = dict(parameters)

    @property
    def model(self) -> Any:
        """The trained Keras model; before `fit`, what the constructor was given."""
        return vars(self).get("model_", vars(self).get("model"))

    @model.setter
    def model(self, given: Any) -> None:
        self.__dict__["model"] = given

    def __getattr__(self, name: str) -> Any:
        """Parameters that are none of the constructor's own."""
        extra = vars(self).get("_extra", {})
        if name in extra:
            return extra[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All parameters by name: the constructor's own, and those for the build function and the rest of Keras."""
        return {**self._named(), **vars(self).get("_extra", {})}

    def set_params(self, **params: Any) -> Self:
        """Set parameters: the constructor's own, those of the build function and of `fit`, and prefixed ones.

        Raises:
            InvalidInputError: Nobody takes one of them.
        """
        own = self._get_param_names()
        self.__dict__.update({name: value for name, value in params.items() if name in own})
        others = {name: value for name, value in params.items() if name not in own}
        extra: dict[str, Any] = vars(self).get("_extra", {})
        for name in others:
            if name not in extra:
                check_name(name, self.signature, [*own, *extra])
        if others:
            self._extra = {**extra, **others}
        return self

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **arguments: Any) -> Self:
        """Build the model and train it; with `warm_start`, train the one there is.

        Args:
            X: Inputs, (samples, features) or with more axes.
            y: Targets, (samples,) or (samples, outputs).
            sample_weight: How much each sample counts, (samples,). Defaults to None.
            **arguments: For `model.fit`, over the parameters of that name.

        Returns:
            The estimator itself.

        Raises:
            DataError: The data cannot be trained on.
            InvalidInputError: A parameter means nothing, or the training ended in NaN.
        """
        goes_on = self.warm_start and "model_" in vars(self)
        prepared = self.prepared(X, y, sample_weight, known=self.target_ if goes_on else None)
        self._train(prepared, arguments, goes_on=goes_on, first=0)
        return self

    def predict(self, X: Any, **arguments: Any) -> np.ndarray:
        """Labels or numbers for `X`, shaped as the targets were.

        Args:
            X: Inputs as for `fit`.
            **arguments: For `model.predict`.
        """
        raise NotImplementedError

    @property
    def current_epoch(self) -> int:
        """How many epochs the model has been trained for."""
        return len(vars(self).get("history_", {}).get("loss", ()))

    def prepared(self, X: Any, y: Any, sample_weight: Any, known: Target | None = None) -> Prepared:
        """Check the data, and note on the estimator what they are.

        Args:
            known: The target of an earlier fit that this one goes on from. Defaults to none.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X, y = checked(self, X, y, reset=known is None, allow_nd=True, multi_output=True, y_numeric=not self._labels)
        if known is None:
            self.X_shape_, self.X_dtype_ = X.shape, X.dtype
            self._note_target(y)
        return Prepared(x=X, codes=self.target_.encoded(y), weight=self._weights(y, sample_weight))

    @property
    def is_prebuilt(self) -> bool:
        """Whether the constructor was given a model rather than a function that builds one."""
        named = self._named()
        return is_prebuilt(named["build_fn"] if named["model"] is None else named["model"])

    @property
    def signature(self) -> Signature:
        """What the build function takes."""
        return Signature.of(build_function(self._named()))

    def routed(self) -> Routed:
        """The parameters, sorted by who gets them."""
        return Routed.of(self._named(), vars(self).get("_extra", {}), self.signature)

    def variant(self, params: Mapping[str, Any], without: Collection[str] = ()) -> Self:
        """The same with `params` and `without` others, not fitted, with what `prepared` noted of the data."""
        made: Self = clone(self).set_params(**params)
        if without:
            made._extra = {name: value for name, value in made._extra.items() if name not in without}
        made.take_notes(self)
        return made

    def take_notes(self, other: KerasEstimator) -> None:
        """Take over what `prepared` noted on another estimator."""
        noted = {n: v for n, v in vars(other).items() if n.endswith("_") and n not in _TRAINED}
        self.__dict__.update(noted)

    def fit_arguments(self, samples: int) -> dict[str, Any]:
        """What `model.fit` is called with apart from data, for so many samples; callbacks are fresh."""
        routed = self.routed().to
        made = {name: value for name, value in routed["fit"].items() if value is not None}
        callbacks = made_callbacks(made.pop("callbacks", None), routed["callbacks"])
        if callbacks is not None:
            made["callbacks"] = callbacks
        for name in ("batch_size", "validation_batch_size"):
            if made.get(name) == -1:  # all samples in one batch
                made[name] = samples
        return made

    def made_model(self) -> Any:
        """A fresh compiled model for the data that `prepared` saw. Belongs inside `seeding.seeded`."""
        return made_model(self._named(), self.routed(), self._meta, self.get_params)

    def drawn_seed(self) -> int:
        """The seed of a training: the same for the same whole `random_state`."""
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def take_trained(self, model: Any, history: Mapping[str, list[float]]) -> None:
        """Be fitted by a training that happened elsewhere.

        Raises:
            InvalidInputError: It ended in NaN.
        """
        self.model_, self.history_ = model, dict(history)
        loss = self.history_.get("loss", [0.0])[-1]
        if not np.isfinite(loss):
            raise not_finite(loss)

    def _named(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in self._get_param_names()}

    @property
    def _labels(self) -> bool:
        """Whether targets are labels."""
        raise NotImplementedError

    def _note_target(self, y: np.ndarray) -> None:
        raise NotImplementedError

    def _weights(self, y: np.ndarray, sample_weight: Any) -> np.ndarray | None:
        raise NotImplementedError

    @property
    def _meta(self) -> dict[str, Any]:
        """What a build function may ask for as `meta`: the attributes that the data gave."""
        names = ("n_features_in_", "X_shape_", "X_dtype_", "classes_", "n_classes_", "n_outputs_", "target_type_")
        found = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return {**found, "n_outputs_expected_": len(self.target_.classes) or 1}

    def _train(self, prepared: Prepared, arguments: Mapping[str, Any], *, goes_on: bool, first: int) -> None:
        from dialed.engine.seeding import seeded

        wanted = {**self.fit_arguments(len(prepared.x)), **arguments}
        seed = self.drawn_seed()
        history = self.history_ if goes_on else {}
        if goes_on:  # another order than in the epochs before
            seed = int(np.random.SeedSequence((seed, self.current_epoch)).generate_state(1)[0])
        with seeded(seed):
            model = self.model_ if goes_on else self._fresh_model()
            form = form_of(self.target_, model)
            if "validation_data" in wanted:
                wanted["validation_data"] = self._validation(wanted["validation_data"], form)
            told = model.fit(
                prepared.x,
                self.target_.for_model(prepared.codes, form),
                sample_weight=prepared.weight,
                initial_epoch=first,
                **wanted,
            ).history
        names = {*history, *told}
        joined = {n: [*history.get(n, []), *(float(v) for v in told.get(n, []))] for n in sorted(names)}
        self.take_trained(model, joined)

    def _fresh_model(self) -> Any:
        from dialed.engine.building import values_without_compiling

        with values_without_compiling():
            return self.made_model()

    def _validation(self, given: Any, form: Any) -> tuple[Any, ...]:
        x, y, *weight = given
        return (x, self.target_.for_model(self.target_.encoded(np.asarray(y)), form), *weight)

    def _outputs(self, X: Any, arguments: Mapping[str, Any]) -> Any:
        """What the model says of `X`: an array (samples, columns), or a list of them."""
        check_is_fitted(self, "model_")
        X = checked(self, X, reset=False, allow_nd=True)
        wanted = {
            "verbose": 0,
            "batch_size": len(X) if self.batch_size == -1 else _predicted_at_once(X),
            **self.routed().to["predict"],
            **arguments,
        }
        return self.model_.predict(X, **wanted)

    def __getstate__(self) -> dict[str, Any]:
        """The state for a pickle: models travel as bytes of the `.keras` format."""
        state = dict(super().__getstate__())
        for name in _MODELS:
            if _is_model(state.get(name)):
                state[name] = KerasBytes.of(state[name])
        return state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        read = {name: v.model() if isinstance(v, KerasBytes) else v for name, v in state.items()}
        super().__setstate__(read)


def _predicted_at_once(X: np.ndarray) -> int:
    """Samples in a batch: the same for all, since each size is compiled, and as many as fit."""
    most = min(max(_PREDICTED_BYTES // max(X[:1].nbytes, 1), _FEWEST), _MOST)
    return max(1, math.ceil(len(X) / math.ceil(len(X) / most))) if len(X) else _FEWEST


def not_finite(loss: float) -> InvalidInputError:
    """The error of a training that ended in NaN or infinity, as scikit-learn's own networks have it."""
    return InvalidInputError(
        f"Training must end with a finite loss. Got {loss}. Lower the learning rate, or scale the inputs."
    )


def _is_model(value: Any) -> bool:
    return isinstance(getattr(value, "save", None), Callable) and hasattr(value, "stop_training")  # type: ignore[arg-type]
