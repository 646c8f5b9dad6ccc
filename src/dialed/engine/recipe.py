"""How one trial is made from its values: arguments first, then the model, then its callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialed.engine.arguments import (
    ask_arguments,
    check_callbacks,
    make_callbacks,
    refuse_schedule_conflict,
    schedule_of,
)
from dialed.engine.building import count_parameters
from dialed.engine.failures import MemberFailed, failure_from
from dialed.engine.hypermodel import Hypermodel, build_of, overrides_fit
from dialed.engine.length import Length
from dialed.engine.scaling import RateScaling
from dialed.engine.seeding import reseed
from dialed.space import HyperParameters
from dialed.trial import Cause, Values

if TYPE_CHECKING:
    from dialed.engine.data import FoldData
    from dialed.engine.preparing import Preparation

__all__ = ["Realised", "Recipe"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Realised:
    """One trial, ready to be trained: a fresh model, and the arguments of its training.

    `arguments` holds this trial's own values, and fresh callbacks where there are any. `fold` is what it trains on, where
    that was prepared for it.
    """

    model: Any
    arguments: Mapping[str, Any]
    hp: HyperParameters
    fold: FoldData | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What was asked for so far, with the values handed out."""
        return self.hp.asked

    @property
    def parameters(self) -> int:
        """Parameters of what is built so far. A model without an input shape is built by its first batch."""
        return count_parameters(self.model)


class Recipe:
    """How trials are made.

    Calling it with hyperparameters asks for all that a trial asks for, as `dialed.space.discover` wants it.

    Args:
        hypermodel: `build(hp)`, or an object with such a method and perhaps a `fit`.
        arguments: What a search was given apart from data, as `model.fit` takes it; any value may be a domain, and is
            then a hyperparameter of that name. Defaults to nothing.
        max_parameters: Larger models are failed trials. Defaults to no limit.

    Attributes:
        inputs: The shapes of a batch of inputs, once `probe` has looked at the data: what a model without an input shape
            of its own is built with when it is loaded. `None` before.

    Raises:
        InvalidInputError: There is nothing to build with, or the callbacks cannot be used for several trials.
    """

    def __init__(
        self, hypermodel: Hypermodel, arguments: Mapping[str, Any] | None = None, *, max_parameters: int | None = None
    ) -> None:
        self.hypermodel = hypermodel
        self.arguments = dict(arguments or {})
        self.max_parameters = max_parameters
        self.own_fit = overrides_fit(hypermodel)
        self.inputs: Any = None
        self._length: Length | None = None
        self._data: Any = None
        self._scaling = RateScaling.of(self.arguments.get("lr_scaling"), self.arguments.get("batch_size"))
        self._build = build_of(hypermodel)
        check_callbacks(self.arguments.get("callbacks"))

    def __call__(self, hp: HyperParameters) -> Any:
        """Ask for everything, and return the model."""
        return self._made(hp).model

    def realise(self, values: Values, seed: int, *, fold: int | None = None) -> Realised:
        """Make the trial of `values` under `seed`. Belongs inside `seeding.seeded`.

        Args:
            values: Of the trial.
            seed: Of the member.
            fold: What it is to be trained on, where the data are prepared. Defaults to nothing.

        Raises:
            MemberFailed: The values are infeasible, the build raised, what it returned is no compiled model, or the
                model is too large.
            InvalidInputError: The arguments contradict what was built.
        """
        reseed(seed)
        hp = HyperParameters(values)
        try:
            realised = self._made(hp, fold)
        except Exception as error:  # whatever a user's function raises is this trial's failure
            raise failure_from(error, otherwise=Cause.BUILD) from error
        check_compiled(realised.model)
        refuse_schedule_conflict(realised.model, realised.arguments.get("callbacks", ()))
        batch_size = realised.arguments.get("batch_size")
        if self._scaling is not None and batch_size is not None:
            self._scaling.apply(realised.model, batch_size)
        self._tell_length(realised)
        self.check_size(realised.model)
        return realised

    def look_at(self, data: Any) -> None:
        """Remember what is trained on: schedules of the learning rate may ask how long the whole training is."""
        self._length = Length(data)
        self._data = data

    @property
    def preparation(self) -> Preparation | None:
        """What prepares the data of a trial; `None` where nothing does."""
        found: Preparation | None = getattr(self._data, "preparation", None)
        return found

    def _tell_length(self, realised: Realised) -> None:
        follow = getattr(schedule_of(realised.model), "follow", None)
        steps = self._length.steps(realised.arguments) if follow is not None and self._length is not None else None
        if follow is not None and steps is not None:
            follow(steps)

    def check_size(self, model: Any) -> None:
        """Raise `MemberFailed` where `model`, as far as it is built, has too many parameters."""
        if self.max_parameters is None:
            return
        count = count_parameters(model)
        if count > self.max_parameters:
            raise MemberFailed(
                Cause.TOO_LARGE,
                f"The model has {count:,} parameters, more than `max_parameters`, {self.max_parameters:,}.",
            )

    def _made(self, hp: HyperParameters, fold: int | None = None) -> Realised:
        asked = {name: value for name, value in self.arguments.items() if name != "lr_scaling"}
        arguments = ask_arguments(asked, hp)
        prepared = self._prepared(hp, fold)
        model = self._build(hp)
        if arguments.get("callbacks") is not None:
            arguments["callbacks"] = make_callbacks(arguments["callbacks"], hp)
        return Realised(model=model, arguments=arguments, hp=hp, fold=prepared)

    def _prepared(self, hp: HyperParameters, fold: int | None) -> FoldData | None:
        """The data of `fold`; without one, the preparation is only met for what it asks `hp` for."""
        preparation = self.preparation
        if preparation is None or (fold is None and preparation.met and not preparation.asks):
            return None
        data: FoldData = self._data.fold(self._data.folds[0] if fold is None else fold, hp)
        return None if fold is None else data


def check_compiled(model: Any) -> None:
    """Raise `MemberFailed` unless `model` is a Keras model that can be trained."""
    import keras

    if not isinstance(model, keras.Model):
        raise MemberFailed(
            Cause.BUILD,
            f"The build function must return a `keras.Model`. Got {model!r:.80} ({type(model).__name__}). "
            "Check that it ends with `return model`.",
        )
    if not model.compiled:
        raise MemberFailed(
            Cause.BUILD,
            f"The build function must return a compiled model. Got '{model.name}', which is not. "
            "Call `model.compile(...)` before returning it.",
        )
