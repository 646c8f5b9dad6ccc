"""Events of a study, written down as runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialed.events import Built, Event, SessionEnded, TrialStopped
from dialed.observe.tensorboard.hparams import best_tag, ended, experiment, started
from dialed.observe.tensorboard.records import FILE, append, event, messages, read, replace_with, scalar
from dialed.observe.tracking import member_name
from dialed.search.history import History, Terms
from dialed.space import Space
from dialed.trial import MemberKey, MemberRecord, Outcome, Report, State

__all__ = ["Runs"]


@dataclass(slots=True, kw_only=True)
class _Run:
    """What one run's file holds already."""

    path: Path
    steps: int = 0
    begun: bool = False
    ended: bool = False


class Runs:
    """Writes each event once, whoever wrote the files before.

    Args:
        folder: The root; made where it is not there.
        terms: What the study trains each trial for.
    """

    def __init__(self, folder: Path, terms: Terms) -> None:
        self.history = History(terms)
        self._folder = folder
        self._runs: dict[MemberKey, _Run] = {}
        self._built: set[int] = set()
        self._metrics: set[str] = set()
        self._written: Any = None

    def apply(self, item: Event, time: float) -> None:
        """Count one more event, which happened at `time`, and write what follows from it."""
        known = self.history.member(item.key).epoch if isinstance(item, Report) else 0
        self.history.apply(item)
        match item:
            case Report() if item.epoch > known:
                self._report(item, time)
            case Built(trial=trial):
                self._built.add(trial)
                self._begin_all(trial, time)
            case Outcome(key=key):
                record = self.history.member(key)
                self._begin(record, time)
                if record.state.finished:
                    self._end(record, time)
            case TrialStopped(trial=trial):
                self._end_all(trial, {State.STOPPED}, time)
            case SessionEnded():
                # Nobody trains them now. A later session may, but TensorBoard would call them running until then.
                for each in self.history.trials:
                    self._end_all(each.number, {State.PAUSED, State.STOPPED}, time)
                self.experiment(time)

    def experiment(self, time: float) -> None:
        """Write the space and the metrics into the root, where they have changed."""
        space = self._space()
        wanted = (space, frozenset(self._metrics))
        if wanted != self._written:
            self._folder.mkdir(parents=True, exist_ok=True)
            value = experiment(space, self.history.objective, self._metrics, time=time)
            replace_with(self._folder / FILE, [event(time, [value])], time=time)
            self._written = wanted

    def _report(self, report: Report, time: float) -> None:
        record = self.history.member(report.key)
        if report.key.trial in self._built:
            self._begin(record, time)
        run = self._run(record)
        if not self._metrics.issuperset(report.metrics):
            self._metrics |= set(report.metrics)
            self.experiment(time)
        if report.epoch <= run.steps:
            return
        values = [scalar(name, value) for name, value in report.metrics.items()]
        if record.score is not None and math.isfinite(record.score):
            values.append(scalar(best_tag(self.history.objective), record.score))
        append(run.path, [event(time, values, report.epoch)], time=time)
        run.steps = report.epoch

    def _begin(self, record: MemberRecord, time: float) -> None:
        run = self._run(record)
        if not run.begun:
            trial = self.history.trial(record.key.trial)
            group = f"trial {record.key.trial}" + (" confirmed" if record.purpose == "confirm" else "")
            value = started(trial.values, self._space(), group=group, time=time)
            append(run.path, [event(time, [value])], time=time)
            run.begun = True

    def _begin_all(self, trial: int, time: float) -> None:
        for record in self.history.trial(trial).members:
            self._begin(record, time)

    def _end(self, record: MemberRecord, time: float) -> None:
        run = self._run(record)
        if not run.ended:
            append(run.path, [event(time, [ended(record.state, time=time)])], time=time)
            run.ended = True

    def _end_all(self, trial: int, states: set[State], time: float) -> None:
        for record in self.history.trial(trial).members:
            if record.state in states and record.key in self._runs:
                self._begin(record, time)
                self._end(record, time)

    def _run(self, record: MemberRecord) -> _Run:
        if record.key not in self._runs:
            folder = self._folder / member_name(self.history.trial(record.key.trial), record)
            folder.mkdir(parents=True, exist_ok=True)
            self._runs[record.key] = _known(folder / FILE)
        return self._runs[record.key]

    def _space(self) -> Space:
        known = self.history.space_json
        return Space(()) if known is None else Space.from_json(known)


def _known(path: Path) -> _Run:
    """What the file of a run holds, from a session before this one."""
    run, tags = _Run(path=path), messages().metadata
    for item in read(path):
        for value in item.summary.value:
            if value.tag == tags.SESSION_START_INFO_TAG:
                run.begun = True
            elif value.tag == tags.SESSION_END_INFO_TAG:
                run.ended = True
            else:
                run.steps = max(run.steps, item.step)
    return run
