"""Models of the best trials: loaded from their checkpoints, trained anew, or averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialed.errors import CheckpointError, StudyError
from dialed.store import Checkpoints
from dialed.study.arguments import Prepared
from dialed.study.study import Study
from dialed.trial import MemberRecord, State, Trial, best_first

if TYPE_CHECKING:
    import keras

__all__ = ["Results"]


class Results:
    """What a finished search is good for.

    Args:
        study: The study, read afresh at each call.
        prepared: How the session's code builds and trains a model.
        checkpoints: The study's checkpoint folder.
    """

    def __init__(self, study: Study, prepared: Prepared, checkpoints: Checkpoints) -> None:
        self._study = study
        self._prepared = prepared
        self._checkpoints = checkpoints

    def trials(self, n: int) -> list[Trial]:
        """The `n` best trials (fewer where there are fewer), the winner first, the others by score."""
        scored = [t for t in self._study.trials if t.score is not None and t.state is not State.FAILED]
        ranked = best_first(scored, self._study.objective)
        winner = self._study.winner
        if winner is None:
            raise StudyError(
                f"The study '{self._study.name}' has no finished trial, so there is no best one. "
                "Give the search more of a budget, or see its failures with `summary()`."
            )
        return [winner, *(t for t in ranked if t.number != winner.number)][:n]

    def models(self, n: int) -> list[keras.Model]:
        """The `n` best trials' models with the weights of their best epoch."""
        return [self._model(trial) for trial in self.trials(n)]

    def refit(self, x: Any, y: Any, **arguments: Any) -> keras.Model:
        """Train the winner's values anew on all of `x` and `y`."""
        from dialed.engine.refit import refit

        winner = self.trials(1)[0]
        member = self._best_member(winner)
        arguments.setdefault("epochs", member.best_epoch or member.epoch or 1)
        return refit(self._prepared.recipe, winner.values, member.key.seed, x, y, arguments)

    def ensemble(self, n: int) -> keras.Model:
        """A model that averages the predictions of the `n` best trials."""
        from dialed.engine.ensemble import average

        return average(self.models(n))

    def _model(self, trial: Trial) -> keras.Model:
        from dialed.engine.export import load_model

        member = self._best_member(trial)
        if member.best is None:
            raise CheckpointError(
                f"The weights of trial {trial.number} are not kept: the checkpoint folder holds the best trials within "
                "its budget of bytes. Train the trial's values again with `refit`."
            )
        arrays, _ = self._checkpoints.load(member.best)
        return load_model(self._prepared.recipe, trial.values, member.key.seed, arrays)

    def _best_member(self, trial: Trial) -> MemberRecord:
        """The member of the search with the best score: the first seed and fold on ties."""
        loss = self._study.objective.loss
        searched = [m for m in trial.members if m.purpose == "search" and m.score is not None]
        return min(searched, key=lambda m: (m.best is None, loss(m.score or 0.0), m.key))
