"""`dialed.optimize` and `dialed.create_study`: the whole loop without Keras."""

import math

import numpy as np
import pytest

import dialed
from dialed.errors import InvalidInputError, SpaceError, StudyError
from dialed.trial import Cause, State


def bowl(hp):
    return (hp.Float("x", -2.0, 2.0) - 1.0) ** 2 + hp.Choice("offset", [0, 1])


@pytest.fixture
def store(tmp_path):
    return str(tmp_path / "study.db")


def run(function, store, **options):
    settings = {"max_trials": 12, "seed": 0, "verbose": 0, "store": store, "strategy": "random"}
    return dialed.optimize(function, **{**settings, **options})


def test_the_defaults_are_the_first_trial_and_the_baseline(store):
    study = run(bowl, store)
    assert study.trials[0].source == "default"
    assert dict(study.trials[0].values) == {"x": -2.0, "offset": 0}
    assert study.baseline.number == 0


def test_the_best_trial_is_the_one_with_the_least_value(store):
    study = run(bowl, store)
    assert study.best_trial.score == min(t.score for t in study.trials)
    assert len(study.trials) == 12
    assert all(t.state is State.COMPLETED for t in study.trials)


def test_maximising_turns_the_order_around(store):
    study = run(lambda hp: hp.Int("x", 0, 100), store, direction="max")
    assert study.best_trial.score == max(t.score for t in study.trials)


def test_the_same_seed_gives_the_same_trials(tmp_path):
    first, second = (run(bowl, str(tmp_path / name)) for name in ("a.db", "b.db"))
    assert [dict(t.values) for t in first.trials] == [dict(t.values) for t in second.trials]


def test_other_seeds_give_other_trials_and_not_the_same_shifted_by_one(tmp_path):
    first, second = (run(bowl, str(tmp_path / f"{seed}.db"), seed=seed) for seed in (0, 1))
    drawn = [{t.values["x"] for t in study.trials[1:]} for study in (first, second)]
    assert not drawn[0] & drawn[1]


def test_a_dict_of_metrics_needs_the_objective(store):
    study = run(lambda hp: {"loss": hp.Float("x", 0.0, 1.0), "other": 1.0}, store, objective="loss")
    assert study.objective.name == "loss"
    assert study.history(study.best_trial)[0].metrics["other"] == 1.0
    with pytest.raises(InvalidInputError, match=r"must return the objective 'score' among its metrics. Got \['loss'\]"):
        run(lambda hp: {"loss": 1.0}, store, objective="score", name="other")


def test_a_function_that_returns_no_number_is_told_so(store):
    with pytest.raises(InvalidInputError, match=r"must return a number, or a dict of metrics. Got 'good'"):
        run(lambda hp: "good", store)


def test_a_finite_space_ends_the_search_when_it_is_exhausted(store):
    study = run(lambda hp: hp.Int("x", 1, 5), store, max_trials=100)
    assert sorted(t.values["x"] for t in study.trials) == [1, 2, 3, 4, 5]


def test_a_search_that_nothing_would_end_is_refused(store):
    with pytest.raises(InvalidInputError, match="One of `max_trials`, `max_epochs` and `max_time` must be given"):
        run(bowl, store, max_trials=None)


def test_a_failing_trial_has_a_cause_and_the_search_goes_on(store):
    def sometimes(hp):
        x = hp.Int("x", 0, 9)
        if x == 0:
            raise RuntimeError("no luck")
        if x == 1:
            return math.nan
        hp.require(x != 2, "two is never right")
        return x

    study = run(sometimes, store, max_trials=10)
    causes = {t.values["x"]: t.cause for t in study.trials}
    assert (causes[0], causes[1], causes[2]) == (Cause.ERROR, Cause.NAN, Cause.INFEASIBLE)
    assert [t.message for t in study.trials if t.values["x"] == 2] == ["two is never right"]
    assert "RuntimeError: no luck" in next(t.message for t in study.trials if t.values["x"] == 0)
    assert study.best_trial.values["x"] == 3


def test_code_that_always_fails_ends_the_study_and_keeps_the_trials(store):
    def broken(hp):
        hp.Float("x", 0.0, 1.0)
        raise ValueError("boom")

    with pytest.raises(StudyError, match=r"The last 3 trials failed(.|\n)*boom"):
        run(broken, store, name="broken", max_consecutive_failures=3)
    assert len(dialed.load("broken", store).trials) == 3


def test_a_finished_study_is_not_paid_for_twice(store):
    calls = []

    def counted(hp):
        calls.append(1)
        return hp.Float("x", 0.0, 1.0)

    run(counted, store, name="once")
    again = run(counted, store, name="once")
    assert len(calls) == 12
    assert len(again.trials) == 12


def test_a_raised_budget_goes_on_where_the_study_stopped(store):
    whole = run(bowl, store, name="whole", max_trials=12)
    run(bowl, store, name="parts", max_trials=5)
    parts = run(bowl, store, name="parts", max_trials=12)
    assert [dict(t.values) for t in parts.trials] == [dict(t.values) for t in whole.trials]


def test_a_name_that_is_taken_is_refused_without_resume(store):
    run(bowl, store, name="taken")
    with pytest.raises(StudyError, match="The study 'taken' exists already. Pass resume=True"):
        run(bowl, store, name="taken", resume=False)


def test_another_objective_under_the_same_name_is_refused(store):
    run(bowl, store, name="taken")
    with pytest.raises(StudyError, match=r"was begun with objective='objective' \(min\), so it cannot go on with"):
        run(bowl, store, name="taken", direction="max")


def test_conditional_values_are_recorded_only_where_they_are_active(store):
    def layers(hp):
        return sum(hp.Int(f"units_{i}", 1, 8) for i in range(hp.Int("layers", 1, 3)))

    study = run(layers, store, max_trials=20)
    for trial in study.trials:
        assert set(trial.values) == {"layers", *(f"units_{i}" for i in range(trial.values["layers"]))}


def test_intermediate_reports_are_kept_and_the_returned_value_is_the_score(store):
    def steps(hp):
        x = hp.Float("x", 0.0, 1.0)
        for step in range(1, 4):
            hp.report(step, x + step)
        return 50.0 + x

    study = run(steps, store, max_trials=2)
    trial = study.trials[0]
    assert [r.epoch for r in study.history(trial)] == [1, 2, 3, 4]
    assert trial.score == 50.0


def test_a_budget_in_epochs_pauses_a_function_that_asks(store):
    def endless(hp):
        hp.Float("x", 0.0, 1.0)
        step = 0
        while True:
            step += 1
            if hp.report(step, 1.0 / step):
                return

    study = run(endless, store, max_trials=None, max_epochs=25, epochs=100)
    assert sum(t.epochs for t in study.trials) == 25


def test_ask_and_tell_is_the_same_search(store):
    study = dialed.create_study({"x": dialed.Int(1, 4)}, strategy="random", seed=0, store=store, name="mine")
    told = []
    with pytest.raises(StudyError, match="has nothing more to ask"):
        while True:
            trial = study.ask()
            told.append(study.tell(trial, float(trial.values["x"])))
    assert sorted(t.score for t in told) == [1.0, 2.0, 3.0, 4.0]
    assert study.best_trial.score == 1.0
    study.close()


def test_asked_trials_are_distinct_before_they_are_told(store):
    study = dialed.create_study({"x": dialed.Int(1, 4)}, strategy="random", seed=0, store=store)
    trials = [study.ask() for _ in range(4)]
    assert len({t.values["x"] for t in trials}) == 4
    study.close()


def test_a_trial_that_was_not_told_is_asked_again_by_the_next_process(store):
    first = dialed.create_study({"x": dialed.Float(0.0, 1.0)}, strategy="random", seed=0, store=store, name="mine")
    left = first.ask()
    first.close()
    second = dialed.create_study({"x": dialed.Float(0.0, 1.0)}, strategy="random", seed=0, store=store, name="mine")
    assert second.ask().number == left.number
    second.close()


def test_told_failures_are_failed_trials(store):
    study = dialed.create_study({"x": dialed.Float(0.0, 1.0)}, store=store, strategy="random")
    assert study.tell(study.ask(), "the machine caught fire").cause is Cause.TOLD
    assert study.tell(study.ask(), ValueError("bad")).cause is Cause.ERROR
    assert study.tell(study.ask(), math.inf).cause is Cause.NAN
    study.close()


def test_only_what_was_asked_can_be_told(store):
    study = dialed.create_study({"x": dialed.Float(0.0, 1.0)}, store=store)
    with pytest.raises(InvalidInputError, match="must be one that `ask` of this study gave"):
        study.tell(0, 1.0)


def test_enqueued_values_are_tried_next(store):
    study = dialed.create_study({"x": dialed.Float(0.0, 1.0)}, store=store, strategy="random")
    study.tell(study.ask(), 1.0)
    study.enqueue({"x": 0.123})
    trial = study.ask()
    assert (trial.values["x"], trial.source) == (0.123, "enqueued")
    study.close()


def test_enqueued_values_must_fit_the_space(store):
    study = dialed.create_study({"rate": dialed.Float(0.0, 1.0)}, store=store)
    with pytest.raises(
        SpaceError, match=r"must name hyperparameters of the space: rate. Got 'rat'. Did you mean 'rate'"
    ):
        study.enqueue({"rat": 0.5})
    with pytest.raises(SpaceError, match="The enqueued value of 'rate' must be one of"):
        study.enqueue({"rate": 7.0})


def test_a_table_of_trials_has_one_row_each(store):
    frame = run(bowl, store).to_pandas()
    assert len(frame) == 12
    assert {"state", "score", "x", "offset", "epochs", "seconds", "cause"} <= set(frame.columns)


def test_a_study_can_be_loaded_and_looked_at(store):
    run(bowl, store, name="seen")
    study = dialed.load("seen", store)
    assert "seen" in repr(study)
    assert "12" in study._repr_html_()
    assert "trial" in study.summary().lower()


def test_an_unknown_study_is_told_with_its_nearest_name(store):
    run(bowl, store, name="mnist-first")
    with pytest.raises(StudyError, match="mnist-first"):
        dialed.load("mnist-frist", store)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"direction": "up"}, "The `direction` must be 'min' or 'max'. Got 'up'"),
        ({"seed": -1}, r"The `seed` must be an int in the range \[0, inf\)"),
        ({"strategy": "randon"}, "random"),
        ({"space": {"x": 3}}, "The `space` must map names to"),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(store, options, message):
    with pytest.raises(InvalidInputError, match=message):
        run(bowl, store, **options)


def test_two_processes_cannot_drive_one_study(store):
    def nested(hp):
        hp.Float("x", 0.0, 1.0)
        run(bowl, store, name="shared")
        return 0.0

    with pytest.raises(StudyError, match="shared"):
        run(nested, store, name="shared")


def test_confirming_does_not_go_on_with_a_trial_that_the_budget_interrupted(store):
    """The interrupted trial keeps waiting for a larger budget; only the finalists' fresh members are trained."""

    def steps(hp):
        x = hp.Float("x", 0.0, 1.0)
        for step in range(1, 5):
            if hp.report(step, 1.0 / step - x):
                return

    study = run(steps, store, max_trials=None, max_epochs=62, epochs=4, confirm=True, name="cut")
    assert study.trials[-1].state is State.WAITING
    assert study.trials[-1].epochs == 2  # 38 epochs were for the search: nine whole trials and half a one
    assert {f.repeats for f in study.confirmation.finalists} == {3}  # 24 were for three seeds of two trials
    assert study.record.epochs == 62


def test_ctrl_c_leaves_a_study_that_goes_on_and_says_how(store, capsys):
    calls = []

    def interrupted(hp):
        x = hp.Float("x", 0.0, 1.0)
        calls.append(x)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return x

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, store, name="cut", verbose=1)
    assert "run it again with name='cut' and it goes on" in capsys.readouterr().out
    study = run(interrupted, store, name="cut", max_trials=5)
    assert [t.state for t in study.trials] == [State.COMPLETED] * 5
    assert calls[3] == calls[2]  # the third trial again, from its start
    assert study.trials[2].members[0].attempts == 0


def test_a_changed_space_is_taken_up_though_the_session_that_brought_it_was_killed_at_once(store, monkeypatch):
    """The space is compared with what the events say, not with settings that a dead session had written before it."""
    from dialed.study.decider import Decider

    narrow, wide = {"x": dialed.Float(0.0, 1.0)}, {"x": dialed.Float(5.0, 6.0)}
    run(lambda hp: hp.values["x"], store, space=narrow, max_trials=2, name="moved")
    with monkeypatch.context() as dying:
        dying.setattr(Decider, "recall", lambda self: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            run(lambda hp: hp.values["x"], store, space=wide, max_trials=4, name="moved")
    study = run(lambda hp: hp.values["x"], store, space=wide, max_trials=4, name="moved")
    assert all(t.values["x"] >= 5.0 for t in study.trials[2:])


def test_values_of_a_given_space_are_kept_though_the_function_only_reads_them(store):
    study = run(lambda hp: hp.values["x"] ** 2, store, space={"x": dialed.Int(-2, 2), "y": dialed.Boolean()})
    assert all(set(t.values) == {"x", "y"} for t in study.trials)
    assert len({(t.values["x"], t.values["y"]) for t in study.trials}) == 10


def test_on_pure_noise_the_summary_says_that_nothing_is_better_than_the_defaults(tmp_path):
    """Three searches whose scores are luck alone: each has a best one far above the defaults, and none is believed."""
    for seed in range(3):
        random = np.random.default_rng(seed)

        def noise(hp, random=random):
            hp.Float("rate", 0.0, 1.0)
            return random.normal()

        study = dialed.optimize(
            noise, max_trials=30, strategy="random", seed=seed, confirm=True, name=f"noise-{seed}",
            store=str(tmp_path / "study.db"), verbose=0,
        )  # fmt: skip
        assert study.best_trial.score < study.record.baseline.score
        said = " ".join(study.summary().split())
        assert "nothing that was tried is shown to be better" in said.lower() or "nothing that was tried beat" in said
