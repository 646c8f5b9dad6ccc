"""`dialed import`: a search that another program recorded, as a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dialed.cli.options import debug_option, store_option
from dialed.cli.output import note

__all__ = ["import_project"]


@click.command(name="import", short_help="Read a search of another program into a study.")
@click.argument("kind", type=click.Choice(["keras-tuner"]))
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", help="The study's name.  [default: that of the folder]")
@click.option("--objective", metavar="METRIC", help="The metric that was improved.  [default: the one that was scored]")
@click.option("--direction", type=click.Choice(["min", "max"]), help="Which way is better.")
@store_option
@debug_option
def import_project(
    kind: str, folder: Path, name: str | None, objective: str | None, direction: Any, store: str | None
) -> None:
    """Read a search of another program into a study. FOLDER is a KerasTuner project: directory/project_name."""
    from dialed.keras_tuner.projects import import_project as read

    study = read(folder, name=name, store=store, objective=objective, direction=direction)
    click.echo(f"Read {len(study.trials)} trials of {folder} into the study '{study.name}'.")
    note(f"See it with `dialed show {study.name}`.")


globals()["import"] = import_project  # commands are found under their own names, and Python keeps this one for itself
