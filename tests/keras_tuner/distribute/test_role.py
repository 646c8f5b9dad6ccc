"""What a process is, by its environment."""

import pytest

from dialed.keras_tuner.distribute.role import role_of
from dialed.keras_tuner.errors import FatalRuntimeError


@pytest.mark.parametrize(
    ("environment", "role"),
    [
        ({}, "alone"),
        ({"KERASTUNER_TUNER_ID": "tuner0"}, "alone"),
        ({"KERASTUNER_TUNER_ID": "chief"}, "chief"),
        ({"KERASTUNER_TUNER_ID": "my-chief-0", "KERASTUNER_ORACLE_IP": "10.0.0.1"}, "chief"),
        ({"KERASTUNER_TUNER_ID": "tuner0", "KERASTUNER_ORACLE_IP": "10.0.0.1"}, "worker"),
    ],
)
def test_the_environment_says_what_a_process_is(environment: dict[str, str], role: str) -> None:
    """A name with "chief" in it is the chief's; an address makes any other a worker."""
    assert role_of(environment) == role


def test_an_address_without_a_name_is_refused() -> None:
    """Nobody could tell the chief from a worker."""
    with pytest.raises(FatalRuntimeError, match="`KERASTUNER_TUNER_ID` must be set with `KERASTUNER_ORACLE_IP`"):
        role_of({"KERASTUNER_ORACLE_IP": "10.0.0.1"})
