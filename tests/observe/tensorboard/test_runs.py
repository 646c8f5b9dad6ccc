"""Events of a study become runs, each point once."""

from dialed.events import SessionEnded, SpaceSet, TrialStarted
from dialed.observe.tensorboard.runs import Runs
from dialed.space import Float, Hyperparameter, Space
from dialed.trial import MemberKey, Outcome, Report, State

SPACE = Space([Hyperparameter("learning_rate", Float(1e-4, 1.0))])


def test_the_last_point_is_the_score(tmp_path, terms, story, tags):
    runs = Runs(tmp_path, terms)
    events = [story.start(0), story.built(0), *(story.report(0, e, v) for e, v in ((1, 0.5), (2, 0.9), (3, 0.7)))]
    for item in [*events, story.done(0)]:
        runs.apply(item, 5.0)
    found = tags(tmp_path / "trial-0000")
    assert [(step, round(value, 3)) for tag, step, value in found if tag == "best/val_accuracy"] == [
        (1, 0.5), (2, 0.9), (3, 0.9),
    ]  # fmt: skip
    assert [round(value, 3) for tag, _, value in found if tag == "val_accuracy"] == [0.5, 0.9, 0.7]


def test_members_share_a_group_and_confirmations_have_their_own(tmp_path, terms_of, story, hparams):
    runs = Runs(tmp_path, terms_of("val_accuracy", "max"))
    for item in [story.start(3, seeds=(1, 2)), story.built(3), story.report(3, 1, 0.5, seed=1)]:
        runs.apply(item, 0.0)
    for item in [story.judges(3, (8, 9)), story.report(3, 1, 0.4, seed=8)]:
        runs.apply(item, 0.0)
    groups = {p.name: hparams(p, "session_start_info")[0].group_name for p in tmp_path.iterdir() if p.is_dir()}
    assert groups == {
        "trial-0003-repeat-1": "trial 3",
        "trial-0003-repeat-2": "trial 3",
        "trial-0003-confirm-1": "trial 3 confirmed",
    }


def test_a_session_begins_with_the_values_that_the_build_asked_for(tmp_path, terms, story, hparams):
    runs = Runs(tmp_path, terms)
    for item in [story.start(0, {}), story.report(0, 1, 0.5), story.built(0, {"units": 8})]:
        runs.apply(item, 0.0)
    (info,) = hparams(tmp_path / "trial-0000", "session_start_info")
    assert info.hparams["units"].number_value == 8.0


def test_what_rests_at_the_end_of_a_session_has_ended(tmp_path, terms, story, hparams):
    runs = Runs(tmp_path, terms)
    paused = Outcome(key=MemberKey(0, 0, 0), state=State.PAUSED, epoch=1)
    begun = TrialStarted(trial=0, values={}, until=1, epochs=3, seeds=(0,))
    for item in [begun, story.built(0), story.report(0, 1, 0.5), paused]:
        runs.apply(item, 0.0)
    assert not hparams(tmp_path / "trial-0000", "session_end_info")
    runs.apply(SessionEnded(reason="", finished=True, seconds=1.0), 0.0)
    assert len(hparams(tmp_path / "trial-0000", "session_end_info")) == 1


def test_writing_again_adds_nothing(tmp_path, terms, story, tags):
    for _ in range(2):
        runs = Runs(tmp_path, terms)
        for item in story.three_trials():
            runs.apply(item, 0.0)
        size = {path: len(tags(path)) for path in tmp_path.iterdir() if path.is_dir()}
    assert {path.name: count for path, count in size.items()} == {"trial-0000": 8, "trial-0001": 8, "trial-0002": 2}


def test_an_epoch_that_is_trained_again_is_no_second_point(tmp_path, terms, story, tags):
    runs = Runs(tmp_path, terms)
    for item in [story.start(0), story.report(0, 1, 0.5), story.report(0, 1, 0.6), story.report(0, 2, 0.7)]:
        runs.apply(item, 0.0)
    assert [step for tag, step, _ in tags(tmp_path / "trial-0000") if tag == "val_accuracy"] == [1, 2]


def test_the_space_is_written_anew_when_it_grows(tmp_path, terms, story, hparams):
    runs = Runs(tmp_path, terms)
    runs.apply(SpaceSet(space=Space([]).to_json()), 0.0)
    runs.apply(story.start(0), 0.0)
    runs.apply(story.report(0, 1, 0.5), 0.0)
    runs.apply(SpaceSet(space=SPACE.to_json()), 0.0)
    runs.apply(Report(key=MemberKey(0, 0, 0), epoch=2, metrics={"val_accuracy": 0.6, "extra": 1.0}), 0.0)
    (found,) = hparams(tmp_path, "experiment")
    assert [info.name for info in found.hparam_infos] == ["learning_rate"]
    assert "extra" in {info.name.tag for info in found.metric_infos}
