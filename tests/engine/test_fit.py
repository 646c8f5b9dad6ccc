"""The engine `fit` keeps to what every engine must keep to. `test_backends` runs this file on the other backends."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialed.engine.fit import FitEngine
from dialed.testing.engines import EngineCheck, engine_checks

QUICK = ("every_member_is_planned_once", "a_continued_member_is_an_uninterrupted_one", "failures_are_outcomes")


def marked(check: EngineCheck) -> object:
    """Each check compiles several models, so only some belong to the fast tests."""
    return pytest.param(check, marks=() if check.__name__.startswith(QUICK) else pytest.mark.slow, id=check.__name__)


@pytest.mark.parametrize("check", [marked(check) for check in engine_checks()])
def test_the_rules_of_engines_hold(check: EngineCheck, tmp_path: Path) -> None:
    """One rule of `dialed.testing.engines` after the other."""
    check(FitEngine, tmp_path)
