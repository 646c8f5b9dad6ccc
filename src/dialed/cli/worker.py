"""`dialed worker`: train what waits in a store, for whatever search runs there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from dialed.cli import searching
from dialed.cli.load import load_builder
from dialed.cli.options import debug_option, store_option
from dialed.cli.output import note
from dialed.cli.request import SearchRequest
from dialed.cli.stores import opened
from dialed.clock import SystemClock
from dialed.errors import InvalidInputError, StudyError
from dialed.store import Catalog, SqlStore
from dialed.study.budget import parse_seconds

__all__ = ["dismissable", "worker"]

_LOOK_SECONDS = 1.0


class _Dismissed(BaseException):
    """SIGTERM: a cluster takes the machine back. No `Exception`, so that engines write down what they have."""


@click.command(short_help="Train for a search that another process runs.")
@click.option("--study", metavar="NAME", help="Work for this study only.  [default: whatever runs in the store]")
@click.option("--idle", metavar="TIME", help="Leave after so long without work, such as 10m.  [default: never]")
@store_option
@debug_option
def worker(study: str | None, idle: str | None, store: str | None) -> None:
    """Train for a search that another process runs, with the same store. Start as many as you like, at any time.

    The study's code is imported from where it was when the search began, so the file must be there on this machine too.
    SIGTERM and Ctrl-C hand the work back, with a checkpoint.
    """
    with opened(store) as catalog, dismissable():
        _serve(catalog, study, parse_seconds(idle, name="--idle"))


def _serve(catalog: Catalog, name: str | None, idle_seconds: float | None) -> None:
    clock = SystemClock()
    since, refused = clock.monotonic(), set[str]()
    while True:
        found = _next(catalog, name, refused)
        if found is not None:
            try:
                visit = _join(catalog.open(found), catalog.place, idle_seconds)
            except (StudyError, InvalidInputError) as error:
                if name is not None:
                    raise
                note(f"Not worked for '{found}': {error}")
                refused.add(found)
                continue
            note(f"Left '{found}' after {visit.members} members: {visit.ended}.")
            since = clock.monotonic()
            if name is not None:
                return
        if idle_seconds is not None and clock.monotonic() - since > idle_seconds:
            note("There was nothing to do.")
            return
        time.sleep(_LOOK_SECONDS)


def _next(catalog: Catalog, name: str | None, refused: set[str]) -> str | None:
    """The study to work for now: the one that was named, or one that runs."""
    if name is not None:
        return catalog.open(name).name
    return next((info.name for info in catalog.studies() if info.state == "running" and info.name not in refused), None)


def _join(store: SqlStore, place: str, idle_seconds: float | None) -> Any:
    """Work for a study, with its code as it says where that is."""
    from dialed.study.functions import join_function

    settings = store.settings
    run = settings.get("run")
    if isinstance(run, Mapping) and run.get("kind") == "run":
        request = SearchRequest.from_json({**run, "store": store.address})
        return searching.work(request, store.name, idle_seconds=idle_seconds)
    code = settings.get("code")
    if not isinstance(code, Mapping):
        raise StudyError(
            f"`dialed worker` needs a study whose data and code are in files: one that `dialed run` or `dialed.optimize` "
            f"began. Got '{store.name}' of {place}, which was begun otherwise. Let the same script call "
            "`tuner.work(x, y, ...)` in the place of `tuner.search(x, y, ...)`."
        )
    if "file" not in code:
        raise StudyError(
            f"The function of the study '{store.name}' must be one that can be imported from a file, but {code['reason']}. "
            "Move it to the top of a file, and run the search again."
        )
    if not os.path.isfile(code["file"]):
        raise StudyError(
            f"The code of the study '{store.name}' must be on this machine, but there is no file {code['file']}. Copy it "
            "there, or use a folder that all machines share."
        )
    function = load_builder(f"{code['file']}:{code['name']}")
    return join_function(store, function, clock=SystemClock(), idle_seconds=idle_seconds, say=note)


@contextmanager
def dismissable() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C hand the work back, and end it there. A second SIGTERM meanwhile changes nothing."""

    def dismiss(*_: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Dismissed

    before = signal.signal(signal.SIGTERM, dismiss)
    try:
        yield
    except (_Dismissed, KeyboardInterrupt):
        note("Told to go: what was trained is written down and given back.")
    finally:
        signal.signal(signal.SIGTERM, before)
