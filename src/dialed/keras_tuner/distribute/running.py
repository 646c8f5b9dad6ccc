"""A trial that the tuner's own code runs, as an engine of Dialed's sees it, and how it went as the chief reads it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dialed.engine.movable import Part
from dialed.engine.protocol import Batch, OnReport
from dialed.events import Built
from dialed.executor import Deadline
from dialed.keras_tuner.distribute.client import OracleClient
from dialed.keras_tuner.engine.files import load_json, save_json
from dialed.keras_tuner.engine.hyperparameters import HyperParameters
from dialed.keras_tuner.engine.trial import Trial, TrialStatus
from dialed.keras_tuner.engine.view import View, clean
from dialed.keras_tuner.errors import FatalError
from dialed.trial import Cause, Member, Outcome, Report, State

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.base_tuner import BaseTuner

__all__ = ["Ran", "RunningMaker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a trial went in a worker.

    Args:
        hyperparameters: Values and space, with what the trial asked for as it ran.
        told: Each of its measurements, metrics by name, with the step.
        status: One of `TrialStatus`.
        message: What went wrong, or `None`.
        fatal: Whether no trial could go well, so that the search ends.
    """

    hyperparameters: HyperParameters
    told: Sequence[tuple[Mapping[str, float], int]]
    status: str
    message: str | None
    fatal: bool

    def write(self, folder: str, trial_id: str) -> None:
        """Write it into the trial's folder."""
        content = {
            "hyperparameters": self.hyperparameters.get_config(),
            "told": list(self.told),
            "status": self.status,
            "message": self.message,
            "fatal": self.fatal,
        }
        save_json(_path(folder, trial_id), content)

    @classmethod
    def read(cls, folder: str, trial_id: str) -> Self | None:
        """How a trial went; `None` where no worker came so far as to say it."""
        try:
            content = load_json(_path(folder, trial_id))
        except FileNotFoundError:
            return None
        return cls(**{**content, "hyperparameters": HyperParameters.from_config(content["hyperparameters"])})

    @staticmethod
    def forget(folder: str, trial_id: str) -> None:
        """Remove what an earlier run of the trial said."""
        _path(folder, trial_id).unlink(missing_ok=True)


def _path(folder: str, trial_id: str) -> Path:
    return Path(folder, f"trial_{trial_id}", "ran.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningMaker:
    """Makes the engine of a worker whose trials are run by the tuner's own code.

    Args:
        tuner: Runs trials. Its oracle is an `OracleClient`.
        args: What `search` was given.
        kwargs: What `search` was given by name.
        name_of: Tells the oracle's name of a trial by its number in the study.
    """

    tuner: BaseTuner
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name_of: Callable[[int], str]

    @property
    def parts(self) -> Sequence[Part]:
        """What of it is the user's own: it is never sent anywhere."""
        return ()

    def __call__(self, deadline: Deadline) -> Running:
        return Running(self)


class Running:
    """Runs members one after another with `run_trial`.

    Args:
        made: What to run, and with what.
    """

    def __init__(self, made: RunningMaker) -> None:
        self._made = made

    def plan(self, members: Sequence[Member]) -> list[Batch]:
        return [Batch(members=(m,), program="run_trial", reason="the tuner's own code") for m in members]

    def train(self, members: Sequence[Member], until: int, on_report: OnReport) -> Iterator[Outcome]:
        """Run each member's trial. A `FatalError` of one is its failure first, and then ends this worker."""
        for member in members:
            outcome, fatal = self._run(member, on_report)
            yield outcome
            if fatal is not None:
                raise fatal

    def _run(self, member: Member, on_report: OnReport) -> tuple[Outcome, FatalError | None]:
        tuner, began = self._made.tuner, time.monotonic()
        oracle: OracleClient = tuner.oracle  # type: ignore[assignment]
        trial_id = self._made.name_of(member.key.trial)
        trial = Trial.load(Path(tuner.project_dir, f"trial_{trial_id}", "trial.json"))
        oracle.begin(trial)
        view = View(trial.hyperparameters.space)
        values = view.known(clean(trial.hyperparameters.values))
        on_report(Built(trial=member.key.trial, values=values, engine="run_trial", space=view.space.to_json()))
        fatal: FatalError | None = None
        try:
            tuner.on_trial_begin(trial)
            tuner._try_run_and_update_trial(trial, *self._made.args, **self._made.kwargs)
            tuner.on_trial_end(trial)
        except FatalError as error:
            fatal = error
            trial.status, trial.message = TrialStatus.FAILED, f"{type(error).__name__}: {error}"
        Ran(
            hyperparameters=trial.hyperparameters,
            told=list(oracle.told),
            status=trial.status,
            message=trial.message,
            fatal=fatal is not None,
        ).write(tuner.project_dir, trial_id)
        return self._outcome(member, trial, time.monotonic() - began, on_report), fatal

    def _outcome(self, member: Member, trial: Trial, seconds: float, on_report: OnReport) -> Outcome:
        """The record of it in the study: one epoch, with the last measurement."""
        if trial.status != TrialStatus.COMPLETED:
            message = (trial.message or "It has failed.").strip().splitlines()[-1]
            return Outcome(key=member.key, state=State.FAILED, epoch=0, cause=Cause.ERROR, message=message)
        oracle = self._made.tuner.oracle
        metrics = dict(oracle.told[-1][0])  # type: ignore[attr-defined]
        score = metrics.setdefault(oracle.objective.name, float(oracle.objective.get_value(metrics)))
        if not math.isfinite(score):
            message = f"The objective '{oracle.objective.name}' became {score}."
            return Outcome(key=member.key, state=State.FAILED, epoch=0, cause=Cause.NAN, message=message)
        on_report(Report(key=member.key, epoch=1, metrics=metrics, seconds=seconds, final=True))
        return Outcome(key=member.key, state=State.COMPLETED, epoch=1)
