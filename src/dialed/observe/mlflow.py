"""A search in MLflow: a run for the study, and a child run for each trial."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from dialed.clock import Clock, SystemClock
from dialed.errors import MissingDependencyError
from dialed.observe.text import format_value
from dialed.observe.tracking import Held, Tracker
from dialed.search.history import History, Terms
from dialed.trial import MemberRecord, Report, State, Trial

__all__ = ["MLflow"]

_STUDY, _TRIAL, _STEPS, _PARENT = "dialed.study", "dialed.trial", "dialed.steps", "mlflow.parentRunId"
_KEY = "dialed.key"
"""Of the study's name: a search for it needs no quotes, which MLflow cannot escape."""
_LONGEST_PARAMETER = 500
"""Older servers take no longer value."""


class MLflow(Tracker):
    """Tracks a search in MLflow: a parent run for the study, a child for each trial.

    A trial's values are parameters, its metrics have a point for each epoch; those of repeats, folds and confirmations have
    the member's name before theirs. At its end a trial has its `score` and `spread`. A resumed search goes on in the
    same runs, from any machine.

    Args:
        tracking_uri: The server, such as "http://127.0.0.1:5000", or "sqlite:///mlflow.db". Defaults to MLflow's own
            setting.
        experiment: The experiment; made where it is not there. Defaults to "dialed".
        clock: Where the times of the points come from. Defaults to the machine's.

    Raises:
        MissingDependencyError: MLflow is not installed.
    """

    def __init__(
        self, tracking_uri: str | None = None, *, experiment: str = "dialed", clock: Clock | None = None
    ) -> None:
        super().__init__(_Runs(tracking_uri, experiment, clock or SystemClock()))


class _Runs:
    def __init__(self, address: str | None, experiment: str, clock: Clock) -> None:
        try:
            from mlflow import MlflowClient, entities
        except ImportError as error:
            raise MissingDependencyError(
                'Tracking with MLflow needs `mlflow`, which is not installed. Install it with `pip install "dialed[mlflow]"`.'
            ) from error
        self._client = MlflowClient(tracking_uri=address)
        self._entities = entities
        self._experiment, self._clock = experiment, clock
        self._home = self._parent = ""
        self._runs: dict[int, str] = {}
        self._steps: dict[int, dict[str, int]] = {}

    def open(self, study: str, terms: Terms) -> Held:
        self._home = self._experiment_id()
        found = self._search(f"tags.`{_KEY}` = '{_key(study)}'")
        own = [run for run in found if _TRIAL not in run.data.tags]
        self._parent = (
            own[0].info.run_id
            if own
            else self._begin(study, {_STUDY: study, _KEY: _key(study), "dialed.objective": terms.objective.name})
        )
        held = Held()
        for run in found:
            number = run.data.tags.get(_TRIAL)
            if number is not None:
                self._runs[int(number)] = run.info.run_id
                self._steps[int(number)] = json.loads(run.data.tags.get(_STEPS, "{}"))
                held.steps.update(self._steps[int(number)])
                held.ended.update([number] if run.info.status in ("FINISHED", "FAILED") else [])
        self._client.update_run(self._parent, status="RUNNING")
        self._study = study
        return held

    def report(self, trial: Trial, member: str, record: MemberRecord, report: Report) -> None:
        # A single member's metrics keep their names.
        before = "" if member.count("-") == 1 else member.split("-", 2)[2] + "/"
        steps = self._steps.setdefault(trial.number, {})
        steps[member] = report.epoch
        numbers = {before + name: value for name, value in report.metrics.items()}
        self._log(trial, numbers, step=report.epoch, tags={_STEPS: json.dumps(steps)})

    def member_ended(self, trial: Trial, member: str, record: MemberRecord) -> None:
        """A run is of a trial, which ends with the last of its members."""

    def trial_ended(self, trial: Trial) -> None:
        numbers = {"score": trial.score, "spread": trial.spread, "parameters": trial.parameters}
        numbers["latency"] = trial.latency
        tags = {"dialed.state": str(trial.state)}
        if trial.cause is not None:
            tags |= {"dialed.cause": str(trial.cause), "dialed.message": trial.message[:_LONGEST_PARAMETER]}
        self._log(trial, {name: float(n) for name, n in numbers.items() if n is not None}, step=trial.epochs, tags=tags)
        status = "FAILED" if trial.state is State.FAILED else "FINISHED"
        self._client.set_terminated(self._runs[trial.number], status, int(1000 * self._clock.now()))

    def close(self, history: History, *, finished: bool) -> None:
        best = history.best_trial
        if best is not None and best.score is not None:
            self._client.log_metric(self._parent, "best score", best.score)
            self._client.set_tag(self._parent, "dialed.best_trial", str(best.number))
        status = "FINISHED" if finished else "KILLED"
        self._client.set_terminated(self._parent, status, int(1000 * self._clock.now()))

    def _log(self, trial: Trial, numbers: dict[str, float], *, step: int, tags: dict[str, str]) -> None:
        if trial.number not in self._runs:
            name = f"trial {trial.number}"
            own = {_STUDY: self._study, _KEY: _key(self._study), _TRIAL: str(trial.number), _PARENT: self._parent}
            self._runs[trial.number] = self._begin(name, own)
        of, now = self._entities, int(1000 * self._clock.now())
        metrics = [of.Metric(name, value, now, step) for name, value in numbers.items() if math.isfinite(value)]
        values = [of.Param(name, format_value(v)[:_LONGEST_PARAMETER]) for name, v in trial.values.items()]
        marks = [of.RunTag(name, text) for name, text in tags.items()]
        self._client.log_batch(self._runs[trial.number], metrics=metrics, params=values, tags=marks)

    def _begin(self, name: str, tags: dict[str, str]) -> str:
        run = self._client.create_run(self._home, run_name=name, tags=tags, start_time=int(1000 * self._clock.now()))
        return str(run.info.run_id)

    def _experiment_id(self) -> str:
        known = self._client.get_experiment_by_name(self._experiment)
        return str(known.experiment_id if known is not None else self._client.create_experiment(self._experiment))

    def _search(self, where: str) -> list[Any]:
        found: list[Any] = []
        token = None
        while True:
            page = self._client.search_runs([self._home], where, max_results=1000, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _key(study: str) -> str:
    return hashlib.sha256(study.encode()).hexdigest()[:16]
