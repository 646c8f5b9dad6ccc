"""Models of the best trials: loaded from their checkpoints, trained anew, or averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialed.errors import CheckpointError, StudyError
from dialed.objectives import keeps
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
        self.checkpoints = checkpoints

    @property
    def prepared(self) -> Prepared:
        """How the session's code builds and trains a model."""
        return self._prepared

    def trials(self, n: int) -> list[Trial]:
        """The `n` best trials (fewer where there are fewer) of those that keep the constraints.

        The winner comes first, the others by score; of several objectives, those of the front before the rest.
        """
        terms, study = self._study.record.terms, self._study
        scored = [
            t
            for t in study.trials
            if t.score is not None and t.state is not State.FAILED and keeps(t, terms.constraints) and terms.is_whole(t)
        ]
        front = study.best_trials if terms.others else []
        ranked = [*front, *best_first((t for t in scored if t not in front), study.objective)]
        winner = self._study.winner
        if winner is None:
            raise StudyError(_no_winner(study))
        return [winner, *(t for t in ranked if t.number != winner.number)][:n]

    def models(self, n: int) -> list[keras.Model]:
        """The `n` best trials' models with the weights of their best epoch."""
        return [self.model(trial) for trial in self.trials(n)]

    def refit(self, x: Any, y: Any, **arguments: Any) -> keras.Model:
        """Train the winner's values anew on all of `x` and `y`, those that it had before them included."""
        from dialed.engine.refit import refit

        winner = self.trials(1)[0]
        member = self._best_member(winner)
        arguments.setdefault("epochs", member.best_epoch or member.epoch or 1)
        ancestors = () if winner.origin is None else winner.origin.ancestors
        return refit(self._prepared.recipe, winner.values, member.key.seed, x, y, arguments, ancestors)

    def ensemble(self, n: int) -> keras.Model:
        """A model that averages the predictions of up to `n` trials that were chosen for it; see `Ensemble`."""
        from dialed.study.ensembles import Ensemble

        return Ensemble(self._study, self._prepared, self).model(n)

    def stored(self, most: int) -> list[Trial]:
        """The best trials whose weights are kept, at most so many."""
        kept = [trial for trial in self.trials(len(self._study.trials)) if self._best_member(trial).best is not None]
        return kept[:most]

    def model(self, trial: Trial) -> keras.Model:
        """The model of one trial with the weights of its best epoch."""
        from dialed.engine.export import load_model

        member = self._best_member(trial)
        if member.best is None:
            raise CheckpointError(
                f"The weights of trial {trial.number} are not kept: the checkpoint folder holds the best trials within "
                "its budget of bytes. Train the trial's values again with `refit`."
            )
        arrays, _ = self.checkpoints.load(member.best)
        return load_model(self._prepared.recipe, trial.values, member.key.seed, arrays)

    def _best_member(self, trial: Trial) -> MemberRecord:
        """The member of the search with the best score: the first seed and fold on ties."""
        loss = self._study.objective.loss
        searched = [m for m in trial.members if m.purpose == "search" and m.score is not None]
        return min(searched, key=lambda m: (m.best is None, loss(m.score or 0.0), m.key))


def _no_winner(study: Study) -> str:
    limits = " and ".join(map(str, study.record.terms.constraints))
    if limits and any(trial.score is not None for trial in study.trials):
        return (
            f"The study '{study.name}' has no trial that keeps its constraints ({limits}), so there is no best one. "
            "`summary()` shows the nearest. Search on, widen the space, or loosen a constraint."
        )
    return (
        f"The study '{study.name}' has no finished trial, so there is no best one. "
        "Give the search more of a budget, or see its failures with `summary()`."
    )
