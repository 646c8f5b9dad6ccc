"""What a space offers, and the range to try next."""

import pytest

from dialed.analysis.remedies import edges_of, hyperparameters_for, roles_of
from dialed.space import Boolean, Choice, Float, Hyperparameter, Int, Space


def space_of(**domains):
    return Space(Hyperparameter(name, domain) for name, domain in domains.items())


SPACE = space_of(
    dense_dropout=Float(0.0, 0.5),
    l2_penalty=Float(1e-6, 1e-2, sampling="log"),
    units_0=Int(16, 256, step=16),
    num_layers=Int(1, 4),
    learning_rate=Float(1e-4, 1e-1, sampling="log"),
    batch_size=Choice([16, 32, 64]),
    epochs=Int(5, 50),
    activation=Choice(["relu", "tanh"]),
)


def test_hyperparameters_are_known_by_their_names():
    assert roles_of(SPACE) == {
        "dropout": ["dense_dropout"],
        "weight decay": ["l2_penalty"],
        "epochs": ["epochs"],
        "batch size": ["batch_size"],
        "learning rate": ["learning_rate"],
        "depth": ["num_layers"],
        "width": ["units_0"],
    }


def test_what_is_offered_is_told_with_its_range_and_value_and_what_lacks_is_named():
    said = hyperparameters_for(("dropout", "weight decay"), space_of(dropout=Float(0.0, 0.5)), {"dropout": 0.1})
    assert said == "The space offers `dropout` (0.0 to 0.5, here 0.1); it has no hyperparameter for weight decay."
    none = hyperparameters_for(("dropout",), space_of(x=Boolean()), {})
    assert none == "The space offers nothing against it; it has no hyperparameter for dropout."


@pytest.mark.parametrize(
    ("name", "value", "next_range"),
    [
        ("learning_rate", 1e-4, 'Float(3.2e-06, 0.0032, sampling="log")'),
        ("learning_rate", 0.099, 'Float(0.0032, 3.2, sampling="log")'),
        ("units_0", 256, "Int(128, 384, step=16)"),
        ("num_layers", 4, "Int(2, 6)"),
        ("batch_size", 64, "Choice([..., 128])"),
        ("batch_size", 16, "Choice([..., 8])"),
        ("dense_dropout", 0.5, "Float(0.25, 0.75)"),
    ],
)
def test_a_winner_at_the_edge_gets_the_range_to_try_next(name, value, next_range):
    (edge,) = edges_of(SPACE, {name: value})
    assert edge.domain == next_range and f"try {next_range} next" in edge.sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dense_dropout", 0.0),  # nothing lies below 0
        ("num_layers", 1),  # nor below one layer
        ("units_0", 128),
        ("learning_rate", 1e-3),
        ("activation", "tanh"),
        ("batch_size", 32),
    ],
)
def test_inside_a_range_or_at_a_natural_end_there_is_no_edge(name, value):
    assert edges_of(SPACE, {name: value}) == ()


def test_an_edge_keeps_a_positive_range_positive():
    (edge,) = edges_of(space_of(width=Int(8, 64, step=8)), {"width": 8})
    assert edge.domain == "Int(4, 36, step=4)"
