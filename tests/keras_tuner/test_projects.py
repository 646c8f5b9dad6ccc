"""KerasTuner's projects: read into a study, and gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import dialed.keras_tuner as kt
from dialed.cli import main
from dialed.errors import InvalidInputError, StudyError
from dialed.keras_tuner.projects import import_project
from dialed.trial import Objective, State

SPACE: list[dict[str, Any]] = [
    {
        "class_name": "Choice",
        "config": {"name": "kind", "default": "a", "conditions": [], "values": ["a", "b"], "ordered": False},
    },
    {
        "class_name": "Int",
        "config": {
            "name": "units",
            "default": None,
            "conditions": [{"class_name": "Parent", "config": {"name": "kind", "values": ["b"]}}],
            "min_value": 4,
            "max_value": 8,
            "step": 4,
            "sampling": "linear",
        },
    },
]


def written(folder: Path, *, statuses: tuple[str, ...] = ("COMPLETED", "COMPLETED", "FAILED", "RUNNING")) -> Path:
    """A project as KerasTuner 1.4.8 writes it: four trials, the last of which was being trained."""
    values: list[dict[str, Any]] = [{"kind": "a"}, {"kind": "b", "units": 8}, {"kind": "b", "units": 4}, {"kind": "a"}]
    for number, status in enumerate(statuses):
        score = {0: 0.5, 1: 0.75}.get(number)
        metrics = {
            "loss": {"direction": "min", "observations": [{"value": [1.0], "step": 2}]},
            "val_accuracy": {"direction": "max", "observations": [{"value": [score], "step": 2}]},
        }
        trial = {
            "trial_id": f"{number:02d}",
            "hyperparameters": {"space": SPACE, "values": values[number]},
            "metrics": {"metrics": metrics if score else {}},
            "score": score,
            "best_step": 2 if score else 0,
            "status": status,
            "message": "Traceback: it broke" if status == "FAILED" else None,
        }
        place = folder / f"trial_{number:02d}"
        place.mkdir(parents=True)
        (place / "trial.json").write_text(json.dumps(trial))
    ids = [f"{number:02d}" for number in range(4)]
    state = {
        "ongoing_trials": {"tuner0": "03"},
        "hyperparameters": {"space": SPACE, "values": {"kind": "a"}},
        "start_order": ids,
        "end_order": ids[:3],
        "run_times": dict.fromkeys(ids[:3], 1),
        "retry_queue": [],
        "seed": 3,
        "seed_state": 10,
        "tried_so_far": [],
        "id_to_hash": {},
        "display": {"search_start": None, "trial_start": {}, "trial_number": {}},
    }
    (folder / "oracle.json").write_text(json.dumps(state))
    (folder / "tuner0.json").write_text("{}")
    return folder


def test_a_project_becomes_a_study(working_folder: Path) -> None:
    """Space, values, scores, metrics and failures; what was running is left out; the objective is found by the scores."""
    study = import_project(written(working_folder / "old"), store="sqlite:///:memory:")
    assert (study.name, study.objective) == ("old", Objective(name="val_accuracy", direction="max"))
    assert [t.state for t in study.trials] == [State.COMPLETED, State.COMPLETED, State.FAILED]
    best = study.best_trial
    assert best is not None and (best.score, dict(best.values), best.epochs) == (0.75, {"kind": "b", "units": 8}, 3)
    assert study.history(best)[0].metrics == {"loss": 1.0, "val_accuracy": 0.75}
    assert "it broke" in study.trials[2].message
    assert [str(c) for c in study.space["units"].conditions] == ["kind = b"]


def test_an_imported_study_knows_what_was_tried(working_folder: Path) -> None:
    """It can be asked for more, and here it answers that KerasTuner tried all there is."""
    study = import_project(written(working_folder / "old"), name="new", store="sqlite:///:memory:")
    assert study.name == "new"
    with pytest.raises(StudyError, match="all 3 configurations of the space have been tried"):
        study.ask()


def test_the_objective_can_be_given(working_folder: Path) -> None:
    """And must be, where no metric explains the scores."""
    folder = written(working_folder / "old")
    memory = "sqlite:///:memory:"
    assert import_project(folder, objective="loss", store=memory).objective == Objective(name="loss", direction="min")
    given = import_project(folder, objective="loss", direction="max", store=memory)
    assert given.objective.direction == "max"
    with pytest.raises(InvalidInputError, match=r"`objective` must be one of \['loss', 'val_accuracy'\]"):
        import_project(folder, objective="joy", store=memory)
    trial = json.loads((folder / "trial_00" / "trial.json").read_text())
    (folder / "trial_00" / "trial.json").write_text(json.dumps(trial | {"score": 99.0}))
    with pytest.raises(InvalidInputError, match="`objective` must be given"):
        import_project(folder, store=memory)


def test_a_folder_that_is_no_project_is_refused(working_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project without a readable oracle.json is not."""
    with pytest.raises(InvalidInputError, match="`folder` must be a project of KerasTuner"):
        import_project(working_folder)
    folder = written(working_folder / "old")
    (folder / "oracle.json").unlink()
    assert len(import_project(folder, store="sqlite:///:memory:").trials) == 3
    assert "The space is taken from the trials" in capsys.readouterr().out


def test_the_drop_in_goes_on_with_an_unfinished_project(working_folder: Path) -> None:
    """What was running is trained first, under its name and values; then comes what was not tried."""
    written(working_folder / "old")
    trained: list[dict[str, Any]] = []

    class Mine(kt.GridSearch):
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            trained.append(dict(trial.hyperparameters.values))
            return 0.6

    tuner = Mine(objective=kt.Objective("val_accuracy", "max"), directory=working_folder, project_name="old")
    tuner.oracle.verbose = 0
    tuner.search()
    assert trained == [{"kind": "a"}] and tuner.oracle.trials["03"].status == "COMPLETED"
    assert tuner.oracle.get_best_trials()[0].trial_id == "01"


def test_the_command_reads_a_project(working_folder: Path) -> None:
    """`dialed import keras-tuner DIR`; `dialed show` knows it then."""

    def dialed(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), prog_name="dialed")

    written(working_folder / "old")
    said = dialed("import", "keras-tuner", "old", "--name", "kept")
    assert said.exit_code == 0 and "Read 3 trials of old into the study 'kept'." in said.stdout
    assert "val_accuracy 0.7500" in dialed("show", "kept").stdout
    assert dialed("import", "keras-tuner", ".").exit_code == 2
