"""The workers of a simulated cluster: what cannot be, and that chance is always the same chance."""

from __future__ import annotations

from typing import Any

import pytest

from dialed.errors import InvalidInputError
from dialed.testing.crew import Crew, Fate


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 0}, r"The `workers` of a Crew must be an int in the range \[1, inf\). Got 0."),
        ({"workers": True}, r"The `workers` of a Crew must be an int"),
        ({"workers": 1, "jitter": -0.1}, r"The `jitter` of a Crew must be a number in the range \[0, inf\). Got -0.1."),
        ({"workers": 1, "lease_seconds": float("nan")}, r"The `lease_seconds` of a Crew must be a number"),
        ({"workers": 1, "stragglers": 1.5}, r"The `stragglers` of a Crew are a share, at most 1. Got 1.5."),
        ({"workers": 1, "slowness": 0.5}, r"The `slowness` of a Crew must be at least 1. Got 0.5."),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Crew(**given)


def test_the_same_crew_has_the_same_fate() -> None:
    crew = Crew(workers=1, stragglers=0.5, jitter=0.3, deaths_per_hour=2.0, seed=3)
    first, second = Fate(crew), Fate(crew)
    drawn = [(first.pace(), first.factor(), first.life()) for _ in range(20)]
    assert drawn == [(second.pace(), second.factor(), second.life()) for _ in range(20)]
    assert {pace for pace, _, _ in drawn} == {1.0, 4.0}


def test_without_jitter_or_deaths_every_epoch_takes_as_long_and_workers_live_for_ever() -> None:
    fate = Fate(Crew(workers=1))
    assert (fate.pace(), fate.factor(), fate.life()) == (1.0, 1.0, None)
