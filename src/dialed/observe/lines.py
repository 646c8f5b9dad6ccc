"""One line a finished trial: for logs, pipes, continuous integration, and terminals that cannot redraw."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from statistics import fmean
from types import TracebackType
from typing import Self, TextIO

from dialed.clock import Clock
from dialed.events import Event, Returned, SessionEnded, SessionStarted
from dialed.observe.progress import Change, Progress, trial_of
from dialed.observe.snapshot import Limits, Snapshot
from dialed.observe.text import first_line, format_count, format_score, format_seconds, format_values
from dialed.search.history import Terms
from dialed.trial import Objective, Outcome, State, Trial

__all__ = ["Lines", "closing_lines", "confirmed_line", "header_line", "trained_lines", "trial_line"]

_GAP = "  "


class Lines:
    """Writes a header, a line for each trial that ends or pauses, and the result. Needs no terminal.

    It begins with the first event, or with `start()`, and ends with the session, or with `stop()`.

    Args:
        file: Where to write. Defaults to `None`: standard output as it is at that moment.
        terms: What the study trains each trial for.
        clock: Where the time comes from.
        budget: The limits of the search. Defaults to those of `terms`.
        name: The study's name. Defaults to "study".

    Example:
        >>> from dialed.clock import SystemClock
        >>> from dialed.search.history import Terms
        >>> from dialed.trial import Objective
        >>> terms = Terms(objective=Objective(name="val_loss", direction="min"), epochs=5, max_trials=20)
        >>> Lines(terms=terms, clock=SystemClock(), name="mnist").start()
        mnist: val_loss, lower is better; at most 20 trials, 5 epochs each
    """

    def __init__(
        self,
        file: TextIO | None = None,
        *,
        terms: Terms,
        clock: Clock,
        budget: Limits | None = None,
        name: str = "study",
    ) -> None:
        self.progress = Progress(terms, clock=clock, budget=budget, name=name)
        self._file = file
        self._open = False

    def recall(self, events: Iterable[Event]) -> None:
        """Count events of earlier sessions without a word."""
        self.progress.recall(events)

    def start(self) -> None:
        """Write the header, unless it stands there already."""
        if not self._open:
            self._open = True
            self._write(header_line(self.progress.snapshot(most_active=0), self.progress.history.terms))

    def stop(self) -> None:
        """Write the result, unless it stands there already."""
        if self._open:
            self._open = False
            for line in closing_lines(self.progress.snapshot(most_active=0)):
                self._write(line)

    def on_event(self, event: Event) -> None:
        """Count `event`, and write what it finished."""
        if isinstance(event, SessionStarted) or trial_of(event) is not None:
            self.start()
        change = self.progress.apply(event)
        if change is not None:
            self._tell(event, change)
        elif isinstance(event, SessionEnded):
            self.stop()

    def _tell(self, event: Event, change: Change) -> None:
        trial, objective = change.trial, self.progress.history.objective
        if change.came_to_rest:
            self._write(trial_line(trial, objective, self.progress.best))
        elif isinstance(event, Returned):
            self._write(_again_line(trial, event))
        elif isinstance(event, Outcome) and _is_confirmed(trial, event):
            self._write(confirmed_line(trial, objective))

    def _write(self, line: str) -> None:
        file = self._file or sys.stdout
        encoding = getattr(file, "encoding", None) or "utf-8"
        # A log in a narrow encoding gets "?" for what it cannot hold; an observer does not fail over a "±".
        print(line.encode(encoding, "replace").decode(encoding), file=file, flush=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def header_line(look: Snapshot, terms: Terms) -> str:
    """Write what is searched for and what it may cost."""
    better = "higher" if look.objective.direction == "max" else "lower"
    limits = [_limit(gauge.label, gauge.limit) for gauge in look.gauges if gauge.limit and gauge.label != "confirm"]
    most = f"at most {', '.join(limits)}, " if limits else ""
    each = f"{format_count(terms.epochs, 'epoch')} each"
    each += f" under {len(terms.seeds)} seeds" if len(terms.seeds) > 1 else ""
    each += f" in {len(terms.folds)} folds" if len(terms.folds) > 1 else ""
    line = f"{look.name}: {look.objective.name}, {better} is better; {most}{each}"
    if look.trials:
        line += f"; going on after {format_count(look.trials, 'trial')}"
        line += f", best {_best(look.best)}" if look.best else ""
    return line


def _limit(label: str, limit: float) -> str:
    return format_seconds(limit) if label == "time" else format_count(int(limit), label.removesuffix("s"))


def trial_line(trial: Trial, objective: Objective, best: Trial | None) -> str:
    """Write how one trial ended: its score or its cause, the best so far, its cost and its values."""
    parts = [f"trial {trial.number}", _ending(trial)]
    if trial.state is State.FAILED:
        parts.append(first_line(trial.message))
    else:
        parts.append(f"{objective.name} {format_score(trial.score, trial.spread)}")
    if best is not None:
        parts.append(f"best {_best(best)}")
    parts += [f"epochs {trial.epochs}", format_seconds(trial.seconds), format_values(trial.values)]
    return _GAP.join(part for part in parts if part)


def _ending(trial: Trial) -> str:
    return f"{trial.state} ({trial.cause})" if trial.cause else str(trial.state)


def _best(best: Trial) -> str:
    return f"{format_score(best.score)} (trial {best.number})"


def _again_line(trial: Trial, event: Returned) -> str:
    record = next(m for m in trial.members if m.key == event.key)
    what = f"again ({event.cause}, attempt {record.attempts} of {event.cause.retries})"
    return _GAP.join(part for part in (f"trial {trial.number}", what, first_line(event.message)) if part)


def _is_confirmed(trial: Trial, event: Outcome) -> bool:
    """Whether `event` ended the last of the trial's fresh seeds."""
    judges = trial.confirmations
    return any(m.key == event.key for m in judges) and all(m.state.finished for m in judges)


def confirmed_line(trial: Trial, objective: Objective) -> str:
    """Write what fresh seeds say of one trial."""
    scores = [m.score for m in trial.confirmations if m.score is not None and m.state is not State.FAILED]
    mean = fmean(scores) if scores else None
    said = f"mean of {len(scores)} of {len(trial.confirmations)} fresh members"
    return _GAP.join([f"trial {trial.number}", "confirmed", f"{objective.name} {format_score(mean)}", said])


def closing_lines(look: Snapshot) -> list[str]:
    """Write why the session ended, what it found, and what it cost."""
    reason = f"{look.name}: {first_line(look.ended)}" if look.ended else f"{look.name}:"
    result = "no trial has a score" if look.best is None else _winner(look.best, look.objective)
    counts = ", ".join(f"{n} {state}" for state, n in look.counts.items())
    causes = ", ".join(f"{n} {cause}" for cause, n in look.failures.items())
    trials = format_count(look.trials, "trial") + (f" ({counts}{': ' + causes if causes else ''})" if counts else "")
    cost = f"{trials}, {format_count(look.epochs, 'epoch')}, {format_seconds(look.seconds)}"
    return [reason, f"  {result}", *(f"    {line}" for line in look.died), f"  {cost}", *trained_lines(look)]


def trained_lines(look: Snapshot) -> list[str]:
    """How trials were trained, where that was not one by one as asked: a line for each way or reason."""
    trained = look.trained
    return [f"  {part}" for part in trained.parts] if trained.programs or trained.fallbacks else []


def _winner(best: Trial, objective: Objective) -> str:
    score = format_score(best.score, best.spread)
    values = format_values(best.values)
    return f"best {objective.name} {score} (trial {best.number})" + (f"  {values}" if values else "")
