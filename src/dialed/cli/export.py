"""`dialed export`: a study as files that other programs read."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import click

from dialed.cli.documents import study_document
from dialed.cli.options import debug_option, store_option
from dialed.cli.output import finite, note
from dialed.cli.stores import open_study
from dialed.errors import StudyError
from dialed.study.study import Study

__all__ = ["as_csv", "export"]

_BEFORE = ("number", "state", "score", "spread")
_AFTER = ("epochs", "seconds", "parameters", "latency", "source", "cause", "message")


@click.command(short_help="Write a study to files that other programs read.")
@click.argument("name")
@click.option("--csv", "csv_file", metavar="FILE", help="The trials as a table, one row a trial.")
@click.option("--json", "json_file", metavar="FILE", help="All that is known of the study.")
@click.option("--tensorboard", "board", metavar="DIR", help="A folder for TensorBoard, with its HParams page.")
@click.option("--values", "values_file", metavar="FILE", help="The winner's values, as JSON.")
@store_option
@debug_option
def export(
    name: str,
    csv_file: str | None,
    json_file: str | None,
    board: str | None,
    values_file: str | None,
    store: str | None,
) -> None:
    """Write a study to files that other programs read. FILE may be - for standard output."""
    wanted = {csv_file: as_csv, json_file: _as_json, values_file: _as_values}
    chosen = {file: write for file, write in wanted.items() if file is not None}
    if not chosen and board is None:
        raise click.UsageError("Say what to write: --csv FILE, --json FILE, --tensorboard DIR or --values FILE.")
    if len(chosen) < sum(file is not None for file in (csv_file, json_file, values_file)):
        raise click.UsageError("Give each of --csv, --json and --values a file of its own.")
    with open_study(name, store) as study:
        _write_all({file: write(study) for file, write in chosen.items()})
        if board is not None:
            note(f"Wrote {study.export_tensorboard(board)}. Look at it: tensorboard --logdir {board}")


def _write_all(texts: Mapping[str, str]) -> None:
    for file, text in texts.items():
        if file == "-":
            click.echo(text, nl=False)
        else:
            _write(Path(file), text)
            note(f"Wrote {file}.")


def _write(path: Path, text: str) -> None:
    """Write the whole file or none of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise click.FileError(str(path), hint=error.strerror or str(error)) from error


def as_csv(study: Study) -> str:
    """The trials as a table: state, score and cost, and a column for each hyperparameter; empty where inactive."""
    names = list(study.space.names) or sorted({name for trial in study.trials for name in trial.values})
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow([*_BEFORE, *(f"values.{name}" for name in names), *_AFTER])
    for trial in study.trials:
        values = (trial.values.get(name) for name in names)
        rows.writerow([*(getattr(trial, n) for n in _BEFORE), *values, *(getattr(trial, n) for n in _AFTER)])
    return text.getvalue()


def _as_json(study: Study) -> str:
    return json.dumps(finite(study_document(study)), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _as_values(study: Study) -> str:
    if study.winner is None:
        raise StudyError(f"The study '{study.name}' has no finished trial, so there are no best values to write.")
    return json.dumps(study.best_values, indent=2, ensure_ascii=False) + "\n"
