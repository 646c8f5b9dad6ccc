"""Notes are kept, and what nobody could fulfil is refused."""

from __future__ import annotations

import pytest

import dialed
from dialed.errors import InvalidInputError, StudyError
from dialed.store import SqlStore, open_catalog
from dialed.study.budget import Budget
from dialed.study.wishes import ask_to_pause, ask_to_stop, set_budget, write_note


@pytest.fixture
def store(tmp_path) -> SqlStore:
    study = dialed.create_study({"x": dialed.Float(0.0, 1.0)}, name="s", store=str(tmp_path / "a.db"))
    study.tell(study.ask(), 0.5)
    study.close()
    return open_catalog(tmp_path / "a.db").open("s")


def test_a_note_is_kept_and_replaced(store, tmp_path):
    study = dialed.load("s", str(tmp_path / "a.db"))
    assert study.note(0, "looks odd", tags=["odd", "odd", " again "]).tags == ("odd", "again")
    assert study.note(0, tags=[]).note == "looks odd"
    trial = study.note(0, "")
    assert (trial.note, trial.tags) == ("", ())


def test_rows_and_history_agree_on_a_note(store):
    write_note(store, 0, "<script>alert(1)</script>", ["a"])
    row, folded = store.trial_row(0), store.load_history().trial(0)
    assert row is not None
    assert (row.note, row.tags) == (folded.note, folded.tags) == ("<script>alert(1)</script>", ("a",))


def test_a_note_needs_its_trial(store):
    with pytest.raises(InvalidInputError, match="The `trial` must be the number of a trial of 's', which has 1. Got 7"):
        write_note(store, 7, "x")


def test_a_note_has_an_end(store):
    with pytest.raises(InvalidInputError, match="The `text` of a note must have at most 10,000 characters. Got 10,001"):
        write_note(store, 0, "x" * 10_001)
    with pytest.raises(InvalidInputError, match="The `tags` must be at most 20, each of at most 60 characters. Got 1,"):
        write_note(store, 0, tags=["x" * 61])
    with pytest.raises(InvalidInputError, match="The `tags` must be a list of words. Got the text 'odd'"):
        write_note(store, 0, tags="odd")


def test_nothing_is_asked_of_a_study_that_nobody_runs(store):
    with pytest.raises(StudyError, match="A trial can be stopped while a search runs, but 's' is new"):
        ask_to_stop(store, 0)
    with pytest.raises(StudyError, match="A study can be paused and resumed while a search runs"):
        ask_to_pause(store, paused=True)
    with pytest.raises(StudyError, match="A budget can be changed while a search runs"):
        set_budget(store, Budget(max_trials=3))


def test_a_trial_that_ended_cannot_be_stopped(store):
    store.claim("one", seconds=60)
    with pytest.raises(StudyError, match="can be stopped while it is trained or waits, but trial 0 is completed"):
        ask_to_stop(store, 0)
    ask_to_pause(store, paused=True)
    set_budget(store, Budget(max_trials=3))
    assert store.load_history().asked.paused
