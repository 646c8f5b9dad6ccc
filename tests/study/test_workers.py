"""Searches on workers in processes of their own: what they find, keep and promise."""

import pytest

import dialed
from dialed.errors import InvalidInputError, StudyError


def bowl(hp):
    for step in range(1, 4):
        if hp.report(step, (hp.Float("x", -2.0, 2.0) - 1.0) ** 2 + 1.0 / step):
            return None
    return (hp.Float("x", -2.0, 2.0) - 1.0) ** 2


def table(study):
    return [(t.number, dict(t.values), t.state, t.score, t.epochs) for t in study.trials]


@pytest.mark.slow
def test_two_workers_find_what_one_process_finds(tmp_path):
    """The values follow from the seed and the trial's number, whoever trains; a confirmation runs on workers too."""
    store = str(tmp_path / "a.db")
    options = {"strategy": "random", "max_trials": 8, "epochs": 4, "seed": 3, "verbose": 0, "confirm": True}
    alone = dialed.optimize(bowl, name="alone", store=store, **options)
    study = dialed.optimize(bowl, name="two", store=store, workers=2, **options)
    assert table(study) == table(alone)
    assert [m.score for t in study.trials for m in t.confirmations] == [
        m.score for t in alone.trials for m in t.confirmations
    ]
    assert any(t.confirmations for t in study.trials)
    assert study.settings["workers"] == 2


def test_a_store_in_memory_cannot_be_shared(tmp_path):
    with pytest.raises(InvalidInputError, match="`store` of a search with `workers` must be a file or a database"):
        dialed.optimize(bowl, max_trials=2, workers=2, store="sqlite:///:memory:", verbose=0)


def test_what_cannot_be_sent_is_refused_with_its_name(tmp_path):
    import threading

    lock = threading.Lock()
    with pytest.raises(
        InvalidInputError, match="must be one that can be sent to other processes, but the function can"
    ):
        dialed.optimize(
            lambda hp: hp.Float("x", 0.0, 1.0) if lock else 0.0,
            max_trials=2,
            workers=2,
            store=str(tmp_path / "a.db"),
            verbose=0,
        )


@pytest.mark.slow
def test_budgets_hold_to_the_epoch_and_what_a_function_breaks_ends_the_study(tmp_path):
    store = str(tmp_path / "a.db")
    study = dialed.optimize(bowl, name="epochs", store=store, epochs=4, max_epochs=10, workers=2, seed=1, verbose=0)
    assert sum(t.epochs for t in study.trials) == 10
    with pytest.raises(InvalidInputError, match="must return a number"):
        dialed.optimize(
            lambda hp: hp.Float("x", 0.0, 1.0) and "no", name="bad", store=store, max_trials=3, workers=2, verbose=0
        )


@pytest.mark.slow
def test_a_function_that_always_fails_ends_the_study(tmp_path):
    def broken(hp):
        hp.Float("x", 0.0, 1.0)
        raise ValueError("no such file")

    with pytest.raises(StudyError, match="trials failed, so something other than their values"):
        dialed.optimize(broken, store=str(tmp_path / "a.db"), max_trials=30, workers=2, verbose=0)
