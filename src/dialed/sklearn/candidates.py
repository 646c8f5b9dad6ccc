"""Candidates as the engine knows them: values of hyperparameters, and one build function for all of them.

What differs between candidates is found by comparing their parameters. Whole numbers and fractions become values, so that
models that differ in widths or rates can share a program; all else becomes the number of one of a few objects.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dialed.engine.failures import MemberFailed
from dialed.sklearn.base import KerasEstimator
from dialed.sklearn.routing import FIT
from dialed.sklearn.targets import Form, form_of
from dialed.space import Choice, Domain, Float, HyperParameters, Int
from dialed.trial import Cause, Value

__all__ = ["CandidateModel", "identity", "same", "shared_arguments"]

_SCOPE = "model"
_FEW = 64
"""Of so few whole numbers each is a choice; more are a range."""

_TRAINING_ONLY = (*FIT, "class_weight", "random_state", "warm_start")


class _Absent:
    """Stands for a parameter that a candidate does not have. The class itself: it is the same in every process."""


def identity(value: Any) -> Hashable:
    """A stand-in that is equal for equal plain values, and for the same object."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return type(value).__name__, value
    if isinstance(value, (list, tuple)):
        return type(value).__name__, *map(identity, value)
    if isinstance(value, dict):
        return "dict", *((name, identity(entry)) for name, entry in value.items())
    return "object", id(value)


def same(values: Iterable[Any]) -> bool:
    """Whether all of `values` are the same."""
    return len({identity(value) for value in values}) <= 1


def domain_of(values: Sequence[Any]) -> Int | Float | Choice | None:
    """A domain that holds all of `values`; `None` where they are no numbers of one kind."""
    plain = [v.item() if isinstance(v, np.generic) else v for v in values]
    if all(isinstance(v, int) and not isinstance(v, bool) for v in plain):
        different = sorted(set(plain))
        return Choice(different) if len(different) <= _FEW else Int(different[0], different[-1])
    if all(isinstance(v, float) and math.isfinite(v) for v in plain) and min(plain) < max(plain):
        return Float(min(plain), max(plain))
    return None


class CandidateModel:
    """The build function of several candidates.

    Args:
        estimator: Has one candidate's parameters, and has noted what the data are.
        candidates: The parameters of each.
        form: How all of their models want the targets.

    Attributes:
        values: Each candidate's values, as `build` asks for them.
    """

    def __init__(self, estimator: KerasEstimator, candidates: Sequence[Mapping[str, Any]], form: Form) -> None:
        self.estimator = estimator
        self.form = form
        self._domains: dict[str, Domain] = {}
        self._objects: dict[str, list[Any]] = {}
        self.values: list[dict[str, Value]] = [{} for _ in candidates]
        for name in dict.fromkeys(name for params in candidates for name in params):
            if _reaches_model(name, estimator):
                self._take(name, [params.get(name, _Absent) for params in candidates])

    def build(self, hp: HyperParameters) -> Any:
        """The model of the candidate whose values `hp` has."""
        params = {}
        with hp.name_scope(_SCOPE):
            for name, domain in self._domains.items():
                value = hp.ask(name, domain)
                params[name] = self._objects[name][int(value)] if name in self._objects else value
        known = {name: value for name, value in params.items() if value is not _Absent}
        model = self.estimator.variant(known, without=params.keys() - known.keys()).made_model()
        form = form_of(self.estimator.target_, model)
        if form != self.form:
            raise MemberFailed(Cause.BUILD, f"Its model wants its targets {form}, that of others {self.form}.")
        return model

    def _take(self, name: str, given: list[Any]) -> None:
        """Make a hyperparameter of a parameter that differs between candidates."""
        if same(given):
            return
        domain = domain_of(given)
        values: list[Any] = [v.item() if isinstance(v, np.generic) else v for v in given]
        if domain is None:
            found: dict[Hashable, int] = {}
            codes = [found.setdefault(identity(value), len(found)) for value in given]
            self._objects[name] = [given[codes.index(code)] for code in range(len(found))]
            values = [str(code) for code in codes]
            domain = Choice(list(dict.fromkeys(values)))
        self._domains[name] = domain
        for taken, value in zip(self.values, values, strict=True):
            taken[f"{_SCOPE}/{name}"] = value


def _reaches_model(name: str, estimator: KerasEstimator) -> bool:
    """Whether building may depend on a parameter."""
    signature = estimator.signature
    if signature.takes("params") or name in signature.names:
        return True
    prefix = name.partition("__")[0]
    return name not in _TRAINING_ONLY and prefix not in ("callbacks", "fit", "predict")


def shared_arguments(arguments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Arguments for `model.fit` of several candidates: a value where they agree, else the domain of all values."""
    names = dict.fromkeys(name for given in arguments for name in given)
    made: dict[str, Any] = {}
    for name in names:
        values = [given.get(name) for given in arguments]
        made[name] = values[0] if name == "callbacks" or same(values) else domain_of(values)
    return made
