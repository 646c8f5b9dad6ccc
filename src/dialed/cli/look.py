"""`dialed studies`, `dialed show` and `dialed best`: what is in a store. None of them loads Keras or a backend."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from dialed.cli.documents import info_document, result_document, trial_document
from dialed.cli.options import look_options
from dialed.cli.output import print_json, terminal_width
from dialed.cli.stores import is_there, open_study, opened, say_place
from dialed.errors import InvalidInputError, StudyError
from dialed.observe.text import (
    columns,
    first_line,
    format_bytes,
    format_count,
    format_latency,
    format_score,
    format_seconds,
    format_value,
    format_values,
)
from dialed.store import StudyInfo
from dialed.study.study import Study
from dialed.trial import MemberRecord, Report, Trial, Value, best_first

__all__ = ["best", "show", "studies", "toml_line"]


@click.command(short_help="List the studies of a store.")
@look_options
def studies(store: str | None, as_json: bool) -> None:
    """List the studies of a store, the oldest first."""
    found = []
    if is_there(store):
        with opened(store) as catalog:
            found = catalog.studies()
    if as_json:
        print_json([info_document(info) for info in found])
    elif not found:
        click.echo(f"No studies in {say_place(store)} yet. `dialed demo` makes one.")
    else:
        _lines(columns(_study_rows(found), "lllrrr", width=terminal_width(), indent=0))


@click.command(short_help="Show a study, or one trial of it.")
@click.argument("name")
@click.argument("trial", type=click.IntRange(min=0), required=False)
@click.option("--sort", type=click.Choice(["number", "score"]), default="number", help="Order.  [default: number]")
@click.option("--limit", type=click.IntRange(min=0), default=30, help="Trials to list; 0 for all.  [default: 30]")
@click.option(
    "--importance",
    type=click.Choice(["ped-anova", "fanova"]),
    help="Show which hyperparameters mattered instead, by this measure.",
)
@click.option("--diagnosis", is_flag=True, help="Show what is the matter with the trainings instead.")
@click.option("--explanation", is_flag=True, help="Show which change made the difference, where `explain` has asked.")
@look_options
def show(
    name: str,
    trial: int | None,
    sort: str,
    limit: int,
    importance: str | None,
    diagnosis: bool,
    explanation: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Show a study: what it found, and its trials; or one TRIAL: its values, members and epochs."""
    with open_study(name, store) as study:
        if importance is not None:
            _show_result(study.importance(importance), as_json=as_json)
            return
        if diagnosis:
            _show_result(study.diagnose(), as_json=as_json)
            return
        if explanation:
            _show_explanations(name, store, as_json=as_json)
            return
        if trial is not None:
            _show_trial(study, _trial(study, trial), as_json=as_json)
            return
        listed = _sorted(study, sort)
        shown = listed[: limit or None]
        if as_json:
            print_json({**result_document(study), "trials": [trial_document(t) for t in shown]})
            return
        click.echo(study.summary())
        if shown:
            click.echo("\nTrials:")
            _lines(columns(_trial_rows(shown, study), "rlrrrl", width=terminal_width()))
        if len(shown) < len(listed):
            click.echo(f"  {len(listed) - len(shown):,} more: --limit 0 lists all.")


@click.command(short_help="Print the values of the winner.")
@click.argument("name")
@look_options
def best(name: str, store: str | None, as_json: bool) -> None:
    """Print the values of the winner as `name = value`, a line each, as TOML writes them."""
    with open_study(name, store) as study:
        values = study.best_values
        if study.winner is None:
            raise StudyError(
                f"The study '{name}' has no {_missing(study)}, so there is no best one. See `dialed show {name}`."
            )
    if as_json:
        print_json(values)
    else:
        _lines([toml_line(hyperparameter, value) for hyperparameter, value in values.items()])


def _missing(study: Study) -> str:
    scored = any(trial.score is not None for trial in study.trials)
    return "trial that keeps its constraints" if study.constraints and scored else "finished trial"


def toml_line(name: str, value: Value) -> str:
    """One value as TOML writes it. TOML has no null: such a value is a comment."""
    key = name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else json.dumps(name)
    return f"# {key} is None" if value is None else f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _lines(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)


def _show_explanations(name: str, store: str | None, *, as_json: bool) -> None:
    """Print what the studies say that `explain` made beside the one of that name."""
    from dialed.analysis import recorded_explanation

    with opened(store) as catalog:
        beside = [info.name for info in catalog.studies() if info.name.startswith(f"{name}-explained-")]
    if not beside:
        raise StudyError(f"The study '{name}' has no explanation yet: `tuner.explain()` makes one, after a search.")
    found = []
    for retrained in beside:
        with open_study(retrained, store) as study:
            found.append(recorded_explanation(study))
    if as_json:
        print_json([asdict(explanation) for explanation in found])
    else:
        click.echo("\n\n".join(str(explanation) for explanation in found))


def _show_result(result: Any, *, as_json: bool) -> None:
    """Print what an analysis found: frozen values, which are as good as JSON."""
    if as_json:
        print_json(asdict(result))
    else:
        click.echo(str(result))


def _study_rows(found: Sequence[StudyInfo]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("study", "last change", "state", "trials", "best", "objective")]
    for info in found:
        changed = datetime.fromtimestamp(info.changed).strftime("%Y-%m-%d %H:%M")
        score = format_score(info.best_score)
        rows.append((info.name, changed, info.state, f"{info.trials:,}", score, info.objective.name))
    return rows


def _sorted(study: Study, sort: str) -> Sequence[Trial]:
    if sort == "number":
        return study.trials
    return best_first(study.trials, study.objective)


def _trial_rows(trials: Sequence[Trial], study: Study) -> list[tuple[str, ...]]:
    defaults = None if study.baseline is None else study.baseline.values
    differ = "values" if defaults is None else "unlike the defaults"
    rows: list[tuple[str, ...]] = [("trial", "state", study.objective.name, "epochs", "time", differ)]
    for trial in trials:
        score = format_score(trial.score, trial.spread)
        told = format_values(trial.values, defaults)
        if trial.cause is not None:
            told = f"{trial.cause}: {first_line(trial.message)}"
        rows.append(
            (str(trial.number), str(trial.state), score, str(trial.epochs), format_seconds(trial.seconds), told)
        )
    return rows


def _trial(study: Study, number: int) -> Trial:
    if number >= len(study.trials):
        last = len(study.trials) - 1
        known = f"in the range [0, {last}]" if last >= 0 else "of a study that has begun one"
        raise InvalidInputError(f"`TRIAL` must be the number of a trial, {known}. Got {number}.")
    return study.record.trial(number)


def _show_trial(study: Study, trial: Trial, *, as_json: bool) -> None:
    reports = study.history(trial)
    if as_json:
        print_json(trial_document(trial, reports))
        return
    width = terminal_width()
    click.echo(f"Trial {trial.number} of {study.name}: {_told(study, trial)}")
    click.echo(f"{_cost(trial)}\n")
    _lines(columns([(n, format_value(v)) for n, v in trial.values.items()], "lr", width=width))
    click.echo("\nMembers:")
    _lines(columns([_MEMBER_HEAD, *(_member_row(m) for m in trial.members)], "lrllrrrrr", width=width))
    if reports:
        click.echo("\nEpochs:")
        _lines(_epoch_lines(reports, width))


def _told(study: Study, trial: Trial) -> str:
    if trial.cause is not None:
        return f"{trial.state} ({trial.cause}). {trial.message}"
    spread = f" ± {format_score(trial.spread)}" if trial.spread is not None else ""
    return f"{trial.state}, {study.objective.name} {format_score(trial.score)}{spread}."


def _cost(trial: Trial) -> str:
    parts = [format_count(trial.epochs, "epoch"), format_seconds(trial.seconds)]
    if trial.parameters is not None:
        parts.append(format_count(trial.parameters, "parameter"))
    if trial.latency is not None:
        parts.append(f"{format_latency(trial.latency)} a sample")
    chosen = {"default": "the defaults", "enqueued": "asked for", "asked": "asked for"}.get(trial.source)
    return ", ".join([*parts, *([chosen] if chosen else []), *([f"trained by {trial.engine}"] if trial.engine else [])])


_MEMBER_HEAD = ("seed", "fold", "purpose", "state", "score", "best at", "epochs", "time", "memory")


def _member_row(member: MemberRecord) -> tuple[str, ...]:
    return (
        str(member.key.seed),
        str(member.key.fold),
        member.purpose,
        str(member.state) if member.cause is None else str(member.cause),
        format_score(member.score),
        "-" if member.best_epoch is None else str(member.best_epoch),
        str(member.epoch),
        format_seconds(member.seconds),
        format_bytes(member.memory_bytes),
    )


def _epoch_lines(reports: Sequence[Report], width: int) -> list[str]:
    metrics = list(dict.fromkeys(name for report in reports for name in report.metrics))
    several = len({report.key for report in reports}) > 1
    head = [*(("seed", "fold") if several else ()), "epoch", *metrics, "time"]
    rows: list[Sequence[Any]] = [head]
    for report in sorted(reports, key=lambda r: (r.key, r.epoch)):
        which = (str(report.key.seed), str(report.key.fold)) if several else ()
        scores = (format_score(report.metrics.get(name)) for name in metrics)
        rows.append([*which, str(report.epoch), *scores, format_seconds(report.seconds)])
    return columns(rows, "r" * len(head), width=width)
