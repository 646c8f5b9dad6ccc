"""How a request becomes a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialed.cli.entry import Interrupted
from dialed.cli.load import Loaded
from dialed.cli.request import SearchRequest
from dialed.cli.searching import arguments_of, going_on, objective_of
from dialed.errors import InvalidInputError
from dialed.space import Choice, Float, Int
from dialed.study import create_study
from dialed.trial import Objective

ARRAYS = Loaded(x_train=[[1.0]], y_train=[0])
DATASET = Loaded(x_train=object(), y_train=None)


def request(**options: object) -> SearchRequest:
    return SearchRequest(builder="m.py:b", data="d.npz", **options)  # type: ignore[arg-type]


def test_a_fifth_is_held_out_where_nothing_is_said() -> None:
    assert arguments_of(request(), ARRAYS) == {"epochs": 10, "validation_split": 0.2}


def test_nothing_is_held_out_where_folds_judge() -> None:
    assert "validation_split" not in arguments_of(request(cv=3), ARRAYS)


def test_nothing_is_held_out_of_a_dataset_which_cannot_be_cut() -> None:
    assert "validation_split" not in arguments_of(request(), DATASET)


def test_what_is_asked_for_is_passed_on() -> None:
    asked = request(
        epochs=Int(2, 4), batch_size=Choice([1, 2]), patience=3, validation_split=0.3, fit={"shuffle": False}
    )
    assert arguments_of(asked, ARRAYS) == {
        "epochs": Int(2, 4),
        "batch_size": Choice([1, 2]),
        "patience": 3,
        "validation_split": 0.3,
        "shuffle": False,
    }


@pytest.mark.parametrize("name", ["epochs", "batch_size"])
def test_counts_are_not_tuned_as_floats(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"`{name}` must be tuned in whole numbers. Got Float"):
        arguments_of(request(**{name: Float(1.0, 2.0)}), ARRAYS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("val_accuracy", "val_accuracy"),
        ("val_profit:max", Objective(name="val_profit", direction="max")),
        ("cost:min", Objective(name="cost", direction="min")),
    ],
)
def test_an_objective_may_say_which_way_is_better(text: str | None, expected: object) -> None:
    assert objective_of(text) == expected


@pytest.mark.parametrize("text", ["val_profit:up", ":max"])
def test_other_directions_are_refused(text: str) -> None:
    with pytest.raises(
        InvalidInputError, match="`--objective` must be a metric such as val_accuracy, with :min or :max"
    ):
        objective_of(text)


def test_an_interruption_says_how_to_go_on(working_folder: Path) -> None:
    create_study({"x": Float(0.0, 1.0)}, name="mine", store="s.db").close()
    with (
        pytest.raises(
            Interrupted, match=r"The study 'mine' is kept in s.db. Go on with it: dialed resume mine --store s.db"
        ),
        going_on("mine", "s.db"),
    ):
        raise KeyboardInterrupt


def test_an_interruption_before_the_study_began_says_so(working_folder: Path) -> None:
    with pytest.raises(Interrupted, match="before the search began; nothing is kept"), going_on("mine", None):
        raise KeyboardInterrupt
    assert not list(working_folder.iterdir())
