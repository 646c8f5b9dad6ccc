"""The widest model's values: whole numbers as large as any lane's, or a little larger."""

import pytest

from dialed.engine.fused.padding.stretch import differences, roomy, standing_for, widest
from dialed.space import Space
from dialed.space.discover import discover


@pytest.mark.parametrize(
    ("value", "values", "expected"),
    [
        (100, range(32, 513, 32), 128),
        (300, range(32, 513, 32), 512),
        (512, range(32, 513, 32), 512),
        (32, range(32, 513, 32), 32),
        (5, [3, 5, 7], 5),
        (9, [], 9),
    ],
)
def test_room_is_made_in_steps_of_two(value, values, expected):
    assert roomy(value, list(values)) == expected


def test_whole_numbers_that_differ_are_raised_and_nothing_else():
    lanes = [
        {"units": 3, "rate": 0.1, "activation": "relu", "depth": 2, "wide": True},
        {"units": 40, "rate": 0.5, "activation": "tanh", "depth": 2, "wide": False},
    ]
    assert widest(lanes, Space()) == {"units": 40, "rate": 0.1, "activation": "relu", "depth": 2, "wide": True}


def test_the_space_says_what_is_allowed():
    def build(hp):
        hp.Int("units", 8, 64, step=4)
        hp.Choice("filters", [3, 5, 7])

    space = discover(build).space
    assert widest([{"units": 16, "filters": 3}, {"units": 20, "filters": 5}], space) == {"units": 32, "filters": 5}


def test_another_lane_stands_with_its_own_fractions():
    wide = {"units": 64, "rate": 0.1, "activation": "relu"}
    assert standing_for({"units": 8, "rate": 0.3, "activation": "tanh"}, wide) == {**wide, "rate": 0.3}


def test_differences_name_what_was_widened():
    lanes = [{"units": 3, "depth": 2}, {"units": 5, "depth": 2}]
    assert differences(lanes, {"units": 8, "depth": 2}) == {"units": 8}
