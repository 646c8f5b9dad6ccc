"""The space of `TunedSearchCV`: parameters of an estimator as Dialed's hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dialed.engine.failures import MemberFailed
from dialed.errors import InvalidInputError, SpaceError
from dialed.sklearn.base import KerasEstimator
from dialed.sklearn.routing import FIT
from dialed.sklearn.targets import Form, form_of
from dialed.space import Choice, Domain, HyperParameters
from dialed.trial import Cause, Values

__all__ = ["TunedModel", "TunedSpace"]


class TunedSpace:
    """What varies, by the name of the parameter.

    Args:
        given: Domains or lists by name.
        prefix: What goes before the names of the last step's parameters: "" outside of a pipeline.

    Attributes:
        arguments: The domains of what `model.fit` takes, under its names.
        domains: The others, under the names of the estimator's parameters.

    Raises:
        InvalidInputError: A name is none of the last step's, or a value is no domain.
    """

    def __init__(self, given: Mapping[str, Any], prefix: str) -> None:
        self.prefix = prefix
        self.arguments: dict[str, Domain] = {}
        self.domains: dict[str, Domain] = {}
        self._objects: dict[str, list[Any]] = {}
        self._names: dict[str, str] = {}
        for full, values in given.items():
            if not full.startswith(prefix):
                raise InvalidInputError(
                    f"`space` must hold parameters of the last step, which begin with '{prefix}'. Got {full!r}. "
                    "Use `GridSearchCV` to vary earlier steps."
                )
            name = full.removeprefix(prefix)
            argument = name.removeprefix("fit__")
            asked = argument if argument in FIT else name
            self._names[asked] = full
            (self.arguments if argument in FIT else self.domains)[asked] = self._domain(full, asked, values)

    def params(self, values: Values) -> dict[str, Any]:
        """A trial's values as parameters of the whole estimator."""
        return {self._names[name]: self._value(name, value) for name, value in values.items()}

    def defaults(self) -> dict[str, Any]:
        """The first trial's parameters of the last step's model."""
        return {name: self._value(name, domain.default) for name, domain in self.domains.items()}

    def asked(self, hp: HyperParameters) -> dict[str, Any]:
        """A trial's parameters of the last step's model."""
        return {name: self._value(name, hp.ask(name, domain)) for name, domain in self.domains.items()}

    def _value(self, name: str, value: Any) -> Any:
        return self._objects[name][int(value)] if name in self._objects else value

    def _domain(self, full: str, name: str, values: Any) -> Domain:
        if isinstance(values, Domain):
            return values
        if not isinstance(values, (list, tuple, range)) or not len(values):
            raise InvalidInputError(
                f"`space[{full!r}]` must be a `dialed.Int`, `Float`, `Choice` or `Boolean`, or a list of values. "
                f"Got {values!r:.80}."
            )
        try:
            return Choice(list(values))
        except SpaceError:
            if name in FIT:
                raise
        self._objects[name] = list(values)
        return Choice([str(number) for number in range(len(values))])


class TunedModel:
    """The build function of all trials.

    Args:
        estimator: Has noted what the data are.
        space: What varies.
        form: How the models want the targets.
    """

    def __init__(self, estimator: KerasEstimator, space: TunedSpace, form: Form) -> None:
        self.estimator = estimator
        self.space = space
        self.form = form

    def build(self, hp: HyperParameters) -> Any:
        """The model of one trial."""
        model = self.estimator.variant(self.space.asked(hp)).made_model()
        form = form_of(self.estimator.target_, model)
        if form != self.form:
            raise MemberFailed(Cause.BUILD, f"Its model wants its targets {form}, that of the defaults {self.form}.")
        return model
