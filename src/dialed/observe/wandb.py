"""A search in Weights & Biases: a run for each member, in a group for each study."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, Literal

from dialed.errors import MissingDependencyError
from dialed.observe.files import cut_at_last_line
from dialed.observe.tracking import Held, Tracker
from dialed.search.history import History, Terms
from dialed.trial import MemberRecord, Report, State, Trial

__all__ = ["WandB"]

MOST_OPEN = 32
"""Runs that are open at once. Each has a stream of its own; one that is closed for another is opened again when it goes on."""


class WandB(Tracker):
    """Tracks a search in Weights & Biases: a run for each member of each trial, grouped by study.

    It needs no network with `mode="offline"`: `wandb sync` sends what was written, when you say so. A resumed search
    goes on in the same runs; what was written is noted beside them, in `dialed-<study>.jsonl`.

    Args:
        project: The project. Defaults to "dialed".
        folder: Where runs are written. Defaults to the current folder; Weights & Biases makes `wandb/` in it.
        mode: "offline", or "online" where you are logged in. Defaults to "offline".
        entity: The team or user. Defaults to None: your own.

    Raises:
        MissingDependencyError: Weights & Biases is not installed.
    """

    def __init__(
        self,
        project: str = "dialed",
        *,
        folder: str | Path = ".",
        mode: Literal["offline", "online"] = "offline",
        entity: str | None = None,
    ) -> None:
        super().__init__(_Runs(project, Path(folder), mode, entity))


class _Runs:
    def __init__(self, project: str, folder: Path, mode: Literal["offline", "online"], entity: str | None) -> None:
        try:
            import wandb
        except ImportError as error:
            raise MissingDependencyError(
                "Tracking with Weights & Biases needs `wandb`, which is not installed. Install it with "
                '`pip install "dialed[wandb]"`.'
            ) from error
        self._wandb = wandb
        self._where: dict[str, Any] = {"project": project, "dir": str(folder), "mode": mode, "entity": entity}
        self._folder = folder
        self._study = ""
        self._open: dict[str, Any] = {}

    def open(self, study: str, terms: Terms) -> Held:
        self._study = study
        self._folder.mkdir(parents=True, exist_ok=True)
        cut_at_last_line(self._notes)
        held = Held()
        for line in self._notes.read_text(encoding="utf-8").splitlines() if self._notes.exists() else ():
            note = json.loads(line)
            if "step" in note:
                held.steps[note["member"]] = note["step"]
            else:
                held.ended.add(note["member"])
        return held

    def report(self, trial: Trial, member: str, record: MemberRecord, report: Report) -> None:
        metrics = {name: value for name, value in report.metrics.items() if math.isfinite(value)}
        if record.score is not None and math.isfinite(record.score):
            metrics["score"] = record.score
        self._run(trial, member, record).log(metrics, step=report.epoch)
        self._note(member=member, step=report.epoch)

    def member_ended(self, trial: Trial, member: str, record: MemberRecord) -> None:
        run = self._run(trial, member, record)
        run.config.update(dict(trial.values), allow_val_change=True)
        run.summary.update(
            {"state": str(record.state), "score": record.score, "cause": record.cause and str(record.cause)}
        )
        self._open.pop(member).finish(exit_code=int(record.state is State.FAILED))
        self._note(member=member)

    def trial_ended(self, trial: Trial) -> None:
        """A run is of a member."""

    def close(self, history: History, *, finished: bool) -> None:
        while self._open:
            self._open.popitem()[1].finish()

    def _run(self, trial: Trial, member: str, record: MemberRecord) -> Any:
        if member not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open))).finish()
            self._open[member] = self._wandb.init(
                **self._where,
                id=_plain(f"{self._study}-{member}"),
                name=member,
                group=self._study,
                job_type=record.purpose,
                tags=[f"trial {trial.number}"],
                config=dict(trial.values),
                resume="allow" if self._where["mode"] == "online" else None,
                reinit="create_new",
                settings=self._wandb.Settings(silent=True, console="off", disable_git=True),
            )
        return self._open[member]

    @property
    def _notes(self) -> Path:
        return self._folder / f"dialed-{_plain(self._study)}.jsonl"

    def _note(self, **fields: object) -> None:
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(fields) + "\n")


def _plain(name: str) -> str:
    return re.sub(r"[^\w-]+", "-", name)
