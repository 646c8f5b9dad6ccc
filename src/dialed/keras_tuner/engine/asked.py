"""A build function written for the drop-in, asked by Dialed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from dialed.keras_tuner.engine.conditions import Parent
from dialed.keras_tuner.engine.hyperparameter import HyperParameter
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.errors import FailedTrialError, FatalError
from dialed.space import HyperParameters as Asked

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.tuner import Tuner

__all__ = ["AskedHyperParameters", "Build"]


class AskedHyperParameters(HyperParameters):
    """The drop-in's `hp` over Dialed's: what is asked for has the range that the oracle's space gives it.

    Args:
        known: The oracle's space.
        asked: Dialed's hyperparameters, which know the values.
        tune_new: Whether what `known` does not hold is tuned.
    """

    def __init__(self, known: HyperParameters, asked: Asked, *, tune_new: bool) -> None:
        super().__init__()
        for hp in known.space:
            self._add(hp)
        self._asked_of = asked
        self._tune_new = tune_new

    def declare(self, hyperparameters: Sequence[HyperParameter]) -> None:
        """Ask for what the user put into the space: a build may use its values without asking."""
        for hp in hyperparameters:
            if self.is_active(hp):
                self._retrieve(hp)

    def _retrieve(self, hp: HyperParameter) -> Any:
        known = next((k for k in self._hps.get(hp.name, ()) if k.conditions == hp.conditions), None)
        if known is None:
            value = self._register(hp)
            if not self._tune_new:
                return value
        with ExitStack() as scopes:
            for condition in (known or hp).conditions:
                if isinstance(condition, Parent):
                    scopes.enter_context(self._asked_of.conditional_scope(condition.name, condition.values))
            value = self._asked_of.ask(hp.name, (known or hp).domain)
        if value is not None:
            self.values[hp.name] = value
        return value


class Build:
    """Builds the models of a tuner for Dialed: the tuner's own checks and compile arguments apply.

    Args:
        tuner: The tuner.
        declared: What the user put into the space.

    Attributes:
        fatal: The error that ends the search, once a build has raised one.
        refused: The messages of trials that are not to be tried again.
    """

    def __init__(self, tuner: Tuner, declared: Sequence[HyperParameter]) -> None:
        self._tuner = tuner
        self._declared = list(declared)
        self.fatal: FatalError | None = None
        self.refused: list[str] = []

    def __call__(self, asked: Asked) -> Any:
        """The model for the values of `asked`."""
        oracle = self._tuner.oracle
        hp = AskedHyperParameters(oracle.get_space(), asked, tune_new=oracle.tune_new_entries)
        hp.declare(self._declared)
        try:
            model = self._tuner._checked(self._tuner._build_hypermodel(hp))
        except FatalError as error:
            self.fatal = error
            raise
        except FailedTrialError as error:
            self.refused.append(str(error))
            raise
        oracle.update_space(hp)
        return model

    def refuses(self, message: str) -> bool:
        """Whether a trial that failed with `message` asked not to be tried again."""
        return any(refusal in message for refusal in self.refused)

    def end_if_fatal(self) -> None:
        """Raise what ends the search, if a build has raised it."""
        if self.fatal is not None:
            raise self.fatal
