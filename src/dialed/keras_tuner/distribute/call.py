"""What the chief says to its workers: one file in the project's folder, written whole or not at all."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias
from uuid import uuid4

from dialed.keras_tuner.engine.files import load_json, save_json
from dialed.keras_tuner.errors import FatalRuntimeError

__all__ = ["Call", "await_call"]

Kind: TypeAlias = Literal["lanes", "by itself"]

_FILE: Final = "call.json"

LOOK_SECONDS: Final = 0.5
"""How often a worker looks whether its chief has called."""

LATE_SECONDS: Final = 60.0
"""A worker that comes when the search is over waits so long for a chief that goes on with it."""

GONE_SECONDS: Final = 300.0
"""A worker waits so long for a chief that is gone, as KerasTuner's does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One search of one chief.

    Args:
        session: A name that no other search has.
        study: The study that it drives, in the project's `dialed.db`.
        kind: Whether trials are trained by Dialed's engines, or each by the tuner's own code.
        names: The oracle's name of each trial of the study, by its number, where the tuner's own code runs them.
        over: Whether the search has ended.
    """

    session: str
    study: str
    kind: Kind
    names: tuple[str, ...] = ()
    over: bool = False

    @classmethod
    def new(cls, study: str, kind: Kind) -> Self:
        """The call of a search that begins."""
        return cls(session=uuid4().hex, study=study, kind=kind)

    def ended(self) -> Self:
        """The same, once the search is over."""
        return replace(self, over=True)

    def write(self, folder: str) -> None:
        """Say it to whoever looks into the project's folder."""
        save_json(Path(folder, _FILE), asdict(self))

    @classmethod
    def read(cls, folder: str) -> Self | None:
        """What the chief of a project said last; `None` where there was none."""
        try:
            said = load_json(Path(folder, _FILE))
        except FileNotFoundError:
            return None
        return cls(**{**said, "names": tuple(said["names"])})


def await_call(folder: str, *, after: str | None = None) -> Call | None:
    """Wait until a chief searches, and return its call; `None` when the search is over.

    Args:
        folder: The project's.
        after: The search that this worker has worked for until it was finished. Defaults to none.

    Raises:
        FatalRuntimeError: The chief of that search never said that it is over, nor did another begin.
    """
    since, waits = time.monotonic(), False
    while True:
        call = Call.read(folder)
        waited = time.monotonic() - since
        if call is not None and not call.over and call.session != after:
            return call
        if call is not None and call.over and (after is not None or waited > LATE_SECONDS):
            return None
        if after is not None and waited > GONE_SECONDS:
            raise chief_is_gone(folder)
        if after is None and not waits:
            waits = True
            print(f"Waits for the chief in {folder}, which must be the same folder for the chief and all workers.")
        time.sleep(LOOK_SECONDS)


def chief_is_gone(folder: str) -> FatalRuntimeError:
    """The error of a worker whose chief does not come back."""
    return FatalRuntimeError(
        f"The chief of the project in {folder} must be there while workers work. It has been gone for {GONE_SECONDS:.0f} s. "
        "Start it again, with KERASTUNER_TUNER_ID=chief, and then the workers: the search goes on where it stopped."
    )
