"""A folder with a recorded study, and the command to run in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import CliRunner, Result

from dialed.cli import main
from dialed.space import HyperParameters
from dialed.study import optimize

Dialed: TypeAlias = Callable[..., Result]


def loss(hp: HyperParameters) -> float:
    """A bowl whose lowest point is at x=1; `depth` exists for one kind only, and the far right fails."""
    x = hp.Float("x", -2.0, 2.0, default=0.0)
    if hp.Choice("kind", ["plain", "deep one"]) == "deep one":
        hp.Int("depth", 1, 5)
    if x > 1.7:
        raise ValueError("too far")
    return float((x - 1.0) ** 2)


@pytest.fixture
def dialed(working_folder: Path) -> Dialed:
    """The command, in an empty folder: `dialed("show", "square")`."""
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments], prog_name="dialed")


@pytest.fixture
def square(working_folder: Path) -> str:
    """The name of a study of 12 trials in ./dialed.db, one of them failed."""
    optimize(loss, max_trials=12, seed=1, name="square", verbose=0).close()
    return "square"
