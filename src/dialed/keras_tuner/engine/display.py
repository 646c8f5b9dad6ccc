"""What a search prints: the values of each trial as it begins, its score as it ends, and the best so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dialed.keras_tuner.engine.stateful import Stateful

if TYPE_CHECKING:
    from dialed.keras_tuner.engine.oracle import Oracle
    from dialed.keras_tuner.engine.trial import Trial

__all__ = ["Display"]

_WIDTH = 18
"""Columns of a value in the table."""


class Display(Stateful):
    """Prints the course of a search.

    Args:
        oracle: Whose trials.
        verbose: 0 prints nothing. Defaults to 1.
    """

    def __init__(self, oracle: Oracle, verbose: int = 1) -> None:
        self.verbose = verbose
        self.oracle = oracle
        self.col_width = _WIDTH
        self.search_start: datetime | None = None
        self.trial_start: dict[str, datetime] = {}
        self.trial_number: dict[str, int] = {}

    def get_state(self) -> dict[str, Any]:
        """The times as JSON types."""
        return {
            "search_start": self.search_start and self.search_start.isoformat(),
            "trial_start": {trial_id: start.isoformat() for trial_id, start in self.trial_start.items()},
            "trial_number": self.trial_number,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take up the times that `get_state` gave."""
        start = state["search_start"]
        self.search_start = None if start is None else datetime.fromisoformat(start)
        self.trial_start = {trial_id: datetime.fromisoformat(t) for trial_id, t in state["trial_start"].items()}
        self.trial_number = dict(state["trial_number"])

    def on_trial_begin(self, trial: Trial) -> None:
        """Print the values of a trial, beside those of the best."""
        self.trial_start[trial.trial_id] = datetime.now()
        self.search_start = self.search_start or self.trial_start[trial.trial_id]
        self.trial_number.setdefault(trial.trial_id, len(self.oracle.trials))
        if self.verbose < 1:
            return
        print(f"\nSearch: Running Trial #{self.trial_number[trial.trial_id]}\n")
        self.show_hyperparameter_table(trial)
        print()

    def on_trial_end(self, trial: Trial) -> None:
        """Print a trial's score and time, the best so far and the time of the whole search."""
        if self.verbose < 1:
            return
        now, name, best = datetime.now(), self.oracle.objective.name, self._best()
        begun = self.trial_start.get(trial.trial_id, now)
        print(f"\nTrial {self.trial_number.get(trial.trial_id)} Complete [{self.format_duration(now - begun)}]")
        if trial.score is not None:
            print(f"{name}: {trial.score}")
        print(f"\nBest {name} So Far: {None if best is None else best.score}")
        print(f"Total elapsed time: {self.format_duration(now - (self.search_start or now))}")

    def show_hyperparameter_table(self, trial: Trial) -> None:
        """Print the values of a trial, beside those of the best."""
        best = self._best()
        rows = [("Value", "Best Value So Far", "Hyperparameter")]
        for name, value in trial.hyperparameters.values.items():
            known = "?" if best is None else best.hyperparameters.values.get(name)
            rows.append((self.format_value(value), self.format_value(known), name))
        if len(rows) == 1:
            print("default configuration")
            return
        for value, known, name in rows:
            print(f"{value:{self.col_width}}|{known:{self.col_width}}|{name}")

    def format_value(self, val: Any) -> str:
        """A value in few columns."""
        if isinstance(val, (int, float)) and not isinstance(val, bool):
            return f"{val:.5g}"
        text = str(val)
        return text if len(text) <= self.col_width else f"{text[: self.col_width - 3]}..."

    def format_duration(self, duration: timedelta) -> str:
        """A duration in days, hours, minutes and seconds."""
        minutes, seconds = divmod(round(duration.total_seconds()), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        shown = f"{hours:02d}h {minutes:02d}m {seconds:02d}s"
        return f"{days}d {shown}" if days else shown

    def _best(self) -> Trial | None:
        from dialed.keras_tuner.engine.trial import TrialStatus

        best = next(iter(self.oracle.get_best_trials()), None)
        return best if best is not None and best.status == TrialStatus.COMPLETED else None
