"""Values as TensorBoard knows them: one kind for each hyperparameter, and never `None`."""

import math

import pytest

from dialed.observe.tensorboard.hparams import ended, experiment, started
from dialed.observe.tensorboard.records import messages
from dialed.space import Boolean, Choice, Float, Hyperparameter, Int, Space
from dialed.trial import Objective, State

SPACE = Space(
    [
        Hyperparameter("units", Int(16, 64)),
        Hyperparameter("rate", Float(1e-4, 1.0, sampling="log")),
        Hyperparameter("flag", Boolean()),
        Hyperparameter("sizes", Choice([16, 32])),
        Hyperparameter("mixed", Choice([1, "one"])),
        Hyperparameter("maybe", Choice([0.5, None])),
    ]
)


def content(value, field):
    return getattr(messages().plugin.HParamsPluginData.FromString(value.metadata.plugin_data.content), field)


def test_the_experiment_has_the_whole_space_and_the_score_first():
    found = content(experiment(SPACE, Objective("loss", "min"), ["loss", "acc"], time=1.0), "experiment")
    api = messages().api
    kinds = {info.name: info.type for info in found.hparam_infos}
    assert kinds["units"] == kinds["rate"] == kinds["sizes"] == kinds["maybe"] == api.DATA_TYPE_FLOAT64
    assert (kinds["flag"], kinds["mixed"]) == (api.DATA_TYPE_BOOL, api.DATA_TYPE_STRING)
    infos = {info.name: info for info in found.hparam_infos}
    assert (infos["rate"].domain_interval.min_value, infos["rate"].domain_interval.max_value) == (1e-4, 1.0)
    assert list(infos["maybe"].domain_discrete) == [0.5]
    assert list(infos["mixed"].domain_discrete) == ["1", "one"]
    assert [metric.name.tag for metric in found.metric_infos] == ["best/loss", "acc", "loss"]


@pytest.mark.parametrize(
    ("name", "value", "kind", "expected"),
    [
        ("units", 32, "number_value", 32.0),
        ("flag", True, "bool_value", True),
        ("mixed", 1, "string_value", "1"),
        ("maybe", None, None, None),
        ("rate", math.nan, None, None),
        ("unknown", "x", "string_value", "x"),
    ],
)
def test_a_value_has_the_kind_of_its_column(name, value, kind, expected):
    info = content(started({name: value}, SPACE, group="trial 1", time=1.0), "session_start_info")
    assert info.group_name == "trial 1"
    if kind is None:
        assert name not in info.hparams
    else:
        assert getattr(info.hparams[name], kind) == expected
        assert info.hparams[name].WhichOneof("kind") == kind


def test_only_a_failure_is_one():
    api = messages().api
    for state in State:
        status = content(ended(state, time=1.0), "session_end_info").status
        assert status == (api.STATUS_FAILURE if state is State.FAILED else api.STATUS_SUCCESS)
