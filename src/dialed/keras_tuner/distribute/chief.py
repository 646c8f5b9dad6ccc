"""The chief of a search whose trials are run by the tuner's own code, in the workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialed.keras_tuner.distribute.call import Call, Kind
from dialed.keras_tuner.distribute.running import Ran
from dialed.keras_tuner.engine.asking import Asking
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.errors import FatalRuntimeError
from dialed.trial import Cause, Objective
from dialed.trial import Trial as Trained

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.base_tuner import BaseTuner

__all__ = ["Calling", "coordinate"]

_STUDY = "by-itself"


class Calling:
    """Says in the project's folder that a search goes on, and that it is over.

    Args:
        folder: The project's.
        study: The study that is driven.
        kind: Who trains in the workers.
    """

    def __init__(self, folder: str, study: str, kind: Kind) -> None:
        self._folder = folder
        self._call = Call.new(study, kind)

    def say(self, names: tuple[str, ...] = ()) -> None:
        """Call the workers, once the study is there for them."""
        self._call = replace(self._call, names=names)
        self._call.write(self._folder)

    @contextmanager
    def until_over(self) -> Iterator[None]:
        """Say at the end, and when the search fails, that it is over. A chief that is interrupted may come again."""
        try:
            yield
        except Exception:
            self._call.ended().write(self._folder)
            raise
        self._call.ended().write(self._folder)


class _Chief:
    """One search: asks the oracle, and tells it what the workers wrote down.

    Args:
        tuner: The tuner.
    """

    def __init__(self, tuner: BaseTuner) -> None:
        self.tuner = tuner
        self.oracle = tuner.oracle
        self.calling = Calling(tuner.project_dir, _STUDY, "by itself")
        self.asking = Asking(tuner, self._numbers, self._end, after=self._call, by_itself=True)

    def _numbers(self) -> dict[str, int]:
        return self.oracle.members.setdefault(_STUDY, {})

    def _call(self) -> None:
        """Tell the workers which trial each number means. What an earlier run of a trial said no longer counts."""
        numbers = self._numbers()
        names = [""] * (max(numbers.values(), default=-1) + 1)
        for trial_id, number in numbers.items():
            names[number] = trial_id
        self.calling.say(tuple(names))

    def _end(self, trial: Trial, trained: Trained) -> None:
        ran = Ran.read(self.tuner.project_dir, trial.trial_id)
        if ran is None or trained.cause is Cause.KILLED:
            trial.status, trial.message = TrialStatus.INVALID, f"{trained.cause}: {trained.message}"
        else:
            Ran.forget(self.tuner.project_dir, trial.trial_id)
            if ran.fatal:
                raise FatalRuntimeError(f"Trial {trial.trial_id} ended the search in a worker. {ran.message}")
            for metrics, step in ran.told:
                self.oracle.update_trial(trial.trial_id, metrics, step=step)
            trial.hyperparameters, trial.status, trial.message = ran.hyperparameters, ran.status, ran.message
        self.oracle.end_trial(trial)
        self.tuner.save()

    def search(self) -> None:
        from dialed.study import optimize

        objective = self.oracle.objective
        with self.calling.until_over():
            study = optimize(
                _trained_by_workers,
                objective=Objective(name=objective.name, direction="max" if objective.direction == "max" else "min"),
                strategy=self.asking,
                workers=0,
                seed=abs(self.oracle.seed),
                name=_STUDY,
                store=str(Path(self.tuner.project_dir, "dialed.db")),
                max_consecutive_failures=2**31,
                verbose=0,
            )
            self.asking.settle(study.record)
            self.tuner.save()
        self.tuner.on_search_end()


def coordinate(tuner: BaseTuner) -> None:
    """Search until the oracle stops, training nothing here.

    Raises:
        FatalRuntimeError: A trial ended the search in a worker.
    """
    _Chief(tuner).search()


def _trained_by_workers(hp: Any) -> float:
    """What the study's settings name as its code."""
    raise AssertionError("A chief trains nothing.")
