"""A search as plain files: tables that a spreadsheet opens, or every event as a line of JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialed.clock import Clock, SystemClock
from dialed.events import Event
from dialed.observe.tracking import Held, Tracker
from dialed.search.history import History, Terms
from dialed.store.codec import encode
from dialed.trial import MemberRecord, Report, Trial

__all__ = ["CsvFiles", "JsonLines"]

_REPORTS = ("member", "trial", "seed", "fold", "purpose", "epoch", "seconds", "metric", "value")
_BEFORE = ("number", "state", "score", "spread", "epochs", "seconds", "parameters", "latency", "cause", "message")


class CsvFiles(Tracker):
    """Writes a search as two tables that a spreadsheet opens, while it runs.

    `reports.csv` has a row for each metric of each epoch; a resumed search goes on in it. `trials.csv` has a row for each
    trial as soon as it has ended, in the order of their ends, with a column `values.<name>` for each hyperparameter. A
    session that ends writes it anew, by number, with the trials that rest; one that is killed leaves what has ended.

    Args:
        folder: Where to write; made where it is not there. Each study needs a folder of its own.

    Example:
        >>> import dialed, tempfile
        >>> from dialed.trackers import CsvFiles
        >>> folder = Path(tempfile.mkdtemp())
        >>> study = dialed.optimize(
        ...     lambda hp: hp.Float("x", 0.0, 1.0), max_trials=2, observers=[CsvFiles(folder)], verbose=0
        ... )
        >>> (folder / "trials.csv").read_text().splitlines()[0]
        'number,state,score,spread,epochs,seconds,parameters,latency,cause,message,values.x'
    """

    def __init__(self, folder: str | Path) -> None:
        self._tables = _Tables(Path(folder))
        super().__init__(self._tables)

    def recall(self, events: Sequence[Event]) -> None:
        """Write the reports of earlier sessions that are not in the file, and the table of the trials that have ended."""
        super().recall(events)
        self._tables.begin()


class _Tables:
    """The two files.

    The rows of `trials.csv` come from the study, never from the file: a kill may have left half a row there, and a trial
    that rested may have gone on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: list[Trial] = []
        self._names: list[str] = []
        self._begun = False

    def open(self, study: str, terms: Terms) -> Held:
        self._ended, self._names, self._begun = [], [], False
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "reports.csv"
        cut_at_last_line(path)
        if not path.exists() or not path.stat().st_size:
            _add(path, [_REPORTS])
        with path.open(encoding="utf-8", newline="") as file:
            held = Held()
            for row in csv.DictReader(file):
                held.steps[row["member"]] = max(held.steps.get(row["member"], 0), int(row["epoch"]))
        return held

    def begin(self) -> None:
        """From here on the session's own trials come: what ended before them is written at once."""
        self._begun = True
        self._rewrite(self._ended)

    def report(self, trial: Trial, member: str, record: MemberRecord, report: Report) -> None:
        key = report.key
        before = (member, key.trial, key.seed, key.fold, record.purpose, report.epoch, report.seconds)
        _add(self._folder / "reports.csv", [(*before, name, value) for name, value in report.metrics.items()])

    def member_ended(self, trial: Trial, member: str, record: MemberRecord) -> None:
        """A trial has one row, however many members it has."""

    def trial_ended(self, trial: Trial) -> None:
        self._ended.append(trial)
        if not self._begun:
            return
        if set(trial.values) <= set(self._names):
            _add(self._folder / "trials.csv", [self._row(trial)])
        else:
            self._rewrite(self._ended)  # it brings columns that the file does not have yet

    def close(self, history: History, *, finished: bool) -> None:
        self._rewrite(history.trials)

    def _rewrite(self, trials: Sequence[Trial]) -> None:
        """Write `trials.csv` anew, whole or not at all."""
        self._names = list(dict.fromkeys(name for trial in trials for name in trial.values))
        temporary = self._folder / ".trials.csv.writing"
        temporary.unlink(missing_ok=True)
        _add(temporary, [(*_BEFORE, *(f"values.{name}" for name in self._names)), *(self._row(t) for t in trials)])
        temporary.replace(self._folder / "trials.csv")

    def _row(self, trial: Trial) -> tuple[Any, ...]:
        return (*(getattr(trial, name) for name in _BEFORE), *(trial.values.get(name) for name in self._names))


def _add(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    """Add whole rows in one write, so that a kill leaves at most the last one half done."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())


class JsonLines:
    """Writes every event of a study as a line of JSON, with its kind and the time.

    To choose: where another program follows a search, or an archive must hold all of it. What is not a number is `null`.
    A resumed search goes on in the same file.

    Args:
        path: The file; its folder is made where it is not there. Each study needs a file of its own.
        clock: Where the times come from. Defaults to the machine's.

    Example:
        >>> import dialed, tempfile
        >>> from dialed.trackers import JsonLines
        >>> path = Path(tempfile.mkdtemp()) / "bowl.jsonl"
        >>> study = dialed.optimize(lambda hp: hp.Float("x", 0.0, 1.0), max_trials=1, observers=[JsonLines(path)], verbose=0)
        >>> json.loads(path.read_text().splitlines()[0])["kind"]
        'session_started'
    """

    def __init__(self, path: str | Path, *, clock: Clock | None = None) -> None:
        self.path = Path(path)
        self._clock = clock or SystemClock()

    def watch(self, name: str, terms: Terms) -> None:
        """Begin the file, or find its end."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        cut_at_last_line(self.path)

    def recall(self, events: Sequence[Event]) -> None:
        """Write the events of earlier sessions that are not in the file."""
        held = self.path.read_bytes().count(b"\n") if self.path.exists() else 0
        for event in events[held:]:
            self.on_event(event)

    def on_event(self, event: Event) -> None:
        """Write one line."""
        kind, body = encode(event)
        line = {"kind": kind, "time": self._clock.now(), **_finite(json.loads(body))}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def cut_at_last_line(path: Path) -> None:
    """Take half a line off the end of a file, as a kill leaves it."""
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with path.open("r+b") as file:
                file.truncate(whole)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
