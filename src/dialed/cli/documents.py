"""Studies and trials as JSON documents: what `--json` prints and `dialed export` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from dialed.observe.trained import Trained
from dialed.store import StudyInfo
from dialed.study.confirm import Confirmation
from dialed.study.study import Study
from dialed.trial import MemberRecord, Report, Trial

__all__ = ["info_document", "result_document", "study_document", "trial_document"]


def info_document(info: StudyInfo) -> dict[str, Any]:
    """A study at a glance."""
    return {
        "name": info.name,
        "state": info.state,
        "objective": asdict(info.objective),
        "trials": info.trials,
        "epochs": info.epochs,
        "seconds": info.seconds,
        "best_trial": info.best_trial,
        "best_score": info.best_score,
        "created": info.created,
        "changed": info.changed,
    }


def study_document(study: Study) -> dict[str, Any]:
    """All that is known of a study, but for the reports of each epoch: those are in `trial_document`."""
    return {
        **result_document(study),
        "space": study.space.to_json(),
        "settings": dict(study.settings),
        "trials": [trial_document(trial) for trial in study.trials],
    }


def result_document(study: Study) -> dict[str, Any]:
    """What a study found."""
    winner, baseline = study.winner, study.baseline
    return {
        "name": study.name,
        "objective": asdict(study.objective),
        "objectives": [asdict(objective) for objective in study.objectives],
        "constraints": [asdict(constraint) for constraint in study.constraints],
        "front": [trial.number for trial in study.best_trials],
        "warm_started_from": [event.source for event in study.record.earlier],
        "winner": None if winner is None else trial_document(winner),
        "baseline": None if baseline is None else trial_document(baseline),
        "confirmation": _confirmation(study.confirmation),
        "trials_begun": len(study.trials),
        "epochs": study.record.epochs,
        "seconds": study.record.finished_seconds,
        "trained": Trained.of(study.trials).to_json(),
    }


def trial_document(trial: Trial, reports: Sequence[Report] | None = None) -> dict[str, Any]:
    """A trial with its members; with `reports`, also every metric of each epoch."""
    document = {
        "number": trial.number,
        "state": str(trial.state),
        "cause": None if trial.cause is None else str(trial.cause),
        "message": trial.message,
        "score": trial.score,
        "spread": trial.spread,
        "metrics": dict(trial.metrics),
        "values": dict(trial.values),
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "parameters": trial.parameters,
        "latency": trial.latency,
        "source": trial.source,
        "engine": trial.engine,
        "note": trial.note,
        "tags": list(trial.tags),
        "members": [_member(member) for member in trial.members],
    }
    if reports is not None:
        document["reports"] = [_report(report) for report in reports]
    return document


def _member(member: MemberRecord) -> dict[str, Any]:
    return {
        "seed": member.key.seed,
        "fold": member.key.fold,
        "purpose": member.purpose,
        "state": str(member.state),
        "cause": None if member.cause is None else str(member.cause),
        "score": member.score,
        "best_epoch": member.best_epoch,
        "epoch": member.epoch,
        "curve": list(member.curve),
        "seconds": member.seconds,
        "memory_bytes": member.memory_bytes,
    }


def _report(report: Report) -> Mapping[str, Any]:
    return {
        "seed": report.key.seed,
        "fold": report.key.fold,
        "epoch": report.epoch,
        "metrics": dict(report.metrics),
        "seconds": report.seconds,
    }


def _confirmation(confirmation: Confirmation | None) -> dict[str, Any] | None:
    return None if confirmation is None else asdict(confirmation)
