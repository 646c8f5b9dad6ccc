"""JSON files that are whole or not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dialed.errors import StoreError
from dialed.keras_tuner.engine.files import load_json, save_json
from dialed.keras_tuner.engine.stateful import Stateful


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """The folder is made, and the text returned."""
    path = tmp_path / "a" / "b.json"
    assert save_json(path, {"x": [1, None, "é"]}) == path.read_text(encoding="utf-8")
    assert load_json(path) == {"x": [1, None, "é"]}


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "a.json"
    save_json(path, 1)
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_json(path, {1, 2})
    assert load_json(path) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_cut_off_file_is_said_to_be_one(tmp_path: Path) -> None:
    """With its path, and what to do."""
    path = tmp_path / "a.json"
    path.write_text('{"x": [1, ')
    with pytest.raises(StoreError, match=r"a\.json` must hold JSON.*Restore it, or remove it"):
        load_json(path)


def test_a_state_goes_to_a_file_and_back(tmp_path: Path) -> None:
    """Through the two methods that a subclass writes."""

    class Counter(Stateful):
        count = 3

        def get_state(self) -> dict[str, Any]:
            return {"count": self.count}

        def set_state(self, state: Any) -> None:
            self.count = state["count"]

    counter, other = Counter(), Counter()
    counter.count = 5
    counter.save(tmp_path / "state.json")
    other.reload(tmp_path / "state.json")
    assert other.count == 5


@pytest.mark.parametrize("call", [lambda it: it.get_state(), lambda it: it.set_state({})])
def test_a_bare_one_says_what_is_missing(call: Any) -> None:
    """Both must be written."""
    with pytest.raises(NotImplementedError, match="must be written by the subclass"):
        call(Stateful())
