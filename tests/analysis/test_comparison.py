"""Two studies side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest

import dialed
from dialed.errors import InvalidInputError, SpaceError, StudyError
from dialed.events import MembersAdded
from dialed.space import Float, Int
from dialed.trial import MemberKey, Outcome, Report, State


def study_of(tmp_path, name, scores, *, confirmed=None, seeds=(11, 12, 13, 14, 15), space=None, **options):
    """A study with these scores, the last trial confirmed with `confirmed[i]` under `seeds[i]`."""
    space = {"x": Float(0.0, 1.0)} if space is None else space
    settings = {"strategy": "random", "seed": 0, "store": str(tmp_path / "c.db"), "name": name, **options}
    study = dialed.create_study(space, **settings)
    for score in scores:
        study.tell(study.ask(), score)
    study.close()
    if confirmed is not None:
        for number, offset in ((0, 0.5), (len(scores) - 1, 0.0)):
            study._store.append([MembersAdded(trial=number, until=1, seeds=seeds)])
            for seed, score in zip(seeds, confirmed, strict=True):
                key = MemberKey(number, seed, 0)
                study._store.append([Report(key=key, epoch=1, metrics={"objective": score + offset})])
                study._store.append([Outcome(key=key, state=State.COMPLETED, epoch=1)])
    return study


def test_the_space_and_the_terms_are_compared_first(tmp_path):
    first = study_of(tmp_path, "a", [1.0])
    second = study_of(tmp_path, "b", [1.0], space={"x": Float(0.0, 2.0), "n": Int(1, 3)})
    found = first.compare(second)
    assert any("`n` is new" in said for said in found.space) and len(found.space) == 2
    assert found.sentences[0].startswith("The space changed from a to b: ")
    assert found.data is None and "It is not recorded what both were trained on." in found.sentences
    assert first.compare(first).sentences[0] == "Both searched the same space."


def test_courses_are_the_best_so_far(tmp_path):
    found = study_of(tmp_path, "a", [3.0, 4.0, 1.0]).compare(study_of(tmp_path, "b", [2.0, 1.5]))
    assert [course.best for course in found.courses] == [(3.0, 3.0, 1.0), (2.0, 1.5)]
    assert [course.epochs for course in found.courses] == [(1, 2, 3), (1, 2)]
    assert [row[0] for row in found.table.rows] == ["1", "2", "3"] and found.table.rows[2][3] == "-"


def test_winners_that_no_fresh_seed_has_judged_cannot_be_told_apart(tmp_path):
    found = study_of(tmp_path, "a", [3.0, 1.0]).compare(study_of(tmp_path, "b", [9.0, 8.0]))
    assert found.difference is None
    assert "The winner of a and that of b was not judged by fresh seeds" in found.sentences[-1]


def test_under_shared_seeds_winners_are_compared_in_pairs(tmp_path):
    """The seeds scatter by 1, the difference is 0.2: only pairs can tell."""
    common = np.random.default_rng(0).normal(size=5)
    first = study_of(tmp_path, "a", [3.0, 1.0], confirmed=common)
    second = study_of(tmp_path, "b", [3.0, 1.0], confirmed=common - 0.2 + 0.01 * np.arange(5))
    found = first.compare(second)
    assert found.paired and found.difference.mean == pytest.approx(0.18) and found.difference.low > 0
    assert "the winner of b (trial 1) is better than that of a (trial 1) by 0.18" in found.sentences[-1]


def test_under_other_seeds_the_interval_is_welch_s(tmp_path):
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(1)
    mine, theirs = rng.normal(size=5), rng.normal(0.5, 2.0, size=5)
    first = study_of(tmp_path, "a", [3.0, 1.0], confirmed=mine)
    second = study_of(tmp_path, "b", [3.0, 1.0], confirmed=theirs, seeds=(21, 22, 23, 24, 25))
    found = first.compare(second)
    expected = ttest_ind(mine, theirs, equal_var=False).confidence_interval(0.95)
    assert not found.paired
    assert (found.difference.low, found.difference.high) == pytest.approx((expected.low, expected.high))


def test_another_metric_cannot_be_compared(tmp_path):
    first, second = study_of(tmp_path, "a", [1.0]), study_of(tmp_path, "b", [1.0], direction="max")
    with pytest.raises(
        InvalidInputError, match=r"`other` study must improve the same metric: 'objective' \(min\). Got"
    ):
        first.compare(second)


def test_the_result_shows_itself(tmp_path):
    found = study_of(tmp_path, "a", [3.0, 1.0]).compare(study_of(tmp_path, "b", [9.0]))
    assert str(found).startswith("a and b\n- Both searched the same space.")
    assert "<table" in found._repr_html_() and len(found.to_pandas()) == 3


def test_the_command_compares(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from dialed.cli import main

    first, second = study_of(tmp_path, "a", [3.0, 1.0]), study_of(tmp_path, "b", [9.0])
    store = str(tmp_path / "c.db")
    said = CliRunner().invoke(main, ["compare", "a", "b", "--store", store])
    assert said.exit_code == 0 and said.stdout == f"{first.compare(second)}\n"
    document = json.loads(CliRunner().invoke(main, ["compare", "a", "b", "--store", store, "--json"]).stdout)
    assert document["courses"][0]["best"] == [3.0, 1.0]


@pytest.mark.slow
def test_winners_are_trained_again_under_the_same_seeds_and_changed_data_are_told(tmp_path):
    keras = pytest.importorskip("keras")
    rows = np.random.default_rng(0).normal(size=(80, 3)).astype("float32")
    labels = (rows[:, 0] > 0).astype("int32")

    def build(hp):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
        rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log", default=1e-3)
        model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
        return model

    def search(name, x, **options):
        settings = {"max_trials": 2, "strategy": "random", "confirm": False, "verbose": 0, **options}
        tuner = dialed.Tuner(build, "val_loss", store=str(tmp_path / "k.db"), name=name, **settings)
        tuner.search(x, labels, validation_split=0.25, epochs=2, batch_size=16)
        return tuner

    today, yesterday = search("today", rows, seed=1), search("yesterday", 2 * rows, seed=2)
    found = today.compare(yesterday.study, repeats=3)
    assert found.paired and found.difference is not None and found.data == ("`x` holds other values.",)
    assert today.compare(yesterday.study, repeats=3) == found
    far = study_of(tmp_path, "far", [0.1], space={"other": Float(0.0, 1.0)}, objective="val_loss")
    with pytest.raises(SpaceError, match="winner of the `other` study must lie inside the space of 'today'"):
        today.compare(far, repeats=2)

    # A study that was loaded needs to be told what it was searched with, and then says the very same.
    loaded = dialed.load("today", store=str(tmp_path / "k.db"))
    before = loaded.settings, len(loaded.events())
    searched = {"hypermodel": build, "y": labels, "validation_split": 0.25, "epochs": 2, "batch_size": 16}
    assert loaded.compare(yesterday.study, x=rows, repeats=3, **searched) == found
    assert (loaded.settings, len(loaded.events())) == before
    with pytest.raises(StudyError, match=r"data must be those of the study 'today'.*`x` holds other values"):
        loaded.compare(yesterday.study, x=3 * rows, **searched)
    with pytest.raises(StudyError, match="'today' was searched with epochs=2, and must be trained again with the same"):
        loaded.compare(yesterday.study, x=rows, **{**searched, "epochs": 3})
    with pytest.raises(InvalidInputError, match="`repeats` must be 2 or more"):
        loaded.compare(yesterday.study, x=rows, repeats=1, **searched)

    def other_build(hp):
        hp.Fixed("kind", "other")
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    with pytest.raises(SpaceError, match="`hypermodel` must ask for what that of the study 'today' asked for"):
        loaded.compare(yesterday.study, x=rows, **{**searched, "hypermodel": other_build})


def test_training_anew_needs_all_that_was_searched_with(tmp_path):
    first, second = study_of(tmp_path, "a", [3.0]), study_of(tmp_path, "b", [9.0])
    with pytest.raises(InvalidInputError, match="Got no `hypermodel`"):
        first.compare(second, x=[[1.0]])
    with pytest.raises(InvalidInputError, match="Got no `x`"):
        first.compare(second, hypermodel=lambda hp: None)
    with pytest.raises(InvalidInputError, match="Got no `hypermodel` and `x`"):
        first.compare(second, epochs=3)
    with pytest.raises(StudyError, match="'a' must be one of a tuner over Keras models"):
        first.compare(second, hypermodel=lambda hp: None, x=[[1.0]])


def test_the_command_trains_anew_only_what_it_can_load(tmp_path):
    from click.testing import CliRunner

    from dialed.cli import main

    study_of(tmp_path, "a", [3.0, 1.0]), study_of(tmp_path, "b", [9.0])
    said = CliRunner().invoke(main, ["compare", "a", "b", "--retrain", "3", "--store", str(tmp_path / "c.db")])
    assert said.exit_code != 0 and "one that `dialed run` began. Got 'a'" in " ".join(said.output.split())
