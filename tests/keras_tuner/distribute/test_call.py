"""What the chief says in the project's folder, and how long a worker waits for it."""

from pathlib import Path

import pytest

from dialed.keras_tuner.distribute import call as calls
from dialed.keras_tuner.distribute.call import Call, await_call
from dialed.keras_tuner.errors import FatalRuntimeError


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "LATE_SECONDS", "GONE_SECONDS"):
        monkeypatch.setattr(calls, name, 0.01)


def test_a_call_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And nothing where no chief was."""
    assert Call.read(str(tmp_path)) is None
    said = Call(session="a", study="s", kind="by itself", names=("0", "1"))
    said.write(str(tmp_path))
    assert Call.read(str(tmp_path)) == await_call(str(tmp_path)) == said


def test_a_worker_that_comes_too_late_ends(tmp_path: Path) -> None:
    """It waits a moment for a chief that goes on."""
    Call.new("s", "lanes").ended().write(str(tmp_path))
    assert await_call(str(tmp_path)) is None


def test_a_worker_goes_on_with_the_chief_that_comes_after(tmp_path: Path) -> None:
    """And ends when the search it worked for is over."""
    first, second = Call.new("s", "lanes"), Call.new("s", "lanes")
    second.write(str(tmp_path))
    assert await_call(str(tmp_path), after=first.session) == second
    second.ended().write(str(tmp_path))
    assert await_call(str(tmp_path), after=second.session) is None


def test_a_worker_does_not_wait_for_ever_for_a_chief_that_is_gone(tmp_path: Path) -> None:
    """The message says how to go on."""
    call = Call.new("s", "lanes")
    call.write(str(tmp_path))
    with pytest.raises(FatalRuntimeError, match="Start it again, with KERASTUNER_TUNER_ID=chief"):
        await_call(str(tmp_path), after=call.session)
