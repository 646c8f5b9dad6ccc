"""Stores as commands see them: to read a study, a store must be there; looking never makes one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from dialed.errors import StudyError
from dialed.store import Catalog, open_catalog
from dialed.store.database import parse_address
from dialed.study.study import Study

__all__ = ["exists", "is_there", "open_study", "opened", "say_place"]


def is_there(store: str | None) -> bool:
    """Whether there is such a store. A database server counts as there."""
    url = parse_address(store)
    if url.get_backend_name() != "sqlite":
        return True
    return url.database is not None and Path(url.database).is_file()


def say_place(store: str | None) -> str:
    """The store's place for people, without a password."""
    url = parse_address(store)
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


@contextlib.contextmanager
def opened(store: str | None) -> Iterator[Catalog]:
    """The store's catalog.

    Raises:
        StudyError: There is no store.
    """
    if not is_there(store):
        raise StudyError(
            f"There must be a store to look at. Got '{say_place(store)}', which does not exist. A first search makes it "
            "(`dialed demo`); `--store` names another one."
        )
    with open_catalog(store) as catalog:
        yield catalog


@contextlib.contextmanager
def open_study(name: str, store: str | None) -> Iterator[Study]:
    """The study of that name.

    Raises:
        StudyError: There is no such study, or no store.
    """
    with opened(store) as catalog:
        yield Study(catalog.open(name))


def exists(name: str, store: str | None) -> bool:
    """Whether there is a study of that name."""
    if not is_there(store):
        return False
    with open_catalog(store) as catalog:
        return catalog.exists(name)
